//! Read markers: up to which sequence a member has read a room.

use protocol::RoomId;

use crate::identity::person::Person;
use crate::room::access;
use crate::store::rows::key;
use crate::{Chat, Error};

/// Up to how many messages are counted as unread.
pub(crate) const COUNTED: i64 = 100;

impl Chat {
    /// Up to which sequence a member has read a room.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], or a fault.
    pub async fn seen(&self, by: &Person, room: &RoomId) -> Result<u64, Error> {
        self.room(by, room).await?;
        Ok(self.kept_seen(by, room).await?.unwrap_or(0))
    }

    async fn kept_seen(&self, by: &Person, room: &RoomId) -> Result<Option<u64>, Error> {
        let sql = "select read_seq from member where room = $1 and person = $2";
        let seen: Option<i64> = sqlx::query_scalar(sql)
            .bind(key(*room))
            .bind(by.id())
            .fetch_optional(self.0.store.read())
            .await?;
        Ok(seen.map(i64::unsigned_abs))
    }

    /// Says that a member has read a room up to a sequence. What was read stays read.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], or a fault.
    pub async fn mark_seen(&self, by: &Person, room: &RoomId, seq: u64) -> Result<(), Error> {
        let seq = seq.min(
            access::find(&self.0.store, &self.0.clock, by, *room)
                .await?
                .head,
        );
        // Of those who do not belong to it nothing is kept.
        if self
            .kept_seen(by, room)
            .await?
            .is_none_or(|seen| seen >= seq)
        {
            return Ok(());
        }
        let mut tx = self.0.store.begin().await?;
        let sql = "update member set read_seq = max(read_seq, $3) where room = $1 and person = $2";
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        sqlx::query(sql)
            .bind(key(*room))
            .bind(by.id())
            .bind(seq)
            .execute(&mut *tx)
            .await?;
        let person = by.id();
        self.commit(tx, move |inner| inner.hub.ring_person(person))
            .await
    }
}
