//! Publishers: as fast as messages are acknowledged, or by a schedule.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Failure;
use crate::http::Connection;
use crate::servers::Server;

/// The start of this process. Times in messages count from here.
pub static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The length of the part of a text that is between its two marks, with the marks, in bytes.
pub const MARKED_LENGTH: usize = 28;

/// A text with its publisher, its number and the time when it was due, in microseconds since
/// [`START`].
pub fn marked_text(publisher: usize, number: u64, due: Duration) -> String {
    format!(
        "~{publisher:04}.{number:08}.{:012}~ the quick brown fox jumps",
        due.as_micros()
    )
}

/// Posts to each path by a publisher of its own for `span`, as fast as messages are acknowledged.
/// Returns the number of messages.
pub async fn publish_flat_out(
    server: &Server,
    paths: Vec<String>,
    span: Duration,
) -> Result<u64, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut publishers = JoinSet::new();
    let count = Arc::new(AtomicU64::new(0));
    for (publisher, path) in paths.into_iter().enumerate() {
        let mut connection = Connection::open(server.address).await?;
        let stop = stop.clone();
        let count = count.clone();
        let kind = server.kind;
        publishers.spawn(async move {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                connection
                    .post(
                        &path,
                        &kind.wrap(&marked_text(publisher, number, START.elapsed())),
                    )
                    .await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, Failure>(())
        });
    }
    tokio::time::sleep(span).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(done) = publishers.join_next().await {
        done??;
    }
    Ok(count.load(Ordering::Relaxed))
}

/// Posts `rate` messages a second for `span`, to the paths in turn, over a number of connections.
/// Each message has the time when it was due, so one that waits behind a slow response counts as
/// late.
pub async fn publish_paced(
    server: &Server,
    paths: Arc<Vec<String>>,
    connections: usize,
    rate: u32,
    span: Duration,
) -> Result<u64, Failure> {
    let total = u64::from(rate) * span.as_secs();
    let mut queues = Vec::new();
    let mut publishers = JoinSet::new();
    for publisher in 0..connections {
        let (sender, mut queue) = mpsc::unbounded_channel::<(u64, Duration)>();
        queues.push(sender);
        let mut connection = Connection::open(server.address).await?;
        let paths = paths.clone();
        let kind = server.kind;
        publishers.spawn(async move {
            while let Some((number, due)) = queue.recv().await {
                let path = &paths[usize::try_from(number)? % paths.len()];
                connection
                    .post(path, &kind.wrap(&marked_text(publisher, number, due)))
                    .await?;
            }
            Ok::<_, Failure>(())
        });
    }
    std::thread::spawn(move || send_on_schedule(&queues, rate, total));
    while let Some(done) = publishers.join_next().await {
        done??;
    }
    Ok(total)
}

/// Sends each message to its publisher when it is due. Runs on a thread of its own, because timers
/// of the runtime have a resolution of a millisecond.
fn send_on_schedule(queues: &[mpsc::UnboundedSender<(u64, Duration)>], rate: u32, total: u64) {
    for (number, due) in schedule(rate, total) {
        let queue = usize::try_from(number).unwrap_or_default() % queues.len();
        // A publisher that has failed returns its own error.
        let _ = queues[queue].send((number, due));
    }
}

/// Numbers from 0, `rate` a second, each with the time since [`START`] when it is due. Blocks until
/// that time.
pub fn schedule(rate: u32, total: u64) -> impl Iterator<Item = (u64, Duration)> {
    let begin = START.elapsed();
    (0..total).map(move |number| {
        let due = begin + Duration::from_secs(number) / rate;
        std::thread::sleep(due.saturating_sub(START.elapsed()));
        (number, due)
    })
}
