//! Many readers at once: those who do not read, those who come late, and all of them when the program is restarted.
//!
//! The program is a process of its own, so that its memory is what is weighed. Sizes come from the environment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use protocol::Message;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::program::{Post, Program, allow_connections, size};
use crate::tail::{Tail, stuck};

/// How much memory a crowd may cost, in bytes.
const MEMORY: u64 = 32 * 1024 * 1024;

/// How much it may cost in a run that is too small to show what grows with the messages.
const MEMORY_OF_FEW: u64 = 24 * 1024 * 1024;

/// The length of messages that soon fill the system's buffers for a reader, which take more than a megabyte.
const LONG: usize = 3_000;

/// Tasks that post at once.
const WRITERS: usize = 8;

/// Watches a program's memory until it is told to stop; the most of it, in bytes.
async fn weigh(program: Arc<Program>, stop: Arc<AtomicBool>) -> u64 {
    let mut most = 0;
    while !stop.load(Ordering::Relaxed) {
        most = most.max(program.resident());
        // Not a wait for anything: a look every few milliseconds.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    most
}

/// Posts `messages` messages as fast as they are acknowledged, each `word()` and then so many characters.
async fn fill(
    program: &Program,
    room: &str,
    messages: usize,
    length: usize,
    word: impl Fn() -> String + Clone + Send + 'static,
) {
    let next = Arc::new(AtomicUsize::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let (post, next, word) = (program.poster(room), next.clone(), word.clone());
        tokio::spawn(async move {
            let rest = "x".repeat(length);
            while next.fetch_add(1, Ordering::Relaxed) < messages {
                let body = format!("{} {rest}", word());
                post.send(&format!("writer {writer}"), &body, None)
                    .await
                    .expect("not acknowledged");
            }
        })
    });
    for written in join_all(writers).await {
        written.unwrap();
    }
}

/// Reads a room up to its `last` message and checks that nothing is missing or comes twice.
async fn read(url: String, room: String, last: usize, mut each: impl FnMut(&str)) {
    let mut tail = Tail::open(&url, &room, None).await.unwrap();
    for expected in 1..=last {
        let told = tail.next().await.unwrap().expect("the stream has ended");
        assert_eq!(told.seq, expected);
        each(told.word());
    }
}

/// What a round costs: the 99th percentile from sending to reading, and memory in bytes.
struct Cost {
    /// Of the first half of the messages. Who does not read is sent these like everybody, until the system's buffers are
    /// full.
    p99_at_first: Duration,
    /// Of the second half.
    p99: Duration,
    before: u64,
    growth: u64,
}

/// Lets some read a room and others not, while `messages` messages are sent.
async fn round(
    program: &Arc<Program>,
    readers: usize,
    stuck_readers: usize,
    messages: usize,
) -> Cost {
    let (room, start) = (program.room().await, Instant::now());
    let open = join_all((0..stuck_readers).map(|_| stuck(&program.url, &room))).await;
    let reading: Vec<JoinHandle<Vec<u64>>> = (0..readers)
        .map(|_| {
            let (url, room) = (program.url.clone(), room.clone());
            tokio::spawn(async move {
                let mut delays = Vec::with_capacity(messages);
                let each = |sent: &str| {
                    delays.push(start.elapsed().as_micros() as u64 - sent.parse::<u64>().unwrap())
                };
                read(url, room, messages, each).await;
                delays
            })
        })
        .collect();
    let (before, stop) = (program.resident(), Arc::new(AtomicBool::new(false)));
    let weighing = tokio::spawn(weigh(program.clone(), stop.clone()));
    fill(program, &room, messages, LONG, move || {
        start.elapsed().as_micros().to_string()
    })
    .await;
    let (mut at_first, mut later): (Vec<u64>, Vec<u64>) = Default::default();
    for reader in reading {
        let mut delays = reader.await.unwrap();
        later.extend(delays.split_off(messages / 2));
        at_first.extend(delays);
    }
    stop.store(true, Ordering::Relaxed);
    let most = weighing.await.unwrap();
    drop(open);
    Cost {
        p99_at_first: p99(at_first),
        p99: p99(later),
        before,
        growth: most.saturating_sub(before),
    }
}

fn p99(mut micros: Vec<u64>) -> Duration {
    micros.sort_unstable();
    Duration::from_micros(micros[micros.len() * 99 / 100])
}

/// `WEBCHAT_STUCK` and `WEBCHAT_MESSAGES` change the sizes; the full number of messages is 10,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_do_not_read_cost_neither_memory_nor_the_others_time() {
    let (stuck_readers, messages) = (
        size("WEBCHAT_STUCK", 1_000),
        size("WEBCHAT_MESSAGES", 2_000),
    );
    allow_connections(stuck_readers);
    let dir = tempfile::tempdir().unwrap();
    let program = Arc::new(Program::start(dir.path(), &[]));
    let alone = round(&program, 20, 0, messages).await;
    let crowded = round(&program, 20, stuck_readers, messages).await;
    println!(
        "{messages} messages, 20 readers: p99 {:?}; with {stuck_readers} that do not read: p99 {:?} (at first {:?}), {} KiB more memory on top of {} KiB",
        alone.p99,
        crowded.p99,
        crowded.p99_at_first,
        crowded.growth / 1024,
        crowded.before / 1024,
    );
    let bound = if messages < 10_000 {
        MEMORY_OF_FEW
    } else {
        MEMORY
    };
    assert!(crowded.growth < bound, "{} bytes more", crowded.growth);
    assert!(
        crowded.p99 < alone.p99 * 5 + Duration::from_secs(3),
        "{:?} from {:?}",
        crowded.p99,
        alone.p99
    );
}

/// `WEBCHAT_HISTORY` changes the size of the room; in full it is 200,000 messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_a_large_room_is_paced_and_costs_little() {
    let (joiners, history) = (50, size("WEBCHAT_HISTORY", 10_000));
    let dir = tempfile::tempdir().unwrap();
    let program = Arc::new(Program::start(dir.path(), &[]));
    let room = program.room().await;
    fill(&program, &room, history, 200, || "old".to_owned()).await;
    let (before, stop) = (program.resident(), Arc::new(AtomicBool::new(false)));
    let weighing = tokio::spawn(weigh(program.clone(), stop.clone()));
    let open = join_all((0..joiners / 4).map(|_| stuck(&program.url, &room))).await;
    let mut slow = JoinSet::new();
    for _ in 0..joiners / 4 {
        slow.spawn(read_slowly(program.url.clone(), room.clone()));
    }
    let start = Instant::now();
    let fast = (0..joiners / 2)
        .map(|_| tokio::spawn(read(program.url.clone(), room.clone(), history, |_| {})));
    for reader in join_all(fast).await {
        reader.unwrap();
    }
    let took = start.elapsed();
    assert_eq!(
        slow.try_join_next().map(|ended| ended.unwrap()),
        None,
        "a slow reader has ended"
    );
    slow.shutdown().await;
    stop.store(true, Ordering::Relaxed);
    let growth = weighing.await.unwrap().saturating_sub(before);
    drop(open);
    println!(
        "{history} messages, {joiners} joiners: the fast half has read them in {took:?}; {} KiB more memory on top of {} KiB",
        growth / 1024,
        before / 1024
    );
    assert!(growth < MEMORY, "{growth} bytes more");
}

/// Reads a room in order, a message every few milliseconds, for ever.
async fn read_slowly(url: String, room: String) {
    let mut tail = Tail::open(&url, &room, None).await.unwrap();
    for expected in 1.. {
        assert_eq!(
            tail.next()
                .await
                .unwrap()
                .expect("the stream has ended")
                .seq,
            expected
        );
        // Not a wait for anything: the reader's own pace.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The text that ends a stream's part in the restart.
const LAST: &str = "last";

/// Follows a room over every interruption, as an `EventSource` does, up to the message that ends it; gives back when it had
/// come back, after `start`.
async fn follow(
    url: String,
    room: String,
    start: Instant,
    ready: watch::Sender<usize>,
) -> Vec<Duration> {
    let (mut seen, mut cursor, mut retry, mut returns) =
        (0, None, Duration::from_secs(2), Vec::new());
    loop {
        if let Ok(mut tail) = Tail::open(&url, &room, cursor.clone()).await {
            returns.push(start.elapsed());
            ready.send_modify(|ready| *ready += 1);
            while let Ok(Some(told)) = tail.next().await {
                seen += 1;
                assert_eq!(told.seq, seen, "missing, twice or out of order");
                if told.word() == LAST {
                    return returns;
                }
            }
            (cursor, retry) = (tail.cursor, tail.retry.max(Duration::from_millis(1)));
        }
        // As told by the server.
        tokio::time::sleep(retry).await;
    }
}

/// Posts with keys, each until it is acknowledged, until told to stop.
async fn persist(post: Post, writer: usize, stop: Arc<AtomicBool>) -> Vec<Message> {
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let name = format!("{writer}.{}", acknowledged.len());
        match post.send("ada", &name, Some(&name)).await {
            Some(message) => acknowledged.push(message),
            // Nobody answers for a moment.
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        // Not a wait for anything: the writer's own pace, which so many readers can follow.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    acknowledged
}

/// `WEBCHAT_STREAMS` changes the size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_under_many_streams_misses_nothing() {
    let streams = size("WEBCHAT_STREAMS", 2_000);
    allow_connections(streams);
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(dir.path(), &[]);
    let (room, start) = (program.room().await, Instant::now());
    let (ready, mut opened) = watch::channel(0);
    let mut followers = JoinSet::new();
    for _ in 0..streams {
        followers.spawn(follow(
            program.url.clone(),
            room.clone(),
            start,
            ready.clone(),
        ));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|n| tokio::spawn(persist(program.poster(&room), n, stop.clone())))
        .collect();
    opened.wait_for(|opened| *opened == streams).await.unwrap();
    let stopped = start.elapsed();
    program.signal("-TERM");
    assert_eq!(
        tokio::task::block_in_place(|| program.ended()).code(),
        Some(0)
    );
    let (url, down) = (program.url.clone(), start.elapsed() - stopped);
    let program = Program::start_at(url.trim_start_matches("http://"), dir.path(), &[]);
    let back = opened.wait_for(|opened| *opened >= 2 * streams);
    tokio::time::timeout(Duration::from_secs(120), back)
        .await
        .expect("not all have come back")
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged: Vec<Message> = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    acknowledged.push(program.post(&room, "ada", LAST).await.unwrap());
    let mut returns: Vec<Duration> = Vec::new();
    while let Some(follower) = followers.join_next().await {
        returns.push(follower.unwrap()[1] - stopped);
    }
    acknowledged.sort_by_key(|message| message.id);
    assert_eq!(
        program.history(&room).await,
        acknowledged,
        "each acknowledged post once, and nothing else"
    );
    returns.sort_unstable();
    let at = |percent: usize| returns[(returns.len() - 1) * percent / 100];
    println!(
        "{streams} streams, {} messages, stopped in {down:?}; back after {:?} (first), {:?} (median), {:?} (last)",
        acknowledged.len(),
        at(0),
        at(50),
        at(100)
    );
}
