//! The list of public rooms, live.
//!
//! A watcher receives the whole first page at the start and after each change, at most once a
//! second.
//!
//! # Guarantees
//! - A change is read and encoded once for all watchers, and not at all while there are none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use crate::retries::Retries;
use crate::store::{RoomsPage, Store, rooms};
use crate::{Chat, Error};

/// The shortest time between two updates of the watchers.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The handle to the watchers of the public rooms. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct PublicRooms {
    changed: Arc<Notify>,
    latest: watch::Sender<Latest>,
    /// Whether a watcher has read the page itself since the last refresh. That page may be newer
    /// than `latest`.
    has_new_watcher: Arc<AtomicBool>,
}

/// The latest state that was passed to all watchers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Latest {
    Nothing,
    Rooms(Bytes),
    /// The server is about to stop. Nothing follows.
    Draining,
}

impl PublicRooms {
    pub fn new() -> Self {
        Self {
            changed: Arc::default(),
            latest: watch::Sender::new(Latest::Nothing),
            has_new_watcher: Arc::default(),
        }
    }

    /// Notes that a public room may have been created, written to, changed or deleted.
    pub fn mark_changed(&self) {
        self.changed.notify_one();
    }

    /// Ends all watches, also those that start later.
    pub fn drain(&self) {
        self.latest.send_replace(Latest::Draining);
    }

    /// Reads the first page, and passes it to all watchers if it differs from what one of them may
    /// have.
    async fn refresh(&self, store: &Store) -> Result<(), Error> {
        let has_new_watcher = self.has_new_watcher.swap(false, Ordering::AcqRel);
        let rooms = Latest::Rooms(load_first_page(store).await?);
        self.latest.send_if_modified(|latest| {
            let is_new = *latest != Latest::Draining && (has_new_watcher || *latest != rooms);
            if is_new {
                *latest = rooms;
            }
            is_new
        });
        Ok(())
    }

    /// Refreshes the list after changes. Runs until it is dropped.
    pub async fn run(self, store: Store) {
        let mut retries = Retries::of("read the public rooms");
        loop {
            self.changed.notified().await;
            if self.latest.receiver_count() > 0
                && retries.note(self.refresh(&store).await).is_none()
            {
                self.mark_changed();
            }
            tokio::time::sleep(MIN_INTERVAL).await;
        }
    }
}

impl Chat {
    /// Watches the public rooms.
    pub fn watch_public_rooms(&self) -> PublicRoomsWatch {
        PublicRoomsWatch::start(self.clone())
    }
}

/// A watch of the public rooms.
#[derive(Debug)]
pub struct PublicRoomsWatch {
    chat: Chat,
    latest: watch::Receiver<Latest>,
    is_started: bool,
}

impl PublicRoomsWatch {
    pub(crate) fn start(chat: Chat) -> Self {
        let latest = chat.0.listeners.public_rooms.latest.subscribe();
        Self {
            chat,
            latest,
            is_started: false,
        }
    }

    /// The first page of public rooms as an event of an event stream: at once, and then after each
    /// change; `None` when the server is about to stop. The future may be dropped while it waits,
    /// and loses nothing.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.is_started {
            return self.load_first().await;
        }
        if self.latest.changed().await.is_err() {
            return Ok(None);
        }
        Ok(match &*self.latest.borrow_and_update() {
            Latest::Rooms(rooms) => Some(rooms.clone()),
            Latest::Nothing | Latest::Draining => None,
        })
    }

    /// Reads the first page from the store, because the latest state may be a second old. The next
    /// refresh passes its page to all watchers, even if it is the same.
    async fn load_first(&mut self) -> Result<Option<Bytes>, Error> {
        let is_draining = *self.latest.borrow_and_update() == Latest::Draining;
        let public_rooms = &self.chat.0.listeners.public_rooms;
        public_rooms.has_new_watcher.store(true, Ordering::Release);
        let rooms = load_first_page(&self.chat.0.store).await?;
        self.is_started = true;
        Ok((!is_draining).then_some(rooms))
    }
}

/// The first page of public rooms as an event.
async fn load_first_page(store: &Store) -> Result<Bytes, Error> {
    let rooms = rooms::load_page(store, RoomsPage::default()).await?;
    let json = serde_json::to_string(&rooms).map_err(Error::fault)?;
    Ok(Bytes::from(format!("data: {json}\n\n")))
}

#[cfg(test)]
mod tests {
    use crate::store::sql::query;
    use crate::testing::TestChat;

    #[tokio::test]
    async fn new_watcher_reads_the_page_without_an_update_for_others() {
        let test = TestChat::new(|_| {}).await;
        let mut watch = test.chat.watch_public_rooms();
        watch.next().await.unwrap().unwrap();
        let room = test.create_room().await;
        let mut tx = test.chat.0.store.begin().await.unwrap();
        query("update room set public = true")
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let rooms = test
            .chat
            .watch_public_rooms()
            .next()
            .await
            .unwrap()
            .unwrap();
        assert!(String::from_utf8_lossy(&rooms).contains(&room.to_string()));
        assert!(!watch.latest.has_changed().unwrap());
    }

    #[tokio::test]
    async fn new_watcher_receives_a_page_that_has_changed_back() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let store = &test.chat.0.store;
        let set_public = async |public: bool| {
            let mut tx = store.begin().await.unwrap();
            query("update room set public = $1")
                .bind(public)
                .execute(tx.connection())
                .await
                .unwrap();
            tx.commit().await.unwrap();
        };
        let mut watch = test.chat.watch_public_rooms();
        watch.next().await.unwrap().unwrap();
        test.chat
            .0
            .listeners
            .public_rooms
            .refresh(store)
            .await
            .unwrap();
        set_public(true).await;
        let mut other = test.chat.watch_public_rooms();
        let listed = |page: Option<bytes::Bytes>| {
            String::from_utf8_lossy(&page.unwrap()).contains(&room.to_string())
        };
        assert!(listed(other.next().await.unwrap()));
        set_public(false).await;
        test.chat
            .0
            .listeners
            .public_rooms
            .refresh(store)
            .await
            .unwrap();
        let update = tokio::time::timeout(std::time::Duration::from_secs(20), other.next())
            .await
            .expect("there is no update");
        assert!(!listed(update.unwrap()));
    }

    #[tokio::test]
    async fn watch_during_shutdown_ends_at_once() {
        let test = TestChat::new(|_| {}).await;
        let mut watch = test.chat.watch_public_rooms();
        assert!(watch.next().await.unwrap().is_some());
        test.chat.drain();
        assert_eq!(test.chat.watch_public_rooms().next().await.unwrap(), None);
        assert_eq!(watch.next().await.unwrap(), None);
    }
}
