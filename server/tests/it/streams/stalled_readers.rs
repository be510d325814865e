//! Readers that do not read, and many that join late. The program is a process of its own, so that
//! its memory is measured apart from the readers'. Sizes come from the environment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use crate::harness::{
    RawEventReader, ServerProcess, TestServer, allow_connections, open_stalled_reader,
    size_from_env,
};

#[tokio::test]
async fn stalled_reader_does_not_delay_other_readers() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let mut stuck = TcpStream::connect(server.url.trim_start_matches("http://"))
        .await
        .unwrap();
    stuck
        .write_all(format!("GET /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut reader = ada.follow(&room, "").await;
    let text = "x".repeat(4_000);
    for n in 1..=2_000 {
        ada.post(&room, &text).await;
        let message = tokio::time::timeout(Duration::from_secs(5), reader.next_message())
            .await
            .unwrap();
        assert_eq!(message.id, n);
    }
}

/// How much the process may grow, in bytes.
const MEMORY_LIMIT: u64 = 32 * 1024 * 1024;

/// How much the process may grow in a run with too few messages to show growth by message.
const MEMORY_LIMIT_OF_SHORT_RUNS: u64 = 24 * 1024 * 1024;

/// The length of a message. The socket buffers of a reader take more than a megabyte and must fill
/// up soon.
const LONG_MESSAGE_LENGTH: usize = 3_000;

/// Tasks that post at once.
const WRITERS: usize = 8;

/// Samples the memory of a process until `stop` is set. Returns the peak, in bytes.
async fn sample_peak_memory(process: Arc<ServerProcess>, stop: Arc<AtomicBool>) -> u64 {
    let mut peak = 0;
    while !stop.load(Ordering::Relaxed) {
        peak = peak.max(process.resident());
        // The interval of samples; no wait for an event.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    peak
}

/// Posts messages as fast as they are acknowledged, each with `word()` and then `length`
/// characters.
async fn post_messages(
    process: &ServerProcess,
    room: &str,
    messages: usize,
    length: usize,
    word: impl Fn() -> String + Clone + Send + 'static,
) {
    let next = Arc::new(AtomicUsize::new(0));
    let writers = (0..WRITERS).map(|writer| {
        let post = process.poster(room);
        let next = next.clone();
        let word = word.clone();
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

/// Reads a room up to its `last` message. Checks that each message comes once and in order.
async fn read_all_messages(url: String, room: String, last: usize, mut each: impl FnMut(&str)) {
    let mut reader = RawEventReader::open(&url, &room, None).await.unwrap();
    for expected in 1..=last {
        let message = reader.next().await.unwrap().expect("the stream has ended");
        assert_eq!(message.seq, expected);
        each(message.word());
    }
}

/// The costs of a round: 99th percentiles of the time from sending to reading, and memory in bytes.
struct RoundCost {
    /// Of the first half of the messages, while the socket buffers of stalled readers are not yet
    /// full.
    p99_at_first: Duration,
    /// Of the second half.
    p99: Duration,
    before: u64,
    growth: u64,
}

/// Sends `messages` messages to a room with readers and stalled readers.
async fn run_round(
    process: &Arc<ServerProcess>,
    readers: usize,
    stuck_readers: usize,
    messages: usize,
) -> RoundCost {
    let room = process.create_room().await;
    let start = Instant::now();
    let open = join_all((0..stuck_readers).map(|_| open_stalled_reader(&process.url, &room))).await;
    let reading: Vec<JoinHandle<Vec<u64>>> = (0..readers)
        .map(|_| {
            let url = process.url.clone();
            let room = room.clone();
            tokio::spawn(async move {
                let mut delays = Vec::with_capacity(messages);
                let each = |sent: &str| {
                    delays.push(start.elapsed().as_micros() as u64 - sent.parse::<u64>().unwrap())
                };
                read_all_messages(url, room, messages, each).await;
                delays
            })
        })
        .collect();
    let before = process.resident();
    let stop = Arc::new(AtomicBool::new(false));
    let sampling = tokio::spawn(sample_peak_memory(process.clone(), stop.clone()));
    post_messages(process, &room, messages, LONG_MESSAGE_LENGTH, move || {
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
    let peak = sampling.await.unwrap();
    drop(open);
    RoundCost {
        p99_at_first: percentile_99(at_first),
        p99: percentile_99(later),
        before,
        growth: peak.saturating_sub(before),
    }
}

fn percentile_99(mut micros: Vec<u64>) -> Duration {
    micros.sort_unstable();
    Duration::from_micros(micros[micros.len() * 99 / 100])
}

/// `WEBCHAT_STUCK` and `WEBCHAT_MESSAGES` change the sizes; the full number of messages is 10,000.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_readers_cost_neither_memory_nor_latency() {
    let stuck_readers = size_from_env("WEBCHAT_STUCK", 1_000);
    let messages = size_from_env("WEBCHAT_MESSAGES", 2_000);
    allow_connections(stuck_readers);
    let dir = tempfile::tempdir().unwrap();
    let process = Arc::new(ServerProcess::start(dir.path(), &[]));
    let alone = run_round(&process, 20, 0, messages).await;
    let crowded = run_round(&process, 20, stuck_readers, messages).await;
    println!(
        "{messages} messages, 20 readers: p99 {:?}; with {stuck_readers} that do not read: p99 {:?} (at first {:?}), {} KiB more memory on top of {} KiB",
        alone.p99,
        crowded.p99,
        crowded.p99_at_first,
        crowded.growth / 1024,
        crowded.before / 1024,
    );
    let bound = if messages < 10_000 {
        MEMORY_LIMIT_OF_SHORT_RUNS
    } else {
        MEMORY_LIMIT
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
async fn many_joiners_of_a_large_room_stay_within_the_memory_limit() {
    let joiners = 50;
    let history = size_from_env("WEBCHAT_HISTORY", 10_000);
    let dir = tempfile::tempdir().unwrap();
    let process = Arc::new(ServerProcess::start(dir.path(), &[]));
    let room = process.create_room().await;
    post_messages(&process, &room, history, 200, || "old".to_owned()).await;
    let before = process.resident();
    let stop = Arc::new(AtomicBool::new(false));
    let sampling = tokio::spawn(sample_peak_memory(process.clone(), stop.clone()));
    let open = join_all((0..joiners / 4).map(|_| open_stalled_reader(&process.url, &room))).await;
    let mut slow = JoinSet::new();
    for _ in 0..joiners / 4 {
        slow.spawn(read_slowly(process.url.clone(), room.clone()));
    }
    let start = Instant::now();
    let fast = (0..joiners / 2).map(|_| {
        tokio::spawn(read_all_messages(
            process.url.clone(),
            room.clone(),
            history,
            |_| {},
        ))
    });
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
    let growth = sampling.await.unwrap().saturating_sub(before);
    drop(open);
    println!(
        "{history} messages, {joiners} joiners: the fast half has read them in {took:?}; {} KiB more memory on top of {} KiB",
        growth / 1024,
        before / 1024
    );
    assert!(growth < MEMORY_LIMIT, "{growth} bytes more");
}

/// Reads a room in order, one message every few milliseconds, without end.
async fn read_slowly(url: String, room: String) {
    let mut reader = RawEventReader::open(&url, &room, None).await.unwrap();
    for expected in 1.. {
        assert_eq!(
            reader
                .next()
                .await
                .unwrap()
                .expect("the stream has ended")
                .seq,
            expected
        );
        // The pace of the reader; no wait for an event.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
