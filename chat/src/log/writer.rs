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

use crate::log::command::WriteRequest;
use crate::log::decide::{Appended, LogTransaction};
use crate::log::entry::Entry;
use crate::room::name_claims::{RegistrationCounter, UnregisteredNames};
use crate::store::{DatabaseLocation, PendingErasure, Store, WriteLock};
use crate::{Clock, Error};

/// Posts committed in one transaction, and posts that may wait for the next one; more wait at the sender.
const BATCH: usize = 512;

/// The writer's inbox.
#[derive(Clone, Debug)]
pub(crate) struct WriteQueue(mpsc::Sender<(WriteRequest, Reply)>);

type Answer = Result<Message, Error>;
type Reply = oneshot::Sender<Answer>;

impl WriteQueue {
    /// Returns once the message is durable.
    pub async fn append(&self, post: WriteRequest) -> Answer {
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
    turn: WriteLock,
    deleted: PendingErasure,
    clock: Clock,
    free: UnregisteredNames,
    publish: Box<dyn Fn(&[Result<Appended, Refusal>]) + Send>,
}

impl Writer {
    /// Starts the thread, which ends when the last [`WriteQueue`] is dropped and everything in it is committed.
    pub fn start(
        place: &DatabaseLocation,
        store: &Store,
        clock: Clock,
        registrations: RegistrationCounter,
        publish: impl Fn(&[Result<Appended, Refusal>]) + Send + 'static,
    ) -> Result<(WriteQueue, JoinHandle<()>), Error> {
        let connection = place.connect()?;
        let (sender, inbox) = mpsc::channel(BATCH);
        let (turn, deleted, free) = (
            store.write_lock(),
            store.pending_erasure().clone(),
            UnregisteredNames::new(registrations),
        );
        let writer = Self {
            connection,
            turn,
            deleted,
            clock,
            free,
            publish: Box::new(publish),
        };
        Ok((
            WriteQueue(sender),
            spawn_blocking(move || writer.run(inbox)),
        ))
    }

    fn run(mut self, mut inbox: mpsc::Receiver<(WriteRequest, Reply)>) {
        let mut batch = Vec::new();
        while inbox.blocking_recv_many(&mut batch, BATCH) > 0 {
            self.write(&mut batch);
        }
    }

    /// Commits a batch, then publishes it, then answers it.
    fn write(&mut self, batch: &mut Vec<(WriteRequest, Reply)>) {
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

    fn commit(
        &mut self,
        batch: &[(WriteRequest, Reply)],
    ) -> Result<Vec<Result<Appended, Refusal>>, Error> {
        let mut log = LogTransaction {
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
            .any(|done: &Appended| matches!(done.entry, Entry::Change(_)))
        {
            self.deleted.mark();
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
    use crate::store::MessagesPage;
    use crate::testing::{TestChat, new_guest, new_message};

    #[tokio::test]
    async fn sequences_have_no_gaps_however_many_post_at_once() {
        let test = TestChat::new(|_| {}).await;
        let rooms = [test.create_room().await, test.create_room().await];
        let posts = (0..400).map(|n| {
            let (chat, room) = (test.chat.clone(), rooms[n % 2]);
            async move {
                chat.post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message(&n.to_string()),
                    None,
                )
                .await
                .unwrap()
            }
        });
        let answers = join_all(posts).await;
        for room in rooms {
            let page = test
                .chat
                .list_messages(
                    &crate::Person::Anonymous,
                    &room,
                    MessagesPage {
                        limit: 1_000,
                        ..MessagesPage::default()
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
        let mut test = TestChat::new(|_| {}).await;
        let (room, other) = (test.create_room().await, test.create_room().await);
        // Some of these meet in one batch, some do not.
        let posts = (0..50).map(|n| {
            let chat = test.chat.clone();
            async move {
                chat.post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message(&n.to_string()),
                    Some("k"),
                )
                .await
                .unwrap()
            }
        });
        let answers = join_all(posts).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        test.reopen().await;
        assert_eq!(
            test.chat
                .post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message("again"),
                    Some("k")
                )
                .await
                .unwrap(),
            answers[0]
        );
        assert_eq!(test.post(room, "next").await.id, 2);
        assert_eq!(
            test.chat
                .post_message(
                    &crate::Person::Anonymous,
                    &other,
                    &new_message("elsewhere"),
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
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, protocol::Start::Latest)
            .await
            .unwrap();
        let posts = ["a", "b", "a", "b", "a"].map(|key| {
            let chat = test.chat.clone();
            async move {
                chat.post_message(
                    &crate::Person::Anonymous,
                    &room,
                    &new_message(key),
                    Some(key),
                )
                .await
                .unwrap()
                .id
            }
        });
        assert_eq!(join_all(posts).await, [1, 2, 1, 2, 1]);
        let mut last = 0;
        while last < 2 {
            let crate::FollowEvent::Messages(frames) = follow.next().await.unwrap() else {
                panic!("no messages")
            };
            assert_eq!(frames.first(), last + 1);
            last = frames.last();
        }
        assert_eq!(last, 2);
    }

    #[tokio::test]
    async fn an_unknown_room_takes_nothing() {
        let test = TestChat::new(|_| {}).await;
        let refused = test
            .chat
            .post_message(
                &crate::Person::Anonymous,
                &RoomId::from_bytes([7; 8]),
                &new_message("hello"),
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
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        // Nobody looks at it yet, as in the moment before it is frozen.
        let mut tx = test.chat.0.store.begin().await.unwrap();
        sqlx::query("update room set expires_at = 0")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let refused = test
            .chat
            .post_message(&Person::Anonymous, &room, &new_message("late"), None)
            .await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal::Gone))));
    }

    #[tokio::test]
    async fn a_name_that_many_have_is_refused_and_fails_nobody_else() {
        let test = TestChat::new(|_| {}).await;
        let (room, other) = (test.create_room().await, test.create_room().await);
        let say = async |by: Person, room: RoomId, username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            test.chat.post_message(&by, &room, &message, None).await
        };
        let names = std::iter::once("ada".to_owned())
            .chain((2..1_000).map(|number| format!("ada{number}")));
        for answer in join_all(names.map(async |name| say(new_guest(), room, &name).await)).await {
            answer.unwrap();
        }
        let posts = (0..20).map(|_| async {
            tokio::join!(
                say(Person::Anonymous, room, "ada"),
                say(new_guest(), other, "ada")
            )
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
        let test = TestChat::new(|_| {}).await;
        let [owner, ada, eve] = [(); 3].map(|()| new_guest());
        let room = test
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
            test.chat.post_message(by, &room, &message, None).await
        };
        say(&ada, "ada").await.unwrap();
        let slow = protocol::RoomChange {
            slow_mode: Some(3_600),
            ..protocol::RoomChange::default()
        };
        test.chat
            .change_room_settings(&owner, &room, &slow)
            .await
            .unwrap();
        assert!(matches!(
            say(&eve, "ada").await,
            Err(Error::Refusal(Refusal::NameTaken { .. }))
        ));
        say(&eve, "ada2").await.unwrap();
        assert!(matches!(
            say(&eve, "ada2").await,
            Err(Error::Refusal(Refusal::RateLimited(_)))
        ));
    }

    #[tokio::test]
    async fn a_name_is_its_holders_and_whoever_has_no_key_keeps_nothing() {
        let test = TestChat::new(|_| {}).await;
        let (chat, room) = (&test.chat, test.create_room().await);
        let [ada, eve] = [(); 2].map(|()| new_guest());
        let say = async |by: &Person, username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            match chat.post_message(by, &room, &message, None).await {
                Ok(message) => Ok(message.author),
                Err(Error::Refusal(Refusal::NameTaken { free, .. })) => Err(free),
                Err(other) => panic!("{other}"),
            }
        };
        for _ in 0..2 {
            assert_eq!(say(&Person::Anonymous, "ada").await, Ok(None));
        }
        assert_eq!(say(&ada, "ada").await, Ok(Some(Author::Guest)));
        for name in ["ada", "Ada", "аda"] {
            assert_eq!(say(&eve, name).await, Err(format!("{name}2")));
            assert_eq!(say(&Person::Anonymous, name).await, Err(format!("{name}2")));
        }
        assert_eq!(say(&eve, "ada2").await, Ok(Some(Author::Guest)));
        assert_eq!(say(&Person::Anonymous, "ada").await, Err("ada3".to_owned()));
        assert_eq!(say(&ada, "ada").await, Ok(Some(Author::Guest)));
        // Who takes another name lets the old one go.
        assert_eq!(say(&ada, "countess").await, Ok(Some(Author::Guest)));
        assert_eq!(say(&eve, "ada").await, Ok(Some(Author::Guest)));
        assert_eq!(say(&Person::Anonymous, "ada2").await, Ok(None));
    }

    #[tokio::test]
    async fn whoever_comes_second_may_not_look_like_the_first() {
        let test = TestChat::new(|_| {}).await;
        for (first, second) in [
            ("Ian", "lan"),
            ("lan", "Ian"),
            ("Ian", "ian"),
            ("Isabel", "lsabeI"),
            ("rnodern", "modern"),
        ] {
            let room = test.create_room().await;
            let say = async |username: &str| {
                let message = NewMessage {
                    username: username.to_owned(),
                    body: "hello".to_owned(),
                };
                test.chat
                    .post_message(&new_guest(), &room, &message, None)
                    .await
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
        let test = TestChat::new(|_| {}).await;
        let (chat, room) = (&test.chat, test.create_room().await);
        let guest = new_guest();
        let new_message = |username: &str| NewMessage {
            username: username.to_owned(),
            body: "hello".to_owned(),
        };
        chat.post_message(&guest, &room, &new_message("alice"), None)
            .await
            .unwrap();
        let other = test.create_room().await;
        for _ in 0..2 {
            chat.post_message(&Person::Anonymous, &other, &new_message("alice"), None)
                .await
                .unwrap();
        }
        let wish = protocol::NewAccount {
            name: "Alice".to_owned(),
            username: "alice".to_owned(),
            password: "secret".to_owned(),
        };
        let alice = chat.register_account(&wish).await.unwrap().account.into();
        let message = chat
            .post_message(&alice, &room, &new_message("Alice"), None)
            .await
            .unwrap();
        assert_eq!(
            (message.username.as_str(), message.author),
            ("alice", Some(Author::Account))
        );
        assert_eq!(
            chat.list_messages(&alice, &room, MessagesPage::default())
                .await
                .unwrap()[1],
            message
        );
        for name in ["alice", "aIice", "ALICE", "al\u{200d}ice"] {
            for by in [&guest, &Person::Anonymous] {
                let refused = chat.post_message(by, &room, &new_message(name), None).await;
                assert!(
                    matches!(refused, Err(Error::Refusal(Refusal::NameTaken { .. }))),
                    "{name}"
                );
                let refused = chat.notify_typing(by, &room, name).await;
                assert!(
                    matches!(refused, Err(Error::Refusal(Refusal::Taken(_)))),
                    "{name}"
                );
            }
        }
        assert!(
            chat.post_message(&Person::Anonymous, &other, &new_message("alice"), None)
                .await
                .is_err()
        );
        let refused = chat
            .post_message(&alice, &room, &new_message("bob"), None)
            .await;
        assert!(matches!(
            refused,
            Err(Error::Refusal(Refusal::Invalid {
                field: "username",
                ..
            }))
        ));
        assert!(
            chat.open_lobby()
                .await
                .unwrap()
                .join("alice")
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn its_author_changes_a_message_and_a_moderator_deletes_it() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [owner, ada, eve] = [(); 3].map(|()| new_guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let new_message = |body: &str| NewMessage {
            username: "ada".to_owned(),
            body: body.to_owned(),
        };
        let mut follow = chat
            .follow_room(&eve, &room, protocol::Start::Latest)
            .await
            .unwrap();
        let first = chat
            .post_message(&ada, &room, &new_message("hello"), Some("k"))
            .await
            .unwrap();
        for by in [&owner, &eve, &Person::Anonymous] {
            assert!(matches!(
                chat.edit_message(by, &room, 1, "no").await,
                Err(Error::Refusal(Refusal::Forbidden(_)))
            ));
        }
        let edited = chat
            .edit_message(&ada, &room, 1, " hello, all ")
            .await
            .unwrap();
        assert_eq!(
            (edited.id, edited.body.as_str(), edited.sent_at),
            (1, "hello, all", first.sent_at)
        );
        assert!(edited.edited_at.is_some());
        assert!(chat.edit_message(&ada, &room, 1, "").await.is_err());
        // The key still stands for the same message.
        assert_eq!(
            chat.post_message(&ada, &room, &new_message("hello"), Some("k"))
                .await
                .unwrap(),
            edited
        );
        for missing in [2, 9] {
            let refused = chat.delete_message(&ada, &room, missing).await;
            assert!(
                matches!(
                    refused,
                    Err(Error::Refusal(Refusal::NotFound("such message")))
                ),
                "{missing}"
            );
        }
        assert!(matches!(
            chat.delete_message(&eve, &room, 1).await,
            Err(Error::Refusal(Refusal::Forbidden(_)))
        ));
        let deleted = chat.delete_message(&owner, &room, 1).await.unwrap();
        assert_eq!((deleted.body.as_str(), deleted.deleted), ("", true));
        assert!(matches!(
            chat.edit_message(&ada, &room, 1, "back").await,
            Err(Error::Refusal(Refusal::NotFound(_)))
        ));
        assert_eq!(
            chat.list_audit_log(&owner, &room, u64::MAX, 9)
                .await
                .unwrap()[0]
                .action,
            "deleted message"
        );
        assert_eq!(
            chat.post_message(&ada, &room, &new_message("next"), None)
                .await
                .unwrap()
                .id,
            4
        );
        assert_eq!(chat.find_room(&ada, &room).await.unwrap().message_count, 2);
        let page: Vec<u64> = chat
            .list_messages(&ada, &room, MessagesPage::default())
            .await
            .unwrap()
            .iter()
            .map(|m| m.id)
            .collect();
        assert_eq!(page, [1, 4]);
        let mut heard = Vec::new();
        while heard.len() < 4 {
            let crate::FollowEvent::Messages(frames) = follow.next().await.unwrap() else {
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
        let test = TestChat::new(|_| {}).await;
        let ada = new_guest();
        let room = test.create_room().await;
        let secret = "a very secret text that nobody should keep";
        let says = NewMessage {
            username: "ada".to_owned(),
            body: secret.to_owned(),
        };
        test.chat
            .post_message(&ada, &room, &says, None)
            .await
            .unwrap();
        let end = test.chat.find_room(&ada, &room).await.unwrap().expires_at;
        test.config
            .clock
            .advance(std::time::Duration::from_secs(60));
        test.chat
            .edit_message(&ada, &room, 1, &format!("{secret}, edited"))
            .await
            .unwrap();
        test.chat.delete_message(&ada, &room, 1).await.unwrap();
        assert_eq!(
            test.chat.find_room(&ada, &room).await.unwrap().expires_at,
            end
        );
        nobody_tells_of(&test, secret).await;
        let mut follow = test
            .chat
            .follow_room(&ada, &room, protocol::Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(test.config.timeout);
        while !matches!(follow.next().await.unwrap(), crate::FollowEvent::Closed) {}
        let archive = test.config.data_dir.join(format!("archive/{room}.jsonl"));
        let archive = std::fs::read_to_string(&archive).unwrap();
        assert!(archive.contains(r#""deleted":true"#) && !archive.contains(secret));
    }

    #[tokio::test]
    async fn what_was_deleted_just_before_a_stop_is_in_no_file() {
        let mut test = TestChat::new(|_| {}).await;
        let (ada, room) = (new_guest(), test.create_room().await);
        let secret = "a very secret text that nobody should keep";
        let says = NewMessage {
            username: "ada".to_owned(),
            body: secret.to_owned(),
        };
        test.chat
            .post_message(&ada, &room, &says, None)
            .await
            .unwrap();
        test.chat.delete_message(&ada, &room, 1).await.unwrap();
        test.reopen().await;
        nobody_tells_of(&test, secret).await;
    }

    #[tokio::test]
    async fn what_was_said_in_a_room_that_has_ended_is_in_no_file() {
        let test = TestChat::new(|config| config.archive = false).await;
        let room = test.create_room().await;
        let secret = "a very secret text that nobody should keep";
        test.post(room, secret).await;
        test.config.clock.advance(test.config.timeout);
        nobody_tells_of(&test, secret).await;
    }

    /// Returns when no file of a chat that is open has a text in it.
    async fn nobody_tells_of(test: &TestChat, text: &str) {
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
                let told = std::fs::read_dir(&test.config.data_dir)
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
