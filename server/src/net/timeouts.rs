//! How long a connection waits for its client, and how much it buffers.

use std::time::Duration;

/// The longest time for a TLS handshake.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest time for the head of a request, and between two requests.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest time in which a client reads nothing while the system's send buffer is full.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest time in which the other machine acknowledges no sent bytes. A machine that has lost
/// its network closes no connection; it is detected because it does not acknowledge the next
/// heartbeat.
#[cfg(target_os = "linux")]
pub(crate) const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(45);

/// The largest buffer of a connection, and therefore the largest head of a request, in bytes.
pub(crate) const BUFFER_MAX: usize = 64 * 1024;
