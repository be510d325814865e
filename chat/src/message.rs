//! Messages: the rule for a new one, the one writer that commits them, and reading them back.
//!
//! Posts go to one task, the writer. It takes whatever waits as one transaction: one `fsync` for many posts under load,
//! and a single post waits for nobody. Only after the commit is a post published and answered.

use std::collections::HashMap;

use protocol::{Message, NewMessage, Refusal, RoomId, Time, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::frame::Frames;
use crate::hub::Hub;
use crate::room::{key, missing, room_id};
use crate::store::Store;
use crate::{Clock, Error};

/// Posts committed in one transaction, and posts that may wait for the next one; more wait at the sender. Each is at
/// most six values of one statement, and `SQLite` takes 32,766.
const BATCH: usize = 512;

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

/// A checked message on its way to the log.
#[derive(Debug)]
struct Post {
    room: RoomId,
    username: String,
    body: String,
    key: Option<String>,
    reply: oneshot::Sender<Result<Message, Error>>,
}

/// The writer's inbox.
#[derive(Clone, Debug)]
pub(crate) struct Posts(mpsc::Sender<Post>);

impl Posts {
    /// Checks a message, and returns once it is durable.
    pub async fn post(&self, room: RoomId, message: &NewMessage, key: Option<&str>) -> Result<Message, Error> {
        let username = text::username(&message.username)?;
        let body = text::body(&message.body)?;
        self.append(room, username, body, key.map(text::key).transpose()?).await
    }

    /// Appends a line that nobody wrote, and returns once it is durable.
    pub async fn announce(&self, room: RoomId, line: String) -> Result<Message, Error> {
        self.append(room, String::new(), line, None).await
    }

    async fn append(
        &self,
        room: RoomId,
        username: String,
        body: String,
        key: Option<String>,
    ) -> Result<Message, Error> {
        let (reply, answer) = oneshot::channel();
        let stopped = |_| Error::from(Refusal::Draining);
        let post = Post { room, username, body, key, reply };
        self.0.send(post).await.map_err(|_| Refusal::Draining)?;
        answer.await.map_err(stopped)?
    }
}

/// What the writer writes with.
#[derive(Debug)]
pub(crate) struct Writer {
    pub store: Store,
    pub hub: Hub,
    pub clock: Clock,
    pub epoch: protocol::Epoch,
}

/// What became of a room in a transaction.
struct Growth {
    /// The newest sequence before it.
    head: u64,
    sent_at: Time,
    expires_at: Time,
}

impl Writer {
    /// Starts the task, which ends when the last [`Posts`] is dropped and everything in it is committed.
    pub fn start(self) -> (Posts, tokio::task::JoinHandle<()>) {
        let (sender, mut inbox) = mpsc::channel(BATCH);
        let task = tokio::spawn(async move {
            let mut batch = Vec::new();
            while inbox.recv_many(&mut batch, BATCH).await > 0 {
                self.write(std::mem::take(&mut batch)).await;
            }
        });
        (Posts(sender), task)
    }

    /// Commits a batch, then publishes it, then answers it.
    async fn write(&self, posts: Vec<Post>) {
        let now = self.clock.now();
        match self.commit(&posts, now).await {
            Ok(committed) => {
                self.publish(&committed);
                for (post, answer) in posts.into_iter().zip(committed.answers) {
                    // Whoever no longer waits has its message in the log all the same.
                    let _ = post.reply.send(answer);
                }
            }
            Err(error) => {
                for post in posts {
                    let _ = post.reply.send(Err(error.clone()));
                }
            }
        }
    }

    async fn commit(&self, posts: &[Post], now: Time) -> Result<Committed, Error> {
        let mut tx = self.store.begin().await?;
        let earlier = answered_before(&mut tx, posts).await?;
        let mut fresh: HashMap<RoomId, u64> = HashMap::new();
        for (post, _) in posts.iter().zip(&earlier).filter(|(_, earlier)| earlier.is_none()) {
            *fresh.entry(post.room).or_default() += 1;
        }
        let rooms = grow(&mut tx, &fresh, now).await?;
        let answers = number(posts, &earlier, &rooms);
        let is_new = answers.iter().zip(&earlier).map(|(answer, earlier)| answer.is_ok() && earlier.is_none());
        let new: Vec<usize> = is_new.enumerate().filter_map(|(place, new)| new.then_some(place)).collect();
        insert(&mut tx, posts, &answers, &new).await?;
        tx.commit().await?;
        Ok(Committed { answers, new, rooms })
    }

    /// Hands the new messages of each followed room to the hub, encoded once.
    fn publish(&self, committed: &Committed) {
        let mut by_room: HashMap<RoomId, Vec<&Message>> = HashMap::new();
        for message in committed.new.iter().filter_map(|place| committed.answers[*place].as_ref().ok()) {
            by_room.entry(message.room).or_default().push(message);
        }
        for (room, messages) in by_room.into_iter().filter(|(room, _)| self.hub.is_followed(*room)) {
            let Some(Ok(growth)) = committed.rooms.get(&room) else { continue };
            let authors = messages.iter().map(|message| message.username.as_str());
            if let Some(frames) = Frames::encode(self.epoch, messages.iter().copied()) {
                self.hub.publish(room, frames, authors, growth.expires_at);
            }
        }
    }
}

/// A batch in the log.
struct Committed {
    /// One for each post, in order.
    answers: Vec<Answer>,
    /// The places of those that are new messages.
    new: Vec<usize>,
    rooms: Growths,
}

type Answer = Result<Message, Error>;
type Growths = HashMap<RoomId, Result<Growth, Refusal>>;

/// Whether a post was answered before, by its idempotency key.
enum Earlier {
    None,
    Stored(Message),
    /// By the post at this place in the same batch.
    InBatch(usize),
}

impl Earlier {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

async fn answered_before(tx: &mut SqliteConnection, posts: &[Post]) -> Result<Vec<Earlier>, Error> {
    let mut first: HashMap<(RoomId, &str), usize> = HashMap::new();
    for (place, post) in posts.iter().enumerate() {
        if let Some(key) = &post.key {
            first.entry((post.room, key)).or_insert(place);
        }
    }
    let stored = by_keys(tx, first.keys().copied()).await?;
    let earlier = posts.iter().enumerate().map(|(place, post)| {
        let Some(key) = post.key.as_deref() else { return Earlier::None };
        match (stored.get(&(post.room, key.to_owned())), first.get(&(post.room, key))) {
            (Some(message), _) => Earlier::Stored(message.clone()),
            (None, Some(first)) if *first < place => Earlier::InBatch(*first),
            (None, _) => Earlier::None,
        }
    });
    Ok(earlier.collect())
}

/// The messages of open rooms that were sent with these keys.
async fn by_keys(
    tx: &mut SqliteConnection,
    keys: impl ExactSizeIterator<Item = (RoomId, &str)>,
) -> Result<HashMap<(RoomId, String), Message>, Error> {
    if keys.len() == 0 {
        return Ok(HashMap::new());
    }
    let mut sql = QueryBuilder::new("with wanted (room, key) as (");
    sql.push_values(keys, |mut row, (room, idempotency)| {
        row.push_bind(key(room)).push_bind(idempotency.to_owned());
    });
    sql.push(
        ") select m.room, m.seq, m.username, m.body, m.sent_at, m.key from wanted w
           join message m on m.room = w.room and m.key = w.key join room r on r.id = m.room and r.state = 0",
    );
    let rows = sql.build().fetch_all(tx).await?;
    let read = |row: &SqliteRow| {
        let message = Stored::from_row(row)?.0;
        Ok(((message.room, row.try_get("key")?), message))
    };
    rows.iter().map(read).collect()
}

/// Makes room for new messages, so many in each room, as long as it is open and not due.
async fn grow(tx: &mut SqliteConnection, counts: &HashMap<RoomId, u64>, now: Time) -> Result<Growths, Error> {
    let mut growths = Growths::new();
    if counts.is_empty() {
        return Ok(growths);
    }
    let mut sql = QueryBuilder::new("with fresh (room, count) as (");
    sql.push_values(counts, |mut row, (room, count)| {
        row.push_bind(key(*room)).push_bind(i64::try_from(*count).unwrap_or(i64::MAX));
    });
    let (now, last) = (now.millis(), Time::from_millis(i64::MAX).millis());
    // The room's own time never runs backwards, even when the machine's clock does.
    sql.push(") update room set head = head + fresh.count, last_active_at = max(last_active_at, ")
        .push_bind(now)
        .push("), expires_at = min(max(last_active_at, ")
        .push_bind(now)
        .push(") + timeout_ms, ")
        .push_bind(last)
        .push(") from fresh where id = fresh.room and state = 0 and expires_at > ")
        .push_bind(now)
        .push(" returning id, head, last_active_at, expires_at");
    for (id, head, sent_at, expires_at) in sql.build_query_as::<(i64, i64, i64, i64)>().fetch_all(&mut *tx).await? {
        let id = room_id(id);
        let head = head.unsigned_abs() - counts.get(&id).copied().unwrap_or(0);
        let (sent_at, expires_at) = (Time::from_millis(sent_at), Time::from_millis(expires_at));
        growths.insert(id, Ok(Growth { head, sent_at, expires_at }));
    }
    for room in counts.keys() {
        if !growths.contains_key(room) {
            growths.insert(*room, Err(missing(&mut *tx, *room).await?));
        }
    }
    Ok(growths)
}

/// Gives each post its answer: the earlier one, a refusal, or the next sequence of its room.
fn number(posts: &[Post], earlier: &[Earlier], rooms: &Growths) -> Vec<Answer> {
    let mut heads: HashMap<RoomId, u64> = HashMap::new();
    let mut answers: Vec<Answer> = Vec::with_capacity(posts.len());
    for (post, earlier) in posts.iter().zip(earlier) {
        let answer = match earlier {
            Earlier::Stored(message) => Ok(message.clone()),
            Earlier::InBatch(first) => answers[*first].clone(),
            Earlier::None => match rooms.get(&post.room) {
                Some(Ok(growth)) => {
                    let head = heads.entry(post.room).or_insert(growth.head);
                    *head += 1;
                    Ok(post.message(*head, growth.sent_at))
                }
                Some(Err(refusal)) => Err(refusal.clone().into()),
                None => Err(Error::fault("a post without its room")),
            },
        };
        answers.push(answer);
    }
    answers
}

impl Post {
    fn message(&self, id: u64, sent_at: Time) -> Message {
        Message { id, room: self.room, username: self.username.clone(), body: self.body.clone(), sent_at }
    }
}

async fn insert(tx: &mut SqliteConnection, posts: &[Post], answers: &[Answer], new: &[usize]) -> Result<(), Error> {
    if new.is_empty() {
        return Ok(());
    }
    let row = |place: &usize| Some((answers[*place].as_ref().ok()?, posts[*place].key.as_deref()));
    let mut sql = QueryBuilder::new("insert into message (room, seq, username, body, sent_at, key) ");
    sql.push_values(new.iter().filter_map(row), |mut row, (message, idempotency)| {
        row.push_bind(key(message.room))
            .push_bind(i64::try_from(message.id).unwrap_or(i64::MAX))
            .push_bind(&message.username)
            .push_bind(&message.body)
            .push_bind(message.sent_at.millis())
            .push_bind(idempotency);
    });
    sql.build().execute(&mut *tx).await?;
    Ok(())
}

/// A message as it is stored.
struct Stored(Message);

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self(Message {
            id: row.try_get::<i64, _>("seq")?.unsigned_abs(),
            room: room_id(row.try_get("room")?),
            username: row.try_get("username")?,
            body: row.try_get("body")?,
            sent_at: Time::from_millis(row.try_get("sent_at")?),
        }))
    }
}

/// A page of messages in order, of a room in any state: whether the room may be read is the caller's question.
pub(crate) async fn page(store: &Store, room: RoomId, page: Page) -> Result<Vec<Message>, Error> {
    let newest_first = page.after.is_none();
    let sql = if newest_first {
        "select room, seq, username, body, sent_at from message
         where room = $1 and seq > $2 and seq < $3 order by seq desc limit $4"
    } else {
        "select room, seq, username, body, sent_at from message
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
    use futures_util::future::join_all;

    use super::*;
    use crate::tests::{House, says};

    #[tokio::test]
    async fn sequences_have_no_gaps_however_many_post_at_once() {
        let house = House::new(|_| {}).await;
        let rooms = [house.room().await, house.room().await];
        let posts = (0..400).map(|n| {
            let (chat, room) = (house.chat.clone(), rooms[n % 2]);
            async move { chat.post(&room, &says(&n.to_string()), None).await.unwrap() }
        });
        let answers = join_all(posts).await;
        for room in rooms {
            let page = house.chat.page(&room, Page { limit: 1_000, ..Page::default() }).await.unwrap();
            assert!(page.iter().map(|m| m.id).eq(1..=200));
            let mut own: Vec<Message> = answers.iter().filter(|m| m.room == room).cloned().collect();
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
            async move { chat.post(&room, &says(&n.to_string()), Some("k")).await.unwrap() }
        });
        let answers = join_all(posts).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        house.reopen().await;
        assert_eq!(house.chat.post(&room, &says("again"), Some("k")).await.unwrap(), answers[0]);
        assert_eq!(house.say(room, "next").await.id, 2);
        assert_eq!(house.chat.post(&other, &says("elsewhere"), Some("k")).await.unwrap().id, 1);
    }

    #[tokio::test]
    async fn a_key_that_comes_twice_in_a_batch_is_told_once() {
        let house = House::new(|_| {}).await;
        let room = house.room().await;
        let mut follow = house.chat.follow(&room, protocol::Start::Latest).await.unwrap();
        let posts = ["a", "b", "a", "b", "a"].map(|key| {
            let chat = house.chat.clone();
            async move { chat.post(&room, &says(key), Some(key)).await.unwrap().id }
        });
        assert_eq!(join_all(posts).await, [1, 2, 1, 2, 1]);
        let mut last = 0;
        while last < 2 {
            let crate::News::Messages(frames) = follow.next().await.unwrap() else { panic!("no messages") };
            assert_eq!(frames.first(), last + 1);
            last = frames.last();
        }
        assert_eq!(last, 2);
    }

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
            let page = house.chat.page(&room, Page { before, after, limit }).await.unwrap();
            assert!(page.iter().map(|m| m.id).eq(expected.clone()), "{before:?} {after:?} {limit}");
        }
        assert!(house.chat.page(&room, Page { after: Some(7), ..Page::default() }).await.unwrap().is_empty());
        assert!(house.chat.page(&room, Page { after: Some(u64::MAX), ..Page::default() }).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_unknown_room_takes_nothing() {
        let house = House::new(|_| {}).await;
        let refused = house.chat.post(&RoomId::from_bytes([7; 8]), &says("hello"), None).await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal::NotFound("room")))));
    }
}
