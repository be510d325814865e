//! The rules and the data of chat rooms: no HTTP, no pages.
//!
//! A room is a log, and a client is a cursor on it. [`Chat`] is the one handle; its methods say what a person would.
//! Expected "no"s are a [`protocol::Refusal`], everything else that goes wrong is a fault.

mod account;
mod archive;
mod audit;
mod backup;
mod clock;
mod direct;
mod directory;
mod duration;
mod entry;
mod error;
mod expiry;
mod follow;
mod frame;
mod hub;
mod identity;
mod invitation;
pub mod lobby;
mod member;
mod message;
mod moderation;
mod name;
mod overview;
mod password;
mod person;
mod presence;
mod room;
mod rules;
mod signed_in;
mod store;
mod token;
mod writer;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::{Epoch, Message, NewMessage, NewRoom, Room, RoomId, Start};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use account::{Accounts, Session, set_operator};
pub use archive::{Export, Format};
pub use backup::{backup, restore};
pub use clock::Clock;
pub use directory::Watch;
pub use duration::{ParseDurationError, parse_duration};
pub use error::Error;
pub use follow::{Follow, News};
pub use frame::{Ephemeral, Frame, Frames};
pub use hub::Sink;
pub use identity::{Identity, Introduction, Ways};
pub use message::Page;
pub use moderation::Whom;
pub use overview::Glance;
pub use person::{GuestId, Member, Person};
pub use room::RoomsPage;
pub use signed_in::SignedIn;
pub use token::GUEST_LIFETIME;

/// What a [`Chat`] is opened with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the database, the archives and the lock are; made if missing.
    pub data_dir: PathBuf,
    /// The database, as `sqlite:PATH`; in the data directory if it is not given.
    pub database: Option<String>,
    /// How long a room may stay without a new message.
    pub timeout: Duration,
    /// Whether a room is archived before it is deleted.
    pub archive: bool,
    /// How many bytes of recent messages each followed room keeps at hand; who is further behind reads the database.
    pub ring_bytes: usize,
    /// How long a conversation of two may stay without a new message.
    pub direct_timeout: Duration,
    /// How short a password may be, in characters.
    pub password_min: usize,
    /// What tokens are signed with; a key in the data directory, made when first needed, if it is not given.
    pub jwt_key: Option<String>,
    /// How long somebody stays signed in.
    pub jwt_lifetime: Duration,
    /// The clock that rooms live by.
    pub clock: Clock,
    /// What goes wrong in the database.
    #[cfg(test)]
    pub(crate) faults: store::fault::Faults,
}

impl Config {
    /// A configuration with the data in `data_dir` and everything else as by default.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: None,
            timeout: Duration::from_secs(24 * 60 * 60),
            archive: true,
            ring_bytes: 256 * 1024,
            direct_timeout: Duration::MAX,
            password_min: 6,
            jwt_key: None,
            jwt_lifetime: Duration::from_secs(30 * 24 * 60 * 60),
            clock: Clock::default(),
            #[cfg(test)]
            faults: store::fault::Faults::default(),
        }
    }
}

/// The handle to everything; cheap to clone.
#[derive(Clone, Debug)]
pub struct Chat(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: store::Store,
    hub: hub::Hub,
    directory: directory::Directory,
    clock: Clock,
    epoch: Epoch,
    timeout: Duration,
    direct_timeout: Duration,
    password_min: usize,
    jwt_lifetime: Duration,
    passwords: password::Passwords,
    tokens: token::Tokens,
    registrations: name::Registrations,
    accounts: signed_in::Accounts,
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
        let lock = lock(&config.data_dir)?;
        let place = store::Place::of(&config)?;
        let store = store::Store::open(&place).await?;
        let epoch = store.epoch().await?;
        let tokens = token::Tokens::open(&config)?;
        for (longest, direct) in [(config.timeout, false), (config.direct_timeout, true)] {
            room::apply_timeout(&store, longest, direct).await?;
        }
        let (directory, clock) = (directory::Directory::new(), config.clock);
        let hub = hub::Hub::new(config.ring_bytes, clock.clone());
        // Rooms that expired while nobody served must not answer once somebody does.
        room::freeze_due(&store, clock.now()).await?;
        let registrations = name::Registrations::default();
        let (posts, writer) = writer::Writer::start(
            &place,
            &store,
            (hub.clone(), directory.clone()),
            clock.clone(),
            epoch,
            registrations.clone(),
        )?;
        let frozen = Arc::new(Notify::new());
        let archives = config.archive.then(|| config.data_dir.join("archive"));
        let expiry = expiry::Expiry {
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
            accounts: signed_in::Accounts::default(),
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

    /// Writes down what only this server can have written, to be shown again within `lifetime`. Whoever has it can read it.
    /// `purpose` says what it is for; nothing else takes it.
    ///
    /// # Errors
    /// A fault.
    pub fn seal(
        &self,
        purpose: &str,
        content: &impl serde::Serialize,
        lifetime: Duration,
    ) -> Result<String, Error> {
        self.0
            .tokens
            .seal(purpose, content, self.now().after(lifetime))
    }

    /// What was sealed for a purpose, if it was and its time is not over.
    pub fn unseal<T: serde::de::DeserializeOwned>(&self, purpose: &str, sealed: &str) -> Option<T> {
        self.0.tokens.unseal(purpose, sealed, self.now())
    }

    /// How long a room may stay without a new message, unless its creator asked for less.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Creates a room, which is its creator's if they can be known again.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the wish breaks a rule, [`protocol::Refusal::NotSignedIn`] if nobody in particular
    /// wishes for a private one, or a fault.
    pub async fn create_room(&self, by: &Person, wish: &NewRoom) -> Result<Room, Error> {
        let new = room::check(by, wish, self.0.timeout)?;
        let (mut tx, person) = (self.0.store.begin().await?, by.id());
        let room = room::create(&mut tx, self.0.clock.now(), by, new).await?;
        let public = room.public;
        let tell = move |inner: &Inner| {
            if public {
                inner.directory.changed();
            }
            inner.hub.ring_person(person);
        };
        self.commit(tx, tell).await?;
        Ok(room)
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

    /// The room with this ID.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotFound`] if it never was or is hidden from who asks, [`protocol::Refusal::Gone`] if it was
    /// deleted, or a fault.
    pub async fn room(&self, by: &Person, id: &RoomId) -> Result<Room, Error> {
        let room::Stored { room, direct, .. } =
            room::find(&self.0.store, &self.0.clock, by, *id).await?;
        let with = if direct {
            direct::with(&self.0.store, by, room.id).await?
        } else {
            None
        };
        Ok(Room { with, ..room })
    }

    /// The room that is found by a name, which is created if there is none.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn named_room(&self, name: &str) -> Result<Room, Error> {
        let name = protocol::text::name_of_room(name)?;
        room::named(&self.0.store, &self.0.clock, &name, self.0.timeout).await
    }

    /// The room that is found by a name, if there is one.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn known_room(&self, name: &str) -> Result<Option<Room>, Error> {
        room::find_named(self.0.store.read(), &protocol::text::name_of_room(name)?).await
    }

    /// The lobby.
    ///
    /// # Errors
    /// A fault.
    pub async fn lobby(&self) -> Result<lobby::Lobby, Error> {
        lobby::Lobby::enter(self.clone()).await
    }

    /// A page of the public rooms, most recently active first.
    ///
    /// # Errors
    /// A fault.
    pub async fn rooms(&self, page: RoomsPage) -> Result<Vec<Room>, Error> {
        room::page(&self.0.store, page).await
    }

    /// Sends a message. When this returns it, it is durable. The same `key` in the same room gives back the first answer.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if it breaks a rule, [`protocol::Refusal::NameTaken`] if the name is somebody else's,
    /// the refusals of [`Chat::room`], or a fault.
    pub async fn post(
        &self,
        by: &Person,
        room: &RoomId,
        message: &NewMessage,
        key: Option<&str>,
    ) -> Result<Message, Error> {
        self.posts()?
            .append(message::check(by, *room, message, key)?)
            .await
    }

    /// Lets somebody write a message of theirs anew. When this returns it as it is now, that is durable.
    ///
    /// # Errors
    /// [`protocol::Refusal::Forbidden`] for all but its author, [`protocol::Refusal::NotFound`] if there is no such message,
    /// [`protocol::Refusal::Invalid`] if the text breaks a rule, the refusals of [`Chat::room`], or a fault.
    pub async fn edit(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
        body: &str,
    ) -> Result<Message, Error> {
        let post = message::change(
            by,
            *room,
            writer::Deed::Edit(seq),
            protocol::text::body(body)?,
        );
        self.posts()?.append(post).await
    }

    /// Lets its author or a moderator delete a message: everybody is told, and its text is gone from the store.
    ///
    /// # Errors
    /// [`protocol::Refusal::Forbidden`] for all others, [`protocol::Refusal::NotFound`] if there is no such message, the
    /// refusals of [`Chat::room`], or a fault.
    pub async fn delete(&self, by: &Person, room: &RoomId, seq: u64) -> Result<Message, Error> {
        self.posts()?
            .append(message::change(
                by,
                *room,
                writer::Deed::Delete(seq),
                String::new(),
            ))
            .await
    }

    /// Does something of which a line tells that nobody wrote.
    async fn announce(
        &self,
        room: &RoomId,
        deed: writer::Deed,
        line: String,
    ) -> Result<Message, Error> {
        let post = writer::Post {
            room: *room,
            author: 0,
            username: String::new(),
            body: line,
            key: None,
            deed,
        };
        self.posts()?.append(post).await
    }

    fn posts(&self) -> Result<writer::Posts, Error> {
        Ok(hub::lock(&self.0.posts)
            .clone()
            .ok_or(protocol::Refusal::Draining)?)
    }

    /// A page of a room's messages, in order.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], or a fault.
    pub async fn page(
        &self,
        by: &Person,
        room: &RoomId,
        page: Page,
    ) -> Result<Vec<Message>, Error> {
        room::find(&self.0.store, &self.0.clock, by, *room).await?;
        message::page(&self.0.store, *room, page).await
    }

    /// Follows a room from `start`: its history, then what happens.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], or a fault.
    pub async fn follow(&self, by: &Person, room: &RoomId, start: Start) -> Result<Follow, Error> {
        Follow::start(self.clone(), by.clone(), *room, start).await
    }

    /// Tells a room that somebody types, for the next six seconds.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, [`protocol::Refusal::Taken`] if it is somebody else's, the
    /// refusals of [`Chat::room`], or a fault.
    pub async fn types(&self, by: &Person, room: &RoomId, username: &str) -> Result<(), Error> {
        self.room(by, room).await?;
        let username = name::of(&self.0.store, by, *room, username).await?;
        self.0.hub.types(*room, &username);
        Ok(())
    }

    /// Watches the public rooms.
    pub fn watch(&self) -> Watch {
        Watch::start(self.clone())
    }

    /// Writes a room down as it is now.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], or a fault.
    pub async fn export(
        &self,
        by: &Person,
        room: &RoomId,
        format: Format,
    ) -> Result<Export, Error> {
        let stored = room::find(&self.0.store, &self.0.clock, by, *room).await?;
        Ok(Export::new(self.0.store.clone(), stored, format))
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
        hub::lock(&self.0.posts).take();
        let Some(tasks) = hub::lock(&self.0.tasks).take() else {
            return;
        };
        if let Err(error) = tasks.writer.await {
            tracing::error!(%error, "the writer ended early");
        }
        tasks.expiry.abort();
        tasks.directory.abort();
        tasks.presence.abort();
        tasks.checkpoints.abort();
        self.0.store.close().await;
        if let Err(error) = self.0.lock.unlock() {
            tracing::error!(%error, "cannot let go of the data directory");
        }
    }
}

/// Makes sure that nobody else serves this directory: two hubs would not hear of each other's messages.
fn lock(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join("webchat.lock");
    let file = File::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::fault("another webchat is using this data directory"))
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A chat in a directory of its own, that tests can close and open again.
    pub(crate) struct House {
        pub config: Config,
        pub chat: Chat,
        _dir: tempfile::TempDir,
    }

    impl House {
        pub async fn new(change: impl FnOnce(&mut Config)) -> Self {
            Self::inside(&std::env::temp_dir(), change).await
        }

        /// A house whose data are somewhere in `place`.
        pub async fn inside(place: &Path, change: impl FnOnce(&mut Config)) -> Self {
            let dir = tempfile::tempdir_in(place).unwrap();
            let mut config = Config::new(dir.path());
            change(&mut config);
            let chat = Chat::open(config.clone()).await.unwrap();
            Self {
                config,
                chat,
                _dir: dir,
            }
        }

        pub async fn reopen(&mut self) {
            self.chat.close().await;
            self.chat = Chat::open(self.config.clone()).await.unwrap();
        }

        pub async fn room(&self) -> RoomId {
            self.chat
                .create_room(&Person::Anyone, &NewRoom::default())
                .await
                .unwrap()
                .id
        }

        /// Somebody with an account.
        pub async fn member(&self, username: &str) -> Person {
            let (name, password) = (username.to_uppercase(), "secret".to_owned());
            let wish = protocol::NewAccount {
                name,
                username: username.to_owned(),
                password,
            };
            self.chat.register(&wish).await.unwrap().member.into()
        }

        pub async fn say(&self, room: RoomId, body: &str) -> Message {
            self.chat
                .post(&Person::Anyone, &room, &says(body), None)
                .await
                .unwrap()
        }
    }

    /// A guest whom nobody has met.
    pub(crate) fn guest() -> Person {
        Person::Guest(GuestId::new().unwrap())
    }

    pub(crate) fn says(body: &str) -> NewMessage {
        NewMessage {
            username: "ada".to_owned(),
            body: body.to_owned(),
        }
    }

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
