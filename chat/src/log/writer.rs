//! The one writer: it commits messages.
//!
//! It takes whatever waits as one transaction: one `fdatasync` for many posts under load, and a single post waits for
//! nobody. Only after the commit is a post published and answered. It runs on a thread of its own and speaks to `SQLite`
//! directly: to go through the pool's thread with each statement would cost several times what the statement does.
//! Leaves to others: the rules of a message, and every other change of the database, with which it takes turns.

use std::collections::HashMap;

use protocol::{Message, Refusal};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::log::command::Post;
use crate::log::decide::{Done, Log};
use crate::log::entry::Entry;
use crate::room::name_claims::{Free, Registrations};
use crate::store::{Deleted, Place, Store, Turn};
use crate::{Clock, Error};

/// Posts committed in one transaction, and posts that may wait for the next one; more wait at the sender.
const BATCH: usize = 512;

/// The writer's inbox.
#[derive(Clone, Debug)]
pub(crate) struct Posts(mpsc::Sender<(Post, Reply)>);

type Answer = Result<Message, Error>;
type Reply = oneshot::Sender<Answer>;

impl Posts {
    /// Returns once the message is durable.
    pub async fn append(&self, post: Post) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.0
            .send((post, reply))
            .await
            .map_err(|_| Refusal::Draining)?;
        answer.await.map_err(|_| Error::from(Refusal::Draining))?
    }
}

/// What the writer writes with.
pub(crate) struct Writer {
    connection: Connection,
    turn: Turn,
    deleted: Deleted,
    clock: Clock,
    free: Free,
    publish: Box<dyn Fn(&[Result<Done, Refusal>]) + Send>,
}

impl Writer {
    /// Starts the thread, which ends when the last [`Posts`] is dropped and everything in it is committed.
    pub fn start(
        place: &Place,
        store: &Store,
        clock: Clock,
        registrations: Registrations,
        publish: impl Fn(&[Result<Done, Refusal>]) + Send + 'static,
    ) -> Result<(Posts, JoinHandle<()>), Error> {
        let connection = place.connect()?;
        let (sender, inbox) = mpsc::channel(BATCH);
        let (turn, deleted, free) = (
            store.turn(),
            store.deleted().clone(),
            Free::new(registrations),
        );
        let writer = Self {
            connection,
            turn,
            deleted,
            clock,
            free,
            publish: Box::new(publish),
        };
        Ok((Posts(sender), spawn_blocking(move || writer.run(inbox))))
    }

    fn run(mut self, mut inbox: mpsc::Receiver<(Post, Reply)>) {
        let mut batch = Vec::new();
        while inbox.blocking_recv_many(&mut batch, BATCH) > 0 {
            self.write(&mut batch);
        }
    }

    /// Commits a batch, then publishes it, then answers it.
    fn write(&mut self, batch: &mut Vec<(Post, Reply)>) {
        // Until it is published, so that nobody ends a room whose followers have yet to hear what was said last.
        let turn = self.turn.clone().blocking_lock_owned();
        let answers: Vec<Answer> = match self.commit(batch) {
            Ok(committed) => {
                (self.publish)(&committed);
                committed
                    .into_iter()
                    .map(|done| Ok(done?.into_message()))
                    .collect()
            }
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        };
        drop(turn);
        for ((_, reply), answer) in batch.drain(..).zip(answers) {
            // Whoever no longer waits has its message in the log all the same.
            let _ = reply.send(answer);
        }
    }

    fn commit(&mut self, batch: &[(Post, Reply)]) -> Result<Vec<Result<Done, Refusal>>, Error> {
        let mut log = Log {
            tx: self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?,
            now: self.clock.now().millis(),
            rooms: HashMap::new(),
            free: &mut self.free,
        };
        let done: Vec<_> = batch
            .iter()
            .map(|(post, _)| log.append(post))
            .collect::<Result<_, _>>()?;
        log.commit()?;
        if done
            .iter()
            .flatten()
            .any(|done: &Done| matches!(done.entry, Entry::Change(_)))
        {
            self.deleted.note();
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use std::time::Duration;

    use protocol::{Author, ChangeKind, NewMessage, RoomId};

    use super::*;
    use crate::identity::person::Person;
    use crate::store::Page;
    use crate::testing::{House, guest, says};

    #[tokio::test]
    async fn sequences_have_no_gaps_however_many_post_at_once() {
        let house = House::new(|_| {}).await;
        let rooms = [house.room().await, house.room().await];
        let posts = (0..400).map(|n| {
            let (chat, room) = (house.chat.clone(), rooms[n % 2]);
            async move {
                chat.post(&crate::Person::Anyone, &room, &says(&n.to_string()), None)
                    .await
                    .unwrap()
            }
        });
        let answers = join_all(posts).await;
        for room in rooms {
            let page = house
                .chat
                .page(
                    &crate::Person::Anyone,
                    &room,
                    Page {
                        limit: 1_000,
                        ..Page::default()
                    },
                )
                .await
                .unwrap();
            assert!(page.iter().map(|m| m.id).eq(1..=200));
            let mut own: Vec<Message> =
                answers.iter().filter(|m| m.room == room).cloned().collect();
            own.sort_by_key(|m| m.id);
            assert_eq!(own, page);
        }
    }

    #[tokio::test]
    async fn the_same_key_in_the_same_room_is_one_message() {
        let mut house = House::new(|_| {}).await;
        let (room, other) = (house.room().await, house.room().await);
        // Some of these meet in one batch, some do not.
        let posts = (0..50).map(|n| {
            let chat = house.chat.clone();
            async move {
                chat.post(
                    &crate::Person::Anyone,
                    &room,
                    &says(&n.to_string()),
                    Some("k"),
                )
                .await
                .unwrap()
            }
        });
        let answers = join_all(posts).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        house.reopen().await;
        assert_eq!(
            house
                .chat
                .post(&crate::Person::Anyone, &room, &says("again"), Some("k"))
                .await
                .unwrap(),
            answers[0]
        );
        assert_eq!(house.say(room, "next").await.id, 2);
        assert_eq!(
            house
                .chat
                .post(
                    &crate::Person::Anyone,
                    &other,
                    &says("elsewhere"),
                    Some("k")
                )
                .await
                .unwrap()
                .id,
            1
        );
    }

    #[tokio::test]
    async fn a_key_that_comes_twice_in_a_batch_is_told_once() {
        let house = House::new(|_| {}).await;
        let room = house.room().await;
        let mut follow = house
            .chat
            .follow(&crate::Person::Anyone, &room, protocol::Start::Latest)
            .await
            .unwrap();
        let posts = ["a", "b", "a", "b", "a"].map(|key| {
            let chat = house.chat.clone();
            async move {
                chat.post(&crate::Person::Anyone, &room, &says(key), Some(key))
                    .await
                    .unwrap()
                    .id
            }
        });
        assert_eq!(join_all(posts).await, [1, 2, 1, 2, 1]);
        let mut last = 0;
        while last < 2 {
            let crate::News::Messages(frames) = follow.next().await.unwrap() else {
                panic!("no messages")
            };
            assert_eq!(frames.first(), last + 1);
            last = frames.last();
        }
        assert_eq!(last, 2);
    }

    #[tokio::test]
    async fn an_unknown_room_takes_nothing() {
        let house = House::new(|_| {}).await;
        let refused = house
            .chat
            .post(
                &crate::Person::Anyone,
                &RoomId::from_bytes([7; 8]),
                &says("hello"),
                None,
            )
            .await;
        assert!(matches!(
            refused,
            Err(Error::Refusal(Refusal::NotFound("room")))
        ));
    }

    #[tokio::test]
    async fn a_room_that_is_due_takes_nothing_and_counts_as_gone() {
        let house = House::new(|_| {}).await;
        let room = house.room().await;
        // Nobody looks at it yet, as in the moment before it is frozen.
        let mut tx = house.chat.0.store.begin().await.unwrap();
        sqlx::query("update room set expires_at = 0")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let refused = house
            .chat
            .post(&Person::Anyone, &room, &says("late"), None)
            .await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal::Gone))));
    }

    #[tokio::test]
    async fn a_name_that_many_have_is_refused_and_fails_nobody_else() {
        let house = House::new(|_| {}).await;
        let (room, other) = (house.room().await, house.room().await);
        let say = async |by: Person, room: RoomId, username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            house.chat.post(&by, &room, &message, None).await
        };
        let names = std::iter::once("ada".to_owned())
            .chain((2..1_000).map(|number| format!("ada{number}")));
        for answer in join_all(names.map(async |name| say(guest(), room, &name).await)).await {
            answer.unwrap();
        }
        let posts = (0..20).map(|_| async {
            tokio::join!(say(Person::Anyone, room, "ada"), say(guest(), other, "ada"))
        });
        for (refused, said) in join_all(posts).await {
            let Err(Error::Refusal(Refusal::NameTaken { free, .. })) = refused else {
                panic!("{refused:?}")
            };
            assert!(
                free.starts_with("ada") && free.len() > "ada999".len(),
                "{free}"
            );
            assert!(
                matches!(said, Ok(_) | Err(Error::Refusal(Refusal::NameTaken { .. }))),
                "{said:?}"
            );
        }
    }

    #[tokio::test]
    async fn whoever_is_refused_a_name_in_slow_mode_may_take_another_at_once() {
        let house = House::new(|_| {}).await;
        let [owner, ada, eve] = [(); 3].map(|()| guest());
        let room = house
            .chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let say = async |by: &Person, username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            house.chat.post(by, &room, &message, None).await
        };
        say(&ada, "ada").await.unwrap();
        let slow = protocol::RoomChange {
            slow_mode: Some(3_600),
            ..protocol::RoomChange::default()
        };
        house.chat.change_room(&owner, &room, &slow).await.unwrap();
        assert!(matches!(
            say(&eve, "ada").await,
            Err(Error::Refusal(Refusal::NameTaken { .. }))
        ));
        say(&eve, "ada2").await.unwrap();
        assert!(matches!(
            say(&eve, "ada2").await,
            Err(Error::Refusal(Refusal::TooMany(_)))
        ));
    }

    #[tokio::test]
    async fn a_name_is_its_holders_and_whoever_has_no_key_keeps_nothing() {
        let house = House::new(|_| {}).await;
        let (chat, room) = (&house.chat, house.room().await);
        let [ada, eve] = [(); 2].map(|()| guest());
        let say = async |by: &Person, username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            match chat.post(by, &room, &message, None).await {
                Ok(message) => Ok(message.author),
                Err(Error::Refusal(Refusal::NameTaken { free, .. })) => Err(free),
                Err(other) => panic!("{other}"),
            }
        };
        for _ in 0..2 {
            assert_eq!(say(&Person::Anyone, "ada").await, Ok(None));
        }
        assert_eq!(say(&ada, "ada").await, Ok(Some(Author::Guest)));
        for name in ["ada", "Ada", "аda"] {
            assert_eq!(say(&eve, name).await, Err(format!("{name}2")));
            assert_eq!(say(&Person::Anyone, name).await, Err(format!("{name}2")));
        }
        assert_eq!(say(&eve, "ada2").await, Ok(Some(Author::Guest)));
        assert_eq!(say(&Person::Anyone, "ada").await, Err("ada3".to_owned()));
        assert_eq!(say(&ada, "ada").await, Ok(Some(Author::Guest)));
        // Who takes another name lets the old one go.
        assert_eq!(say(&ada, "countess").await, Ok(Some(Author::Guest)));
        assert_eq!(say(&eve, "ada").await, Ok(Some(Author::Guest)));
        assert_eq!(say(&Person::Anyone, "ada2").await, Ok(None));
    }

    #[tokio::test]
    async fn whoever_comes_second_may_not_look_like_the_first() {
        let house = House::new(|_| {}).await;
        for (first, second) in [
            ("Ian", "lan"),
            ("lan", "Ian"),
            ("Ian", "ian"),
            ("Isabel", "lsabeI"),
            ("rnodern", "modern"),
        ] {
            let room = house.room().await;
            let say = async |username: &str| {
                let message = NewMessage {
                    username: username.to_owned(),
                    body: "hello".to_owned(),
                };
                house.chat.post(&guest(), &room, &message, None).await
            };
            say(first).await.unwrap();
            let answer = say(second).await;
            assert!(
                matches!(answer, Err(Error::Refusal(Refusal::NameTaken { .. }))),
                "{second} beside {first}"
            );
        }
    }

    #[tokio::test]
    async fn the_name_of_an_account_is_its_owners_in_every_room() {
        let house = House::new(|_| {}).await;
        let (chat, room) = (&house.chat, house.room().await);
        let guest = guest();
        let says = |username: &str| NewMessage {
            username: username.to_owned(),
            body: "hello".to_owned(),
        };
        chat.post(&guest, &room, &says("alice"), None)
            .await
            .unwrap();
        let other = house.room().await;
        for _ in 0..2 {
            chat.post(&Person::Anyone, &other, &says("alice"), None)
                .await
                .unwrap();
        }
        let wish = protocol::NewAccount {
            name: "Alice".to_owned(),
            username: "alice".to_owned(),
            password: "secret".to_owned(),
        };
        let alice = chat.register(&wish).await.unwrap().member.into();
        let message = chat
            .post(&alice, &room, &says("Alice"), None)
            .await
            .unwrap();
        assert_eq!(
            (message.username.as_str(), message.author),
            ("alice", Some(Author::Account))
        );
        assert_eq!(
            chat.page(&alice, &room, Page::default()).await.unwrap()[1],
            message
        );
        for name in ["alice", "aIice", "ALICE", "al\u{200d}ice"] {
            for by in [&guest, &Person::Anyone] {
                let refused = chat.post(by, &room, &says(name), None).await;
                assert!(
                    matches!(refused, Err(Error::Refusal(Refusal::NameTaken { .. }))),
                    "{name}"
                );
                let refused = chat.types(by, &room, name).await;
                assert!(
                    matches!(refused, Err(Error::Refusal(Refusal::Taken(_)))),
                    "{name}"
                );
            }
        }
        assert!(
            chat.post(&Person::Anyone, &other, &says("alice"), None)
                .await
                .is_err()
        );
        let refused = chat.post(&alice, &room, &says("bob"), None).await;
        assert!(matches!(
            refused,
            Err(Error::Refusal(Refusal::Invalid {
                field: "username",
                ..
            }))
        ));
        assert!(chat.lobby().await.unwrap().join("alice").await.is_err());
    }

    #[tokio::test]
    async fn its_author_changes_a_message_and_a_moderator_deletes_it() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let [owner, ada, eve] = [(); 3].map(|()| guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let says = |body: &str| NewMessage {
            username: "ada".to_owned(),
            body: body.to_owned(),
        };
        let mut follow = chat
            .follow(&eve, &room, protocol::Start::Latest)
            .await
            .unwrap();
        let first = chat
            .post(&ada, &room, &says("hello"), Some("k"))
            .await
            .unwrap();
        for by in [&owner, &eve, &Person::Anyone] {
            assert!(matches!(
                chat.edit(by, &room, 1, "no").await,
                Err(Error::Refusal(Refusal::Forbidden(_)))
            ));
        }
        let edited = chat.edit(&ada, &room, 1, " hello, all ").await.unwrap();
        assert_eq!(
            (edited.id, edited.body.as_str(), edited.sent_at),
            (1, "hello, all", first.sent_at)
        );
        assert!(edited.edited_at.is_some());
        assert!(chat.edit(&ada, &room, 1, "").await.is_err());
        // The key still stands for the same message.
        assert_eq!(
            chat.post(&ada, &room, &says("hello"), Some("k"))
                .await
                .unwrap(),
            edited
        );
        for missing in [2, 9] {
            let refused = chat.delete(&ada, &room, missing).await;
            assert!(
                matches!(
                    refused,
                    Err(Error::Refusal(Refusal::NotFound("such message")))
                ),
                "{missing}"
            );
        }
        assert!(matches!(
            chat.delete(&eve, &room, 1).await,
            Err(Error::Refusal(Refusal::Forbidden(_)))
        ));
        let deleted = chat.delete(&owner, &room, 1).await.unwrap();
        assert_eq!((deleted.body.as_str(), deleted.deleted), ("", true));
        assert!(matches!(
            chat.edit(&ada, &room, 1, "back").await,
            Err(Error::Refusal(Refusal::NotFound(_)))
        ));
        assert_eq!(
            chat.audit(&owner, &room, u64::MAX, 9).await.unwrap()[0].deed,
            "deleted message"
        );
        assert_eq!(
            chat.post(&ada, &room, &says("next"), None)
                .await
                .unwrap()
                .id,
            4
        );
        assert_eq!(chat.room(&ada, &room).await.unwrap().message_count, 2);
        let page: Vec<u64> = chat
            .page(&ada, &room, Page::default())
            .await
            .unwrap()
            .iter()
            .map(|m| m.id)
            .collect();
        assert_eq!(page, [1, 4]);
        let mut heard = Vec::new();
        while heard.len() < 4 {
            let crate::News::Messages(frames) = follow.next().await.unwrap() else {
                continue;
            };
            heard.extend(
                frames
                    .frames()
                    .map(|frame| (frame.cursor.seq, frame.change)),
            );
        }
        let edit = Some(ChangeKind::Edit);
        assert_eq!(
            heard,
            [
                (1, None),
                (2, edit),
                (3, Some(ChangeKind::Deletion)),
                (4, None)
            ]
        );
    }

    #[tokio::test]
    async fn a_change_does_not_let_a_room_live_on_and_what_was_deleted_is_in_no_file() {
        let house = House::new(|_| {}).await;
        let ada = guest();
        let room = house.room().await;
        let secret = "a very secret text that nobody should keep";
        let says = NewMessage {
            username: "ada".to_owned(),
            body: secret.to_owned(),
        };
        house.chat.post(&ada, &room, &says, None).await.unwrap();
        let end = house.chat.room(&ada, &room).await.unwrap().expires_at;
        house
            .config
            .clock
            .advance(std::time::Duration::from_secs(60));
        house
            .chat
            .edit(&ada, &room, 1, &format!("{secret}, edited"))
            .await
            .unwrap();
        house.chat.delete(&ada, &room, 1).await.unwrap();
        assert_eq!(house.chat.room(&ada, &room).await.unwrap().expires_at, end);
        nobody_tells_of(&house, secret).await;
        let mut follow = house
            .chat
            .follow(&ada, &room, protocol::Start::Latest)
            .await
            .unwrap();
        house.config.clock.advance(house.config.timeout);
        while !matches!(follow.next().await.unwrap(), crate::News::Closed) {}
        let archive = house.config.data_dir.join(format!("archive/{room}.jsonl"));
        let archive = std::fs::read_to_string(&archive).unwrap();
        assert!(archive.contains(r#""deleted":true"#) && !archive.contains(secret));
    }

    #[tokio::test]
    async fn what_was_deleted_just_before_a_stop_is_in_no_file() {
        let mut house = House::new(|_| {}).await;
        let (ada, room) = (guest(), house.room().await);
        let secret = "a very secret text that nobody should keep";
        let says = NewMessage {
            username: "ada".to_owned(),
            body: secret.to_owned(),
        };
        house.chat.post(&ada, &room, &says, None).await.unwrap();
        house.chat.delete(&ada, &room, 1).await.unwrap();
        house.reopen().await;
        nobody_tells_of(&house, secret).await;
    }

    #[tokio::test]
    async fn what_was_said_in_a_room_that_has_ended_is_in_no_file() {
        let house = House::new(|config| config.archive = false).await;
        let room = house.room().await;
        let secret = "a very secret text that nobody should keep";
        house.say(room, secret).await;
        house.config.clock.advance(house.config.timeout);
        nobody_tells_of(&house, secret).await;
    }

    /// Returns when no file of a chat that is open has a text in it.
    async fn nobody_tells_of(house: &House, text: &str) {
        let tells = |file: &std::fs::DirEntry| {
            let bytes = std::fs::read(file.path()).unwrap_or_default();
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        let told = async {
            // Twice, since a text may move from a file that is yet to be read into one that was.
            let mut clean = 0;
            while clean < 2 {
                let told = std::fs::read_dir(&house.config.data_dir)
                    .unwrap()
                    .any(|file| tells(&file.unwrap()));
                clean = if told { 0 } else { clean + 1 };
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told)
            .await
            .expect("a file still tells of it");
    }
}
