//! Numbers that the database keeps under a name of their own.

use super::pool::{Store, WriteTransaction};
use crate::Error;

/// The number of this name.
pub(crate) async fn load(store: &Store, name: &str) -> Result<Option<i64>, Error> {
    let number = sqlx::query_scalar("select value from meta where name = $1")
        .bind(name)
        .fetch_optional(store.read())
        .await?;
    Ok(number)
}

/// Stores a number under a name, instead of an earlier one.
pub(crate) async fn save(tx: &mut WriteTransaction, name: &str, number: i64) -> Result<(), Error> {
    let sql = "insert into meta (name, value) values ($1, $2)
               on conflict (name) do update set value = excluded.value";
    sqlx::query(sql)
        .bind(name)
        .bind(number)
        .execute(tx.connection())
        .await?;
    Ok(())
}
