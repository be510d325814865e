//! Subscribers: they read all messages, record the delay of each, and check that all subscribers of
//! a room get the same messages in the same order.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::http;
use crate::publish::{MARKED_LENGTH, START};
use crate::servers::Server;

/// How many subscribers connect at once.
const SIMULTANEOUS_CONNECTS: usize = 128;

/// The longest wait for deliveries.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

/// The size of the read buffer, in bytes.
const CHUNK: usize = 256 * 1024;

/// The state that all subscribers of a run share.
#[derive(Debug)]
struct Shared {
    delivered: AtomicU64,
    latencies: Mutex<Vec<u32>>,
    chunk: Mutex<Vec<u8>>,
}

/// All subscribers of a run.
pub struct Subscribers {
    shared: Arc<Shared>,
    receiving: JoinSet<Result<(), Failure>>,
    received: Vec<(usize, Arc<Mutex<Received>>)>,
}

/// The messages that one subscriber has received.
#[derive(Debug, Default)]
struct Received {
    count: u64,
    /// A hash of all messages in their order, for comparison with other subscribers.
    hash: u64,
    /// The newest number of each publisher.
    newest: HashMap<u32, u32>,
    misplaced: u64,
}

impl Subscribers {
    /// Connects `each` subscribers to each path, and waits until all have a response.
    pub async fn connect(server: &Server, paths: &[String], each: usize) -> Result<Self, Failure> {
        Self::connect_with(server, paths, each, "").await
    }

    /// Does the same with something more at the end of the addresses.
    pub async fn connect_with(
        server: &Server,
        paths: &[String],
        each: usize,
        query: &str,
    ) -> Result<Self, Failure> {
        let shared = Shared {
            delivered: AtomicU64::new(0),
            latencies: Mutex::default(),
            chunk: Mutex::new(vec![0; CHUNK]),
        };
        let mut subscribers = Self {
            shared: Arc::new(shared),
            receiving: JoinSet::new(),
            received: Vec::new(),
        };
        let rooms_of_subscribers: Vec<usize> = (0..paths.len())
            .flat_map(|room| std::iter::repeat_n(room, each))
            .collect();
        for some in rooms_of_subscribers.chunks(SIMULTANEOUS_CONNECTS) {
            let mut connecting = JoinSet::new();
            for room in some {
                let address = server.address;
                let path = format!("{}?after=latest{query}", paths[*room]);
                let room = *room;
                connecting.spawn(async move {
                    let stream = http::follow(address, &path).await?;
                    stream.readable().await?;
                    Ok::<_, Failure>((room, stream))
                });
            }
            while let Some(answered) = connecting.join_next().await {
                let (room, stream) = answered??;
                let received = Arc::<Mutex<Received>>::default();
                subscribers.received.push((room, received.clone()));
                subscribers
                    .receiving
                    .spawn(receive(stream, subscribers.shared.clone(), received));
            }
        }
        Ok(subscribers)
    }

    /// Waits until this many messages were delivered to all subscribers together.
    pub async fn wait_for_deliveries(&mut self, deliveries: u64) -> Result<(), Failure> {
        let end = Instant::now() + DELIVERY_TIMEOUT;
        while self.shared.delivered.load(Ordering::Relaxed) < deliveries {
            if let Some(ended) = self.receiving.try_join_next() {
                return Err(format!("a stream ended: {:?}", ended?).into());
            }
            if Instant::now() > end {
                let delivered = self.shared.delivered.load(Ordering::Relaxed);
                return Err(format!("{delivered} deliveries instead of {deliveries}").into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Checks that all subscribers of a room received the same, in the order of each publisher.
    pub fn check_order(&self) -> Result<(), Failure> {
        let mut rooms: HashMap<usize, (u64, u64)> = HashMap::new();
        for (room, received) in &self.received {
            let received = received.lock().unwrap_or_else(PoisonError::into_inner);
            let same = *rooms
                .entry(*room)
                .or_insert((received.count, received.hash))
                == (received.count, received.hash);
            if !same || received.misplaced > 0 {
                return Err(format!(
                    "room {room}: {} messages out of order, same for all: {same}",
                    received.misplaced
                )
                .into());
            }
        }
        Ok(())
    }

    /// The delays of all deliveries, ascending, in microseconds.
    pub fn latencies(&self) -> Vec<u32> {
        let mut all = std::mem::take(
            &mut *self
                .shared
                .latencies
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        all.sort_unstable();
        all
    }
}

/// Connects this many subscribers to a path at once, and keeps them until all are answered.
/// Returns the times until each was answered, ascending, in microseconds.
pub async fn connect_herd(
    address: SocketAddr,
    path: &str,
    count: usize,
) -> Result<Vec<u32>, Failure> {
    let begin = Instant::now();
    let mut connecting = JoinSet::new();
    for _ in 0..count {
        let path = format!("{path}?after=latest");
        connecting.spawn(async move {
            let stream = http::follow(address, &path).await?;
            stream.readable().await?;
            Ok::<_, Failure>((begin.elapsed(), stream))
        });
    }
    let mut times = Vec::new();
    let mut streams = Vec::new();
    while let Some(answered) = connecting.join_next().await {
        let (time, stream) = answered??;
        times.push(u32::try_from(time.as_micros())?);
        streams.push(stream);
    }
    times.sort_unstable();
    Ok(times)
}

async fn receive(
    stream: TcpStream,
    shared: Arc<Shared>,
    received: Arc<Mutex<Received>>,
) -> Result<(), Failure> {
    // The incomplete mark at the end of what was read.
    let mut rest: Vec<u8> = Vec::new();
    loop {
        stream.readable().await?;
        let mut chunk = shared.chunk.lock().unwrap_or_else(PoisonError::into_inner);
        chunk[..rest.len()].copy_from_slice(&rest);
        let read = match stream.try_read(&mut chunk[rest.len()..]) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error.into()),
        };
        let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
        rest = received.record_all(&chunk[..rest.len() + read], &shared)?;
    }
}

impl Received {
    /// Records the messages in what was read. Returns the incomplete rest.
    fn record_all(&mut self, mut text: &[u8], shared: &Shared) -> Result<Vec<u8>, Failure> {
        let now = START.elapsed();
        let mut latencies = shared
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = self.count;
        while let Some(mark) = memchr::memchr(b'~', text) {
            text = &text[mark..];
            let Some((marked, after)) = text.split_at_checked(MARKED_LENGTH) else {
                break;
            };
            let due = self.record(marked)?;
            latencies.push(
                u32::try_from(now.as_micros().saturating_sub(due.into())).unwrap_or(u32::MAX),
            );
            text = after;
        }
        shared
            .delivered
            .fetch_add(self.count - before, Ordering::Relaxed);
        Ok(memchr::memchr(b'~', text).map_or_else(Vec::new, |mark| text[mark..].to_vec()))
    }

    fn record(&mut self, marked: &[u8]) -> Result<u64, Failure> {
        if marked[MARKED_LENGTH - 1] != b'~' {
            return Err(format!("garbled: {}", String::from_utf8_lossy(marked)).into());
        }
        let digits = |from: usize, to: usize| {
            marked[from..to]
                .iter()
                .fold(0_u64, |n, d| n * 10 + u64::from(d - b'0'))
        };
        let publisher = u32::try_from(digits(1, 5))?;
        let number = u32::try_from(digits(6, 14))?;
        self.count += 1;
        self.hash = self.hash.wrapping_mul(0x0100_0000_01b3)
            ^ (u64::from(publisher) << 32 | u64::from(number));
        let newest = self.newest.insert(publisher, number);
        self.misplaced += u64::from(newest.is_some_and(|newest| newest >= number));
        Ok(digits(15, 27))
    }
}
