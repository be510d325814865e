//! Follow: the one hand-over from history to live.
//!
//! A follower is a cursor. It subscribes, learns the room's newest sequence, reads the store up to there and is then told
//! by the hub. What the hub has forgotten is read from the store. So every follower sees every sequence once and in
//! order, however slow it is and whatever it missed. It is paced by its reader, and holds one page at the most.

use std::ops::RangeInclusive;
use std::sync::Arc;

use protocol::{Cursor, Refusal, RoomId, Start, Time};

use crate::identity::session_watch::SessionWatch;
use crate::log::history;
use crate::realtime::frame::{Ephemeral, Frames};
use crate::realtime::hub::{End, Next, Sink, Subscriber};
use crate::room::{access, name_claims};
use crate::{Chat, Error, Person};

/// Messages read from the store at once while nothing is known of their size.
const FIRST_PAGE: usize = 16;

/// How much is read from the store at once, in bytes: the more of it, the more the reader has taken so far. One that does
/// not read has only what fits into the system's buffers, and holds little; one that has fallen behind catches up.
const PAGE_BYTES: RangeInclusive<usize> = 8 * 1024..=192 * 1024;

/// Messages read at once at the most.
const LARGEST_PAGE: usize = 256;

/// What a follower is told.
#[derive(Clone, Debug)]
pub enum FollowEvent {
    /// The cursor asked for cannot be honoured: forget what you have, everything follows.
    Reset,
    /// The next messages.
    Messages(Frames),
    /// Who is here, or who types, has changed.
    Ephemeral(Ephemeral),
    /// The room is deleted at this time, unless somebody writes.
    Closing(Time),
    /// The room has been deleted. Nothing follows.
    Closed,
    /// Whoever follows may do so no longer. Nothing follows.
    Removed,
    /// Whoever follows is no longer signed in: come back as who you are. Nothing follows.
    SignedOut,
    /// The server is about to stop: come back, with your cursor. Nothing follows.
    Draining,
}

/// A cursor that moves along a room's log.
#[derive(Debug)]
pub struct Follower {
    chat: Chat,
    by: Person,
    room: RoomId,
    signed_in: SessionWatch,
    subscriber: Subscriber,
    reset: bool,
    /// Everything up to this sequence has been handed out.
    seen: u64,
    source: Source,
    /// How many messages were handed out, and their bytes.
    delivered: (usize, usize),
}

/// Where the next messages come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Store,
    Hub,
}

impl Chat {
    /// Follows a room from `start`: its history, then what happens.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn follow_room(
        &self,
        by: &Person,
        room: &RoomId,
        start: Start,
    ) -> Result<Follower, Error> {
        Follower::start(self.clone(), by.clone(), *room, start).await
    }
}

impl Follower {
    pub(crate) async fn start(
        chat: Chat,
        by: Person,
        room: RoomId,
        start: Start,
    ) -> Result<Self, Error> {
        let signed_in = chat.watch_session(&by).await?;
        let inner = &chat.0;
        // Subscribe first: whatever is committed after the head is read will be told.
        let subscriber = inner.hub.subscribe(room);
        let stored = access::find(&inner.store, &inner.clock, &by, room).await?;
        subscriber.learn(stored.lifetime());
        let head = stored.head;
        let (seen, reset) = match start {
            Start::Latest => (head, false),
            Start::Seq(seq) if seq <= head => (seq, false),
            Start::Cursor(cursor) if cursor.epoch == inner.epoch && cursor.seq <= head => {
                (cursor.seq, false)
            }
            Start::Seq(_) | Start::Cursor(_) | Start::Unknown => (0, true),
        };
        let source = if seen < head {
            Source::Store
        } else {
            Source::Hub
        };
        Ok(Self {
            chat,
            by,
            room,
            signed_in,
            subscriber,
            reset,
            seen,
            source,
            delivered: (0, 0),
        })
    }

    /// Follows under a name, if there is one: as long as this follower lives, that name is here.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, [`protocol::Refusal::Taken`] if it is somebody else's, or a
    /// fault.
    pub async fn with_username(mut self, username: Option<&str>) -> Result<Self, Error> {
        if let Some(username) = username {
            self.set_username(username).await?;
        }
        Ok(self)
    }

    /// The same, for a follower that is to go on without a name if it may not have this one.
    ///
    /// # Errors
    /// Those of [`Follower::with_username`].
    pub async fn set_username(&mut self, username: &str) -> Result<(), Error> {
        let username =
            name_claims::resolve_name(&self.chat.0.store, &self.by, self.room, username).await?;
        self.subscriber.join(&username);
        Ok(())
    }

    /// While this follower waits, new messages may be given to the `sink`, if there is one, instead of being handed out by
    /// [`Follower::next`]; together they are complete and in order. Once what `next` gave back is dropped, nothing is given.
    #[must_use]
    pub fn with_sink(mut self, sink: Option<Arc<dyn Sink>>) -> Self {
        if let Some(sink) = sink {
            self.subscriber.through(sink, self.signed_in.clone());
        }
        self
    }

    /// Everything up to here was handed out; `None` if that is not what the reader's cursor said and it has yet to hear
    /// so.
    pub fn cursor(&self) -> Option<Cursor> {
        (!self.reset).then_some(Cursor {
            epoch: self.chat.0.epoch,
            seq: self.seen,
        })
    }

    /// What comes next; waits while there is nothing. May be dropped while it waits, and loses nothing.
    ///
    /// # Errors
    /// A fault of the store. The follower may be asked again, or be given up and started again from its cursor.
    pub async fn next(&mut self) -> Result<FollowEvent, Error> {
        if std::mem::take(&mut self.reset) {
            return Ok(FollowEvent::Reset);
        }
        loop {
            if self.signed_in.has_ended() {
                // Whose account is no more is no member either.
                return Ok(if Box::pin(self.recheck_access()).await? {
                    FollowEvent::SignedOut
                } else {
                    FollowEvent::Removed
                });
            }
            let next = match self.source {
                Source::Store => self.read().await?,
                Source::Hub => self.wait().await,
            };
            let Some(next) = next else { continue };
            let frames = match next {
                Next::Take(frames) => frames,
                Next::Behind => {
                    self.source = Source::Store;
                    // The store had what has left the ring, until the room's rows were erased.
                    let Some(frames) = self.replay().await? else {
                        return Ok(FollowEvent::Closed);
                    };
                    frames
                }
                Next::RecheckAccess(looks) => {
                    if !Box::pin(self.recheck_access()).await? {
                        return Ok(FollowEvent::Removed);
                    }
                    self.subscriber.looked(looks);
                    continue;
                }
                Next::Closing(end) => return Ok(FollowEvent::Closing(end)),
                Next::Ephemeral(event, _) => return Ok(FollowEvent::Ephemeral(event)),
                Next::End(End::Closed) => return Ok(FollowEvent::Closed),
                Next::End(End::Draining) => return Ok(FollowEvent::Draining),
            };
            self.seen = frames.last();
            self.delivered.0 += frames.len();
            self.delivered.1 += frames.bytes().len();
            return Ok(FollowEvent::Messages(frames));
        }
    }

    /// What the hub says next; nothing if meanwhile whoever follows is no longer signed in.
    async fn wait(&mut self) -> Option<Next> {
        tokio::select! {
            biased;
            () = self.signed_in.ended() => None,
            next = self.subscriber.next(&mut self.seen) => Some(next),
        }
    }

    /// The next page from the store, unless something comes before it; nothing if there is none.
    async fn read(&mut self) -> Result<Option<Next>, Error> {
        match self.subscriber.urgent() {
            None => Ok(self.replay().await?.map(Next::Take)),
            urgent => Ok(urgent),
        }
    }

    /// Whether whoever follows may still do so.
    async fn recheck_access(&self) -> Result<bool, Error> {
        let inner = &self.chat.0;
        match access::find(&inner.store, &inner.clock, &self.by, self.room).await {
            Ok(_) | Err(Error::Refusal(Refusal::Gone)) => Ok(true),
            Err(Error::Refusal(_)) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The next page of what was not seen, if there is any.
    async fn replay(&mut self) -> Result<Option<Frames>, Error> {
        let inner = &self.chat.0;
        let (store, room) = (inner.store.clone(), self.room);
        let limit = self.page();
        let seen = self.seen;
        // On a task of its own: a follower that is not asked to go on, because its reader is slow, would otherwise keep a
        // connection of the few for as long.
        let reading =
            tokio::spawn(async move { history::entries(&store, room, seen, limit).await });
        let mut entries = reading.await.map_err(Error::fault)??;
        let whole = (seen + 1..)
            .zip(&entries)
            .take_while(|(seq, entry)| entry.seq() == *seq)
            .count();
        if entries.len() < limit || whole == 0 {
            // That was the newest; whatever is newer still, the hub was told. Or there is a hole, because the room is being
            // erased: the hub says so.
            self.source = Source::Hub;
        }
        entries.truncate(whole);
        Ok(Frames::encode(inner.epoch, &entries))
    }

    /// How many messages to read from the store next.
    fn page(&self) -> usize {
        let (messages, bytes) = self.delivered;
        let Some(size) = bytes.checked_div(messages) else {
            return FIRST_PAGE;
        };
        ((bytes / 16).clamp(*PAGE_BYTES.start(), *PAGE_BYTES.end()) / size).clamp(2, LARGEST_PAGE)
    }
}

#[cfg(test)]
#[expect(clippy::print_stdout, reason = "says what it has run")]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::pin::Pin;
    use std::sync::Mutex;
    use std::task::{Context, Waker};

    use protocol::{Message, NewMessage, SanctionKind};
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use tokio::sync::RwLock;
    use tokio::task::{JoinSet, yield_now};

    use super::*;
    use crate::log::command::Command;
    use crate::log::entry::Entry;
    use crate::realtime::frame::Frame;
    use crate::room::sanctions::SanctionTarget;
    use crate::store::key;
    use crate::sync::lock;
    use crate::testing::{TestChat, new_guest};

    fn messages(frames: &Frames) -> Vec<Message> {
        let text = std::str::from_utf8(frames.bytes()).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| serde_json::from_str(json).unwrap())
            .collect()
    }

    async fn take(follow: &mut Follower, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let news =
                tokio::time::timeout(std::time::Duration::from_secs(20), follow.next()).await;
            match news.expect("nothing more comes").unwrap() {
                FollowEvent::Messages(frames) => ids.extend(messages(&frames).iter().map(|m| m.id)),
                other => panic!("{other:?}"),
            }
        }
        ids
    }

    #[tokio::test]
    async fn begins_where_the_cursor_says() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for n in 1..=3 {
            test.post(room, &n.to_string()).await;
        }
        let epoch = test.chat.0.epoch;
        let cursor = Cursor { epoch, seq: 1 };
        let cases = [
            (Start::Seq(0), 1),
            (Start::Seq(2), 3),
            (Start::Cursor(cursor), 2),
            (Start::Seq(3), 4),
            (Start::Latest, 4),
        ];
        let mut follows = Vec::new();
        for (start, first) in cases {
            follows.push((
                test.chat
                    .follow_room(&crate::Person::Anonymous, &room, start)
                    .await
                    .unwrap(),
                first,
            ));
        }
        test.post(room, "news").await;
        for (mut follow, first) in follows {
            let expected: Vec<u64> = (first..=4).collect();
            assert_eq!(take(&mut follow, expected.len()).await, expected);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_honoured_is_reset_and_told_in_full() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.post(room, "1").await;
        let epoch = test.chat.0.epoch;
        let foreign = "deadbeef.1".parse::<Cursor>().unwrap();
        assert_ne!(foreign.epoch, epoch, "one in four thousand million");
        for start in [
            Start::Seq(2),
            Start::Cursor(Cursor { epoch, seq: 2 }),
            Start::Cursor(foreign),
            Start::Unknown,
        ] {
            let mut follow = test
                .chat
                .follow_room(&crate::Person::Anonymous, &room, start)
                .await
                .unwrap();
            assert!(
                matches!(follow.next().await.unwrap(), FollowEvent::Reset),
                "{start:?}"
            );
            assert_eq!(take(&mut follow, 1).await, [1]);
        }
    }

    #[tokio::test]
    async fn a_history_of_any_length_goes_over_into_what_is_live() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut follows = Vec::new();
        for length in 1..=4 * FIRST_PAGE {
            test.post(room, "history").await;
            let mut follow = test
                .chat
                .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
                .await
                .unwrap();
            assert_eq!(take(&mut follow, length).await.len(), length);
            follows.push((follow, length));
        }
        test.post(room, "live").await;
        let last = 4 * FIRST_PAGE as u64 + 1;
        for (mut follow, length) in follows {
            let rest: Vec<u64> = (length as u64 + 1..=last).collect();
            assert_eq!(take(&mut follow, rest.len()).await, rest);
        }
    }

    #[tokio::test]
    async fn a_drained_stream_ends_after_what_was_said() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap();
        test.post(room, "last").await;
        test.chat.drain();
        assert_eq!(take(&mut follow, 1).await, [1]);
        assert!(matches!(
            follow.next().await.unwrap(),
            FollowEvent::Draining
        ));
        let mut late = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        assert!(matches!(late.next().await.unwrap(), FollowEvent::Draining));
    }

    /// A room with a long history, and somebody who has heard only the first of it.
    async fn behind(test: &TestChat, owner: &Person, reader: &Person) -> (RoomId, Follower) {
        let room = test
            .chat
            .create_room(owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let says = NewMessage {
            username: "reader".to_owned(),
            body: "hello".to_owned(),
        };
        test.chat
            .post_message(reader, &room, &says, None)
            .await
            .unwrap();
        for n in 2..=4 * FIRST_PAGE {
            test.post(room, &n.to_string()).await;
        }
        let mut follow = test
            .chat
            .follow_room(reader, &room, Start::Seq(0))
            .await
            .unwrap();
        assert_eq!(take(&mut follow, 1).await.len(), FIRST_PAGE);
        (room, follow)
    }

    #[tokio::test]
    async fn who_is_banned_or_drained_hears_no_more_of_the_history() {
        let test = TestChat::new(|_| {}).await;
        let [owner, eve] = [(); 2].map(|()| new_guest());
        let (room, mut follow) = behind(&test, &owner, &eve).await;
        let (_, mut other) = behind(&test, &owner, &eve).await;
        test.chat
            .impose_sanction(
                &owner,
                &room,
                &SanctionTarget::AuthorOf(1),
                SanctionKind::Ban,
                None,
            )
            .await
            .unwrap();
        assert!(matches!(follow.next().await.unwrap(), FollowEvent::Removed));
        assert_eq!(
            take(&mut other, 1).await[0],
            FIRST_PAGE as u64 + 1,
            "a ban is of one room"
        );
        test.chat.drain();
        let cursor = other.cursor();
        assert!(matches!(other.next().await.unwrap(), FollowEvent::Draining));
        assert_eq!(other.cursor(), cursor);
    }

    #[tokio::test]
    async fn nothing_is_left_out_while_a_room_is_erased() {
        let mut test = TestChat::new(|_| {}).await;
        // The hub remembers something of the first room, and nothing of the second.
        for remembers in [true, false] {
            let (room, mut follow) = behind(&test, &Person::Anonymous, &Person::Anonymous).await;
            if !remembers {
                drop(follow);
                test.reopen().await;
                follow = test
                    .chat
                    .follow_room(&Person::Anonymous, &room, Start::Seq(0))
                    .await
                    .unwrap();
                take(&mut follow, 1).await;
            }
            let mut tx = test.chat.0.store.begin().await.unwrap();
            let sql = "delete from message where room = $1 and seq < $2";
            let few = FIRST_PAGE as i64 * 3;
            sqlx::query(sql)
                .bind(key(room))
                .bind(few)
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            test.chat.0.hub.close(room);
            assert!(
                matches!(follow.next().await.unwrap(), FollowEvent::Closed),
                "{remembers}"
            );
        }
    }

    #[tokio::test]
    async fn a_read_that_fails_is_made_good_by_the_same_follower() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        for n in 1..=3 {
            test.post(room, &n.to_string()).await;
        }
        // The hub remembers nothing of them.
        test.reopen().await;
        let mut follow = test
            .chat
            .follow_room(&crate::Person::Anonymous, &room, Start::Seq(1))
            .await
            .unwrap();
        test.config.faults.arm(1, 0);
        for _ in 0..3 {
            assert!(follow.next().await.is_err());
        }
        test.config.faults.arm(0, 0);
        assert_eq!(take(&mut follow, 2).await, [2, 3]);
    }

    /// Takes everything.
    #[derive(Debug, Default)]
    struct Basket(Mutex<Vec<u64>>);

    impl Sink for Basket {
        fn take(&self, frames: &Frames) -> bool {
            lock(&self.0).extend(frames.first()..=frames.last());
            true
        }
    }

    /// Whether a follower that is asked waits. From then on it sleeps.
    fn waits(next: Pin<&mut impl Future>) -> bool {
        next.poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    }

    #[tokio::test]
    async fn a_sink_is_given_what_is_new_while_its_follower_sleeps() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.post(room, "before").await;
        let basket = Arc::new(Basket::default());
        let follow = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Seq(0))
            .await
            .unwrap();
        let mut follow = follow.with_sink(Some(basket.clone()));
        assert_eq!(take(&mut follow, 1).await, [1]);
        {
            let mut next = std::pin::pin!(follow.next());
            assert!(waits(next.as_mut()));
            for _ in 2..=200 {
                test.post(room, "live").await;
            }
            while lock(&basket.0).len() < 199 {
                yield_now().await;
            }
            assert!(waits(next.as_mut()));
        }
        // Who does not wait is given nothing.
        test.post(room, "after").await;
        assert_eq!(follow.cursor().unwrap().seq, 200);
        assert_eq!(take(&mut follow, 1).await, [201]);
        assert_eq!(*lock(&basket.0), (2..=200).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn nothing_is_given_to_who_is_no_longer_signed_in_or_may_not_listen() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let wish = protocol::NewAccount {
            name: "Eve".to_owned(),
            username: "eve".to_owned(),
            password: "secret".to_owned(),
        };
        let eve = Person::from(chat.register_account(&wish).await.unwrap().account);
        let [owner, guest] = [(); 2].map(|()| new_guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let says = NewMessage {
            username: "guest".to_owned(),
            body: "hello".to_owned(),
        };
        chat.post_message(&guest, &room, &says, None).await.unwrap();
        let baskets = [(); 3].map(|()| Arc::new(Basket::default()));
        let follow = async |by: &Person, basket: usize| {
            let follow = chat.follow_room(by, &room, Start::Latest).await.unwrap();
            follow.with_sink(Some(baskets[basket].clone()))
        };
        let mut follows = [follow(&eve, 0).await, follow(&guest, 1).await];
        let mut asked = follows.each_mut().map(|follow| Box::pin(follow.next()));
        assert!(asked.iter_mut().all(|next| waits(next.as_mut())));
        // Who came last has the last turn.
        let say = async |last: usize, count: usize| {
            test.post(room, "hello").await;
            while lock(&baskets[last].0).len() < count {
                yield_now().await;
            }
        };
        say(1, 1).await;
        chat.sign_out_everywhere(&eve).await.unwrap();
        say(1, 2).await;
        chat.impose_sanction(
            &owner,
            &room,
            &SanctionTarget::AuthorOf(1),
            SanctionKind::Ban,
            None,
        )
        .await
        .unwrap();
        let mut late = follow(&owner, 2).await;
        let mut late = Box::pin(late.next());
        assert!(waits(late.as_mut()));
        say(2, 1).await;
        assert_eq!(
            baskets.map(|basket| lock(&basket.0).clone()),
            [vec![2], vec![2, 3], vec![4]]
        );
    }

    const WRITERS: u64 = 3;
    const MESSAGES: u64 = 40;
    const READERS: usize = 5;

    /// What all writers write: each changes one in four of its messages.
    const ENTRIES: u64 = WRITERS * (MESSAGES + MESSAGES / 4);

    /// Posts `MESSAGES` messages and changes some, each until it is answered, whatever happens to the server meanwhile.
    /// Gives back the messages as they are in the end.
    async fn write(
        test: Arc<RwLock<TestChat>>,
        room: RoomId,
        writer: u64,
        mut random: SmallRng,
    ) -> Vec<Message> {
        let mut acknowledged = Vec::new();
        let by = new_guest();
        for n in 0..MESSAGES {
            let name = format!("{writer}.{n}");
            let wish = NewMessage {
                username: format!("writer {writer}"),
                body: name,
            };
            let said = insist(&test, room, &by, &Command::Post, &wish).await;
            acknowledged.push(match n % 8 {
                0 => insist(&test, room, &by, &Command::Edit(said.id), &wish).await,
                4 => insist(&test, room, &by, &Command::Delete(said.id), &wish).await,
                _ => said,
            });
            for _ in 0..random.random_range(0..8) {
                yield_now().await;
            }
        }
        acknowledged
    }

    /// Tries until it is done.
    async fn insist(
        test: &RwLock<TestChat>,
        room: RoomId,
        by: &Person,
        deed: &Command,
        wish: &NewMessage,
    ) -> Message {
        loop {
            let chat = test.read().await.chat.clone();
            let done = match deed {
                Command::Post => chat.post_message(by, &room, wish, Some(&wish.body)).await,
                Command::Edit(seq) => chat.edit_message(by, &room, *seq, "better").await,
                Command::Delete(seq) => chat.delete_message(by, &room, *seq).await,
                other => panic!("{other:?}"),
            };
            if let Ok(message) = done {
                return message;
            }
            yield_now().await;
        }
    }

    /// What somebody has heard. As a sink it leaves what it is given at random.
    #[derive(Debug)]
    struct Heard {
        entries: Mutex<Vec<Entry>>,
        random: Mutex<SmallRng>,
    }

    impl Heard {
        fn take_in(&self, frames: &Frames) {
            lock(&self.entries).extend(frames.frames().map(|frame| entry(&frame)));
        }

        fn last(&self) -> Option<u64> {
            lock(&self.entries).last().map(Entry::seq)
        }

        fn is_all(&self) -> bool {
            lock(&self.entries).len() as u64 >= ENTRIES
        }
    }

    impl Sink for Heard {
        fn take(&self, frames: &Frames) -> bool {
            let takes = lock(&self.random).random_range(0..4) > 0;
            if takes {
                self.take_in(frames);
            }
            takes
        }
    }

    /// Reads everything, joining, stalling, giving up and resuming at random, with and without a sink. Some never give up by
    /// themselves, so that nothing is mended by coming back.
    async fn read(test: Arc<RwLock<TestChat>>, room: RoomId, mut random: SmallRng) -> Vec<Entry> {
        let steadfast: bool = random.random();
        let heard = Heard {
            entries: Mutex::default(),
            random: Mutex::new(SmallRng::seed_from_u64(random.random())),
        };
        let heard = Arc::new(heard);
        while !heard.is_all() {
            let chat = test.read().await.chat.clone();
            let start = match heard.last() {
                Some(seq) if random.random() => Start::Seq(seq),
                Some(seq) => Start::Cursor(Cursor {
                    epoch: chat.0.epoch,
                    seq,
                }),
                None => Start::Seq(0),
            };
            let Ok(follow) = chat
                .follow_room(&crate::Person::Anonymous, &room, start)
                .await
            else {
                yield_now().await;
                continue;
            };
            let mut follow = follow.with_sink(
                random
                    .random::<bool>()
                    .then(|| heard.clone() as Arc<dyn Sink>),
            );
            let looks = if steadfast {
                usize::MAX
            } else {
                random.random_range(1..20)
            };
            for _ in 0..looks {
                if heard.is_all() {
                    break;
                }
                for _ in 0..random.random_range(0..30) {
                    yield_now().await;
                }
                // Waiting may be given up at any point, and is.
                let mut patience = if steadfast {
                    u32::MAX
                } else {
                    random.random_range(1..40)
                };
                let news = tokio::select! {
                    biased;
                    news = follow.next() => news,
                    () = async { while patience > 0 && !heard.is_all() { patience -= 1; yield_now().await } } => continue,
                };
                match news {
                    Ok(FollowEvent::Messages(frames)) => heard.take_in(&frames),
                    // After a fault a follower may be asked again or given up.
                    Err(_) if random.random_range(0..10) > 0 => {}
                    Ok(FollowEvent::Draining) | Err(_) => break,
                    Ok(other) => panic!("{other:?}"),
                }
            }
        }
        std::mem::take(&mut *lock(&heard.entries))
    }

    fn entry(frame: &Frame) -> Entry {
        match frame.change {
            None => Entry::Message(frame.message().unwrap()),
            Some(_) => Entry::Change(serde_json::from_slice(&frame.json).unwrap()),
        }
    }

    /// The messages as they are after everything that was heard.
    fn told(entries: Vec<Entry>) -> Vec<Message> {
        let mut messages = BTreeMap::new();
        for entry in entries {
            let message = match entry {
                Entry::Message(message) => message,
                Entry::Change(change) => change.message,
            };
            messages.insert(message.id, message);
        }
        messages.into_values().collect()
    }

    /// Stops and opens the house again, however often that fails.
    async fn restart(test: &RwLock<TestChat>) {
        let mut test = test.write().await;
        test.chat.drain();
        test.chat.close().await;
        loop {
            match Chat::open(test.config.clone()).await {
                Ok(chat) => return test.chat = chat,
                Err(_) => yield_now().await,
            }
        }
    }

    /// One run; gives back how many faults there were in the database.
    async fn hand_over(seed: u64) -> u32 {
        let mut random = SmallRng::seed_from_u64(seed);
        let ring_bytes = [0, 300, 3_000, 256 * 1024][random.random_range(0..4)];
        let (instructions, commits) = (
            [0, 1_000, 200, 50][random.random_range(0..4)],
            [0, 20, 3][random.random_range(0..3)],
        );
        let restarts = random.random_range(0..3);
        // What is tested is what is told, not the disk: memory makes more runs of it.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let test = TestChat::inside(&place, |config| config.ring_bytes = ring_bytes).await;
        let room = test.create_room().await;
        let faults = test.config.faults.clone();
        faults.arm(instructions, commits);
        let test = Arc::new(RwLock::new(test));
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(write(
                test.clone(),
                room,
                writer,
                SmallRng::seed_from_u64(random.random()),
            ));
        }
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            readers.spawn(read(
                test.clone(),
                room,
                SmallRng::seed_from_u64(random.random()),
            ));
        }
        for _ in 0..restarts {
            for _ in 0..random.random_range(0..2_000) {
                yield_now().await;
            }
            restart(&test).await;
        }
        let mut acknowledged = writers.join_all().await.concat();
        if random.random() {
            // Whoever comes now is not woken by news, and the hub remembers nothing.
            restart(&test).await;
            readers.spawn(read(
                test.clone(),
                room,
                SmallRng::seed_from_u64(random.random()),
            ));
        }
        acknowledged.sort_by_key(|message| message.id);
        let count = acknowledged.len() as u64;
        assert_eq!(count, WRITERS * MESSAGES, "seed {seed}");
        for seen in readers.join_all().await {
            assert!(
                seen.iter().map(Entry::seq).eq(1..=ENTRIES),
                "seed {seed}: out of order, incomplete or twice"
            );
            assert!(
                told(seen) == acknowledged,
                "seed {seed}: not what was acknowledged"
            );
        }
        test.read().await.chat.close().await;
        faults.happened()
    }

    /// Every reader ends with every sequence once and in order, and with exactly what was acknowledged, whatever happens.
    /// `WEBCHAT_SEEDS=5000` runs more, `WEBCHAT_FIRST_SEED=5000` others.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nothing_is_missed_and_nothing_comes_twice() {
        let number = |name| {
            std::env::var(name)
                .ok()
                .and_then(|text| text.parse::<u64>().ok())
        };
        let (first, seeds) = (
            number("WEBCHAT_FIRST_SEED").unwrap_or(0),
            number("WEBCHAT_SEEDS").unwrap_or(12),
        );
        let mut faults = 0;
        for seed in first..first + seeds {
            let run = tokio::spawn(hand_over(seed));
            match tokio::time::timeout(std::time::Duration::from_secs(60), run).await {
                Ok(Ok(happened)) => faults += happened,
                other => panic!("seed {seed}: {other:?}"),
            }
        }
        println!(
            "seeds {first} to {}, {faults} faults of the database",
            first + seeds - 1
        );
    }
}
