//! The end of a room: freeze, archive, erase, close.
//!
//! # Guarantees
//! - A room ends by this path only, and after a crash at any step the path continues: a frozen room
//!   is archived again, and the erasure of an archived room goes on.
//! - A room that cannot be archived is reopened, and its end is tried again later.

pub(crate) mod archive;
mod archived_files;
pub(crate) mod eraser;
pub(crate) mod expiry;
#[cfg(test)]
mod tests;
pub(crate) mod verify;
pub(crate) mod zip_export;

use crate::store::{Store, clock_correction, rooms};
use crate::{Config, Error};

/// Applies the configured timeouts to the rooms of earlier runs, and freezes the rooms that expired
/// while no server ran, so that none of them answers.
pub(crate) async fn prepare_rooms(store: &Store, config: &Config) -> Result<(), Error> {
    clock_correction::apply(store).await?;
    rooms::apply_timeout(store, config.timeout, false).await?;
    rooms::apply_timeout(store, config.direct_timeout, true).await?;
    let mut tx = store.begin().await?;
    rooms::freeze_due(&mut tx, config.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}
