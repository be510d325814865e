//! The audit trail: what moderators and owners did in a room, for its moderators to read. It ends with the room.

use protocol::{Deed, Role, RoomId, Time};
use sqlx::SqliteConnection;

use crate::identity::person::{Person, id_of};
use crate::room::access;
use crate::store::key;
use crate::{Chat, Error};

/// The most deeds that are kept of a room; then the oldest go.
const KEPT: i64 = if cfg!(test) { 5 } else { 10_000 };

const NOTE: &str = "insert into audit_log (room, seq, at, actor, action, target)
    select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 from audit_log where room = $1 returning seq";

const FORGET: &str = "delete from audit_log where room = $1 and seq <= $2";

/// Notes down what somebody did, in the writer's transaction.
pub(crate) fn note_now(
    tx: &rusqlite::Transaction<'_>,
    now: i64,
    room: RoomId,
    (actor, deed, whom): (&str, &str, &str),
) -> Result<(), Error> {
    let mut insert = tx.prepare_cached(NOTE)?;
    let seq: i64 = insert.query_row(
        rusqlite::params![key(room), now, actor, deed, whom],
        |row| row.get(0),
    )?;
    tx.prepare_cached(FORGET)?
        .execute(rusqlite::params![key(room), seq - KEPT])?;
    Ok(())
}

/// Notes down what somebody did, in the transaction that does it.
pub(crate) async fn note(
    tx: &mut SqliteConnection,
    now: Time,
    room: RoomId,
    by: &Person,
    deed: &str,
    whom: &str,
) -> Result<(), Error> {
    let actor = id_of(tx, by.id()).await?;
    let seq: i64 = sqlx::query_scalar(NOTE)
        .bind(key(room))
        .bind(now.millis())
        .bind(actor)
        .bind(deed)
        .bind(whom)
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query(FORGET)
        .bind(key(room))
        .bind(seq - KEPT)
        .execute(tx)
        .await?;
    Ok(())
}

impl Chat {
    /// What was done in a room, the latest first: at most `limit`, and only before the deed `before`.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`protocol::Refusal::Forbidden`] for all but moderators, or a fault.
    pub async fn audit(
        &self,
        by: &Person,
        room: &RoomId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Deed>, Error> {
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .ask(Role::Moderator)?;
        let sql = "select seq, at, actor, action, target from audit_log where room = $1 and seq < $2 order by seq desc limit $3";
        let rows: Vec<(i64, i64, String, String, String)> = sqlx::query_as(sql)
            .bind(key(*room))
            .bind(i64::try_from(before).unwrap_or(i64::MAX))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.0.store.read())
            .await?;
        let deed = |(id, at, actor, deed, whom): (i64, i64, String, String, String)| Deed {
            id: id.unsigned_abs(),
            at: Time::from_millis(at),
            actor,
            deed,
            whom,
        };
        Ok(rows.into_iter().map(deed).collect())
    }
}

#[cfg(test)]
mod tests {
    use protocol::NewRoom;

    use super::*;
    use crate::testing::{House, guest, says};

    #[tokio::test]
    async fn the_oldest_deeds_go_whoever_notes_them_down() {
        let house = House::new(|_| {}).await;
        let owner = guest();
        let room = house
            .chat
            .create_room(&owner, &NewRoom::default())
            .await
            .unwrap()
            .id;
        for number in 1..=8 {
            house
                .chat
                .post(&Person::Anyone, &room, &says("hello"), None)
                .await
                .unwrap();
            house
                .chat
                .delete(&owner, &room, 2 * number - 1)
                .await
                .unwrap();
        }
        let kept = async || {
            let deeds = house
                .chat
                .audit(&owner, &room, u64::MAX, 100)
                .await
                .unwrap();
            deeds.iter().map(|deed| deed.id).collect::<Vec<_>>()
        };
        assert_eq!(kept().await, [8, 7, 6, 5, 4]);
        for _ in 0..2 {
            house
                .chat
                .change_room(&owner, &room, &protocol::RoomChange::default())
                .await
                .unwrap();
        }
        assert_eq!(kept().await, [10, 9, 8, 7, 6]);
    }
}
