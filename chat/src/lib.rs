//! The rules and the data of chat rooms: no HTTP, no pages.
//!
//! A room is a log, and a client is a cursor on it. [`Chat`] is the one handle; its methods say what a person would.
//! Expected "no"s are a [`protocol::Refusal`], everything else that goes wrong is a fault.

mod clock;
mod config;
mod duration;
mod error;
#[cfg(test)]
mod faults;
mod identity;
mod lifecycle;
pub mod lobby;
mod log;
mod realtime;
mod room;
mod store;
mod sync;
#[cfg(test)]
mod testing;

use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::Epoch;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use self::clock::Clock;
pub use self::config::Config;
pub use self::duration::{ParseDurationError, parse_duration};
pub use self::error::Error;
pub use self::identity::account::{Accounts, Session, set_operator};
pub use self::identity::oidc_identity::{Identity, Introduction, Ways};
pub use self::identity::person::{GuestId, Member, Person};
pub use self::identity::session_watch::SignedIn;
pub use self::identity::token::GUEST_LIFETIME;
use self::identity::{password, session_watch, token};
pub use self::lifecycle::archive::{Export, Format};
use self::lifecycle::{eraser, expiry};
use self::log::writer;
pub use self::realtime::follower::{Follow, News};
pub use self::realtime::frame::{Ephemeral, Frame, Frames};
pub use self::realtime::hub::Sink;
pub use self::realtime::overview::Glance;
pub use self::realtime::public_rooms::Watch;
use self::realtime::{hub, public_rooms, publisher};
use self::room::name_claims;
pub use self::room::sanctions::Whom;
pub use self::store::rows::{Page, RoomsPage};
pub use self::store::sqlite::backup::{backup, restore};
use self::sync::lock;

/// The handle to everything; cheap to clone.
#[derive(Clone, Debug)]
pub struct Chat(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: store::Store,
    hub: hub::Hub,
    directory: public_rooms::Directory,
    clock: Clock,
    epoch: Epoch,
    timeout: Duration,
    direct_timeout: Duration,
    password_min: usize,
    jwt_lifetime: Duration,
    passwords: password::Passwords,
    tokens: token::Tokens,
    registrations: name_claims::Registrations,
    accounts: session_watch::Accounts,
    frozen: Arc<Notify>,
    /// `None` once closed. Held only to clone the sender or to take it away.
    posts: Mutex<Option<writer::Posts>>,
    tasks: Mutex<Option<Tasks>>,
    lock: File,
}

/// What [`Chat::open`] started and [`Chat::close`] ends.
#[derive(Debug)]
struct Tasks {
    writer: JoinHandle<()>,
    expiry: JoinHandle<()>,
    eraser: JoinHandle<()>,
    directory: JoinHandle<()>,
    presence: JoinHandle<()>,
    checkpoints: JoinHandle<()>,
}

impl Chat {
    /// Opens the data directory, brings its tables up to date and starts the tasks that keep rooms.
    ///
    /// # Errors
    /// A fault that says what is wrong: the directory cannot be used, another process uses it, the database is damaged.
    pub async fn open(config: Config) -> Result<Self, Error> {
        std::fs::create_dir_all(&config.data_dir)?;
        let lock = store::data_dir::lock(&config.data_dir)?;
        let place = store::Place::of(&config)?;
        let store = store::Store::open(&place).await?;
        let epoch = store.epoch().await?;
        let tokens = token::Tokens::open(&config)?;
        for (longest, direct) in [(config.timeout, false), (config.direct_timeout, true)] {
            store::rooms::apply_timeout(&store, longest, direct).await?;
        }
        let (directory, clock) = (public_rooms::Directory::new(), config.clock);
        let hub = hub::Hub::new(config.ring_bytes, clock.clone());
        // Rooms that expired while nobody served must not answer once somebody does.
        store::rooms::freeze_due(&store, clock.now()).await?;
        let registrations = name_claims::Registrations::default();
        let publisher = publisher::Publisher {
            hub: hub.clone(),
            directory: directory.clone(),
            epoch,
        };
        let (posts, writer) = writer::Writer::start(
            &place,
            &store,
            clock.clone(),
            registrations.clone(),
            move |committed| publisher.publish(committed),
        )?;
        let frozen = Arc::new(Notify::new());
        let archives = config.archive.then(|| config.data_dir.join("archive"));
        let expiry = expiry::Expiry {
            store: store.clone(),
            hub: hub.clone(),
            clock: clock.clone(),
            frozen: frozen.clone(),
        };
        let eraser = eraser::Eraser {
            store: store.clone(),
            hub: hub.clone(),
            clock: clock.clone(),
            directory: directory.clone(),
            archives,
            frozen: frozen.clone(),
        };
        let tasks = Tasks {
            writer,
            expiry: tokio::spawn(expiry.run()),
            eraser: tokio::spawn(eraser.run()),
            directory: tokio::spawn(directory.clone().run(store.clone())),
            presence: tokio::spawn(hub.clone().keep_settled()),
            checkpoints: tokio::spawn(store.clone().keep_log_short()),
        };
        Ok(Self(Arc::new(Inner {
            store,
            hub,
            directory,
            clock,
            epoch,
            timeout: config.timeout,
            direct_timeout: config.direct_timeout,
            password_min: config.password_min,
            jwt_lifetime: config.jwt_lifetime,
            passwords: password::Passwords::new(),
            tokens,
            registrations,
            accounts: session_watch::Accounts::default(),
            frozen,
            posts: Mutex::new(Some(posts)),
            tasks: Mutex::new(Some(tasks)),
            lock,
        })))
    }

    /// The present moment, by the clock that everything here goes by.
    pub fn now(&self) -> protocol::Time {
        self.0.clock.now()
    }

    /// How long a room may stay without a new message, unless its creator asked for less.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Makes something durable and then tells whom it concerns, before anybody else may write. Both are done to the end even
    /// if whoever asked for it has hung up, and nobody waits for it any more.
    async fn commit(
        &self,
        tx: store::Tx,
        tell: impl FnOnce(&Inner) + Send + 'static,
    ) -> Result<(), Error> {
        let chat = self.clone();
        tokio::spawn(async move { tx.commit_then(|| tell(&chat.0)).await })
            .await
            .map_err(Error::fault)?
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The fault that keeps it from answering.
    pub async fn ready(&self) -> Result<(), Error> {
        self.0.store.ready().await
    }

    /// Ends every stream, so that its client reconnects. Posts are still taken.
    pub fn drain(&self) {
        self.0.hub.drain();
        self.0.directory.drain();
    }

    /// Commits what was posted, ends the tasks and closes the database. Later posts are refused.
    pub async fn close(&self) {
        lock(&self.0.posts).take();
        let Some(tasks) = lock(&self.0.tasks).take() else {
            return;
        };
        if let Err(error) = tasks.writer.await {
            tracing::error!(%error, "the writer ended early");
        }
        tasks.expiry.abort();
        tasks.eraser.abort();
        tasks.directory.abort();
        tasks.presence.abort();
        tasks.checkpoints.abort();
        self.0.store.close().await;
        if let Err(error) = self.0.lock.unlock() {
            tracing::error!(%error, "cannot let go of the data directory");
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::Start;

    use super::*;

    use crate::testing::{House, says};

    #[tokio::test]
    async fn two_may_not_use_one_directory() {
        let house = House::new(|_| {}).await;
        let second = Chat::open(house.config.clone()).await;
        assert!(second.is_err_and(|error| error.to_string().contains("another webchat")));
    }

    #[tokio::test]
    async fn what_was_said_is_still_there_after_a_restart() {
        let mut house = House::new(|_| {}).await;
        let room = house.room().await;
        let message = house.say(room, "hello").await;
        let epoch = house.chat.0.epoch;
        house.reopen().await;
        assert_eq!(
            house
                .chat
                .page(&Person::Anyone, &room, Page::default())
                .await
                .unwrap(),
            [message]
        );
        assert_eq!(house.chat.0.epoch, epoch);
    }

    #[tokio::test]
    async fn a_name_is_one_room_until_that_is_gone() {
        let house = House::new(|_| {}).await;
        let asked = (0..20).map(|_| house.chat.named_room(" tea "));
        let rooms = futures_util::future::join_all(asked).await;
        let first = rooms[0].as_ref().unwrap();
        assert_eq!(first.name.as_deref(), Some("tea"));
        assert!(
            rooms
                .iter()
                .all(|room| room.as_ref().is_ok_and(|room| room.id == first.id))
        );
        let mut follow = house
            .chat
            .follow(&Person::Anyone, &first.id, Start::Latest)
            .await
            .unwrap();
        house.config.clock.advance(house.config.timeout);
        while !matches!(follow.next().await.unwrap(), News::Closed) {}
        assert_ne!(house.chat.named_room("tea").await.unwrap().id, first.id);
    }

    #[tokio::test]
    async fn a_closed_chat_refuses_posts() {
        let house = House::new(|_| {}).await;
        let room = house.room().await;
        house.chat.close().await;
        let refused = house
            .chat
            .post(&Person::Anyone, &room, &says("late"), None)
            .await;
        assert!(matches!(
            refused,
            Err(Error::Refusal(protocol::Refusal::Draining))
        ));
    }
}
