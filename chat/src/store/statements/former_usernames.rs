//! The usernames of deleted accounts.
//!
//! # Guarantees
//! - No account gets one of them, or one that looks like it, and no guest writes under one:
//!   `accounts` and `name_claims` read them, too.

use crate::Error;
use crate::store::rows::count;
use crate::store::sql::{query, query_as};
use crate::store::{Reader, WriteTransaction};

/// Keeps the username of an account that is deleted.
pub(crate) async fn insert(
    tx: &mut WriteTransaction,
    username: &str,
    skeleton: &str,
) -> Result<(), Error> {
    let sql = "insert into former_username (username, skeleton) values ($1, $2)
               on conflict do nothing";
    query(sql)
        .bind(username)
        .bind(skeleton)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Whether a deleted account had this username.
pub(crate) async fn contains(from: &mut impl Reader, username: &str) -> Result<bool, Error> {
    let sql = "select exists (select 1 from former_username where username = $1)";
    Ok(query_as(sql)
        .bind(username)
        .fetch_one(from.connection())
        .await?)
}

/// The first of them after this one, in the order of their bytes.
pub(crate) async fn load_after(
    tx: &mut WriteTransaction,
    after: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let sql = "select username from former_username where username > $1
               order by username limit $2";
    Ok(query_as(sql)
        .bind(after)
        .bind(count(limit))
        .fetch_all(tx.connection())
        .await?)
}

/// Replaces the skeleton of a username.
pub(crate) async fn set_skeleton(
    tx: &mut WriteTransaction,
    username: &str,
    skeleton: &str,
) -> Result<(), Error> {
    query("update former_username set skeleton = $2 where username = $1")
        .bind(username)
        .bind(skeleton)
        .execute(tx.connection())
        .await?;
    Ok(())
}
