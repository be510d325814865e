//! The names that are taken in the lobby.
//!
//! # Not here
//! - Claiming and releasing a name: `append`.

use protocol::RoomId;

use crate::Error;
use crate::store::Store;
use crate::store::rows::key;
use crate::store::sql::query_as;

/// The sequence number after which the messages for a name begin; `None` if the name has not
/// joined.
pub(crate) async fn load_since(
    store: &Store,
    room: RoomId,
    name: &str,
) -> Result<Option<u64>, Error> {
    let sql = "select since_seq from lobby_name where room = $1 and name = $2";
    let since: Option<i64> = query_as(sql)
        .bind(key(room))
        .bind(name)
        .fetch_optional(store.read())
        .await?;
    Ok(since.map(i64::unsigned_abs))
}
