//! Numbers that the database keeps under a name of their own, and the key that signs tokens.

use protocol::Time;

use crate::Error;
use crate::store::sql::{query, query_as};
use crate::store::{Store, WriteTransaction};

/// The name of the time at which a version that gives cookies a prefix first opened the database.
const COOKIE_PREFIX_AT: &str = "cookie_prefix_at";

/// Finds the number of a name.
const LOAD: &str = "select value from meta where name = $1";

/// The number of this name.
pub(crate) async fn load(store: &Store, name: &str) -> Result<Option<i64>, Error> {
    let number = query_as(LOAD)
        .bind(name)
        .fetch_optional(store.read())
        .await?;
    Ok(number)
}

/// Stores a number under a name, instead of an earlier one.
pub(crate) async fn save(tx: &mut WriteTransaction, name: &str, number: i64) -> Result<(), Error> {
    let sql = "insert into meta (name, value) values ($1, $2)
               on conflict (name) do update set value = excluded.value";
    query(sql)
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
               values ($1, case when exists (select 1 from meta where name = 'epoch') then $2 else 0 end)
               on conflict do nothing";
    query(sql)
        .bind(COOKIE_PREFIX_AT)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    let stored = load(store, COOKIE_PREFIX_AT).await?;
    Ok(stored.map_or(Time::EPOCH, Time::from_millis))
}

impl Store {
    /// The epoch of the sequence numbers, which is created with the database.
    pub async fn load_epoch(&self) -> Result<u32, Error> {
        self.load_or_draw("epoch").await
    }

    /// The ID of this instance of the service, which is created with the database.
    pub async fn load_instance_id(&self) -> Result<u32, Error> {
        self.load_or_draw("instance").await
    }

    /// The number of this name, which is drawn at random if there is none.
    async fn load_or_draw(&self, name: &str) -> Result<u32, Error> {
        let mut tx = self.begin().await?;
        query("insert into meta (name, value) values ($1, $2) on conflict do nothing")
            .bind(name)
            .bind(i64::from(getrandom::u32()?))
            .execute(tx.connection())
            .await?;
        let number: i64 = query_as(LOAD).bind(name).fetch_one(tx.connection()).await?;
        tx.commit().await?;
        u32::try_from(number).map_err(Error::fault)
    }

    /// The key that signs the tokens of all nodes, which is `new` if there is none; `None` if the
    /// database cannot have several.
    pub async fn load_signing_key(&self, new: &str) -> Result<Option<String>, Error> {
        if !self.is_shared() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        query("insert into signing_key (name, key) values ('tokens', $1) on conflict do nothing")
            .bind(new)
            .execute(tx.connection())
            .await?;
        let key = query_as("select key from signing_key where name = 'tokens'")
            .fetch_one(tx.connection())
            .await?;
        tx.commit().await?;
        Ok(Some(key))
    }
}
