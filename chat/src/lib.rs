//! The rules and the data of chat rooms.
//!
//! A room is a log, and a client is a cursor on it. [`Chat`] is the handle to everything. An
//! expected "no" is a [`protocol::Refusal`]; any other error is a fault.
//!
//! # Not here
//! - HTTP and pages: the server and the app.

#[cfg(test)]
mod captured_log;
mod clock;
mod config;
mod current_epoch;
mod duration;
mod error;
mod events;
#[cfg(test)]
mod faults;
pub mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod json_line;
mod lifecycle;
mod lifetime;
mod listeners;
pub mod lobby;
mod log;
mod markup;
mod metrics;
mod nodes;
mod readiness;
mod realtime;
mod retries;
mod room;
mod store;
mod supervisor;
mod sync;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::Time;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::clock::Clock;
pub use self::config::{Config, Scanner};
use self::current_epoch::CurrentEpoch;
pub use self::duration::{ParseDurationError, parse_duration};
pub use self::error::Error;
use self::events::DomainEvent;
pub use self::files::picture::PREVIEW_MAX;
pub use self::files::{
    Checksum, FileDownload, FileLimits, NewUpload, Upload, UploadBody, UploadPart, UploadTurn,
};
use self::files::{FileRecheck, FileSweeper, Files};
pub use self::identity::account::{IdentityLinks, Session};
pub use self::identity::oidc_identity::{OidcIdentity, ProviderProfile};
pub use self::identity::password::PasswordClient;
use self::identity::password::Passwords;
pub use self::identity::person::{AccountHolder, GuestId, Person};
pub use self::identity::session_watch::SessionWatch;
pub use self::identity::shared_attempts::SharedAttempts;
pub use self::identity::sign_in_methods::SignInMethods;
pub use self::identity::token::GUEST_LIFETIME;
use self::identity::token::Tokens;
pub use self::lifecycle::archive::{Export, ExportFormat};
use self::lifecycle::eraser::Eraser;
use self::lifecycle::expiry::Expiry;
pub use self::lifecycle::verify::{CheckedArchive, verify_archive};
pub use self::lifecycle::zip_export::ZipExport;
use self::listeners::Listeners;
pub use self::log::NewFiles;
pub use self::log::command::IdempotencyKey;
pub use self::log::history::MessagesReader;
use self::log::load::WriterMemory;
use self::log::writer::{WriteQueue, Writer};
pub use self::metrics::{Metrics, StreamCut};
pub use self::nodes::operator_change::set_operator;
use self::nodes::{Node, database_clock};
pub use self::realtime::follower::{FollowEvent, Follower};
pub use self::realtime::frame::{Ephemeral, Frame, Frames};
pub use self::realtime::hub::Sink;
use self::realtime::operator_watch::OperatorWatch;
pub use self::realtime::overview::OverviewWatch;
pub use self::realtime::public_rooms::PublicRoomsWatch;
use self::realtime::publisher::Publisher;
use self::retries::Retries;
pub use self::room::person_card::PersonQuery;
pub use self::room::preferences::RoomListing;
use self::room::read_marker::ReadMarkers;
pub use self::room::sanctions::SanctionTarget;
use self::room::skeleton_update;
pub use self::store::backup::{back_up_database, restore_database};
pub use self::store::copy::{CopiedTable, CopyEnd, copy_database};
use self::store::disk_space::DiskSpace;
pub use self::store::rows::{AccountsPage, LinkedIdentity, Listing, MessagesPage, RoomsPage};
use self::store::{
    AccountSession, DatabaseLocation, Lookups, RoomLookup, Store, WriteTransaction, data_dir,
    file_access,
};
pub use self::store::{check_postgres_url, is_postgres};
use self::store::{log_position, meta};
pub use self::supervisor::Supervisor;
use self::sync::lock;

/// The handle to all rooms and accounts. It is cheap to clone.
#[derive(Clone, Debug)]
pub struct Chat(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    room_lookups: Lookups<RoomLookup>,
    account_lookups: Lookups<AccountSession>,
    read_markers: ReadMarkers,
    listeners: Listeners,
    metrics: Metrics,
    clock: Clock,
    epoch: CurrentEpoch,
    instance_id: u32,
    /// When a version that gives cookies a prefix first opened the database.
    cookie_prefix_at: Time,
    timeout: Duration,
    direct_timeout: Duration,
    password_min: usize,
    jwt_lifetime: Duration,
    passwords: Passwords,
    tokens: Tokens,
    disk: DiskSpace,
    files: Files,
    /// Whether this node does what one of them has to do alone. The only server of a database does.
    is_leader: watch::Sender<bool>,
    /// `None` once closed. Locked only to clone the queue or to take it away.
    write_queue: Mutex<Option<WriteQueue>>,
    supervisor: Supervisor,
    /// The reads of [`Chat::check_readiness`].
    read_retries: Mutex<Retries>,
    tasks: Mutex<Option<Tasks>>,
    data_dir_lock: File,
}

/// The tasks that [`Chat::open`] starts and [`Chat::close`] ends.
#[derive(Debug)]
struct Tasks {
    writer: JoinHandle<()>,
    background: Vec<JoinHandle<()>>,
}

impl Chat {
    /// Opens the data directory, migrates the database and starts the background tasks.
    ///
    /// # Errors
    /// A fault that names the cause: an unusable or used directory, or a damaged database.
    pub async fn open(config: Config) -> Result<Self, Error> {
        std::fs::create_dir_all(&config.data_dir)?;
        let data_dir_lock = data_dir::lock(&config.data_dir)?;
        let location = DatabaseLocation::of(&config)?;
        file_access::restrict(&config.data_dir, location.file())?;
        let store = Store::open(&location).await?;
        if let Some(nodes) = store.node_store() {
            database_clock::set_clock(&nodes, &config.clock).await?;
        }
        log_position::join(&store).await?;
        skeleton_update::update_skeletons(&store).await?;
        // A database that has no epoch yet is new.
        let cookie_prefix_at = meta::load_cookie_prefix_time(&store, config.clock.now()).await?;
        let epoch = CurrentEpoch::new(store.load_epoch().await?);
        let instance_id = store.load_instance_id().await?;
        let tokens = Tokens::open(&config, &store).await?;
        lifecycle::prepare_rooms(&store, &config).await?;
        let clock = config.clock.clone();
        let mut places = vec![config.data_dir.clone()];
        places.extend(location.file().map(Path::to_owned));
        places.extend(config.shared_files.clone());
        let disk = DiskSpace::new(places, config.free_space);
        let node = match store.node_store() {
            Some(nodes) => Some(Node::join(nodes, clock.clone()).await?),
            None => None,
        };
        let bell = node.as_ref().map(|node| node.bell.clone());
        let metrics = Metrics::of_node(node.as_ref().map(|node| node.metrics.clone()));
        let listeners = Listeners::new(&config, bell, &metrics, epoch.clone());
        let wake = listeners.files.clone();
        let files = Files::open(&config, &store, disk.clone(), wake).await?;
        let publisher = Publisher {
            listeners: listeners.clone(),
            epoch: epoch.clone(),
        };
        #[cfg(test)]
        let supervisor = Supervisor::with_faults(&metrics, config.faults.clone());
        #[cfg(not(test))]
        let supervisor = Supervisor::new(&metrics);
        let (write_queue, writer) = Writer::start(
            &location,
            &store,
            clock.clone(),
            metrics.clone(),
            WriterMemory::new(
                &config,
                &store,
                disk.clone(),
                listeners.registrations.clone(),
                listeners.unlistings.clone(),
            ),
            &supervisor,
            move |committed| publisher.publish(committed),
        )?;
        let Listeners { hub, operators, .. } = &listeners;
        let operators =
            OperatorWatch::new(store.clone(), hub.clone(), clock.clone(), operators.clone())
                .await?;
        let operators = supervisor.spawn("operators", move || operators.clone().run());
        let (room_lookups, rooms) = Lookups::start("room lookups", &store, &supervisor);
        let (account_lookups, accounts) = Lookups::start("account lookups", &store, &supervisor);
        let is_leader = watch::Sender::new(!store.is_shared());
        let (read_markers, reports) = ReadMarkers::start(&store, &listeners, &clock, &supervisor);
        let inner = Arc::new(Inner {
            store,
            room_lookups,
            account_lookups,
            read_markers,
            listeners,
            metrics,
            clock,
            epoch,
            instance_id,
            cookie_prefix_at,
            timeout: config.timeout,
            direct_timeout: config.direct_timeout,
            password_min: config.password_min,
            jwt_lifetime: config.jwt_lifetime,
            passwords: Passwords::new(),
            tokens,
            disk,
            files,
            is_leader,
            write_queue: Mutex::new(Some(write_queue)),
            supervisor,
            read_retries: Mutex::new(Retries::of("read the database")),
            tasks: Mutex::new(None),
            data_dir_lock,
        });
        let mut background = start_background_tasks(&inner, &config, node);
        background.extend([rooms, accounts, reports, operators]);
        *lock(&inner.tasks) = Some(Tasks { writer, background });
        Ok(Self(inner))
    }

    /// The ID of this instance of the server: a random number that is kept with the database.
    pub fn instance_id(&self) -> u32 {
        self.0.instance_id
    }

    /// The current time by the clock of the configuration.
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// How long a room stays open without a new message, unless its owner asked for less.
    pub fn room_timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Commits a transaction and applies its events, as [`Listeners::commit`] does.
    async fn commit(
        &self,
        tx: WriteTransaction,
        events: impl IntoIterator<Item = DomainEvent>,
    ) -> Result<(), Error> {
        self.0.listeners.commit(tx, events).await
    }

    /// The supervisor of the background tasks.
    pub fn supervisor(&self) -> &Supervisor {
        &self.0.supervisor
    }

    /// Ends every stream, so that its client reconnects. Posts are still accepted.
    pub fn drain(&self) {
        self.0.listeners.hub.drain();
        self.0.listeners.public_rooms.drain();
    }

    /// Commits the queued posts, ends the tasks and closes the database. Later posts are refused.
    pub async fn close(&self) {
        lock(&self.0.write_queue).take();
        let Some(tasks) = lock(&self.0.tasks).take() else {
            return;
        };
        if let Err(error) = tasks.writer.await {
            tracing::error!(%error, "the writer ended early");
        }
        for task in tasks.background {
            task.abort();
        }
        self.0.listeners.finish(&self.0.store).await;
        log_position::leave(&self.0.store).await;
        self.0.store.close().await;
        if let Err(error) = self.0.data_dir_lock.unlock() {
            tracing::error!(%error, "cannot unlock the data directory");
        }
    }
}

/// Starts the tasks that run until the chat is closed.
fn start_background_tasks(
    inner: &Inner,
    config: &Config,
    node: Option<Node>,
) -> Vec<JoinHandle<()>> {
    let expiry = Expiry {
        store: inner.store.clone(),
        listeners: inner.listeners.clone(),
        clock: inner.clock.clone(),
    };
    let eraser = Eraser {
        is_leader: inner.is_leader.subscribe(),
        store: inner.store.clone(),
        listeners: inner.listeners.clone(),
        metrics: inner.metrics.clone(),
        clock: inner.clock.clone(),
        archives: config.archive.then(|| config.archive_directory()),
        files: inner.files.clone(),
    };
    let sweeper = FileSweeper {
        files: inner.files.clone(),
        store: inner.store.clone(),
        clock: inner.clock.clone(),
        is_leader: inner.is_leader.subscribe(),
    };
    let recheck = FileRecheck {
        files: inner.files.clone(),
        store: inner.store.clone(),
        clock: inner.clock.clone(),
    };
    let supervisor = &inner.supervisor;
    let public_rooms = inner.listeners.public_rooms.clone();
    let store = inner.store.clone();
    let hub = inner.listeners.hub.clone();
    let maintenance = inner.store.clone();
    let mut tasks = vec![
        supervisor.spawn("expiry", move || expiry.clone().run()),
        supervisor.spawn("eraser", move || eraser.clone().run()),
        supervisor.spawn("files", move || sweeper.clone().run()),
        supervisor.spawn("file checks", move || recheck.clone().run()),
        supervisor.spawn("public rooms", move || {
            public_rooms.clone().run(store.clone())
        }),
        supervisor.spawn("presence", move || hub.clone().run_presence()),
        supervisor.spawn("maintenance", move || maintenance.clone().run_maintenance()),
    ];
    if let Some(node) = node {
        let (leadership, is_leader) = (inner.store.clone(), inner.is_leader.clone());
        tasks.push(supervisor.spawn("leadership", move || {
            leadership.clone().lead(is_leader.clone())
        }));
        tasks.extend(node.start(inner));
    }
    tasks
}
