//! The one writer: it commits messages.
//!
//! It takes whatever waits as one transaction: one `fdatasync` for many posts under load, and a single post waits for
//! nobody. Only after the commit is a post published and answered. It runs on a thread of its own and speaks to `SQLite`
//! directly: to go through the pool's thread with each statement would cost several times what the statement does.
//! Leaves to others: the rules of a message, and every other change of the database, with which it takes turns.

use std::collections::{HashMap, hash_map};
use std::time::Duration;

use protocol::{Change, ChangeKind, Epoch, Message, Refusal, RoomId, Time};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::audit;
use crate::directory::Directory;
use crate::entry::Entry;
use crate::frame::Frames;
use crate::hub::Hub;
use crate::lobby;
use crate::name::{self, Free, Registrations};
use crate::person::author;
use crate::room::{Life, key};
use crate::rules::{self, Rules};
use crate::store::{Deleted, Place, Store, Turn};
use crate::{Clock, Error};

/// Posts committed in one transaction, and posts that may wait for the next one; more wait at the sender.
const BATCH: usize = 512;

/// A checked message on its way to the log.
#[derive(Debug)]
pub(crate) struct Post {
    pub room: RoomId,
    /// The ID of the person; 0 for nobody in particular.
    pub author: i64,
    /// Empty for a line that nobody wrote.
    pub username: String,
    pub body: String,
    /// The same key in the same room is the same message.
    pub key: Option<String>,
    pub deed: Deed,
}

/// What is to be done with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Say it.
    Say,
    /// Let the message of this sequence say it.
    Edit(u64),
    /// Let the message of this sequence say nothing any more.
    Delete(u64),
    /// Let somebody have this name in the lobby, and say so.
    Join(String),
    /// Let nobody have this name in the lobby, and say so.
    Leave(String),
}

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
#[derive(Debug)]
pub(crate) struct Writer {
    connection: Connection,
    turn: Turn,
    deleted: Deleted,
    hub: Hub,
    directory: Directory,
    clock: Clock,
    epoch: Epoch,
    free: Free,
}

impl Writer {
    /// Starts the thread, which ends when the last [`Posts`] is dropped and everything in it is committed.
    pub fn start(
        place: &Place,
        store: &Store,
        (hub, directory): (Hub, Directory),
        clock: Clock,
        epoch: Epoch,
        registrations: Registrations,
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
            hub,
            directory,
            clock,
            epoch,
            free,
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
                self.publish(&committed);
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

    /// Hands the new messages of each followed room to the hub, encoded once. The directory looks for itself whether a public
    /// room has changed.
    fn publish(&self, committed: &[Result<Done, Refusal>]) {
        let mut rooms: HashMap<RoomId, (Vec<&Entry>, Life)> = HashMap::new();
        for Done { room, entry, life } in committed.iter().flatten() {
            if let Some(newest) = life {
                let (entries, life) = rooms.entry(*room).or_insert_with(|| (Vec::new(), *newest));
                entries.push(entry);
                *life = *newest;
            }
        }
        self.directory.changed();
        for (room, (entries, life)) in rooms {
            self.hub.ring(room);
            if !self.hub.is_followed(room) {
                continue;
            }
            let authors = entries
                .iter()
                .filter_map(|entry| entry.message())
                .map(|message| message.username.as_str());
            if let Some(frames) = Frames::encode(self.epoch, entries.iter().copied()) {
                self.hub.publish(room, frames, authors, life);
            }
        }
    }
}

/// An entry in the log.
struct Done {
    room: RoomId,
    entry: Entry,
    /// How long its room lives now; `None` if the entry was there before.
    life: Option<Life>,
}

impl Done {
    /// The message as it is now.
    fn into_message(self) -> Message {
        match self.entry {
            Entry::Message(message) => message,
            Entry::Change(change) => change.message,
        }
    }
}

/// A transaction that appends to the logs of rooms.
struct Log<'a> {
    tx: Transaction<'a>,
    now: i64,
    /// The rooms that it has looked at; `None` are those that are closed, due, or not there.
    rooms: HashMap<RoomId, Option<Room>>,
    free: &'a mut Free,
}

/// What a message changes of its room. Times are milliseconds since the Unix epoch.
#[derive(Clone, Copy)]
struct Room {
    head: i64,
    messages: i64,
    timeout: i64,
    last_active_at: i64,
    expires_at: i64,
    /// Whether not everybody may write as they like.
    strict: bool,
    /// Whether anybody holds a name there.
    held: bool,
    /// Whether it has changed since it was read.
    grown: bool,
}

impl Room {
    fn life(self) -> Life {
        Life {
            end: Time::from_millis(self.expires_at),
            timeout: Duration::from_millis(self.timeout.unsigned_abs()),
        }
    }
}

impl Log<'_> {
    /// Appends to the log of a room, as long as that is open and not due. An error is one of the database, after which
    /// nothing of the whole batch is written: whatever somebody may not do is a refusal.
    fn append(&mut self, post: &Post) -> Result<Result<Done, Refusal>, Error> {
        match &post.deed {
            Deed::Say => self.say(post),
            Deed::Edit(seq) => self.change(post, *seq, ChangeKind::Edit),
            Deed::Delete(seq) => self.change(post, *seq, ChangeKind::Deletion),
            Deed::Join(name) => self.join(post, name),
            Deed::Leave(name) => self.leave(post, name),
        }
    }

    fn join(&mut self, post: &Post, name: &str) -> Result<Result<Done, Refusal>, Error> {
        let Some(Room { head, .. }) = *self.look(post.room)? else {
            return self.missing(post.room).map(Err);
        };
        if lobby::take_name(&self.tx, post.room, name, head)? {
            return self.say(post);
        }
        Ok(Err(Refusal::Taken(format!("The name {name}"))))
    }

    fn leave(&mut self, post: &Post, name: &str) -> Result<Result<Done, Refusal>, Error> {
        if self.look(post.room)?.is_none() {
            return self.missing(post.room).map(Err);
        }
        if lobby::give_name_back(&self.tx, post.room, name)? {
            return self.say(post);
        }
        Ok(Err(Refusal::NotFound("such name")))
    }

    fn say(&mut self, post: &Post) -> Result<Result<Done, Refusal>, Error> {
        if let Some(message) = self.earlier(post)? {
            return Ok(Ok(Done {
                room: post.room,
                entry: message.into(),
                life: None,
            }));
        }
        if let Err(refusal) = self.admit(post)? {
            return Ok(Err(refusal));
        }
        let Some(room) = self.grow(post.room, true)? else {
            return self.missing(post.room).map(Err);
        };
        let sql = "insert into message (room, seq, username, body, sent_at, key, author)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = self.tx.prepare_cached(sql)?;
        let (room_key, sent_at) = (key(post.room), room.last_active_at);
        insert.execute(params![
            room_key,
            room.head,
            post.username,
            post.body,
            sent_at,
            post.key,
            post.author
        ])?;
        let message = Message {
            id: room.head.unsigned_abs(),
            room: post.room,
            username: post.username.clone(),
            author: author(post.author),
            body: post.body.clone(),
            sent_at: Time::from_millis(room.last_active_at),
            edited_at: None,
            deleted: false,
        };
        Ok(Ok(Done {
            room: post.room,
            entry: message.into(),
            life: Some(room.life()),
        }))
    }

    /// Changes a message, and appends that this was done.
    fn change(
        &mut self,
        post: &Post,
        seq: u64,
        event: ChangeKind,
    ) -> Result<Result<Done, Refusal>, Error> {
        const NO_MESSAGE: Refusal = Refusal::NotFound("such message");
        if self.look(post.room)?.is_none() {
            return self.missing(post.room).map(Err);
        }
        let rules = rules::of(&self.tx, post.room, post.author, self.now)?;
        let (target, room) = (i64::try_from(seq).unwrap_or(i64::MAX), key(post.room));
        let author: Option<i64> = self
            .tx
            .prepare_cached("select author from message where room = ?1 and seq = ?2 and kind = 0 and body <> ''")?
            .query_row(params![room, target], |row| row.get(0))
            .optional()?;
        let own = author.is_some_and(|author| author != 0 && author == post.author);
        let admitted = rules.admit_change(own || author.is_none(), event == ChangeKind::Deletion);
        let refused = admitted.err().or(author.is_none().then_some(NO_MESSAGE));
        if let Some(refusal) = refused {
            return Ok(Err(refusal));
        }
        let edited_at = (event == ChangeKind::Edit).then_some(self.now);
        let sql = "update message set body = ?3, edited_at = ?4 where room = ?1 and seq = ?2";
        self.tx
            .prepare_cached(sql)?
            .execute(params![room, target, post.body, edited_at])?;
        if !own {
            audit::note_now(
                &self.tx,
                self.now,
                post.room,
                (&post.username, "deleted message", &target.to_string()),
            )?;
        }
        self.append_change(post, target, event)
    }

    fn append_change(
        &mut self,
        post: &Post,
        target: i64,
        event: ChangeKind,
    ) -> Result<Result<Done, Refusal>, Error> {
        let Some(room) = self.grow(post.room, false)? else {
            return self.missing(post.room).map(Err);
        };
        let sql = "insert into message (room, seq, username, body, sent_at, author, kind, target)
                   values (?1, ?2, '', '', ?3, ?4, ?5, ?6)";
        self.tx.prepare_cached(sql)?.execute(params![
            key(post.room),
            room.head,
            self.now,
            post.author,
            event as i64,
            target
        ])?;
        let mut select = self.tx.prepare_cached(
            "select seq, username, body, sent_at, author, edited_at from message where room = ?1 and seq = ?2",
        )?;
        let message =
            select.query_row(params![key(post.room), target], |row| read(post.room, row))?;
        let entry = Entry::Change(Change {
            event,
            id: room.head.unsigned_abs(),
            room: post.room,
            message,
        });
        Ok(Ok(Done {
            room: post.room,
            entry,
            life: Some(room.life()),
        }))
    }

    /// The message of an open room that was sent with the same key.
    fn earlier(&self, post: &Post) -> Result<Option<Message>, Error> {
        let Some(idempotency) = &post.key else {
            return Ok(None);
        };
        let mut select = self.tx.prepare_cached(
            "select seq, username, body, sent_at, author, edited_at from message where room = ?1 and key = ?2
             and exists (select 1 from room where id = ?1 and state = 0
               and (access = 0 or exists (select 1 from membership where room = ?1 and person = ?3)))",
        )?;
        let earlier = select.query_row(params![key(post.room), idempotency, post.author], |row| {
            read(post.room, row)
        });
        Ok(earlier.optional()?)
    }

    /// Whether its author may write to this room, and under this name.
    fn admit(&mut self, post: &Post) -> Result<Result<(), Refusal>, Error> {
        let Some(room) = *self.look(post.room)? else {
            return self.missing(post.room).map(Err);
        };
        // The lines of the lobby are its own.
        if post.username.is_empty() {
            return Ok(Ok(()));
        }
        let rules = if room.strict {
            Some(rules::of(&self.tx, post.room, post.author, self.now)?)
        } else {
            None
        };
        if let Some(Err(refusal)) = rules.map(|rules| rules.admit(self.now)) {
            return Ok(Err(refusal));
        }
        if let Err(refusal) = self.name(post, room.held)? {
            return Ok(Err(refusal));
        }
        if rules.is_some_and(Rules::is_slow) {
            rules::wrote(&self.tx, post.room, post.author, self.now)?;
        }
        Ok(Ok(()))
    }

    /// Whether its author may write under this name; a guest has it from now on. That of an account is its owner's.
    fn name(&mut self, post: &Post, held: bool) -> Result<Result<(), Refusal>, Error> {
        if post.author > 0 {
            return Ok(Ok(()));
        }
        let free = name::claim(
            &self.tx,
            self.free,
            held,
            (post.room, post.author, &post.username),
        )?;
        if let Some(room) = self.look(post.room)? {
            room.held |= post.author < 0;
        }
        Ok(free.map_or(Ok(()), |free| {
            Err(Refusal::NameTaken {
                name: post.username.clone(),
                free,
            })
        }))
    }

    /// The room with this ID, if it is open and not due; read once.
    fn look(&mut self, id: RoomId) -> Result<&mut Option<Room>, Error> {
        Ok(match self.rooms.entry(id) {
            hash_map::Entry::Occupied(found) => found.into_mut(),
            hash_map::Entry::Vacant(place) => place.insert(find(&self.tx, id, self.now)?),
        })
    }

    /// Makes room for one more entry, and gives back the room with it. Only a message lets it live on.
    fn grow(&mut self, id: RoomId, is_message: bool) -> Result<Option<Room>, Error> {
        let now = self.now;
        let Some(room) = self.look(id)? else {
            return Ok(None);
        };
        room.head += 1;
        room.grown = true;
        if !is_message {
            return Ok(Some(*room));
        }
        room.messages += 1;
        // The room's own time never runs backwards, even when the machine's clock does.
        room.last_active_at = room.last_active_at.max(now);
        let last = Time::from_millis(i64::MAX).millis();
        room.expires_at = room.last_active_at.saturating_add(room.timeout).min(last);
        Ok(Some(*room))
    }

    /// Why there is no open room with this ID that is not due: it never was, or it is gone, or about to be.
    fn missing(&self, id: RoomId) -> Result<Refusal, Error> {
        let sql = "select exists (select 1 from gone where room = ?1) or exists (select 1 from room where id = ?1)";
        let mut select = self.tx.prepare_cached(sql)?;
        let was: bool = select.query_row(params![key(id)], |row| row.get(0))?;
        Ok(if was {
            Refusal::Gone
        } else {
            Refusal::NotFound("room")
        })
    }

    /// Makes it durable.
    fn commit(self) -> Result<(), Error> {
        let sql = "update room set head = ?2, last_active_at = ?3, expires_at = ?4, messages = ?5 where id = ?1";
        for (id, room) in &self.rooms {
            let Some(room) = room.filter(|room| room.grown) else {
                continue;
            };
            let mut update = self.tx.prepare_cached(sql)?;
            update.execute(params![
                key(*id),
                room.head,
                room.last_active_at,
                room.expires_at,
                room.messages
            ])?;
        }
        Ok(self.tx.commit()?)
    }
}

/// A message, from what is selected of it. One without a text was deleted.
fn read(room: RoomId, row: &Row<'_>) -> rusqlite::Result<Message> {
    let body: String = row.get(2)?;
    Ok(Message {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        room,
        username: row.get(1)?,
        author: author(row.get(4)?),
        deleted: body.is_empty(),
        body,
        sent_at: Time::from_millis(row.get(3)?),
        edited_at: row.get::<_, Option<i64>>(5)?.map(Time::from_millis),
    })
}

/// The room with this ID, if it is open and not due.
fn find(tx: &Transaction<'_>, id: RoomId, now: i64) -> Result<Option<Room>, Error> {
    let mut select = tx.prepare_cached(
        "select head, timeout_ms, last_active_at, expires_at,
           access <> 0 or read_only or slow_ms > 0 or exists (select 1 from sanction where room = ?1),
           exists (select 1 from holder where room = ?1), messages
         from room where id = ?1 and state = 0 and expires_at > ?2",
    )?;
    let read = |row: &Row<'_>| {
        let (head, timeout, last_active_at, messages) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(6)?);
        Ok(Room {
            head,
            messages,
            timeout,
            last_active_at,
            expires_at: row.get(3)?,
            strict: row.get(4)?,
            held: row.get(5)?,
            grown: false,
        })
    };
    Ok(select.query_row(params![key(id), now], read).optional()?)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use protocol::{Author, NewMessage};

    use super::*;
    use crate::message::Page;
    use crate::person::Person;
    use crate::tests::{House, guest, says};

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
