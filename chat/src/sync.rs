//! Locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What these locks hold is never left half-changed by a panic, so a poisoned lock is as good as any.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
