//! The audit log: the actions of owners and moderators in a room, for its moderators to read. It
//! ends with the room.

use protocol::{AuditEntry, Role, RoomId, Time};
use sqlx::SqliteConnection;

use crate::identity::person::{Person, load_public_id};
use crate::room::access;
use crate::store::{append, key};
use crate::{Chat, Error};

/// Records an action in the transaction that performs it.
pub(crate) async fn record(
    tx: &mut SqliteConnection,
    now: Time,
    room: RoomId,
    by: &Person,
    action: &str,
    target: &str,
) -> Result<(), Error> {
    let actor = load_public_id(tx, by.id()).await?;
    let seq: i64 = sqlx::query_scalar(append::INSERT_AUDIT_ENTRY)
        .bind(key(room))
        .bind(now.millis())
        .bind(actor)
        .bind(action)
        .bind(target)
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query(append::DELETE_OLDEST_AUDIT_ENTRIES)
        .bind(key(room))
        .bind(seq - append::AUDIT_ENTRIES_KEPT)
        .execute(tx)
        .await?;
    Ok(())
}

/// A row of the table `audit_log` without its room.
type AuditRow = (i64, i64, String, String, String);

fn deed_from_row((id, at, actor, deed, whom): AuditRow) -> AuditEntry {
    AuditEntry {
        id: id.unsigned_abs(),
        at: Time::from_millis(at),
        actor,
        action: deed,
        target: whom,
    }
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
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .require_role(Role::Moderator)?;
        let sql = "select seq, at, actor, action, target from audit_log
                   where room = $1 and seq < $2 order by seq desc limit $3";
        let rows: Vec<AuditRow> = sqlx::query_as(sql)
            .bind(key(*room))
            .bind(i64::try_from(before).unwrap_or(i64::MAX))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.0.store.read())
            .await?;
        Ok(rows.into_iter().map(deed_from_row).collect())
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
