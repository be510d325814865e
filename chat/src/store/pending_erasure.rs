//! Whether deleted text has yet to leave the files of the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether deleted text may still be in files of the database. Set at the start, because those of an
/// earlier run may contain such text.
#[derive(Clone, Debug)]
pub(crate) struct PendingErasure(Arc<AtomicBool>);

impl Default for PendingErasure {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl PendingErasure {
    /// Notes that text was deleted.
    pub fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Removes the mark. Returns whether there was one.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
