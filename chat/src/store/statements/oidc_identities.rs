//! The identities at providers of sign-in, each linked to an account.
//!
//! # Guarantees
//! - An identity has one account, and an account one identity at each provider.

use protocol::Time;

use crate::Error;
use crate::store::rows::LinkedIdentity;
use crate::store::sql::{query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// The account that an identity is linked to.
pub(crate) async fn find_linked_account(
    from: &mut impl Reader,
    issuer: &str,
    subject: &str,
) -> Result<Option<i64>, Error> {
    let sql = "select account from oidc_identity where issuer = $1 and subject = $2";
    Ok(query_as(sql)
        .bind(issuer)
        .bind(subject)
        .fetch_optional(from.connection())
        .await?)
}

/// The identities of an account, by issuer.
pub(crate) async fn list_links(store: &Store, account: i64) -> Result<Vec<LinkedIdentity>, Error> {
    let sql = "select issuer, created_at from oidc_identity where account = $1 order by issuer";
    let rows: Vec<(String, i64)> = query_as(sql).bind(account).fetch_all(store.read()).await?;
    let link = |(issuer, created_at)| LinkedIdentity {
        issuer,
        linked_at: Time::from_millis(created_at),
    };
    Ok(rows.into_iter().map(link).collect())
}

/// Links an identity to an account. Returns `false` if the identity has an account, or the account
/// has another identity at this provider.
pub(crate) async fn insert_link(
    tx: &mut WriteTransaction,
    issuer: &str,
    subject: &str,
    account: i64,
    now: Time,
) -> Result<bool, Error> {
    let sql = "insert into oidc_identity (issuer, subject, account, created_at)
               values ($1, $2, $3, $4) on conflict do nothing";
    let inserted = query(sql)
        .bind(issuer)
        .bind(subject)
        .bind(account)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(inserted > 0)
}

/// Unlinks an account from its identity at a provider.
pub(crate) async fn delete_link(
    tx: &mut WriteTransaction,
    account: i64,
    issuer: &str,
) -> Result<(), Error> {
    query("delete from oidc_identity where account = $1 and issuer = $2")
        .bind(account)
        .bind(issuer)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Unlinks an account from all its identities.
pub(crate) async fn delete_links(tx: &mut WriteTransaction, account: i64) -> Result<(), Error> {
    query("delete from oidc_identity where account = $1")
        .bind(account)
        .execute(tx.connection())
        .await?;
    Ok(())
}
