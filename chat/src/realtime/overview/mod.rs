//! The overview: the rooms and direct chats of a person, with unread counts, live.
//!
//! A watcher receives the whole overview at the start and after each change, at most once a second,
//! and less often when many watch.
//!
//! # Guarantees
//! - A person sees no room that is hidden from them.
//! - A watcher has no queue, only a subscription to topics.
//! - A room that the same stream follows is in the overview, also if it is not among the person's
//!   own: the page that shows it learns its changes.
//!
//! # Not here
//! - Which changes notify a topic: the hub's callers.

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use bytes::Bytes;
use protocol::{DirectChat, Overview, PersonOverview, Refusal, Room, RoomId};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::identity::person::Person;
use crate::markup::mentions;
use crate::realtime::topics::{Topic, TopicSubscription};
use crate::store::{Listing, RoomRow, members, overview, room_preferences};
use crate::{Chat, Error};

/// The most rooms, and the most direct chats, in an overview.
const SHOWN_MAX: usize = 50;

/// The most kept rooms in an overview: those that were kept last.
const KEPT_MAX: usize = 50;

/// Mentions are counted in so many bytes of texts that have the username, so that rooms full of
/// such texts do not keep the server busy. The rooms that were active last come first.
const MENTIONS_BYTES: usize = 1024 * 1024;

/// The most rooms whose changes are watched.
const WATCHED_MAX: usize = 1_000;

impl Chat {
    /// The rooms and direct chats of the caller, who has visited the rooms in `also`.
    ///
    /// # Errors
    /// A fault.
    pub async fn load_overview(&self, by: &Person, also: &[RoomId]) -> Result<Overview, Error> {
        self.load_overview_beside(by, also, &[]).await
    }

    /// The overview of the caller with their notification settings. The rooms in `followed` are on
    /// the same stream.
    ///
    /// # Errors
    /// A fault.
    pub async fn load_person_overview(
        &self,
        by: &Person,
        also: &[RoomId],
        followed: &[RoomId],
    ) -> Result<PersonOverview, Error> {
        Ok(PersonOverview {
            overview: self.load_overview_beside(by, also, followed).await?,
            username: by.account().map(|account| account.username().to_owned()),
            notifications: self.load_notification_settings(by).await?,
        })
    }

    async fn load_overview_beside(
        &self,
        by: &Person,
        also: &[RoomId],
        followed: &[RoomId],
    ) -> Result<Overview, Error> {
        let mut rooms = self.load_own_rooms(by).await?;
        let mut others = [also, followed].concat();
        others.extend(self.list_kept_rooms(by).await?);
        others.sort_unstable();
        others.dedup();
        others.retain(|id| rooms.iter().all(|room| room.id != *id));
        let others = self.load_room_rows(by, &others).await?;
        let others = others.into_iter().filter(|row| !row.direct);
        let (own, open): (Vec<_>, Vec<_>) = others.partition(|row| is_own(row, also));
        rooms.extend(own.into_iter().map(|row| row.room));
        rooms.sort_by_key(|room| std::cmp::Reverse((room.last_active_at, room.id)));
        let is_followed = |row: &RoomRow| followed.contains(&row.room.id);
        let open = open.into_iter().filter(is_followed);
        Ok(Overview {
            rooms,
            open: open.map(|row| row.room).collect(),
            chats: self.load_direct_chats(by).await?,
        })
    }

    async fn list_kept_rooms(&self, by: &Person) -> Result<Vec<RoomId>, Error> {
        let Some(person) = by.stable_id() else {
            return Ok(Vec::new());
        };
        let mut reader = self.0.store.reader().await?;
        room_preferences::list_kept_rooms(&mut reader, person, KEPT_MAX).await
    }

    /// The rooms that the caller is a member of, with unread counts.
    async fn load_own_rooms(&self, by: &Person) -> Result<Vec<Room>, Error> {
        if *by == Person::Anonymous {
            return Ok(Vec::new());
        }
        let now = self.0.clock.now();
        let store = &self.0.store;
        let mut rooms = overview::list_member_rooms(store, by.id(), now, SHOWN_MAX).await?;
        self.count_mentions(by, &mut rooms).await?;
        Ok(rooms)
    }

    /// Counts the unread messages that mention the caller by the username of an account: a name of a
    /// guest is not theirs everywhere. They are counted when the overview is read, so that no post
    /// waits for it.
    async fn count_mentions(&self, by: &Person, rooms: &mut [Room]) -> Result<(), Error> {
        let unread: Vec<RoomId> = rooms
            .iter()
            .filter(|room| room.unread > 0)
            .map(|room| room.id)
            .collect();
        let Some(account) = by.account().filter(|_| !unread.is_empty()) else {
            return Ok(());
        };
        let username = account.username();
        let mut bytes = 0;
        let count = |id, body: &str| {
            bytes += body.len();
            if mentions(body, username)
                && let Some(room) = rooms.iter_mut().find(|room| room.id == id)
            {
                room.mentions += 1;
            }
            bytes < MENTIONS_BYTES
        };
        let store = &self.0.store;
        overview::read_unread_texts(store, by.id(), username, &unread, count).await
    }

    /// The newest direct chats of the caller, of which only an account has any.
    async fn load_direct_chats(&self, by: &Person) -> Result<Vec<DirectChat>, Error> {
        match self.list_conversations(by, SHOWN_MAX).await {
            Err(Error::Refusal(Refusal::NotSignedIn)) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The topics that may change the overview of the caller. They include direct chats without
    /// messages, which the overview does not show yet.
    async fn load_topics(
        &self,
        by: &Person,
        others: impl Iterator<Item = &RoomId>,
    ) -> Result<HashSet<Topic>, Error> {
        let mut topics: HashSet<Topic> = others.copied().map(Topic::Room).collect();
        if *by == Person::Anonymous {
            return Ok(topics);
        }
        let mut reader = self.0.store.reader().await?;
        let rooms = members::list_rooms_of(&mut reader, by.id(), WATCHED_MAX).await?;
        topics.extend(rooms.into_iter().map(Topic::Room));
        let kept = self.list_kept_rooms(by).await?;
        topics.extend(kept.into_iter().map(Topic::Room));
        topics.insert(Topic::Person(by.id()));
        Ok(topics)
    }

    /// Watches the overview of the caller, as [`Chat::load_person_overview`] loads it.
    pub fn watch_overview(
        &self,
        by: Person,
        also: Vec<RoomId>,
        followed: Vec<RoomId>,
    ) -> OverviewWatch {
        let topics = self.0.listeners.hub.topics();
        OverviewWatch {
            chat: self.clone(),
            by,
            also,
            followed,
            subscription: topics.subscribe(),
            draining: topics.draining.subscribe(),
            delivered: None,
            is_stale: true,
        }
    }
}

/// Whether a room that the person is not a member of is among their own: they keep it, or have
/// visited and not hidden it.
fn is_own(row: &RoomRow, visited: &[RoomId]) -> bool {
    match row.listing {
        Listing::Kept => true,
        Listing::Hidden => false,
        Listing::Unset => visited.contains(&row.room.id),
    }
}

/// A watch of the overview of one person.
#[derive(Debug)]
pub struct OverviewWatch {
    chat: Chat,
    by: Person,
    also: Vec<RoomId>,
    followed: Vec<RoomId>,
    subscription: TopicSubscription,
    draining: watch::Receiver<bool>,
    delivered: Option<Bytes>,
    /// Whether a topic was notified since the overview was read.
    is_stale: bool,
}

impl OverviewWatch {
    /// The overview as JSON: at once, and then after each change; `None` when the server is about
    /// to stop. The future may be dropped while it waits, and loses nothing.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.delivered.is_some() {
                self.wait_for_change().await;
            }
            if *self.draining.borrow() {
                return Ok(None);
            }
            let current = Some(self.read_overview().await?);
            self.is_stale = false;
            if self.delivered != current {
                self.delivered.clone_from(&current);
                return Ok(current);
            }
        }
    }

    /// Returns when a topic was notified and the interval between two updates has passed, or when
    /// the server is about to stop.
    async fn wait_for_change(&mut self) {
        if !self.is_stale {
            tokio::select! {
                () = self.subscription.notified() => self.is_stale = true,
                _ = self.draining.wait_for(|draining| *draining) => {}
            }
        }
        let interval = self.chat.0.listeners.hub.topics().min_interval();
        // The caller does the same after the timeout and after the end of the wait.
        let _ = timeout(interval, self.draining.wait_for(|draining| *draining)).await;
    }

    /// Reads the overview after subscribing to all topics that may change it. New topics may have
    /// changed before the subscription, so the topics are read again until none is new.
    async fn read_overview(&self) -> Result<Bytes, Error> {
        loop {
            let others = self.also.iter().chain(&self.followed);
            let topics = self.chat.load_topics(&self.by, others).await?;
            let has_new_topics = self.subscription.set_topics(topics);
            if !has_new_topics {
                break;
            }
        }
        let overview = self
            .chat
            .load_person_overview(&self.by, &self.also, &self.followed)
            .await?;
        Ok(serde_json::to_vec(&overview).map_err(Error::fault)?.into())
    }
}
