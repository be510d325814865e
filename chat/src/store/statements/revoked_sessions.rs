//! The rows of sessions that were signed out before their tokens expire.
//!
//! # Not here
//! - The lookup of an account, which finds none for a revoked session: `accounts`.

use protocol::Time;

use crate::Error;
use crate::store::WriteTransaction;
use crate::store::sql::query;

/// Revokes a session of an account until its token expires.
pub(crate) async fn insert(
    tx: &mut WriteTransaction,
    account: i64,
    session: i64,
    expires_at: Time,
) -> Result<(), Error> {
    let sql = "insert into revoked_session (account, session, expires_at)
               values ($1, $2, $3) on conflict do nothing";
    query(sql)
        .bind(account)
        .bind(session)
        .bind(expires_at.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Deletes the rows of sessions whose tokens have expired.
pub(crate) async fn delete_expired(tx: &mut WriteTransaction, now: Time) -> Result<(), Error> {
    query("delete from revoked_session where expires_at <= $1")
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}
