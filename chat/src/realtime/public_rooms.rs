//! The directory: the public rooms, live.
//!
//! Watchers get the first page as a whole: at the start each reads it, and whenever it has changed, at most once a second, it
//! is read and encoded once for all of them. While nobody watches, nothing is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use crate::store::{RoomsPage, Store, rooms};
use crate::{Chat, Error};

/// How often watchers are told at most.
const PACE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct PublicRooms {
    changed: Arc<Notify>,
    latest: watch::Sender<Latest>,
    /// Whether somebody has read for themselves since all were told.
    joined: Arc<AtomicBool>,
}

/// What watchers were told last.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Latest {
    Nothing,
    Rooms(Bytes),
    /// That the server is about to stop, after which nothing is told.
    Over,
}

impl PublicRooms {
    pub fn new() -> Self {
        Self {
            changed: Arc::default(),
            latest: watch::Sender::new(Latest::Nothing),
            joined: Arc::default(),
        }
    }

    /// A public room was created, written to or deleted.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// Ends every stream.
    pub fn drain(&self) {
        self.latest.send_replace(Latest::Over);
    }

    /// Reads the first page, and tells watchers if it differs from what all of them were told.
    async fn refresh(&self, store: &Store) -> Result<(), Error> {
        let joined = self.joined.swap(false, Ordering::AcqRel);
        let rooms = Latest::Rooms(read(store).await?);
        self.latest.send_if_modified(|latest| {
            let changed = *latest != Latest::Over && (joined || *latest != rooms);
            if changed {
                *latest = rooms;
            }
            changed
        });
        Ok(())
    }

    /// Tells watchers; runs until it is dropped.
    pub async fn run(self, store: Store) {
        loop {
            self.changed.notified().await;
            if self.latest.receiver_count() > 0
                && let Err(error) = self.refresh(&store).await
            {
                tracing::error!(%error, "cannot read the public rooms");
            }
            tokio::time::sleep(PACE).await;
        }
    }
}

impl Chat {
    /// Watches the public rooms.
    pub fn watch_public_rooms(&self) -> PublicRoomsWatch {
        PublicRoomsWatch::start(self.clone())
    }
}

/// Somebody who watches the public rooms.
#[derive(Debug)]
pub struct PublicRoomsWatch {
    chat: Chat,
    latest: watch::Receiver<Latest>,
    started: bool,
}

impl PublicRoomsWatch {
    pub(crate) fn start(chat: Chat) -> Self {
        let latest = chat.0.public_rooms.latest.subscribe();
        Self {
            chat,
            latest,
            started: false,
        }
    }

    /// The first page of public rooms as one event of an event stream, now and then whenever it changes; `None` when the
    /// server is about to stop. May be dropped while it waits, and loses nothing.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.started {
            // Not from what others were told, which may be a second old. What is told from here on is told again.
            let (directory, has_ended) = (
                &self.chat.0.public_rooms,
                *self.latest.borrow_and_update() == Latest::Over,
            );
            directory.joined.store(true, Ordering::Release);
            let rooms = read(&self.chat.0.store).await?;
            self.started = true;
            return Ok((!has_ended).then_some(rooms));
        }
        if self.latest.changed().await.is_err() {
            return Ok(None);
        }
        Ok(match &*self.latest.borrow_and_update() {
            Latest::Rooms(rooms) => Some(rooms.clone()),
            Latest::Nothing | Latest::Over => None,
        })
    }
}

/// The first page as one event.
async fn read(store: &Store) -> Result<Bytes, Error> {
    let rooms = rooms::page(store, RoomsPage::default()).await?;
    let json = serde_json::to_string(&rooms).map_err(Error::fault)?;
    Ok(Bytes::from(format!("data: {json}\n\n")))
}

#[cfg(test)]
mod tests {
    use crate::testing::TestChat;

    #[tokio::test]
    async fn whoever_begins_to_watch_reads_for_themselves_alone() {
        let test = TestChat::new(|_| {}).await;
        let mut watch = test.chat.watch_public_rooms();
        watch.next().await.unwrap().unwrap();
        let room = test.create_room().await;
        let mut tx = test.chat.0.store.begin().await.unwrap();
        sqlx::query("update room set public = true")
            .execute(&mut *tx)
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
    async fn whoever_has_read_for_themselves_is_told_when_it_is_as_before() {
        let test = TestChat::new(|_| {}).await;
        let (room, store) = (test.create_room().await, &test.chat.0.store);
        let set_public = async |public: bool| {
            let mut tx = store.begin().await.unwrap();
            sqlx::query("update room set public = $1")
                .bind(public)
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        };
        let mut watch = test.chat.watch_public_rooms();
        watch.next().await.unwrap().unwrap();
        test.chat.0.public_rooms.refresh(store).await.unwrap();
        set_public(true).await;
        let mut other = test.chat.watch_public_rooms();
        let listed = |page: Option<bytes::Bytes>| {
            String::from_utf8_lossy(&page.unwrap()).contains(&room.to_string())
        };
        assert!(listed(other.next().await.unwrap()));
        set_public(false).await;
        test.chat.0.public_rooms.refresh(store).await.unwrap();
        let told = tokio::time::timeout(std::time::Duration::from_secs(20), other.next())
            .await
            .expect("nothing is told");
        assert!(!listed(told.unwrap()));
    }

    #[tokio::test]
    async fn whoever_comes_while_the_server_stops_does_not_wait() {
        let test = TestChat::new(|_| {}).await;
        let mut watch = test.chat.watch_public_rooms();
        assert!(watch.next().await.unwrap().is_some());
        test.chat.drain();
        assert_eq!(test.chat.watch_public_rooms().next().await.unwrap(), None);
        assert_eq!(watch.next().await.unwrap(), None);
    }
}
