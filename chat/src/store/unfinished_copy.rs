//! The mark of a database into which another one is copied, until that is complete.

use super::sql::{Source, query_as};
use crate::Error;

/// The name of the number that says which epoch is copied.
pub(super) const EPOCH: &str = "copy_epoch";

/// The name of the number that says which instance is copied.
pub(super) const INSTANCE: &str = "copy_instance";

/// Refuses a database that is not a complete copy.
pub(super) async fn refuse(database: Source<'_>) -> Result<(), Error> {
    let sql = "select count(*) from meta where name = $1";
    let marks: i64 = query_as(sql).bind(EPOCH).fetch_one(database).await?;
    if marks == 0 {
        return Ok(());
    }
    Err(Error::fault(
        "the copy of another database into this one is not complete: run the same \
         webchat copy --from URL --to URL again, which goes on where it has stopped",
    ))
}
