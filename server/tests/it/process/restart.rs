//! A restart under many streams. `WEBCHAT_STREAMS` changes how many.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use protocol::Message;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::{
    MessagePoster, RawEventReader, ServerProcess, allow_connections, size_from_env,
};

/// The text of the last message; a follower ends there.
const LAST_BODY: &str = "last";

/// The delays after which a server that stops asks its clients to return.
const RETRIES: std::ops::Range<Duration> =
    Duration::from_millis(1_000)..Duration::from_millis(1_500);

/// Follows a room across interruptions, as an `EventSource` does, up to the last message. Returns
/// the times of its connections, since `start`.
async fn follow_across_restarts(
    url: String,
    room: String,
    start: Instant,
    ready: watch::Sender<usize>,
) -> Vec<Duration> {
    let mut seen = 0;
    let mut cursor = None;
    let mut retry = Duration::from_secs(2);
    let mut returns = Vec::new();
    loop {
        if let Ok(mut reader) = RawEventReader::open(&url, &room, cursor.clone()).await {
            returns.push(start.elapsed());
            ready.send_modify(|ready| *ready += 1);
            while let Ok(Some(message)) = reader.next().await {
                seen += 1;
                assert_eq!(message.seq, seen, "missing, twice or out of order");
                if message.word() == LAST_BODY {
                    return returns;
                }
            }
            (cursor, retry) = (reader.cursor, reader.retry);
            assert!(
                RETRIES.contains(&retry),
                "all clients return within a second: {retry:?}"
            );
        }
        // The delay that the server asked for.
        tokio::time::sleep(retry).await;
    }
}

/// Posts with idempotency keys, each until it is acknowledged, until `stop` is set.
async fn post_until_stopped(
    post: MessagePoster,
    writer: usize,
    stop: Arc<AtomicBool>,
) -> Vec<Message> {
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let name = format!("{writer}.{}", acknowledged.len());
        match post.send("ada", &name, Some(&name)).await {
            Some(message) => acknowledged.push(message),
            // The server restarts: the next attempt has the same key.
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        // The writer's pace, which this many readers can follow; no wait for an event.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    acknowledged
}

/// `WEBCHAT_STREAMS` changes the size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restart_under_many_streams_loses_no_message() {
    let streams = size_from_env("WEBCHAT_STREAMS", 2_000);
    allow_connections(streams);
    let dir = tempfile::tempdir().unwrap();
    let mut process = ServerProcess::start(dir.path(), &[]);
    let room = process.create_room().await;
    let start = Instant::now();
    let (ready, mut opened) = watch::channel(0);
    let mut followers = JoinSet::new();
    for _ in 0..streams {
        followers.spawn(follow_across_restarts(
            process.url.clone(),
            room.clone(),
            start,
            ready.clone(),
        ));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|n| tokio::spawn(post_until_stopped(process.poster(&room), n, stop.clone())))
        .collect();
    opened.wait_for(|opened| *opened == streams).await.unwrap();
    let stopped = start.elapsed();
    process.signal("-TERM");
    assert_eq!(
        tokio::task::block_in_place(|| process.wait_for_exit()).code(),
        Some(0)
    );
    let url = process.url.clone();
    let down = start.elapsed() - stopped;
    let process = ServerProcess::start_at(url.trim_start_matches("http://"), dir.path(), &[]);
    let back = opened.wait_for(|opened| *opened >= 2 * streams);
    tokio::time::timeout(Duration::from_secs(120), back)
        .await
        .expect("not all streams have reconnected")
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged: Vec<Message> = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    acknowledged.push(process.post(&room, "ada", LAST_BODY).await.unwrap());
    let mut returns: Vec<Duration> = Vec::new();
    while let Some(follower) = followers.join_next().await {
        returns.push(follower.unwrap()[1] - stopped);
    }
    acknowledged.sort_by_key(|message| message.id);
    assert_eq!(
        process.history(&room).await,
        acknowledged,
        "each acknowledged post once and nothing else"
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
