//! Direct chats: conversations of two people with accounts.
//!
//! A conversation is a room that nobody else can find, under the names of its two. Promises: there is one for each pair,
//! made when either first asks; what one of them has not read is told when they come. Leaves to others: everything that
//! holds for any room.

use protocol::{Account, Conversation, Message, Role, Room, RoomId};

use crate::identity::account;
use crate::identity::person::{Member, Person};
use crate::room::members;
use crate::room::read_marker::COUNTED;
use crate::store::{Access, New, Page, Store, key, messages, room_id, rooms};
use crate::{Chat, Error};

/// The other one of a direct chat; nobody if that account is no more.
pub(crate) async fn with(
    store: &Store,
    by: &Person,
    room: RoomId,
) -> Result<Option<Account>, Error> {
    let sql = "select name, username from direct_room join account on account.id = case low when $2 then high else low end
               where room = $1 and $2 in (low, high)";
    let found: Option<(String, String)> = sqlx::query_as(sql)
        .bind(key(room))
        .bind(by.id())
        .fetch_optional(store.read())
        .await?;
    Ok(found.map(|(name, username)| Account { name, username }))
}

impl Chat {
    /// The conversation of somebody with another, made if there is none yet.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`], [`protocol::Refusal::NotFound`] if nobody has that name, or a fault.
    pub async fn direct(&self, by: &Person, username: &str) -> Result<Room, Error> {
        let one = by.signed_in()?;
        let other = account::member(&self.0.store, username).await?;
        let found = match self.find_direct(one, &other).await? {
            Some(found) => found,
            None => self.make_direct(one, &other).await?,
        };
        self.room(by, &found).await
    }

    async fn find_direct(&self, one: &Member, other: &Member) -> Result<Option<RoomId>, Error> {
        let sql = "select direct_room.room from direct_room join room on room.id = direct_room.room
                   where low = $1 and high = $2 and state = 0";
        let (low, high) = pair(one, other);
        let found: Option<i64> = sqlx::query_scalar(sql)
            .bind(low)
            .bind(high)
            .fetch_optional(self.0.store.read())
            .await?;
        Ok(found.map(room_id))
    }

    async fn make_direct(&self, one: &Member, other: &Member) -> Result<RoomId, Error> {
        let inner = &self.0;
        let mut tx = inner.store.begin().await?;
        // Their other device may have been quicker; nobody else writes while this transaction does.
        if let Some(found) = self.find_direct(one, other).await? {
            return Ok(found);
        }
        let (now, longest) = (inner.clock.now(), inner.direct_timeout);
        let new = New {
            name: None,
            public: false,
            asked: None,
            longest,
            access: Access::Direct,
        };
        let room = rooms::insert(&mut tx, now, new).await?.id;
        let sql = "insert into direct_room (low, high, room) values ($1, $2, $3)
                   on conflict (low, high) do update set room = excluded.room";
        let (low, high) = pair(one, other);
        sqlx::query(sql)
            .bind(low)
            .bind(high)
            .bind(key(room))
            .execute(&mut *tx)
            .await?;
        for person in [one, other] {
            members::add(&mut tx, now, room, person.id, Role::Member).await?;
        }
        let both = [low, high];
        self.commit(tx, move |inner| {
            both.into_iter()
                .for_each(|person| inner.hub.ring_person(person))
        })
        .await?;
        Ok(room)
    }

    /// The conversations of somebody in which something was said, the latest first, at most so many.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`], or a fault.
    pub async fn conversations(
        &self,
        by: &Person,
        limit: usize,
    ) -> Result<Vec<Conversation>, Error> {
        let (own, limit) = (by.signed_in()?.id, i64::try_from(limit).unwrap_or(i64::MAX));
        let sql = "select account.username, account.name, room.id,
                     (select count(*) from (select 1 from message where message.room = room.id and seq > read_seq and author <> $1
                        and kind = 0 limit $3))
                   from member join room on room.id = member.room join direct_room on direct_room.room = room.id
                     join account on account.id = case low when $1 then high else low end
                   where person = $1 and state = 0 and head > 0 order by last_active_at desc limit $2";
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(sql)
            .bind(own)
            .bind(limit)
            .bind(COUNTED)
            .fetch_all(self.0.store.read())
            .await?;
        let mut conversations = Vec::with_capacity(rows.len());
        for (username, name, room, unread) in rows {
            let room = room_id(room);
            let last = self.newest(room).await?;
            conversations.push(Conversation {
                username,
                name,
                room,
                unread: unread.unsigned_abs(),
                last,
            });
        }
        Ok(conversations)
    }

    async fn newest(&self, room: RoomId) -> Result<Option<Message>, Error> {
        Ok(messages::page(
            &self.0.store,
            room,
            Page {
                limit: 1,
                ..Page::default()
            },
        )
        .await?
        .pop())
    }
}

/// Two people as the database knows them together, whoever asks.
fn pair(one: &Member, other: &Member) -> (i64, i64) {
    (one.id.min(other.id), one.id.max(other.id))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use protocol::{NewAccount, NewMessage, Refusal, Start};

    use super::*;
    use crate::testing::House;

    async fn person(house: &House, username: &str) -> Person {
        let wish = NewAccount {
            name: username.to_uppercase(),
            username: username.to_owned(),
            password: "secret".to_owned(),
        };
        house.chat.register(&wish).await.unwrap().member.into()
    }

    fn says(by: &Person, body: &str) -> NewMessage {
        NewMessage {
            username: by.member().unwrap().username().to_owned(),
            body: body.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_pair_has_one_conversation_and_nobody_else_finds_it() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let [ada, bob, eve] = [
            person(&house, "ada").await,
            person(&house, "bob").await,
            person(&house, "eve").await,
        ];
        let asked = join_all((0..10).map(|_| chat.direct(&ada, "bob"))).await;
        let room = asked[0].as_ref().unwrap().id;
        assert!(asked.iter().all(|found| found.as_ref().unwrap().id == room));
        assert_eq!(chat.direct(&bob, "ADA").await.unwrap().id, room);
        for (by, other) in [(&ada, "bob"), (&bob, "ada")] {
            assert_eq!(
                chat.room(by, &room).await.unwrap().with.unwrap().username,
                other
            );
        }
        assert_eq!(
            chat.room(&ada, &house.room().await).await.unwrap().with,
            None
        );
        chat.post(&ada, &room, &says(&ada, "hello"), Some("k"))
            .await
            .unwrap();
        for stranger in [&eve, &Person::Anyone] {
            let refused = [
                chat.room(stranger, &room).await.map(|_| ()),
                chat.page(stranger, &room, Page::default())
                    .await
                    .map(|_| ()),
                chat.follow(stranger, &room, Start::Seq(0))
                    .await
                    .map(|_| ()),
                chat.export(stranger, &room, crate::Format::Archive)
                    .await
                    .map(|_| ()),
                chat.types(stranger, &room, "eve").await,
                chat.mark_seen(stranger, &room, 1).await,
                chat.members(stranger, &room).await.map(|_| ()),
                chat.post(stranger, &room, &says(&eve, "hi"), None)
                    .await
                    .map(|_| ()),
                chat.post(stranger, &room, &says(&eve, "hi"), Some("k"))
                    .await
                    .map(|_| ()),
            ];
            for refused in refused {
                assert!(
                    matches!(refused, Err(Error::Refusal(Refusal::NotFound("room")))),
                    "{refused:?}"
                );
            }
        }
        // It has no owner, and neither of the two can end or leave it.
        let refused = [
            chat.remove_member(&ada, &room, "ada").await,
            chat.close_room(&ada, &room).await,
            chat.set_role(&ada, &room, "ada", protocol::Role::Owner)
                .await,
        ];
        assert!(
            refused
                .iter()
                .all(|refused| matches!(refused, Err(Error::Refusal(Refusal::Forbidden(_)))))
        );
        assert!(
            chat.rooms(crate::RoomsPage::default())
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn conversations_say_what_is_unread() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let [ada, bob] = [person(&house, "ada").await, person(&house, "bob").await];
        let room = chat.direct(&ada, "bob").await.unwrap().id;
        assert!(chat.conversations(&ada, 9).await.unwrap().is_empty());
        for body in ["one", "two"] {
            chat.post(&ada, &room, &says(&ada, body), None)
                .await
                .unwrap();
        }
        let [theirs] = &chat.conversations(&bob, 9).await.unwrap()[..] else {
            panic!("not one")
        };
        assert_eq!((theirs.username.as_str(), theirs.unread), ("ada", 2));
        assert_eq!(theirs.last.as_ref().unwrap().body, "two");
        assert_eq!(chat.conversations(&ada, 9).await.unwrap()[0].unread, 0);
        chat.mark_seen(&bob, &room, 1).await.unwrap();
        chat.mark_seen(&bob, &room, 0).await.unwrap();
        assert_eq!(chat.conversations(&bob, 9).await.unwrap()[0].unread, 1);
        chat.mark_seen(&bob, &room, 99).await.unwrap();
        assert_eq!(chat.seen(&bob, &room).await.unwrap(), 2);
        // A change of what was read is nothing new to read.
        chat.edit(&ada, &room, 1, "one, edited").await.unwrap();
        assert_eq!(chat.conversations(&bob, 9).await.unwrap()[0].unread, 0);
        chat.post(&ada, &room, &says(&ada, "three"), None)
            .await
            .unwrap();
        assert_eq!(chat.conversations(&bob, 9).await.unwrap()[0].unread, 1);
    }

    #[tokio::test]
    async fn a_conversation_outlasts_every_room_unless_the_operator_says_otherwise() {
        let mut house = House::new(|_| {}).await;
        let (ada, _bob) = (person(&house, "ada").await, person(&house, "bob").await);
        let room = house.chat.direct(&ada, "bob").await.unwrap().id;
        house.config.clock.advance(house.config.timeout * 1_000);
        house.reopen().await;
        house
            .chat
            .post(&ada, &room, &says(&ada, "still here"), None)
            .await
            .unwrap();
        house.config.direct_timeout = house.config.timeout;
        house.reopen().await;
        let mut follow = house.chat.follow(&ada, &room, Start::Latest).await.unwrap();
        house.config.clock.advance(house.config.timeout);
        while !matches!(follow.next().await.unwrap(), crate::News::Closed) {}
        assert_ne!(house.chat.direct(&ada, "bob").await.unwrap().id, room);
    }
}
