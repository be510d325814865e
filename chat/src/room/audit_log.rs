//! The audit log: the actions of owners and moderators in a room, for its moderators to read. It
//! ends with the room.

use protocol::{AuditEntry, Role, RoomId, Time};

use crate::identity::person::{Person, load_public_id};
use crate::store::{WriteTransaction, audit_log};
use crate::{Chat, Error};

/// Records an action in the transaction that performs it.
pub(crate) async fn record(
    tx: &mut WriteTransaction,
    now: Time,
    room: RoomId,
    by: &Person,
    action: &str,
    target: &str,
) -> Result<(), Error> {
    let actor = load_public_id(tx, by.id()).await?;
    audit_log::append(tx, now, room, &actor, action, target).await
}

impl Chat {
    /// Lists the entries of the audit log before the entry `before`, the latest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`protocol::Refusal::Forbidden`] if the caller is not a
    /// moderator, or a fault.
    pub async fn list_audit_log(
        &self,
        by: &Person,
        room: &RoomId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, Error> {
        self.load_room_row(by, *room)
            .await?
            .require_role(Role::Moderator)?;
        audit_log::list_entries(&self.0.store, *room, before, limit).await
    }
}

#[cfg(test)]
mod tests {
    use protocol::NewRoom;

    use super::*;
    use crate::testing::{TestChat, new_guest, new_message};

    #[tokio::test]
    async fn oldest_audit_entries_are_deleted_beyond_the_limit() {
        let test = TestChat::new(|_| {}).await;
        let owner = new_guest();
        let room = test
            .chat
            .create_room(&owner, &NewRoom::default())
            .await
            .unwrap()
            .id;
        for number in 1..=8 {
            test.chat
                .post_message(&Person::Anonymous, &room, &new_message("hello"), None)
                .await
                .unwrap();
            test.chat
                .delete_message(&owner, &room, 2 * number - 1)
                .await
                .unwrap();
        }
        let kept = async || {
            let deeds = test
                .chat
                .list_audit_log(&owner, &room, u64::MAX, 100)
                .await
                .unwrap();
            deeds.iter().map(|deed| deed.id).collect::<Vec<_>>()
        };
        assert_eq!(kept().await, [8, 7, 6, 5, 4]);
        for _ in 0..2 {
            test.chat
                .change_room_settings(&owner, &room, &protocol::RoomChange::default())
                .await
                .unwrap();
        }
        assert_eq!(kept().await, [10, 9, 8, 7, 6]);
    }
}
