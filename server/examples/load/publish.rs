//! Publishers: those who post as fast as they are acknowledged, and those who keep to a schedule.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Failure;
use crate::http::Connection;
use crate::servers::Server;

/// When this process began; what posts are stamped by.
pub static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Every text has this many bytes between its two marks, the marks included.
pub const MARKED: usize = 28;

/// A text that says who posted it, as which of its messages, and when it was due, in microseconds
/// since [`START`].
pub fn text(publisher: usize, number: u64, due: Duration) -> String {
    format!(
        "~{publisher:04}.{number:08}.{:012}~ the quick brown fox jumps",
        due.as_micros()
    )
}

/// Posts to each path by a publisher of its own for `span`, each as fast as it is acknowledged.
/// Tells how many.
pub async fn flat_out(server: &Server, paths: Vec<String>, span: Duration) -> Result<u64, Failure> {
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
                    .post(&path, &kind.wrap(&text(publisher, number, START.elapsed())))
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
/// Each message is stamped with the time when it was due: what waits behind a slow answer counts as
/// late.
pub async fn paced(
    server: &Server,
    paths: Arc<Vec<String>>,
    connections: usize,
    rate: u32,
    span: Duration,
) -> Result<u64, Failure> {
    let total = u64::from(rate) * span.as_secs();
    let mut inboxes = Vec::new();
    let mut publishers = JoinSet::new();
    for publisher in 0..connections {
        let (sender, mut inbox) = mpsc::unbounded_channel::<(u64, Duration)>();
        inboxes.push(sender);
        let mut connection = Connection::open(server.address).await?;
        let paths = paths.clone();
        let kind = server.kind;
        publishers.spawn(async move {
            while let Some((number, due)) = inbox.recv().await {
                let path = &paths[usize::try_from(number)? % paths.len()];
                connection
                    .post(path, &kind.wrap(&text(publisher, number, due)))
                    .await?;
            }
            Ok::<_, Failure>(())
        });
    }
    std::thread::spawn(move || keep_time(&inboxes, rate, total));
    while let Some(done) = publishers.join_next().await {
        done??;
    }
    Ok(total)
}

/// Says when each message is due. On a thread of its own: the timers of the runtime are only good
/// to a millisecond.
fn keep_time(inboxes: &[mpsc::UnboundedSender<(u64, Duration)>], rate: u32, total: u64) {
    for (number, due) in schedule(rate, total) {
        let inbox = usize::try_from(number).unwrap_or_default() % inboxes.len();
        // A publisher that failed has said so itself.
        let _ = inboxes[inbox].send((number, due));
    }
}

/// Numbers from 0, `rate` a second, each with the time since [`START`] when it is due, and not
/// before that.
pub fn schedule(rate: u32, total: u64) -> impl Iterator<Item = (u64, Duration)> {
    let begin = START.elapsed();
    (0..total).map(move |number| {
        let due = begin + Duration::from_secs(number) / rate;
        std::thread::sleep(due.saturating_sub(START.elapsed()));
        (number, due)
    })
}
