//! The removal of deleted text from the files of the database.
//!
//! An update or a deletion leaves the old row in the file until a vacuum. The database's own runs
//! when a part of the table has changed, which for a large table may be after weeks.
//!
//! # Guarantees
//! - A text that was deleted is in no table after two minutes, unless a transaction elsewhere is open
//!   that long.
//!
//! # Not here
//! - The write-ahead log of the database and its archive, which keep their content until the database
//!   recycles them.

use std::time::Duration;

use sqlx::ConnectOptions;
use tokio::time::MissedTickBehavior;

use super::location::PostgresLocation;
use super::pool::PostgresPools;
use crate::retries::Retries;
use crate::store::pending_erasure::PendingErasure;

/// The time between two looks.
const INTERVAL: Duration = Duration::from_secs(60);

/// The same after a vacuum that has failed.
const RETRY: Duration = Duration::from_secs(5);

/// Vacuums the messages after some were deleted, until it is dropped.
pub(crate) async fn vacuum(pools: PostgresPools, pending: PendingErasure) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut retries = Retries::of("vacuum the messages");
    loop {
        interval.tick().await;
        if pending.take() {
            let vacuumed = vacuum_messages(&pools.location).await;
            if retries.note(vacuumed).is_none() {
                pending.mark();
                interval.reset_after(RETRY);
            }
        }
    }
}

async fn vacuum_messages(location: &PostgresLocation) -> sqlx::Result<()> {
    let mut connection = location.direct_options().connect().await?;
    // A vacuum may take longer than the statements of requests.
    sqlx::query("set statement_timeout = 0")
        .execute(&mut connection)
        .await?;
    sqlx::query("vacuum message")
        .execute(&mut connection)
        .await?;
    Ok(())
}
