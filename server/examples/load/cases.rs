//! The measurements, the same for both servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::files;
use crate::publish;
use crate::report::percentile;
use crate::servers::{Server, listen_overflows};
use crate::subscribe::{Subscribers, connect_herd};

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    FlatOut,
    Steady,
    ManyRooms,
    Posts,
    Alone,
    Idle,
    Herd,
    Upload,
    Download,
}

pub const ALL: [Case; 9] = [
    Case::FlatOut,
    Case::Steady,
    Case::ManyRooms,
    Case::Posts,
    Case::Alone,
    Case::Idle,
    Case::Herd,
    Case::Upload,
    Case::Download,
];

/// Named figures, in the order of the table.
pub type Figures = Vec<(&'static str, f64)>;

/// How many idle subscribers there are. One process may open hardly more sockets.
const IDLE_SUBSCRIBERS: usize = 15_000;

impl Case {
    pub fn name(self) -> &'static str {
        match self {
            Self::FlatOut => "one room, 1,000 subscribers, 8 publishers as fast as acknowledged",
            Self::Steady => "one room, 1,000 subscribers, 50 messages/s",
            Self::ManyRooms => "1,000 rooms with 5 subscribers each, 2,000 messages/s",
            Self::Posts => "64 publishers, 64 rooms, as fast as acknowledged",
            Self::Alone => "one room, 1 subscriber, 100 messages/s",
            Self::Idle => "15,000 idle subscribers",
            Self::Herd => "15,000 subscribers that come at once",
            Self::Upload => "upload of a file of 512 MiB",
            Self::Download => "download of a file of 512 MiB",
        }
    }

    pub async fn run(self, server: &Server) -> Result<Figures, Failure> {
        match self {
            Self::FlatOut => run_flat_out(server).await,
            Self::Steady => run_paced(server, 1, 1_000, 50).await,
            Self::ManyRooms => run_paced(server, 1_000, 5, 2_000).await,
            Self::Posts => run_posts(server).await,
            Self::Alone => run_paced(server, 1, 1, 100).await,
            Self::Idle => run_idle(server).await,
            Self::Herd => run_herd(server).await,
            Self::Upload => files::run_upload(server).await,
            Self::Download => files::run_download(server).await,
        }
    }
}

async fn run_flat_out(server: &Server) -> Result<Figures, Failure> {
    let paths = server.create_rooms(1).await?;
    let mut subscribers = Subscribers::connect(server, &paths, 1_000).await?;
    let begin = Instant::now();
    let cpu = server.cpu_time()?;
    let posted =
        publish::publish_flat_out(server, vec![paths[0].clone(); 8], Duration::from_secs(5))
            .await?;
    subscribers.wait_for_deliveries(posted * 1_000).await?;
    subscribers.check_order()?;
    let deliveries = (posted * 1_000) as f64;
    let cpu = (server.cpu_time()? - cpu).as_secs_f64();
    Ok(vec![
        ("deliveries/s", deliveries / begin.elapsed().as_secs_f64()),
        ("CPU µs per delivery", cpu * 1e6 / deliveries),
    ])
}

async fn run_paced(
    server: &Server,
    count: usize,
    each: usize,
    rate: u32,
) -> Result<Figures, Failure> {
    let paths = Arc::new(server.create_rooms(count).await?);
    let mut subscribers = Subscribers::connect(server, &paths, each).await?;
    let cpu = server.cpu_time()?;
    let connections = if count == 1 { 8 } else { 64 };
    let posted =
        publish::publish_paced(server, paths, connections, rate, Duration::from_secs(8)).await?;
    subscribers
        .wait_for_deliveries(posted * each as u64)
        .await?;
    if count == 1 {
        // With one room, the order of messages is the server's, and must be the same for all.
        subscribers.check_order()?;
    }
    let cpu = (server.cpu_time()? - cpu).as_secs_f64() * 1e6;
    let latencies = subscribers.latencies();
    drop(subscribers);
    let each = if count == 1 {
        ("CPU µs per delivery", each as f64)
    } else {
        ("CPU µs per message", 1.0)
    };
    Ok(vec![
        (each.0, cpu / posted as f64 / each.1),
        ("p50 ms", percentile(&latencies, 50)),
        ("p99 ms", percentile(&latencies, 99)),
        (
            "p99 ms of `fdatasync` at the same rate",
            server.sync_time(rate, posted)?,
        ),
    ])
}

async fn run_posts(server: &Server) -> Result<Figures, Failure> {
    let paths = server.create_rooms(64).await?;
    let begin = Instant::now();
    let cpu = server.cpu_time()?;
    let posted = publish::publish_flat_out(server, paths, Duration::from_secs(5)).await? as f64;
    let cpu = (server.cpu_time()? - cpu).as_secs_f64();
    Ok(vec![
        ("posts/s", posted / begin.elapsed().as_secs_f64()),
        ("CPU µs per post", cpu * 1e6 / posted),
    ])
}

async fn run_idle(server: &Server) -> Result<Figures, Failure> {
    let paths = server.create_rooms(1).await?;
    let before = server.resident_memory()?;
    let mut subscribers = Subscribers::connect(server, &paths, IDLE_SUBSCRIBERS).await?;
    subscribers.wait_for_deliveries(0).await?;
    let grown = server.resident_memory()?.saturating_sub(before);
    Ok(vec![(
        "bytes resident per subscriber",
        grown as f64 / IDLE_SUBSCRIBERS as f64,
    )])
}

async fn run_herd(server: &Server) -> Result<Figures, Failure> {
    let paths = server.create_rooms(1).await?;
    let overflows = listen_overflows()?;
    let times = connect_herd(server.address, &paths[0], IDLE_SUBSCRIBERS).await?;
    Ok(vec![
        ("ms until the median is answered", percentile(&times, 50)),
        ("ms until all are answered", percentile(&times, 100)),
        (
            "clients that found no place in the queue",
            (listen_overflows()? - overflows) as f64,
        ),
    ])
}
