//! The rows of accounts. A password that is not set is stored as an empty hash.
//!
//! # Guarantees
//! - No two accounts have the same username, or usernames with the same skeleton.

use protocol::{Account, Time};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::wanted_rows::rows_in_order;
use crate::Error;
use crate::store::postgres::notify;
use crate::store::rows::{AccountRow, AccountSession, AccountsPage, NewAccountRow, count};
use crate::store::sql::{FromRow, Row, Source, query, query_as};
use crate::store::{DatabaseLocation, Reader, Store, WriteTransaction};

impl FromRow for AccountRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let password_hash: String = row.try_get("password_hash")?;
        Ok(Self {
            id: row.try_get("id")?,
            username: row.try_get("username")?,
            name: row.try_get("name")?,
            password_hash: Some(password_hash).filter(|hash| !hash.is_empty()),
            operator: row.try_get("operator")?,
            generation: row.try_get("generation")?,
        })
    }
}

/// The account of each session; `None` for a session that has ended.
pub(crate) async fn load_accounts(
    from: &mut impl Reader,
    sessions: &[AccountSession],
) -> Result<Vec<Option<AccountRow>>, Error> {
    let columns = ["wanted_id", "wanted_generation", "wanted_session"];
    let elements = from.connection().dialect().select_elements("$1", &columns);
    let sql = AssertSqlSafe(format!(
        "with wanted as materialized ({elements})
         select position, id, username, name, password_hash, operator, generation
         from wanted join account
           on account.id = wanted_id and account.generation = wanted_generation
         where not exists (select 1 from revoked_session
           where account = wanted_id and session = wanted_session)"
    ));
    let wanted = |session: &AccountSession| (session.account, session.generation, session.id);
    let wanted: Vec<_> = sessions.iter().map(wanted).collect();
    let rows = query(sql)
        .bind(serde_json::to_string(&wanted).map_err(Error::fault)?)
        .fetch_all(from.connection())
        .await?;
    rows_in_order(&rows, sessions.len())
}

/// The account with this username.
pub(crate) async fn find_account(
    store: &Store,
    username: &str,
) -> Result<Option<AccountRow>, Error> {
    let sql = "select id, username, name, password_hash, operator, generation
               from account where username = $1";
    Ok(query_as(sql)
        .bind(username)
        .fetch_optional(store.read())
        .await?)
}

/// The account that an identity at a provider is linked to.
pub(crate) async fn find_linked(
    store: &Store,
    issuer: &str,
    subject: &str,
) -> Result<Option<AccountRow>, Error> {
    let sql = "select id, username, name, password_hash, operator, generation
               from account join oidc_identity on oidc_identity.account = account.id
               where issuer = $1 and subject = $2";
    Ok(query_as(sql)
        .bind(issuer)
        .bind(subject)
        .fetch_optional(store.read())
        .await?)
}

/// The ID of the account with this username.
pub(crate) async fn find_account_id(
    from: &mut impl Reader,
    username: &str,
) -> Result<Option<i64>, Error> {
    Ok(query_as("select id from account where username = $1")
        .bind(username)
        .fetch_optional(from.connection())
        .await?)
}

/// The username of an account.
pub(crate) async fn load_username(
    from: &mut impl Reader,
    id: i64,
) -> Result<Option<String>, Error> {
    Ok(query_as("select username from account where id = $1")
        .bind(id)
        .fetch_optional(from.connection())
        .await?)
}

/// The account with this ID.
pub(crate) async fn load_account(
    from: &mut impl Reader,
    id: i64,
) -> Result<Option<AccountRow>, Error> {
    let sql = "select id, username, name, password_hash, operator, generation
               from account where id = $1";
    Ok(query_as(sql)
        .bind(id)
        .fetch_optional(from.connection())
        .await?)
}

/// The usernames of the operators of the server, at most `limit`.
pub(crate) async fn list_operators(
    from: &mut impl Reader,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let sql = "select username from account where operator order by username limit $1";
    Ok(query_as(sql)
        .bind(count(limit))
        .fetch_all(from.connection())
        .await?)
}

/// Whether a person is an operator of the server.
pub(crate) async fn is_operator(from: &mut impl Reader, person: i64) -> Result<bool, Error> {
    let sql = "select exists (select 1 from account where id = $1 and operator)";
    Ok(query_as(sql)
        .bind(person)
        .fetch_one(from.connection())
        .await?)
}

/// A page of the accounts, in the order of the bytes of their usernames. The search ignores the
/// case of ASCII letters.
pub(crate) async fn list_accounts(
    store: &Store,
    page: &AccountsPage,
) -> Result<Vec<Account>, Error> {
    let [in_username, in_name] =
        ["username", "lower(name)"].map(|column| store.dialect().contains(column, "$2"));
    let sql = AssertSqlSafe(format!(
        "select name, username from account
         where username > $1 and ({in_username} or {in_name}) order by username limit $3"
    ));
    let rows: Vec<(String, String)> = query_as(sql)
        .bind(&page.after)
        .bind(page.search.to_ascii_lowercase())
        .bind(count(page.limit))
        .fetch_all(store.read())
        .await?;
    let account = |(name, username)| Account { name, username };
    Ok(rows.into_iter().map(account).collect())
}

/// Inserts an account. Returns `false` if its username or one that looks like it is taken, or was that
/// of a deleted account.
pub(crate) async fn insert_account(
    tx: &mut WriteTransaction,
    account: &NewAccountRow<'_>,
) -> Result<bool, Error> {
    let sql = "insert into account
                 (id, username, skeleton, name, password_hash, password_set_at, operator, generation,
                  created_at)
               select $1, $2, $3, $4, $5, $6, false, 0, $7
               where not exists (select 1 from former_username where skeleton = $3)
               on conflict do nothing";
    let inserted = query(sql)
        .bind(account.id)
        .bind(account.username)
        .bind(account.skeleton)
        .bind(account.name)
        .bind(account.password_hash.unwrap_or_default())
        .bind(account.password_hash.map(|_| account.created_at.millis()))
        .bind(account.created_at.millis())
        .execute(tx.connection())
        .await?;
    Ok(inserted > 0)
}

/// Changes the display name of an account.
pub(crate) async fn set_display_name(
    tx: &mut WriteTransaction,
    id: i64,
    name: &str,
) -> Result<(), Error> {
    query("update account set name = $2 where id = $1")
        .bind(id)
        .bind(name)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Replaces the hash of the password of an account.
pub(crate) async fn set_password_hash(
    tx: &mut WriteTransaction,
    id: i64,
    hash: &str,
    now: Time,
) -> Result<(), Error> {
    query("update account set password_hash = $2, password_set_at = $3 where id = $1")
        .bind(id)
        .bind(hash)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Replaces the hash of the password of an account, unless it is no longer `old`.
pub(crate) async fn replace_password_hash(
    tx: &mut WriteTransaction,
    id: i64,
    old: &str,
    new: &str,
) -> Result<(), Error> {
    query("update account set password_hash = $3 where id = $1 and password_hash = $2")
        .bind(id)
        .bind(old)
        .bind(new)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// When the password of an account was set; `None` if that is not known or there is none.
pub(crate) async fn load_password_time(store: &Store, id: i64) -> Result<Option<Time>, Error> {
    let sql = "select password_set_at from account where id = $1";
    let found: Option<Option<i64>> = query_as(sql).bind(id).fetch_optional(store.read()).await?;
    Ok(found.flatten().map(Time::from_millis))
}

/// Whether an account has a password.
pub(crate) async fn has_password(from: &mut impl Reader, id: i64) -> Result<bool, Error> {
    let sql = "select exists (select 1 from account where id = $1 and password_hash <> '')";
    Ok(query_as(sql).bind(id).fetch_one(from.connection()).await?)
}

/// Begins the next generation of the sessions of an account, and returns it; `None` if there is no
/// such account.
pub(crate) async fn begin_generation(
    tx: &mut WriteTransaction,
    id: i64,
) -> Result<Option<i64>, Error> {
    // No token of the generations before is valid, revoked or not.
    query("delete from revoked_session where account = $1")
        .bind(id)
        .execute(tx.connection())
        .await?;
    let sql = "update account set generation = generation + 1 where id = $1 returning generation";
    Ok(query_as(sql)
        .bind(id)
        .fetch_optional(tx.connection())
        .await?)
}

/// Deletes an account with its links to providers of sign-in.
pub(crate) async fn delete_account(tx: &mut WriteTransaction, id: i64) -> Result<(), Error> {
    for sql in [
        "delete from account where id = $1",
        "delete from oidc_identity where account = $1",
        "delete from room_author where account = $1",
        "delete from revoked_session where account = $1",
    ] {
        query(sql).bind(id).execute(tx.connection()).await?;
    }
    Ok(())
}

/// Makes an account an operator, or takes that role back, while servers may be running, which are
/// notified where the database can. Returns `false` if there is no such account.
pub(crate) async fn set_operator(
    location: &DatabaseLocation,
    username: &str,
    operator: bool,
    notification: &str,
) -> Result<bool, Error> {
    let sql = "update account set operator = $2 where username = $1";
    let update = query(sql).bind(username).bind(operator);
    let updated = match location {
        DatabaseLocation::Sqlite(location) => {
            let mut connection = location.options().connect().await?;
            update.execute(Source::Sqlite(&mut connection)).await?
        }
        DatabaseLocation::Postgres(location) => {
            let mut connection = location.options().connect().await?;
            let mut tx = connection.begin().await?;
            let updated = update.execute(Source::Postgres(&mut tx)).await?;
            notify(&mut tx, notification).await?;
            tx.commit().await?;
            updated
        }
    };
    Ok(updated > 0)
}
