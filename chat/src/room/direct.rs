//! Direct chats: the rooms of two accounts, or of one account for its own notes.
//!
//! # Guarantees
//! - Each pair of accounts has one direct room, created when either of them first opens it.
//! - No one else finds a direct room.
//!
//! # Not here
//! - Everything that holds for all rooms.

use protocol::{DirectChat, Role, Room, RoomId};

use crate::events::DomainEvent;
use crate::identity::account;
use crate::identity::person::Person;
use crate::store::{Access, AccountPair, NewRoomRow, direct_rooms, members, rooms};
use crate::{Chat, Error};

impl Chat {
    /// The direct room of the caller and another account, created if there is none.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`], [`protocol::Refusal::NotFound`] if there is no such
    /// account, or a fault.
    pub async fn open_direct_room(&self, by: &Person, username: &str) -> Result<Room, Error> {
        let own = by.require_account()?;
        let other = account::find_account(&self.0.store, username).await?;
        let pair = AccountPair::of(own.id, other.id);
        let found = direct_rooms::find_direct_room(&mut self.0.store.reader().await?, pair).await?;
        let room = match found {
            Some(room) => room,
            None => self.create_direct_room(by, pair).await?,
        };
        self.find_room(by, &room).await
    }

    async fn create_direct_room(&self, by: &Person, pair: AccountPair) -> Result<RoomId, Error> {
        let inner = &self.0;
        self.require_disk_space()?;
        let mut tx = self.begin_by(by).await?.tx;
        // Another request may have created the room before this transaction began.
        if let Some(room) = direct_rooms::find_direct_room(&mut tx, pair).await? {
            return Ok(room);
        }
        let now = inner.clock.now();
        let new = NewRoomRow {
            name: None,
            public: false,
            requested_timeout: None,
            longest: inner.direct_timeout,
            access: Access::Direct,
        };
        let room = rooms::insert_room(&mut tx, now, new).await?.id;
        direct_rooms::set_direct_room(&mut tx, pair, room).await?;
        for person in [pair.low, pair.high] {
            members::add_member(&mut tx, now, room, person, Role::Member).await?;
        }
        let events = [pair.low, pair.high].map(|person| DomainEvent::PersonChanged { person });
        self.commit(tx, events).await?;
        Ok(room)
    }

    /// Lists the conversations of the caller that have messages, the most recently active first, at
    /// most `limit`.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`], or a fault.
    pub async fn list_conversations(
        &self,
        by: &Person,
        limit: usize,
    ) -> Result<Vec<DirectChat>, Error> {
        let own = by.require_account()?.id;
        direct_rooms::list_conversations(&self.0.store, own, limit).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use protocol::{NewAccount, NewMessage, Refusal, Start};

    use super::*;
    use crate::MessagesPage;
    use crate::testing::TestChat;

    async fn person(test: &TestChat, username: &str) -> Person {
        let wish = NewAccount {
            name: username.to_uppercase(),
            username: username.to_owned(),
            password: "secret".to_owned(),
        };
        test.chat
            .register_account(&wish, None)
            .await
            .unwrap()
            .account
            .into()
    }

    fn new_message(by: &Person, body: &str) -> NewMessage {
        NewMessage {
            username: by.account().unwrap().username().to_owned(),
            body: body.to_owned(),
        }
    }

    #[tokio::test]
    async fn two_accounts_share_one_direct_room_that_no_one_else_finds() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [ada, bob, eve] = [
            person(&test, "ada").await,
            person(&test, "bob").await,
            person(&test, "eve").await,
        ];
        let asked = join_all((0..10).map(|_| chat.open_direct_room(&ada, "bob"))).await;
        let room = asked[0].as_ref().unwrap().id;
        assert!(asked.iter().all(|found| found.as_ref().unwrap().id == room));
        assert_eq!(chat.open_direct_room(&bob, "ADA").await.unwrap().id, room);
        for (by, other) in [(&ada, "bob"), (&bob, "ada")] {
            assert_eq!(
                chat.find_room(by, &room)
                    .await
                    .unwrap()
                    .with
                    .unwrap()
                    .username,
                other
            );
        }
        assert_eq!(
            chat.find_room(&ada, &test.create_room().await)
                .await
                .unwrap()
                .with,
            None
        );
        chat.post_message(&ada, &room, &new_message(&ada, "hello"), Some("k".into()))
            .await
            .unwrap();
        for stranger in [&eve, &Person::Anonymous] {
            let refused = [
                chat.find_room(stranger, &room).await.map(|_| ()),
                chat.list_messages(stranger, &room, MessagesPage::default())
                    .await
                    .map(|_| ()),
                chat.follow_room(stranger, &room, Start::Seq(0))
                    .await
                    .map(|_| ()),
                chat.export_room(stranger, &room, crate::ExportFormat::Archive)
                    .await
                    .map(|_| ()),
                chat.notify_typing(stranger, &room, "eve").await,
                chat.move_read_marker(stranger, &room, 1).await,
                chat.list_members(stranger, &room).await.map(|_| ()),
                chat.post_message(stranger, &room, &new_message(&eve, "hi"), None)
                    .await
                    .map(|_| ()),
                chat.post_message(stranger, &room, &new_message(&eve, "hi"), Some("k".into()))
                    .await
                    .map(|_| ()),
            ];
            for refused in refused {
                assert!(
                    matches!(
                        refused,
                        Err(Error::Refusal(Refusal::NotFound(texts::refusal::NO_ROOM)))
                    ),
                    "{refused:?}"
                );
            }
        }
        // A direct room has no owner, and neither account can close or leave it.
        let refused = [
            chat.remove_member(&ada, &room, "ada").await,
            chat.close_room(&ada, &room).await,
            chat.set_member_role(&ada, &room, "ada", protocol::Role::Owner)
                .await,
        ];
        assert!(
            refused
                .iter()
                .all(|refused| matches!(refused, Err(Error::Refusal(Refusal::Forbidden(_)))))
        );
        assert!(
            chat.list_public_rooms(crate::RoomsPage::default())
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn conversations_count_unread_messages() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [ada, bob] = [person(&test, "ada").await, person(&test, "bob").await];
        let room = chat.open_direct_room(&ada, "bob").await.unwrap().id;
        assert!(chat.list_conversations(&ada, 9).await.unwrap().is_empty());
        for body in ["one", "two"] {
            chat.post_message(&ada, &room, &new_message(&ada, body), None)
                .await
                .unwrap();
        }
        let [theirs] = &chat.list_conversations(&bob, 9).await.unwrap()[..] else {
            panic!("not one")
        };
        assert_eq!((theirs.username.as_str(), theirs.unread), ("ada", 2));
        assert_eq!(theirs.last.as_ref().unwrap().body(), "two");
        assert_eq!(chat.list_conversations(&ada, 9).await.unwrap()[0].unread, 0);
        chat.move_read_marker(&bob, &room, 1).await.unwrap();
        chat.move_read_marker(&bob, &room, 0).await.unwrap();
        assert_eq!(chat.list_conversations(&bob, 9).await.unwrap()[0].unread, 1);
        chat.move_read_marker(&bob, &room, 99).await.unwrap();
        assert_eq!(chat.load_read_marker(&bob, &room).await.unwrap(), 2);
        // Editing a message that was read does not make it unread.
        chat.edit_message(&ada, &room, 1, "one, edited")
            .await
            .unwrap();
        assert_eq!(chat.list_conversations(&bob, 9).await.unwrap()[0].unread, 0);
        chat.post_message(&ada, &room, &new_message(&ada, "three"), None)
            .await
            .unwrap();
        assert_eq!(chat.list_conversations(&bob, 9).await.unwrap()[0].unread, 1);
    }

    #[tokio::test]
    async fn direct_room_expires_only_after_its_own_timeout() {
        let mut test = TestChat::new(|_| {}).await;
        let (ada, _bob) = (person(&test, "ada").await, person(&test, "bob").await);
        let room = test.chat.open_direct_room(&ada, "bob").await.unwrap().id;
        test.config.clock.advance(test.config.timeout * 1_000);
        test.reopen().await;
        test.chat
            .post_message(&ada, &room, &new_message(&ada, "still here"), None)
            .await
            .unwrap();
        test.config.direct_timeout = test.config.timeout;
        test.reopen().await;
        let mut follow = test
            .chat
            .follow_room(&ada, &room, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(test.config.timeout);
        while !matches!(follow.next().await.unwrap(), crate::FollowEvent::Closed(_)) {}
        assert_ne!(
            test.chat.open_direct_room(&ada, "bob").await.unwrap().id,
            room
        );
    }
}
