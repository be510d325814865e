//! The lock of the transactions that write.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

/// Held by the one transaction of this process that may write. A database itself would let others
/// wait by sleeping and trying again, or on a connection each.
pub(crate) type WriteLock = Arc<Mutex<()>>;

/// While it is held, no other transaction of this process can write.
pub(crate) type WriteLockGuard = OwnedMutexGuard<()>;
