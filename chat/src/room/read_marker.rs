//! Read markers: the sequence up to which a member has read a room.

use protocol::RoomId;

use crate::events::DomainEvent;
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::Person;
use crate::room::access;
use crate::store::read_markers;
use crate::{Chat, Error};

impl Chat {
    /// The read marker of the caller; 0 if the caller is not a member.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn load_read_marker(&self, by: &Person, room: &RoomId) -> Result<u64, Error> {
        self.find_room(by, room).await?;
        Ok(self.stored_read_marker(by, room).await?.unwrap_or(0))
    }

    pub(super) async fn stored_read_marker(
        &self,
        by: &Person,
        room: &RoomId,
    ) -> Result<Option<u64>, Error> {
        read_markers::load_read_marker(&self.0.store, *room, by.id()).await
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
        let found = self.load_room_row(by, *room).await?;
        let seq = seq.min(found.head);
        let stored = self.stored_read_marker(by, room).await?;
        if stored.is_none_or(|stored| stored >= seq) {
            return Ok(());
        }
        let CallerTransaction { mut tx, by } = self.begin_by(by).await?;
        access::find_in(&mut tx, self.now(), &by, *room).await?;
        read_markers::advance_read_marker(&mut tx, *room, by.id(), seq).await?;
        self.commit(tx, [DomainEvent::PersonChanged { person: by.id() }])
            .await
    }
}
