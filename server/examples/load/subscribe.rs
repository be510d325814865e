//! Subscribers: they read everything, note how late it was, and check that it is complete and in
//! the same order for all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::Failure;
use crate::http;
use crate::publish::{MARKED, START};
use crate::servers::Server;

/// How many subscribers knock at once.
const KNOCKING: usize = 128;

/// How long to wait for what was published.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// What all subscribers of a run share.
#[derive(Debug)]
struct Shared {
    delivered: AtomicU64,
    latencies: Mutex<Vec<u32>>,
    chunk: Mutex<Vec<u8>>,
}

/// Everybody who listens.
pub struct Audience {
    shared: Arc<Shared>,
    listening: JoinSet<Result<(), Failure>>,
    heard: Vec<(usize, Arc<Mutex<Heard>>)>,
}

/// What one subscriber has heard.
#[derive(Debug, Default)]
struct Heard {
    count: u64,
    /// Of everything in its order: whoever heard the same has the same.
    fold: u64,
    /// The newest of each publisher.
    newest: HashMap<u32, u32>,
    misplaced: u64,
}

impl Audience {
    /// So many subscribers to each path, all of them connected and answered.
    pub async fn gather(server: &Server, paths: &[String], each: usize) -> Result<Self, Failure> {
        let shared = Shared {
            delivered: AtomicU64::new(0),
            latencies: Mutex::default(),
            chunk: Mutex::new(vec![0; CHUNK]),
        };
        let mut audience = Self {
            shared: Arc::new(shared),
            listening: JoinSet::new(),
            heard: Vec::new(),
        };
        let seats: Vec<usize> = (0..paths.len())
            .flat_map(|room| std::iter::repeat_n(room, each))
            .collect();
        for some in seats.chunks(KNOCKING) {
            let mut knocking = JoinSet::new();
            for room in some {
                let address = server.address;
                let path = format!("{}?after=latest", paths[*room]);
                let room = *room;
                knocking.spawn(async move {
                    let stream = http::follow(address, &path).await?;
                    stream.readable().await?;
                    Ok::<_, Failure>((room, stream))
                });
            }
            while let Some(answered) = knocking.join_next().await {
                let (room, stream) = answered??;
                let heard = Arc::<Mutex<Heard>>::default();
                audience.heard.push((room, heard.clone()));
                audience
                    .listening
                    .spawn(listen(stream, audience.shared.clone(), heard));
            }
        }
        Ok(audience)
    }

    /// Waits until everybody together was delivered so much.
    pub async fn hear_all(&mut self, deliveries: u64) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while self.shared.delivered.load(Ordering::Relaxed) < deliveries {
            if let Some(ended) = self.listening.try_join_next() {
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

    /// Makes sure that all of a room heard the same, in the order in which each publisher spoke.
    pub fn check(&self) -> Result<(), Failure> {
        let mut rooms: HashMap<usize, (u64, u64)> = HashMap::new();
        for (room, heard) in &self.heard {
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            let same = *rooms.entry(*room).or_insert((heard.count, heard.fold))
                == (heard.count, heard.fold);
            if !same || heard.misplaced > 0 {
                return Err(format!(
                    "room {room}: {} messages out of order, same for all: {same}",
                    heard.misplaced
                )
                .into());
            }
        }
        Ok(())
    }

    /// How late everything was, in ascending order, in microseconds.
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

async fn listen(
    stream: TcpStream,
    shared: Arc<Shared>,
    heard: Arc<Mutex<Heard>>,
) -> Result<(), Failure> {
    // The beginning of a mark whose end has not come yet.
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
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        rest = heard.take(&chunk[..rest.len() + read], &shared)?;
    }
}

impl Heard {
    /// Takes in what was read, and gives back what is not complete.
    fn take(&mut self, mut text: &[u8], shared: &Shared) -> Result<Vec<u8>, Failure> {
        let now = START.elapsed();
        let mut latencies = shared
            .latencies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = self.count;
        while let Some(mark) = memchr::memchr(b'~', text) {
            text = &text[mark..];
            let Some((marked, after)) = text.split_at_checked(MARKED) else {
                break;
            };
            let due = self.note(marked)?;
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

    fn note(&mut self, marked: &[u8]) -> Result<u64, Failure> {
        if marked[MARKED - 1] != b'~' {
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
        self.fold = self.fold.wrapping_mul(0x0100_0000_01b3)
            ^ (u64::from(publisher) << 32 | u64::from(number));
        let newest = self.newest.insert(publisher, number);
        self.misplaced += u64::from(newest.is_some_and(|newest| newest >= number));
        Ok(digits(15, 27))
    }
}
