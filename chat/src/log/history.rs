//! Reads the log of a room: the entries for followers, and pages of messages for clients.
//!
//! # Not here
//! - Writing: `writer`.

use protocol::{Message, RoomId};

use crate::identity::person::Person;
use crate::log::entry::Entry;
use crate::markup::mark_in_place;
use crate::store::{MessagesPage, Store, messages};
use crate::{Chat, Error, json_line};

/// Reads at most `limit` entries of a room's log after a sequence number, in order, with the marks
/// of their texts, whatever the state of the room. The caller checks the access to the room. `take`
/// receives each entry, and returns whether it wants another one. Returns whether it has received
/// all that there were.
pub(crate) async fn load_entries(
    store: &Store,
    room: RoomId,
    after: u64,
    limit: usize,
    mut take: impl FnMut(Entry) -> bool,
) -> Result<bool, Error> {
    messages::load_entries(store, room, after, limit, |row| {
        let mut entry = Entry::from_row(room, row);
        entry.message_mut().map(mark_in_place);
        Ok(take(entry))
    })
    .await
}

impl Chat {
    /// A page of a room's messages, in order, with the marks of their texts, and whether the caller
    /// wrote them. It ends early if they are long.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn list_messages(
        &self,
        by: &Person,
        room: &RoomId,
        page: MessagesPage,
    ) -> Result<Vec<Message>, Error> {
        self.load_room_row(by, *room).await?;
        Ok(load_piece(&self.0.store, by, *room, page).await?.messages)
    }

    /// The messages of a room that have files, the newest first, with the marks of their texts, and
    /// whether the caller wrote them: at most `limit` of those before a sequence number.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn list_messages_with_files(
        &self,
        by: &Person,
        room: &RoomId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Message>, Error> {
        self.load_room_row(by, *room).await?;
        let store = &self.0.store;
        let mut messages = messages::load_with_files(store, *room, by.id(), before, limit).await?;
        messages.iter_mut().for_each(mark_in_place);
        Ok(messages)
    }

    /// Reads a page of a room's messages piece by piece, however long they are. A page `around` a
    /// sequence number has half of its messages up to there and the rest after it, and no other
    /// start.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn read_messages(
        &self,
        by: &Person,
        room: &RoomId,
        page: MessagesPage,
        around: Option<u64>,
    ) -> Result<MessagesReader, Error> {
        self.load_room_row(by, *room).await?;
        let after = match (page.after, around) {
            (Some(after), _) => after,
            (None, Some(seq)) => {
                let before = Some(seq.saturating_add(1));
                let start = self.find_start(*room, before, page.limit / 2 + 1).await?;
                start.unwrap_or(0)
            }
            (None, None) => {
                let start = self.find_start(*room, page.before, page.limit).await?;
                start.unwrap_or(u64::MAX)
            }
        };
        let after = Some(after);
        Ok(MessagesReader {
            chat: self.clone(),
            by: by.clone(),
            room: *room,
            rest: Some(MessagesPage { after, ..page }),
        })
    }

    /// The sequence number after which so many messages before another one begin; `None` if there is
    /// no message before it.
    async fn find_start(
        &self,
        room: RoomId,
        before: Option<u64>,
        count: usize,
    ) -> Result<Option<u64>, Error> {
        let first = messages::find_page_start(&self.0.store, room, before, count).await?;
        Ok(first.map(|first| first - 1))
    }
}

/// A page of messages that is read piece by piece.
#[derive(Debug)]
pub struct MessagesReader {
    chat: Chat,
    by: Person,
    room: RoomId,
    /// What is not read yet; `None` after the end.
    rest: Option<MessagesPage>,
}

impl MessagesReader {
    /// Whether all messages are read.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_none()
    }

    /// The next messages, in order. As JSON they have at most the size of the page and one message
    /// more.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`] if the caller has lost the access to the room,
    /// [`protocol::Refusal::NotSignedIn`] if the session of the caller has ended, or a fault.
    pub async fn next(&mut self) -> Result<Vec<Message>, Error> {
        let Some(page) = self.rest else {
            return Ok(Vec::new());
        };
        self.chat.require_session(&self.by).await?;
        self.chat.load_room_row(&self.by, self.room).await?;
        let piece = load_piece(&self.chat.0.store, &self.by, self.room, page).await?;
        let last = piece.messages.last().filter(|_| piece.is_cut);
        self.rest = last.map(|last| MessagesPage {
            after: Some(last.id),
            limit: page.limit - piece.messages.len(),
            ..page
        });
        Ok(piece.messages)
    }
}

/// The beginning of a page of messages, or its end if the page has no start.
struct Piece {
    /// In order, with their marks.
    messages: Vec<Message>,
    /// Whether it ends because of its size.
    is_cut: bool,
}

/// Loads as much of a page as it may have bytes. Its size is that of its JSON: the marks of a text
/// can have many times the size of the text.
async fn load_piece(
    store: &Store,
    by: &Person,
    room: RoomId,
    page: MessagesPage,
) -> Result<Piece, Error> {
    let mut messages = Vec::new();
    let mut bytes = 0;
    messages::load_page(store, room, by.id(), page, |mut message| {
        mark_in_place(&mut message);
        bytes += json_line::length(&message).map_err(Error::fault)?;
        messages.push(message);
        Ok(bytes < page.bytes)
    })
    .await?;
    if page.after.is_none() {
        messages.reverse();
    }
    Ok(Piece {
        is_cut: bytes >= page.bytes && messages.len() < page.limit,
        messages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestChat;

    #[tokio::test]
    async fn pages_are_in_order_in_both_directions() {
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
                        ..MessagesPage::default()
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

    #[tokio::test]
    async fn page_around_a_message_has_half_of_it_before_and_the_rest_after() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for n in 1..=9 {
            test.post(room, &n.to_string()).await;
        }
        let by = crate::Person::Anonymous;
        for (around, limit, expected) in [
            (5, 4, 3..=6),
            (5, 5, 3..=7),
            (5, 1, 5..=5),
            (1, 4, 1..=4),
            (9, 4, 7..=9),
            (9, 100, 1..=9),
            (100, 4, 7..=9),
            (u64::MAX, 4, 7..=9),
        ] {
            let page = MessagesPage {
                limit,
                ..MessagesPage::default()
            };
            let reader = test.chat.read_messages(&by, &room, page, Some(around));
            let read = reader.await.unwrap().next().await.unwrap();
            assert!(read.iter().map(|m| m.id).eq(expected), "{around} {limit}");
        }
    }

    #[tokio::test]
    async fn size_of_a_page_counts_its_marks() {
        const BYTES: usize = 64 * 1024;
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let text = "*a* ".repeat(100);
        for _ in 0..20 {
            test.post(room, text.trim()).await;
        }
        let by = crate::Person::Anonymous;
        let page = MessagesPage {
            limit: 20,
            bytes: BYTES,
            ..MessagesPage::default()
        };
        let size = |messages: &[Message]| serde_json::to_string(messages).unwrap().len();
        let one = size(&test.chat.list_messages(&by, &room, page).await.unwrap()[..1]);
        assert!(one > 20 * text.len(), "{one}");
        let mut reader = test
            .chat
            .read_messages(&by, &room, page, None)
            .await
            .unwrap();
        let mut read = 0;
        while !reader.is_at_end() {
            let piece = reader.next().await.unwrap();
            assert!(size(&piece) < BYTES + one, "{}", size(&piece));
            read += piece.len();
        }
        assert_eq!(read, 20);
        let listed = test.chat.list_messages(&by, &room, page).await.unwrap();
        assert!(size(&listed) < BYTES + one, "{}", size(&listed));
    }

    #[tokio::test]
    async fn page_of_long_texts_ends_early_and_is_read_completely_in_pieces() {
        const BYTES: usize = 10_000;
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for seq in 1..=40 {
            let length = if seq % 3 == 0 { 4_000 } else { 1 };
            test.post(room, &"x".repeat(length)).await;
        }
        let by = crate::Person::Anonymous;
        let ids = |messages: &[Message]| messages.iter().map(|m| m.id).collect::<Vec<_>>();
        let cases = [
            (None, None, 30, 11..=40),
            (Some(31), None, 50, 1..=30),
            (Some(31), Some(2), 50, 3..=30),
            (None, Some(7), 20, 8..=27),
            (None, Some(39), 20, 40..=40),
        ];
        for (before, after, limit, expected) in cases {
            let page = MessagesPage {
                before,
                after,
                limit,
                bytes: BYTES,
            };
            let mut reader = test
                .chat
                .read_messages(&by, &room, page, None)
                .await
                .unwrap();
            let mut read = Vec::new();
            while !reader.is_at_end() {
                let piece = reader.next().await.unwrap();
                let bytes: usize = piece.iter().map(|message| message.body().len()).sum();
                assert!(bytes < BYTES + 4_000, "{bytes}");
                read.extend(ids(&piece));
            }
            assert!(read.into_iter().eq(expected.clone()), "{page:?}");
            let listed = test.chat.list_messages(&by, &room, page).await.unwrap();
            let bytes: usize = listed.iter().map(|message| message.body().len()).sum();
            assert!(bytes < BYTES + 4_000, "{bytes}");
            let is_newest = after.is_none();
            let (first, last) = (*expected.start(), *expected.end());
            let edge = if is_newest {
                ids(&listed).last().copied()
            } else {
                ids(&listed).first().copied()
            };
            let expected_edge = if is_newest { last } else { first };
            assert!(listed.is_empty() || edge == Some(expected_edge), "{page:?}");
        }
    }
}
