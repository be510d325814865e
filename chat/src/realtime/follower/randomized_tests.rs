//! A randomized test of followers: concurrent writers and readers, restarts, and faults of the
//! database; two nodes if the database can be shared.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use protocol::{Message, NewMessage};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::RwLock;
use tokio::task::{JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::faults::Faults;
use crate::log::command::Command;
use crate::log::entry::Entry;
use crate::realtime::frame::Frame;
use crate::sync::lock;
use crate::testing::{TestChat, new_guest};

const WRITERS: u64 = 3;
const MESSAGES: u64 = 40;
const READERS: usize = 5;

/// The entries of all writers: each changes one in four of its messages.
const ENTRIES: u64 = WRITERS * (MESSAGES + MESSAGES / 4);

/// Posts `MESSAGES` messages and changes some of them. Repeats each request until it succeeds,
/// also while the server fails or restarts. Returns the messages as they are at the end.
async fn write_messages(
    service: Arc<Service>,
    room: RoomId,
    writer: u64,
    mut random: SmallRng,
) -> Vec<Message> {
    let mut acknowledged = Vec::new();
    let by = new_guest();
    for n in 0..MESSAGES {
        let body = format!("{writer}.{n}");
        let wish = NewMessage {
            username: format!("writer {writer}"),
            body,
        };
        let posted = repeat_until_done(&service, room, &by, &Command::Post, &wish).await;
        acknowledged.push(match n % 8 {
            0 => repeat_until_done(&service, room, &by, &Command::Edit(posted.id), &wish).await,
            4 => repeat_until_done(&service, room, &by, &Command::Delete(posted.id), &wish).await,
            _ => posted,
        });
        yield_often(random.random_range(0..8)).await;
    }
    acknowledged
}

/// Repeats a request until it succeeds.
async fn repeat_until_done(
    service: &Service,
    room: RoomId,
    by: &Person,
    command: &Command,
    wish: &NewMessage,
) -> Message {
    loop {
        let chat = service.any_node().await;
        let done = match command {
            Command::Post => {
                chat.post_message(by, &room, wish, Some(wish.body.as_str().into()))
                    .await
            }
            Command::Edit(seq) => chat.edit_message(by, &room, *seq, "edited").await,
            Command::Delete(seq) => chat.delete_message(by, &room, *seq).await,
            other => panic!("{other:?}"),
        };
        if let Ok(message) = done {
            return message;
        }
        yield_now().await;
    }
}

/// The entries that a reader has received. As a sink it refuses frames at random.
#[derive(Debug)]
struct Received {
    entries: Mutex<Vec<Entry>>,
    complete: CancellationToken,
    random: Mutex<SmallRng>,
}

impl Received {
    fn add(&self, frames: &Frames) {
        let mut entries = lock(&self.entries);
        entries.extend(frames.frames().map(|frame| entry(&frame)));
        if entries.len() as u64 >= ENTRIES {
            self.complete.cancel();
        }
    }

    fn last_seq(&self) -> Option<u64> {
        lock(&self.entries).last().map(Entry::seq)
    }

    fn is_complete(&self) -> bool {
        self.complete.is_cancelled()
    }
}

impl Sink for Received {
    fn try_write(&self, frames: &Frames) -> bool {
        let takes = lock(&self.random).random_range(0..4) > 0;
        if takes {
            self.add(frames);
        }
        takes
    }
}

/// Reads all entries: starts, stalls, gives up and resumes at random, with and without a sink.
/// Steady readers never give up by themselves, so that no resumption hides an error.
async fn read_entries(service: Arc<Service>, room: RoomId, mut random: SmallRng) -> Vec<Entry> {
    let is_steady: bool = random.random();
    let received = Received {
        entries: Mutex::default(),
        complete: CancellationToken::new(),
        random: Mutex::new(SmallRng::seed_from_u64(random.random())),
    };
    let received = Arc::new(received);
    while !received.is_complete() {
        let chat = service.any_node().await;
        let start = choose_start(&chat, &received, &mut random);
        let Ok(follower) = chat.follow_room(&Person::Anonymous, &room, start).await else {
            yield_now().await;
            continue;
        };
        let has_sink: bool = random.random();
        let sink = has_sink.then(|| received.clone() as Arc<dyn Sink>);
        let follower = follower.with_sink(sink);
        read_with(follower, &received, is_steady, &mut random).await;
    }
    std::mem::take(&mut *lock(&received.entries))
}

/// Where a reader resumes.
fn choose_start(chat: &Chat, received: &Received, random: &mut SmallRng) -> Start {
    match received.last_seq() {
        Some(seq) if random.random() => Start::Seq(seq),
        Some(seq) => Start::Cursor(Cursor {
            epoch: chat.0.epoch.get(),
            seq,
        }),
        None => Start::Seq(0),
    }
}

/// Reads with one follower until all entries are received or the reader gives up.
async fn read_with(
    mut follower: Follower,
    received: &Received,
    is_steady: bool,
    random: &mut SmallRng,
) {
    let reads = if is_steady {
        usize::MAX
    } else {
        random.random_range(1..20)
    };
    for _ in 0..reads {
        if received.is_complete() {
            return;
        }
        yield_often(random.random_range(0..30)).await;
        // The future of the next event may be dropped at any point, and is.
        let patience = random.random_range(1..40);
        let event = tokio::select! {
            biased;
            event = follower.next() => event,
            () = received.complete.cancelled() => continue,
            () = yield_often(patience), if !is_steady => continue,
        };
        match event {
            Ok(FollowEvent::Messages(frames)) => received.add(&frames),
            // A node that heard nothing of the others for a while announces what may have changed.
            Ok(FollowEvent::Ephemeral(_)) => {}
            // After a fault a follower may be polled again or dropped.
            Err(_) if random.random_range(0..10) > 0 => {}
            Ok(FollowEvent::Draining) | Err(_) => return,
            Ok(other) => panic!("{other:?}"),
        }
    }
}

async fn yield_often(times: u32) {
    for _ in 0..times {
        yield_now().await;
    }
}

fn entry(frame: &Frame) -> Entry {
    match frame.change {
        None => Entry::Message(frame.message().unwrap()),
        Some(_) => Entry::Change(serde_json::from_slice(&frame.json).unwrap()),
    }
}

/// The messages as they are after all entries.
fn apply_entries(entries: Vec<Entry>) -> Vec<Message> {
    let mut messages = BTreeMap::new();
    for entry in entries {
        let message = match entry {
            Entry::Message(message) => message,
            Entry::Change(change) => change.message,
            Entry::Unknown { .. } => panic!("no writer appends an entry of an unknown kind"),
        };
        messages.insert(message.id, message);
    }
    messages.into_values().collect()
}

/// The nodes of one database.
struct Service(Vec<RwLock<TestChat>>);

impl Service {
    /// A service with a room, a random size of the rings, and random faults from now on.
    async fn open(random: &mut SmallRng) -> (Self, RoomId) {
        let ring_bytes = [0, 300, 3_000, 256 * 1024][random.random_range(0..4)];
        let instructions = [0, 1_000, 200, 50][random.random_range(0..4)];
        let commits = [0, 20, 3][random.random_range(0..3)];
        // The test is about delivery, not about the disk, and runs faster in memory.
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let one = TestChat::inside(&directory, |config| {
            config.ring_bytes = ring_bytes;
            config.archive = false;
        })
        .await;
        let room = one.create_room().await;
        let config = one.config.clone();
        let mut nodes = vec![RwLock::new(one)];
        if config.database.is_some() {
            let other = TestChat::inside(&directory, |other| {
                let data_dir = std::mem::take(&mut other.data_dir);
                *other = crate::Config {
                    data_dir,
                    ..config.clone()
                };
            });
            nodes.push(RwLock::new(other.await));
        }
        config.faults.arm(instructions, commits);
        (Self(nodes), room)
    }

    /// A node, whichever.
    async fn any_node(&self) -> Chat {
        let node = rand::rng().random_range(0..self.0.len());
        self.0[node].read().await.chat.clone()
    }

    /// Closes a node and opens it again, however often that fails.
    async fn restart_one(&self, random: &mut SmallRng) {
        let node = random.random_range(0..self.0.len());
        let mut test = self.0[node].write().await;
        test.chat.drain();
        test.chat.close().await;
        loop {
            match Chat::open(test.config.clone()).await {
                Ok(chat) => return test.chat = chat,
                Err(_) => yield_now().await,
            }
        }
    }

    async fn faults(&self) -> Faults {
        self.0[0].read().await.config.faults.clone()
    }

    async fn close(&self) {
        for node in &self.0 {
            node.read().await.chat.close().await;
        }
    }
}

fn new_random(random: &mut SmallRng) -> SmallRng {
    SmallRng::seed_from_u64(random.random())
}

/// One run. Returns how many faults were injected into the database.
async fn run_seed(seed: u64) -> u32 {
    let mut random = SmallRng::seed_from_u64(seed);
    let (service, room) = Service::open(&mut random).await;
    let restarts = random.random_range(0..3);
    let faults = service.faults().await;
    let service = Arc::new(service);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let random = new_random(&mut random);
        writers.spawn(write_messages(service.clone(), room, writer, random));
    }
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(read_entries(service.clone(), room, new_random(&mut random)));
    }
    for _ in 0..restarts {
        yield_often(random.random_range(0..2_000)).await;
        service.restart_one(&mut random).await;
    }
    let acknowledged = writers.join_all().await.concat();
    if random.random() {
        // A reader that starts now receives no new message, and the ring of the hub is empty.
        service.restart_one(&mut random).await;
        readers.spawn(read_entries(service.clone(), room, new_random(&mut random)));
    }
    check_readers(seed, acknowledged, readers.join_all().await);
    service.close().await;
    faults.happened()
}

/// Checks that all readers have received all entries, which lead to the acknowledged messages.
fn check_readers(seed: u64, mut acknowledged: Vec<Message>, readers: Vec<Vec<Entry>>) {
    acknowledged.sort_by_key(|message| message.id);
    let count = acknowledged.len() as u64;
    assert_eq!(count, WRITERS * MESSAGES, "seed {seed}");
    for entries in readers {
        assert!(
            entries.iter().map(Entry::seq).eq(1..=ENTRIES),
            "seed {seed}: out of order, incomplete or repeated"
        );
        assert!(
            apply_entries(entries) == acknowledged,
            "seed {seed}: differs from the acknowledged messages"
        );
    }
}

/// Every reader receives every sequence number once and in order, and ends with exactly the
/// acknowledged messages. `WEBCHAT_SEEDS=5000` runs more seeds, and `WEBCHAT_FIRST_SEED=5000`
/// other ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(clippy::print_stdout, reason = "prints what it has run")]
async fn every_reader_receives_every_entry_once_and_in_order() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let first = number("WEBCHAT_FIRST_SEED").unwrap_or(0);
    let seeds = number("WEBCHAT_SEEDS").unwrap_or(12);
    let mut faults = 0;
    for seed in first..first + seeds {
        let run = tokio::spawn(run_seed(seed));
        match tokio::time::timeout(std::time::Duration::from_secs(300), run).await {
            Ok(Ok(happened)) => faults += happened,
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    println!(
        "seeds {first} to {}, {faults} faults of the database",
        first + seeds - 1
    );
}
