//! How long a connection may wait for its client, and how much it may buffer.

use std::time::Duration;

/// How long a client may take for the handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take for the head of a request, and stay silent between two.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may leave what it was sent unread, once the system's buffers for it are full.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long what was sent may stay unconfirmed by the other machine: one that has lost its network says no farewell, and
/// is noticed by the heartbeat that it does not confirm.
#[cfg(target_os = "linux")]
pub(crate) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(45);

/// How much a connection buffers at most, and so the largest head of a request, in bytes.
pub(crate) const BUFFER_MAX: usize = 64 * 1024;
