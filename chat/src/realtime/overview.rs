//! The overview: the rooms and the conversations of one person, live.
//!
//! Whoever watches gets all of it as a whole, once at the start and again whenever it has changed, at most once a second
//! and less often the more people watch. Promises: nobody hears of a room that they may not know of. A watcher has no
//! queue, only a bell that is rung when something happens to its person or to a room that it shows: that nobody watches
//! costs a look into an empty map. Leaves to others: saying when something has happened (`hub`).

use std::collections::HashSet;

use bytes::Bytes;
use protocol::{DirectChat, Overview, Refusal, Room, RoomId};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::identity::person::Person;
use crate::realtime::topics::{Topic, TopicSubscription};
use crate::room::access;
use crate::room::read_marker::UNREAD_COUNTED;
use crate::store::{ROOM_COLUMNS, RoomRow, role_from_row, room_id};
use crate::{Chat, Error};

/// How many rooms and how many conversations are shown at most.
const SHOWN: usize = 50;

impl Chat {
    /// The rooms and conversations of somebody, and of the rooms in `also` those that they may know of.
    ///
    /// # Errors
    /// A fault.
    pub async fn load_overview(&self, by: &Person, also: &[RoomId]) -> Result<Overview, Error> {
        let mut rooms = self.rooms_of(by).await?;
        for id in also {
            if rooms.iter().any(|room| room.id == *id) {
                continue;
            }
            match access::find(&self.0.store, &self.0.clock, by, *id).await {
                Ok(stored) if !stored.direct => rooms.push(stored.room),
                Ok(_) | Err(Error::Refusal(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        rooms.sort_by_key(|room| std::cmp::Reverse((room.last_active_at, room.id)));
        Ok(Overview {
            rooms,
            chats: self.some_conversations(by).await?,
        })
    }

    /// The rooms that somebody belongs to, with how much is unread.
    async fn rooms_of(&self, by: &Person) -> Result<Vec<Room>, Error> {
        if *by == Person::Anonymous {
            return Ok(Vec::new());
        }
        let sql = sqlx::AssertSqlSafe(format!(
            "select {}, role, (select count(*) from (select 1 from message where message.room = room.id and seq > read_seq
                               and author <> $1 and kind = 0 limit $2)) as unread
             from member join room on room.id = member.room
             where person = $1 and state = 0 and access <> 2 and not exists (
               select 1 from sanction where sanction.room = room.id and sanction.person = $1 and kind = 1
               and coalesce(until, $3 + 1) > $3)
             order by last_active_at desc, room.id desc limit $4",
            ROOM_COLUMNS
        ));
        let now = self.0.clock.now().millis();
        let rows = sqlx::query(sql)
            .bind(by.id())
            .bind(UNREAD_COUNTED)
            .bind(now)
            .bind(shown());
        rows.fetch_all(self.0.store.read())
            .await?
            .iter()
            .map(room_of)
            .collect()
    }

    async fn some_conversations(&self, by: &Person) -> Result<Vec<DirectChat>, Error> {
        match self.list_conversations(by, SHOWN).await {
            Err(Error::Refusal(Refusal::NotSignedIn)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The rooms of which somebody is to be told that something happened there: also conversations that are yet to begin.
    async fn topics_of(&self, by: &Person, also: &[RoomId]) -> Result<HashSet<Topic>, Error> {
        let mut topics: HashSet<Topic> = also.iter().copied().map(Topic::Room).collect();
        if *by == Person::Anonymous {
            return Ok(topics);
        }
        let rooms = sqlx::query_scalar("select room from member where person = $1 limit 1000")
            .bind(by.id());
        let rooms: Vec<i64> = rooms.fetch_all(self.0.store.read()).await?;
        topics.extend(rooms.into_iter().map(|room| Topic::Room(room_id(room))));
        topics.insert(Topic::Person(by.id()));
        Ok(topics)
    }

    /// Watches the overview of somebody.
    pub fn watch_overview(&self, by: Person, also: Vec<RoomId>) -> OverviewWatch {
        let bells = self.0.hub.bells();
        let (bell, draining) = (bells.hang(), bells.draining.subscribe());
        OverviewWatch {
            chat: self.clone(),
            by,
            also,
            bell,
            draining,
            told: None,
            due: true,
        }
    }
}

fn shown() -> i64 {
    i64::try_from(SHOWN).unwrap_or(i64::MAX)
}

fn room_of(row: &SqliteRow) -> Result<Room, Error> {
    let mut room = RoomRow::from_row(row)?.room;
    room.role = Some(role_from_row(row.try_get("role")?));
    room.unread = row.try_get::<i64, _>("unread")?.unsigned_abs();
    Ok(room)
}

/// Somebody who watches their overview.
#[derive(Debug)]
pub struct OverviewWatch {
    chat: Chat,
    by: Person,
    also: Vec<RoomId>,
    bell: TopicSubscription,
    draining: watch::Receiver<bool>,
    told: Option<Bytes>,
    /// Whether something has happened since it was told.
    due: bool,
}

impl OverviewWatch {
    /// The overview as JSON, now and then whenever it has changed; `None` when the server is about to stop. May be dropped
    /// while it waits, and loses nothing.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.told.is_some() {
                self.wait().await;
            }
            if *self.draining.borrow() {
                return Ok(None);
            }
            let now = Some(self.look().await?);
            self.due = false;
            if self.told != now {
                self.told.clone_from(&now);
                return Ok(now);
            }
        }
    }

    /// Waits until it is time to look again.
    async fn wait(&mut self) {
        if !self.due {
            tokio::select! {
                () = self.bell.rung() => self.due = true,
                _ = self.draining.wait_for(|draining| *draining) => {}
            }
        }
        let pace = self.chat.0.hub.bells().pace();
        // Whether it is time or the server stops, the caller looks.
        let _ = timeout(pace, self.draining.wait_for(|draining| *draining)).await;
    }

    /// Reads the overview, with the bell hung before wherever something may change it.
    async fn look(&self) -> Result<Bytes, Error> {
        while self
            .bell
            .listen(self.chat.topics_of(&self.by, &self.also).await?)
        {}
        let overview = self.chat.load_overview(&self.by, &self.also).await?;
        Ok(serde_json::to_vec(&overview).map_err(Error::fault)?.into())
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewAccount, NewInvitation, NewMessage, NewRoom};

    use super::*;
    use crate::realtime::topics::PACE;
    use crate::sync::lock;
    use crate::testing::{TestChat, new_message};

    async fn person(test: &TestChat, username: &str) -> Person {
        let (name, username, password) = (
            username.to_owned(),
            username.to_owned(),
            "secret".to_owned(),
        );
        test.chat
            .register_account(&NewAccount {
                name,
                username: username.clone(),
                password: password.clone(),
            })
            .await
            .unwrap();
        test.chat
            .sign_in(&Credentials { username, password })
            .await
            .unwrap()
            .account
            .into()
    }

    async fn own_room(test: &TestChat, by: &Person, name: &str) -> RoomId {
        let wish = NewRoom {
            name: Some(name.to_owned()),
            private: Some(true),
            ..NewRoom::default()
        };
        test.chat.create_room(by, &wish).await.unwrap().id
    }

    /// The names of the rooms of an overview with what is unread in them.
    fn rooms(overview: &Overview) -> Vec<(&str, u64)> {
        overview
            .rooms
            .iter()
            .map(|room| (room.name.as_deref().unwrap_or_default(), room.unread))
            .collect()
    }

    async fn told(glance: &mut OverviewWatch) -> Overview {
        serde_json::from_slice(&glance.next().await.unwrap().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn it_has_what_somebody_belongs_to_and_may_know_of() {
        let test = TestChat::new(|_| {}).await;
        let [eva, bob] = [person(&test, "eva").await, person(&test, "bob").await];
        let [den, _] = [
            own_room(&test, &eva, "den").await,
            own_room(&test, &eva, "attic").await,
        ];
        let open = test.create_room().await;
        for body in ["one", "two"] {
            test.chat
                .post_message(
                    &eva,
                    &den,
                    &NewMessage {
                        username: "eva".into(),
                        body: body.into(),
                    },
                    None,
                )
                .await
                .unwrap();
        }
        test.post(open, "hello").await;
        let own = test
            .chat
            .load_overview(&eva, &[open, open, den])
            .await
            .unwrap();
        assert_eq!(
            own.rooms
                .iter()
                .map(|room| room.id)
                .filter(|id| *id == open)
                .count(),
            1
        );
        assert_eq!(
            rooms(&own)
                .into_iter()
                .filter(|(name, _)| !name.is_empty())
                .count(),
            2,
            "{own:?}"
        );
        // One's own messages are read.
        assert!(rooms(&own).contains(&("den", 0)));
        for stranger in [&bob, &Person::Anonymous] {
            let theirs = test
                .chat
                .load_overview(stranger, &[den, open])
                .await
                .unwrap();
            assert_eq!(
                theirs.rooms.iter().map(|room| room.id).collect::<Vec<_>>(),
                [open]
            );
        }
        let code = test
            .chat
            .create_invitation(&eva, &den, &NewInvitation::default())
            .await
            .unwrap()
            .code;
        test.chat.accept_invitation(&bob, &code).await.unwrap();
        assert_eq!(
            rooms(&test.chat.load_overview(&bob, &[]).await.unwrap()),
            [("den", 2)]
        );
        test.chat.move_read_marker(&bob, &den, 1).await.unwrap();
        assert_eq!(
            rooms(&test.chat.load_overview(&bob, &[]).await.unwrap()),
            [("den", 1)]
        );
        let sanction = crate::SanctionTarget::Person("bob".into());
        test.chat
            .impose_sanction(
                &eva,
                &den,
                &sanction,
                protocol::SanctionKind::Ban,
                Some("1h"),
            )
            .await
            .unwrap();
        assert!(
            test.chat
                .load_overview(&bob, &[den])
                .await
                .unwrap()
                .rooms
                .is_empty()
        );
    }

    #[tokio::test]
    async fn who_watches_is_told_whatever_changes_it() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [eva, bob] = [person(&test, "eva").await, person(&test, "bob").await];
        let visited = test.create_room().await;
        let mut glance = chat.watch_overview(bob.clone(), vec![visited]);
        assert_eq!(told(&mut glance).await.rooms.len(), 1);
        // A message where one only visits.
        test.post(visited, "hello").await;
        assert_eq!(told(&mut glance).await.rooms[0].message_count, 1);
        // A conversation that somebody else begins.
        let direct = chat.open_direct_room(&eva, "bob").await.unwrap().id;
        chat.post_message(
            &eva,
            &direct,
            &NewMessage {
                username: "eva".into(),
                body: "hi".into(),
            },
            None,
        )
        .await
        .unwrap();
        assert_eq!(told(&mut glance).await.chats[0].unread, 1);
        // What one has read elsewhere.
        chat.move_read_marker(&bob, &direct, 1).await.unwrap();
        assert_eq!(told(&mut glance).await.chats[0].unread, 0);
        // A room that one joins elsewhere, its new name, and being removed from it.
        let den = own_room(&test, &eva, "den").await;
        let code = chat
            .create_invitation(&eva, &den, &NewInvitation::default())
            .await
            .unwrap()
            .code;
        chat.accept_invitation(&bob, &code).await.unwrap();
        assert!(rooms(&told(&mut glance).await).contains(&("den", 0)));
        let change = protocol::RoomChange {
            name: Some("attic".into()),
            ..Default::default()
        };
        chat.change_room_settings(&eva, &den, &change)
            .await
            .unwrap();
        assert!(rooms(&told(&mut glance).await).contains(&("attic", 0)));
        chat.remove_member(&eva, &den, "bob").await.unwrap();
        assert!(!rooms(&told(&mut glance).await).contains(&("attic", 0)));
        // The server stops.
        chat.drain();
        assert_eq!(glance.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn nobody_is_told_more_than_once_a_second_and_never_the_same() {
        let test = TestChat::new(|_| {}).await;
        let (room, other) = (test.create_room().await, test.create_room().await);
        let mut glance = test.chat.watch_overview(Person::Anonymous, vec![room]);
        told(&mut glance).await;
        let start = tokio::time::Instant::now();
        for n in 1..=3_u64 {
            for _ in 0..10 {
                test.post(room, "hello").await;
            }
            test.chat
                .post_message(&Person::Anonymous, &other, &new_message("not shown"), None)
                .await
                .unwrap();
            assert_eq!(told(&mut glance).await.rooms[0].message_count, n * 10);
        }
        assert!(start.elapsed() >= PACE * 3);
        let again = timeout(PACE * 3, glance.next()).await;
        assert!(again.is_err(), "nothing has happened");
    }

    #[tokio::test]
    async fn bells_are_taken_down() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut glance = test.chat.watch_overview(Person::Anonymous, vec![room]);
        told(&mut glance).await;
        let bells = test.chat.0.hub.bells().clone();
        assert_eq!(lock(&bells.belfry).bells.len(), 1);
        drop(glance);
        assert!(lock(&bells.belfry).bells.is_empty() && lock(&bells.belfry).hung == 0);
    }
}
