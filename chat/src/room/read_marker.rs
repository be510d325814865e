//! Read markers: the sequence up to which a member has read a room.
//!
//! # Guarantees
//! - A read marker never moves backwards.

use protocol::RoomId;

use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::room::access;
use crate::store::key;
use crate::{Chat, Error};

/// The count of unread messages stops at this number.
pub(crate) const UNREAD_COUNTED: i64 = 100;

impl Chat {
    /// The read marker of the caller; 0 if the caller is not a member.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn load_read_marker(&self, by: &Person, room: &RoomId) -> Result<u64, Error> {
        self.find_room(by, room).await?;
        Ok(self.stored_read_marker(by, room).await?.unwrap_or(0))
    }

    async fn stored_read_marker(&self, by: &Person, room: &RoomId) -> Result<Option<u64>, Error> {
        let sql = "select read_seq from member where room = $1 and person = $2";
        let seq: Option<i64> = sqlx::query_scalar(sql)
            .bind(key(*room))
            .bind(by.id())
            .fetch_optional(self.0.store.read())
            .await?;
        Ok(seq.map(i64::unsigned_abs))
    }

    /// Moves the read marker of the caller forward to a sequence. Does nothing if the caller is not
    /// a member.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn move_read_marker(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
    ) -> Result<(), Error> {
        let found = access::find(&self.0.store, &self.0.clock, by, *room).await?;
        let seq = seq.min(found.head);
        let stored = self.stored_read_marker(by, room).await?;
        if stored.is_none_or(|stored| stored >= seq) {
            return Ok(());
        }
        let mut tx = self.0.store.begin().await?;
        let sql = "update member set read_seq = max(read_seq, $3) where room = $1 and person = $2";
        sqlx::query(sql)
            .bind(key(*room))
            .bind(by.id())
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await?;
        self.commit(tx, [DomainEvent::PersonChanged { person: by.id() }])
            .await
    }
}
