//! Messages: the rule for a new one, and reading them back. Leaves to others: writing them down (`writer`).

use protocol::{Message, NewMessage, Refusal, RoomId, Time, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::Error;
use crate::person::{Member, Person, author};
use crate::room::{key, room_id};
use crate::store::Store;
use crate::writer::Post;

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
        Self { before: None, after: None, limit: 100 }
    }
}

/// A message that keeps the rules, for the writer. Who has an account writes under its name.
pub(crate) fn check(by: &Person, room: RoomId, message: &NewMessage, key: Option<&str>) -> Result<Post, Refusal> {
    let (username, body) = (text::username(&message.username)?, text::body(&message.body)?);
    let username = own_name(by, username)?;
    Ok(Post { room, author: by.id(), username, body, key: key.map(text::key).transpose()? })
}

/// The name that somebody who asks for `username` goes by.
pub(crate) fn own_name(by: &Person, username: String) -> Result<String, Refusal> {
    match by.member().map(Member::username) {
        Some(own) if own.eq_ignore_ascii_case(&username) => Ok(own.to_owned()),
        Some(own) => Err(Refusal::invalid("username", format!("must be your own, {own}, while you are signed in"))),
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
        }))
    }
}

/// A page of messages in order, of a room in any state: whether the room may be read is the caller's question.
pub(crate) async fn page(store: &Store, room: RoomId, page: Page) -> Result<Vec<Message>, Error> {
    let newest_first = page.after.is_none();
    let sql = if newest_first {
        "select room, seq, username, body, sent_at, author from message
         where room = $1 and seq > $2 and seq < $3 order by seq desc limit $4"
    } else {
        "select room, seq, username, body, sent_at, author from message
         where room = $1 and seq > $2 and seq < $3 order by seq limit $4"
    };
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
            let page = house.chat.page(&crate::Person::Anyone, &room, Page { before, after, limit }).await.unwrap();
            assert!(page.iter().map(|m| m.id).eq(expected.clone()), "{before:?} {after:?} {limit}");
        }
        assert!(
            house
                .chat
                .page(&crate::Person::Anyone, &room, Page { after: Some(7), ..Page::default() })
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            house
                .chat
                .page(&crate::Person::Anyone, &room, Page { after: Some(u64::MAX), ..Page::default() })
                .await
                .unwrap()
                .is_empty()
        );
    }
}
