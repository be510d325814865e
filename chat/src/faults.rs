//! Faults that tests inject: interrupted statements and failed commits of `SQLite`, connections to
//! `PostgreSQL` that end, and panics of background tasks.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use crate::sync::lock;

/// After how many instructions of its virtual machine `SQLite` calls the progress handler.
const INSTRUCTIONS: i32 = 20;

/// The odds of a fault: one in this many, or never at 0. Off until armed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Arc<Odds>);

#[derive(Debug, Default)]
struct Odds {
    instructions: AtomicU32,
    commits: AtomicU32,
    /// Whether the answers of `PostgreSQL` to commits are lost.
    loses_answers: AtomicBool,
    happened: AtomicU32,
    /// Where the server is by now.
    moved_to: Mutex<Option<String>>,
    /// What happens to notifications between nodes.
    rings: Mutex<Option<GarbledRings>>,
    /// Whether notifications of `PostgreSQL` are left out, on connections from now on.
    is_deaf: AtomicBool,
    /// The migrations of a later version.
    migrations: Mutex<Vec<Migration>>,
    /// How often all connections were ended.
    cuts: watch::Sender<u32>,
    /// The tasks to panic.
    panics: watch::Sender<HashSet<&'static str>>,
    /// The places to stop at.
    stops: watch::Sender<HashMap<&'static str, Stop>>,
}

/// Whether something has stopped at a place where it is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Asked,
    Reached,
}

impl Faults {
    /// Lets whatever comes to a place stop there without an end, as if the process was killed.
    pub fn stop_at(&self, place: &'static str) {
        self.0.stops.send_modify(|stops| {
            stops.insert(place, Stop::Asked);
        });
    }

    /// Waits until something has stopped at a place. What comes there later does not stop.
    pub async fn stopped_at(&self, place: &'static str) {
        let mut stops = self.0.stops.subscribe();
        // The sender is in `self`, so the wait cannot fail.
        let _ = stops
            .wait_for(|stops| stops.get(place) == Some(&Stop::Reached))
            .await;
    }

    /// Stops without an end if [`Faults::stop_at`] has asked for it.
    pub async fn stop_if_asked(&self, place: &'static str) {
        let is_asked = self
            .0
            .stops
            .send_if_modified(|stops| match stops.get_mut(place) {
                Some(stop) if *stop == Stop::Asked => {
                    *stop = Stop::Reached;
                    true
                }
                _ => false,
            });
        if is_asked {
            std::future::pending::<()>().await;
        }
    }

    /// Makes a background task panic once, at its next await.
    pub fn panic_in(&self, task: &'static str) {
        self.0.panics.send_modify(|panics| {
            panics.insert(task);
        });
    }

    /// Panics when [`Faults::panic_in`] asks this task to.
    pub async fn panic_when_asked(&self, task: &'static str) {
        let mut asked = self.0.panics.subscribe();
        // The sender is in `self`, so the wait cannot fail.
        let _ = asked.wait_for(|panics| panics.contains(task)).await;
        self.0.panics.send_if_modified(|panics| {
            panics.remove(task);
            false
        });
        panic!("a test asked {task} to panic");
    }

    /// Panics if [`Faults::panic_in`] has asked for it.
    pub fn panic_if_asked(&self, place: &'static str) {
        let mut is_asked = false;
        self.0.panics.send_if_modified(|panics| {
            is_asked = panics.remove(place);
            false
        });
        assert!(!is_asked, "a test asked {place} to panic");
    }

    /// Interrupts a statement at one in `instructions` calls of the progress handler, and fails one
    /// in `commits` commits.
    pub fn arm(&self, instructions: u32, commits: u32) {
        self.0.instructions.store(instructions, Ordering::Relaxed);
        self.0.commits.store(commits, Ordering::Relaxed);
    }

    /// From now on, ends a connection to `PostgreSQL` after a commit and before its answer, or no longer.
    pub fn lose_answers(&self, loses: bool) {
        self.0.loses_answers.store(loses, Ordering::Relaxed);
    }

    /// Ends all connections to `PostgreSQL`, and passes later ones on to another server.
    pub fn move_server(&self, server: String) {
        *lock(&self.0.moved_to) = Some(server);
        self.end_connections();
    }

    /// Drops, doubles, delays and shuffles the notifications of other nodes, or none any more.
    pub fn garble_rings(&self, seed: Option<u64>) {
        *lock(&self.0.rings) = seed.map(|seed| GarbledRings {
            random: StdRng::seed_from_u64(seed),
            held: Vec::new(),
        });
    }

    /// What arrives instead of a notification.
    pub fn garble(&self, text: String) -> Vec<String> {
        match lock(&self.0.rings).as_mut() {
            Some(garbled) => garbled.garble(text),
            None => vec![text],
        }
    }

    /// Leaves out all notifications of `PostgreSQL`, on connections from now on.
    pub fn swallow_notifications(&self) {
        self.0.is_deaf.store(true, Ordering::Relaxed);
    }

    /// Makes this a later version, whose last migration of `PostgreSQL` is this one.
    pub fn add_migration(&self, number: i64, name: &'static str, sql: &'static str) {
        let sql = sql.into_sql_str();
        let migration = Migration::new(number, name.into(), MigrationType::Simple, sql, false);
        lock(&self.0.migrations).push(migration);
    }

    /// Adds the migrations of a later version.
    pub fn add_migrations(&self, migrator: &mut Migrator) {
        let added = lock(&self.0.migrations).clone();
        migrator.migrations.to_mut().extend(added);
    }

    /// Ends all connections to `PostgreSQL`.
    pub fn end_connections(&self) {
        self.0.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How many faults have happened.
    pub fn happened(&self) -> u32 {
        self.0.happened.load(Ordering::Relaxed)
    }

    /// Injects faults into every connection of a pool.
    pub fn happen_in(&self, pool: SqlitePoolOptions) -> SqlitePoolOptions {
        let odds = self.0.clone();
        pool.after_connect(move |connection, _| {
            let (statements, commits) = (odds.clone(), odds.clone());
            Box::pin(async move {
                let mut handle = connection.lock_handle().await?;
                handle.set_progress_handler(INSTRUCTIONS, move || {
                    statements.spare(&statements.instructions)
                });
                handle.set_commit_hook(move || commits.spare(&commits.commits));
                Ok(())
            })
        })
    }

    /// Listens in front of a `PostgreSQL` server, and ends connections where a fault is due: before a
    /// part of what a client sends reaches the server, or before a commit does. Returns the port.
    pub fn happen_between(&self, server: String) -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let odds = self.0.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (odds, server) = (odds.clone(), server.clone());
                tokio::spawn(async move { odds.relay(client, &server).await });
            }
        });
        port
    }

    /// Injects faults into one connection.
    pub fn happen_on(&self, connection: &rusqlite::Connection) -> rusqlite::Result<()> {
        let (statements, commits) = (self.0.clone(), self.0.clone());
        connection.progress_handler(
            INSTRUCTIONS,
            Some(move || !statements.spare(&statements.instructions)),
        )?;
        connection.commit_hook(Some(move || !commits.spare(&commits.commits)))
    }
}

/// Notifications that are dropped, doubled, delayed and shuffled.
#[derive(Debug)]
struct GarbledRings {
    random: StdRng,
    /// Those that arrive later.
    held: Vec<String>,
}

impl GarbledRings {
    fn garble(&mut self, text: String) -> Vec<String> {
        let count = [0, 1, 1, 1, 2][self.random.random_range(0..5)];
        self.held.extend(std::iter::repeat_n(text, count));
        self.held.shuffle(&mut self.random);
        let kept = self.random.random_range(0..=self.held.len().min(3));
        self.held.split_off(kept)
    }
}

impl Odds {
    /// Passes on what a client and a server send, until one of them ends or a fault happens.
    async fn relay(&self, mut client: TcpStream, server: &str) -> std::io::Result<()> {
        let mut cuts = self.cuts.subscribe();
        let moved_to = lock(&self.moved_to).clone();
        let server = moved_to.as_deref().unwrap_or(server);
        let mut server = TcpStream::connect(server).await?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let is_lost = AtomicBool::new(false);
        let answers = async {
            if self.is_deaf.load(Ordering::Relaxed) {
                return pass_without_notifications(from_server, to_client).await;
            }
            let mut buffer = vec![0; 1 << 16];
            loop {
                let length = from_server.read(&mut buffer).await?;
                if length == 0 || is_lost.load(Ordering::Relaxed) {
                    return Ok(());
                }
                to_client.write_all(&buffer[..length]).await?;
            }
        };
        let requests = async {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let length = from_client.read(&mut buffer).await?;
                let request = &buffer[..length];
                let is_commit = request.starts_with(b"Q")
                    && request.to_ascii_lowercase().ends_with(b"commit\0");
                let is_spared = !is_commit || self.spare(&self.commits);
                if length == 0 || !is_spared || !self.spare(&self.instructions) {
                    return Ok(());
                }
                if is_commit && self.loses_answers.load(Ordering::Relaxed) {
                    is_lost.store(true, Ordering::Relaxed);
                }
                to_server.write_all(request).await?;
            }
        };
        tokio::select! {
            ended = answers => ended,
            ended = requests => ended,
            _ = cuts.changed() => Ok(()),
        }
    }

    /// Whether no fault happens this time.
    fn spare(&self, one_in: &AtomicU32) -> bool {
        let one_in = one_in.load(Ordering::Relaxed);
        let spare = one_in == 0 || rand::rng().random_range(0..one_in) != 0;
        self.happened
            .fetch_add(u32::from(!spare), Ordering::Relaxed);
        spare
    }
}

/// Passes on what a `PostgreSQL` server sends, but for notifications
/// ([message formats](https://www.postgresql.org/docs/current/protocol-message-formats.html)).
async fn pass_without_notifications(
    from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
) -> std::io::Result<()> {
    let mut from = BufReader::new(from);
    let mut is_first = true;
    loop {
        let kind = from.read_u8().await?;
        // The answer that there is no encryption has no length.
        if std::mem::take(&mut is_first) && kind == b'N' {
            to.write_u8(kind).await?;
            continue;
        }
        let length = from.read_u32().await?;
        let mut message = vec![kind];
        message.extend(length.to_be_bytes());
        let rest = u64::from(length.saturating_sub(4));
        (&mut from).take(rest).read_to_end(&mut message).await?;
        if kind != b'A' {
            to.write_all(&message).await?;
        }
    }
}
