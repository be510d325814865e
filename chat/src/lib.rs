//! The rules and the data of chat rooms.
//!
//! A room is a log, and a client is a cursor on it. [`Chat`] is the handle to everything. An
//! expected "no" is a [`protocol::Refusal`]; any other error is a fault.
//!
//! # Not here
//! - HTTP and pages: the server and the app.

mod clock;
mod config;
mod duration;
mod error;
mod events;
#[cfg(test)]
mod faults;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod json_line;
mod lifecycle;
mod lifetime;
pub mod lobby;
mod log;
mod markup;
mod readiness;
mod realtime;
mod room;
mod store;
mod supervisor;
mod sync;
#[cfg(test)]
mod testing;

use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::{Epoch, Time};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use self::clock::Clock;
pub use self::config::Config;
pub use self::duration::{ParseDurationError, parse_duration};
pub use self::error::Error;
use self::events::DomainEvent;
pub use self::identity::account::{IdentityLinks, Session, set_operator};
pub use self::identity::oidc_identity::{OidcIdentity, ProviderProfile};
pub use self::identity::password::PasswordClient;
use self::identity::password::Passwords;
pub use self::identity::person::{AccountHolder, GuestId, Person};
use self::identity::session_watch::SessionRegistry;
pub use self::identity::session_watch::SessionWatch;
pub use self::identity::sign_in_methods::SignInMethods;
pub use self::identity::token::GUEST_LIFETIME;
use self::identity::token::Tokens;
pub use self::lifecycle::archive::{Export, ExportFormat};
use self::lifecycle::eraser::Eraser;
use self::lifecycle::expiry::Expiry;
pub use self::log::command::IdempotencyKey;
pub use self::log::history::MessagesReader;
use self::log::load::{RegistrationCounter, UnlistingCounter, WriterMemory};
use self::log::writer::{WriteQueue, Writer};
pub use self::realtime::follower::{FollowEvent, Follower};
pub use self::realtime::frame::{Ephemeral, Frame, Frames};
use self::realtime::hub::Hub;
pub use self::realtime::hub::Sink;
pub use self::realtime::overview::OverviewWatch;
use self::realtime::public_rooms::PublicRooms;
pub use self::realtime::public_rooms::PublicRoomsWatch;
use self::realtime::publisher::Publisher;
pub use self::room::person_card::PersonQuery;
pub use self::room::preferences::RoomListing;
pub use self::room::sanctions::SanctionTarget;
use self::room::skeleton_update;
use self::store::disk_space::DiskSpace;
use self::store::meta;
pub use self::store::rows::{AccountsPage, LinkedIdentity, Listing, MessagesPage, RoomsPage};
pub use self::store::sqlite::backup::{back_up_database, restore_database};
use self::store::{
    AccountSession, DatabaseLocation, Lookups, RoomLookup, Store, WriteTransaction, data_dir,
    file_access,
};
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
    listeners: Listeners,
    clock: Clock,
    epoch: Epoch,
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
    /// `None` once closed. Locked only to clone the queue or to take it away.
    write_queue: Mutex<Option<WriteQueue>>,
    supervisor: Supervisor,
    tasks: Mutex<Option<Tasks>>,
    data_dir_lock: File,
}

/// The parts of this process that hear of committed transactions. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Listeners {
    hub: Hub,
    public_rooms: PublicRooms,
    sessions: SessionRegistry,
    registrations: RegistrationCounter,
    unlistings: UnlistingCounter,
    /// Wakes the eraser when rooms are frozen.
    frozen: Arc<Notify>,
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
    /// A fault that names the cause: the directory cannot be used, another process uses it, or the
    /// database is damaged.
    pub async fn open(config: Config) -> Result<Self, Error> {
        std::fs::create_dir_all(&config.data_dir)?;
        let data_dir_lock = data_dir::lock(&config.data_dir)?;
        let location = DatabaseLocation::of(&config)?;
        file_access::restrict(&config.data_dir, location.path())?;
        let store = Store::open(&location).await?;
        skeleton_update::update_skeletons(&store).await?;
        // A database that has no epoch yet is new.
        let cookie_prefix_at = meta::load_cookie_prefix_time(&store, config.clock.now()).await?;
        let epoch = store.load_epoch().await?;
        let instance_id = store.load_instance_id().await?;
        let tokens = Tokens::open(&config)?;
        lifecycle::prepare_rooms(&store, &config).await?;
        let clock = config.clock.clone();
        let places = [config.data_dir.clone(), location.path().to_owned()];
        let disk = DiskSpace::new(places, config.free_space);
        let listeners = Listeners::new(&config);
        let publisher = Publisher {
            listeners: listeners.clone(),
            epoch,
        };
        #[cfg(test)]
        let supervisor = Supervisor::with_faults(config.faults.clone());
        #[cfg(not(test))]
        let supervisor = Supervisor::default();
        let (write_queue, writer) = Writer::start(
            &location,
            &store,
            clock.clone(),
            WriterMemory::new(
                &config,
                disk.clone(),
                listeners.registrations.clone(),
                listeners.unlistings.clone(),
            ),
            &supervisor,
            move |committed| publisher.publish(committed),
        )?;
        let (room_lookups, rooms) = Lookups::start("room lookups", &store, &supervisor);
        let (account_lookups, accounts) = Lookups::start("account lookups", &store, &supervisor);
        let inner = Arc::new(Inner {
            store,
            room_lookups,
            account_lookups,
            listeners,
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
            write_queue: Mutex::new(Some(write_queue)),
            supervisor,
            tasks: Mutex::new(None),
            data_dir_lock,
        });
        let mut background = start_background_tasks(&inner, &config);
        background.extend([rooms, accounts]);
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
        self.0.store.close().await;
        if let Err(error) = self.0.data_dir_lock.unlock() {
            tracing::error!(%error, "cannot unlock the data directory");
        }
    }
}

impl Listeners {
    fn new(config: &Config) -> Self {
        Self {
            hub: Hub::new(config.ring_bytes, config.clock.clone()),
            public_rooms: PublicRooms::new(),
            sessions: SessionRegistry::default(),
            registrations: RegistrationCounter::default(),
            unlistings: UnlistingCounter::default(),
            frozen: Arc::default(),
        }
    }

    /// Commits a transaction, and applies its events before the next transaction may begin. Both
    /// steps complete even if the caller of this future drops it.
    async fn commit(
        &self,
        tx: WriteTransaction,
        events: impl IntoIterator<Item = DomainEvent>,
    ) -> Result<(), Error> {
        let listeners = self.clone();
        let events: Vec<DomainEvent> = events.into_iter().collect();
        let commit = async move {
            let write_lock = tx.commit().await?;
            events.iter().for_each(|event| event.apply(&listeners));
            drop(write_lock);
            Ok(())
        };
        tokio::spawn(commit).await.map_err(Error::fault)?
    }
}

/// Starts the tasks that run until the chat is closed.
fn start_background_tasks(inner: &Inner, config: &Config) -> Vec<JoinHandle<()>> {
    let expiry = Expiry {
        store: inner.store.clone(),
        listeners: inner.listeners.clone(),
        clock: inner.clock.clone(),
    };
    let eraser = Eraser {
        store: inner.store.clone(),
        listeners: inner.listeners.clone(),
        clock: inner.clock.clone(),
        archives: config.archive.then(|| config.data_dir.join("archive")),
    };
    let supervisor = &inner.supervisor;
    let public_rooms = inner.listeners.public_rooms.clone();
    let store = inner.store.clone();
    let hub = inner.listeners.hub.clone();
    let checkpoints = inner.store.clone();
    vec![
        supervisor.spawn("expiry", move || expiry.clone().run()),
        supervisor.spawn("eraser", move || eraser.clone().run()),
        supervisor.spawn("public rooms", move || {
            public_rooms.clone().run(store.clone())
        }),
        supervisor.spawn("presence", move || hub.clone().run_presence()),
        supervisor.spawn("checkpoints", move || checkpoints.clone().run_checkpoints()),
    ]
}

#[cfg(test)]
mod tests {
    use protocol::Start;

    use super::*;

    use crate::testing::{TestChat, new_message};

    #[tokio::test]
    async fn second_server_on_the_same_data_directory_is_refused() {
        let test = TestChat::new(|_| {}).await;
        let second = Chat::open(test.config.clone()).await;
        assert!(second.is_err_and(|error| error.to_string().contains("another webchat")));
    }

    #[tokio::test]
    async fn messages_survive_a_restart() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let message = test.post(room, "hello").await;
        let epoch = test.chat.0.epoch;
        let instance_id = test.chat.instance_id();
        test.reopen().await;
        assert_eq!(
            test.chat
                .list_messages(&Person::Anonymous, &room, MessagesPage::default())
                .await
                .unwrap(),
            [message]
        );
        assert_eq!(test.chat.0.epoch, epoch);
        assert_eq!(test.chat.instance_id(), instance_id);
    }

    #[tokio::test]
    async fn room_name_leads_to_one_room_until_that_room_ends() {
        let test = TestChat::new(|_| {}).await;
        let asked = (0..20).map(|_| test.chat.find_or_create_room_by_name(" tea "));
        let rooms = futures_util::future::join_all(asked).await;
        let first = rooms[0].as_ref().unwrap();
        assert_eq!(first.name.as_deref(), Some("tea"));
        assert!(
            rooms
                .iter()
                .all(|room| room.as_ref().is_ok_and(|room| room.id == first.id))
        );
        let mut follow = test
            .chat
            .follow_room(&Person::Anonymous, &first.id, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(test.config.timeout);
        while !matches!(follow.next().await.unwrap(), FollowEvent::Closed(_)) {}
        assert_ne!(
            test.chat
                .find_or_create_room_by_name("tea")
                .await
                .unwrap()
                .id,
            first.id
        );
    }

    #[tokio::test]
    async fn closed_chat_refuses_posts() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.chat.close().await;
        let refused = test
            .chat
            .post_message(&Person::Anonymous, &room, &new_message("late"), None)
            .await;
        assert!(matches!(
            refused,
            Err(Error::Refusal(protocol::Refusal::Draining))
        ));
    }
}
