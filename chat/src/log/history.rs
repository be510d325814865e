//! Messages: the rule for a new one, and reading them back. Leaves to others: writing them down (`writer`).

use protocol::{Change, ChangeKind, Message, RoomId};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::identity::person::Person;
use crate::log::entry::Entry;
use crate::room::access;
use crate::store::{MessageRow, MessagesPage, Store, key, messages};
use crate::{Chat, Error};

/// What the log of a room holds after a sequence, in order, whatever state the room is in.
pub(crate) async fn entries(
    store: &Store,
    room: RoomId,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    // A change is read as the message that it is of; that of a message is the message itself.
    let sql = "select entry.seq as place, entry.kind as change, now.*, now.body = '' as deleted from message as entry
               join message as now on now.room = entry.room and now.seq = coalesce(entry.target, entry.seq)
               where entry.room = $1 and entry.seq > $2 order by entry.seq limit $3";
    let rows: Vec<SqliteRow> = sqlx::query(sql)
        .bind(key(room))
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Ok(entry(row)?)).collect()
}

fn entry(row: &SqliteRow) -> sqlx::Result<Entry> {
    let message = MessageRow::from_row(row)?.0;
    let stored: i64 = row.try_get("change")?;
    let Some(event) = ChangeKind::ALL
        .into_iter()
        .find(|kind| *kind as i64 == stored)
    else {
        return Ok(Entry::Message(message));
    };
    Ok(Entry::Change(Change {
        event,
        id: row.try_get::<i64, _>("place")?.unsigned_abs(),
        room: message.room,
        message,
    }))
}

impl Chat {
    /// A page of a room's messages, in order.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn list_messages(
        &self,
        by: &Person,
        room: &RoomId,
        page: MessagesPage,
    ) -> Result<Vec<Message>, Error> {
        access::find(&self.0.store, &self.0.clock, by, *room).await?;
        messages::page(&self.0.store, *room, page).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestChat;

    #[tokio::test]
    async fn pages_are_in_order_from_either_side() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for n in 1..=7 {
            test.post(room, &n.to_string()).await;
        }
        let cases = [
            (None, None, 3, 5..=7),
            (Some(5), None, 3, 2..=4),
            (Some(2), None, 3, 1..=1),
            (None, Some(0), 3, 1..=3),
            (None, Some(5), 3, 6..=7),
            (Some(4), Some(1), 9, 2..=3),
        ];
        for (before, after, limit, expected) in cases {
            let page = test
                .chat
                .list_messages(
                    &crate::Person::Anonymous,
                    &room,
                    MessagesPage {
                        before,
                        after,
                        limit,
                    },
                )
                .await
                .unwrap();
            assert!(
                page.iter().map(|m| m.id).eq(expected.clone()),
                "{before:?} {after:?} {limit}"
            );
        }
        assert!(
            test.chat
                .list_messages(
                    &crate::Person::Anonymous,
                    &room,
                    MessagesPage {
                        after: Some(7),
                        ..MessagesPage::default()
                    }
                )
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            test.chat
                .list_messages(
                    &crate::Person::Anonymous,
                    &room,
                    MessagesPage {
                        after: Some(u64::MAX),
                        ..MessagesPage::default()
                    }
                )
                .await
                .unwrap()
                .is_empty()
        );
    }
}
