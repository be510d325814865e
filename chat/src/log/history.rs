//! Reads the log of a room: the entries for followers, and pages of messages for clients.
//!
//! # Not here
//! - Writing: `writer`.

use protocol::{Message, RoomId};

use crate::identity::person::Person;
use crate::log::entry::Entry;
use crate::store::{MessagesPage, Store, messages};
use crate::{Chat, Error};

/// The entries of a room's log after a sequence number, in order, whatever the state of the room.
/// The caller checks the access to the room.
pub(crate) async fn load_entries(
    store: &Store,
    room: RoomId,
    after: u64,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let rows = messages::load_entries(store, room, after, limit).await?;
    Ok(rows
        .into_iter()
        .map(|row| Entry::from_row(room, row))
        .collect())
}

impl Chat {
    /// A page of a room's messages, in order, with a mark at those that the caller wrote.
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
        let mut messages = messages::load_page(&self.0.store, *room, page).await?;
        mark_own(&self.0.store, by, *room, &mut messages).await?;
        Ok(messages)
    }
}

/// Marks the messages that the caller wrote. An anonymous caller is no one's author.
async fn mark_own(
    store: &Store,
    by: &Person,
    room: RoomId,
    messages: &mut [Message],
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
        return Ok(());
    };
    if by.id() == 0 {
        return Ok(());
    }
    let range = first.id..=last.id;
    let own = messages::load_seqs_by(store, room, by.id(), range).await?;
    for message in messages {
        message.own = own.contains(&message.id);
    }
    Ok(())
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
