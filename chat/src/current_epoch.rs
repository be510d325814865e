//! The epoch in which sequence numbers count now. It changes while the server runs if the database
//! has lost commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use protocol::Epoch;

/// The current epoch. It is cheap to clone, and all clones change together.
#[derive(Clone, Debug)]
pub(crate) struct CurrentEpoch(Arc<AtomicU32>);

impl CurrentEpoch {
    pub fn new(number: u32) -> Self {
        Self(Arc::new(AtomicU32::new(number)))
    }

    pub fn get(&self) -> Epoch {
        Epoch::new(self.0.load(Ordering::SeqCst))
    }

    pub fn number(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    pub fn set(&self, number: u32) {
        self.0.store(number, Ordering::SeqCst);
    }
}
