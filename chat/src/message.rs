//! Messages: the rule for a new one, and reading them back. Leaves to others: writing them down (`writer`).

use protocol::{Change, ChangeKind, Message, NewMessage, Refusal, RoomId, Time, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::Error;
use crate::entry::Entry;
use crate::member::guest_name;
use crate::person::{Member, Person, author};
use crate::room::{key, room_id};
use crate::store::Store;
use crate::writer::{Deed, Post};

/// A page of a room's messages.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only messages before this sequence.
    pub before: Option<u64>,
    /// Only messages after this sequence; the page then begins there, otherwise it ends at the newest.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            limit: 100,
        }
    }
}

/// A message that keeps the rules, for the writer. Who has an account writes under its name.
pub(crate) fn check(
    by: &Person,
    room: RoomId,
    message: &NewMessage,
    key: Option<&str>,
) -> Result<Post, Refusal> {
    let (username, body) = (
        text::username(&message.username)?,
        text::body(&message.body)?,
    );
    let username = own_name(by, username)?;
    Ok(Post {
        room,
        author: by.id(),
        username,
        body,
        key: key.map(text::key).transpose()?,
        deed: Deed::Say,
    })
}

/// The wish to change a message, for the writer.
pub(crate) fn change(by: &Person, room: RoomId, deed: Deed, body: String) -> Post {
    let actor = by.member().map_or_else(
        || guest_name(by.id()),
        |member| member.username().to_owned(),
    );
    Post {
        room,
        author: by.id(),
        username: actor,
        body,
        key: None,
        deed,
    }
}

/// The name that somebody who asks for `username` goes by.
pub(crate) fn own_name(by: &Person, username: String) -> Result<String, Refusal> {
    match by.member().map(Member::username) {
        Some(own) if own.eq_ignore_ascii_case(&username) => Ok(own.to_owned()),
        Some(own) => Err(Refusal::invalid(
            "username",
            format!("must be your own, {own}, while you are signed in"),
        )),
        None => Ok(username),
    }
}

/// A message as it is stored.
struct Stored(Message);

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self(Message {
            id: row.try_get::<i64, _>("seq")?.unsigned_abs(),
            room: room_id(row.try_get("room")?),
            username: row.try_get("username")?,
            author: author(row.try_get("author")?),
            body: row.try_get("body")?,
            sent_at: Time::from_millis(row.try_get("sent_at")?),
            edited_at: row
                .try_get::<Option<i64>, _>("edited_at")?
                .map(Time::from_millis),
            deleted: row.try_get("deleted")?,
        }))
    }
}

/// What is read of a message. One without a text was deleted.
const COLUMNS: &str = "room, seq, username, body, sent_at, author, edited_at, body = '' as deleted";

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
    let message = Stored::from_row(row)?.0;
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

/// A page of messages in order, of a room in any state: whether the room may be read is the caller's question.
pub(crate) async fn page(store: &Store, room: RoomId, page: Page) -> Result<Vec<Message>, Error> {
    let newest_first = page.after.is_none();
    let order = if newest_first { "seq desc" } else { "seq" };
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from message where room = $1 and seq > $2 and seq < $3 and kind = 0 order by {order} limit $4"
    ));
    let bound = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let rows: Vec<Stored> = sqlx::query_as(sql)
        .bind(key(room))
        .bind(bound(page.after.unwrap_or(0)))
        .bind(bound(page.before.unwrap_or(u64::MAX)))
        .bind(i64::try_from(page.limit).unwrap_or(i64::MAX))
        .fetch_all(store.read())
        .await?;
    let mut messages: Vec<Message> = rows.into_iter().map(|stored| stored.0).collect();
    if newest_first {
        messages.reverse();
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::House;

    #[tokio::test]
    async fn pages_are_in_order_from_either_side() {
        let house = House::new(|_| {}).await;
        let room = house.room().await;
        for n in 1..=7 {
            house.say(room, &n.to_string()).await;
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
            let page = house
                .chat
                .page(
                    &crate::Person::Anyone,
                    &room,
                    Page {
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
            house
                .chat
                .page(
                    &crate::Person::Anyone,
                    &room,
                    Page {
                        after: Some(7),
                        ..Page::default()
                    }
                )
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            house
                .chat
                .page(
                    &crate::Person::Anyone,
                    &room,
                    Page {
                        after: Some(u64::MAX),
                        ..Page::default()
                    }
                )
                .await
                .unwrap()
                .is_empty()
        );
    }
}
