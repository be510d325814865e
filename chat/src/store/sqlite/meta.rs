//! Numbers that the database keeps under a name of their own.

use protocol::Time;

use super::pool::{Store, WriteTransaction};
use crate::Error;

/// The name of the time at which a version that gives cookies a prefix first opened the database.
const COOKIE_PREFIX_AT: &str = "cookie_prefix_at";

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

/// When a version that gives cookies a prefix first opened this database, which is `now` if none has.
/// In a database without an epoch, which is new, it is the beginning of time.
pub(crate) async fn load_cookie_prefix_time(store: &Store, now: Time) -> Result<Time, Error> {
    let mut tx = store.begin().await?;
    let sql = "insert into meta (name, value)
               values ($1, iif(exists (select 1 from meta where name = 'epoch'), $2, 0))
               on conflict do nothing";
    sqlx::query(sql)
        .bind(COOKIE_PREFIX_AT)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    let stored = load(store, COOKIE_PREFIX_AT).await?;
    Ok(stored.map_or(Time::EPOCH, Time::from_millis))
}
