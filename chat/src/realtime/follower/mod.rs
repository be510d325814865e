//! A follower: a cursor that moves along a room's log, from the history to live messages.
//!
//! A follower subscribes to the hub, reads the head of the room, reads the store up to it, and then
//! receives from the hub. What has left the hub's ring is read from the store.
//!
//! # Guarantees
//! - Every follower delivers every sequence number once and in order, however slow its reader is.
//! - A follower reads at the pace of its reader, and holds at most one page.
//!
//! # Not here
//! - Streams and WebSockets: the server.

mod count;
#[cfg(test)]
mod randomized_tests;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Cursor, Epoch, Refusal, RoomEnd, RoomId, Start, Time};

use crate::identity::session_watch::SessionWatch;
use crate::log::history;
use crate::realtime::frame::{Ephemeral, FrameEncoder, Frames};
use crate::realtime::hub::{End, Next, Sink, Subscriber};
use crate::room::name_claims;
use crate::{Chat, Error, Person};

/// How many messages to read from the store before their size is known.
const FIRST_PAGE: usize = 16;

/// The size of the frames of a page in bytes. It grows with the bytes that the reader has taken: a
/// reader that does not read has taken only what fits into the system's buffers and holds a small
/// page, and a reader that has fallen behind catches up with large ones.
const PAGE_BYTES: RangeInclusive<usize> = 8 * 1024..=192 * 1024;

/// The most messages in a page.
const LARGEST_PAGE: usize = 256;

/// An event that a follower delivers.
#[derive(Clone, Debug)]
pub enum FollowEvent {
    /// The server cannot honour the cursor: the client has to discard what it has, and the whole
    /// room follows.
    Reset,
    /// The next messages.
    Messages(Frames),
    /// The presence, the typing names, a display name or the roles have changed.
    Ephemeral(Ephemeral),
    /// The room ends at this time unless a message is posted.
    Closing(Time),
    /// The room has been deleted, for this reason. Nothing follows.
    Closed(RoomEnd),
    /// The caller may no longer follow the room, for this reason. Nothing follows.
    Removed(Refusal),
    /// The session of the caller has ended: the client has to reconnect with the identity that it
    /// has now. Nothing follows.
    SignedOut,
    /// The server is about to stop, or the epoch is another one: the client has to reconnect with its cursor. Nothing follows.
    Draining,
}

/// How long to wait before a database that is out of reach is read again.
const STORE_RETRY: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 500 });

/// A cursor that moves along a room's log.
#[derive(Debug)]
pub struct Follower {
    chat: Chat,
    by: Person,
    room: RoomId,
    session: SessionWatch,
    subscriber: Subscriber,
    /// Whether the next event is a reset.
    must_reset: bool,
    /// The sequence number up to which everything is delivered.
    seen: u64,
    source: Source,
    delivered: Delivered,
}

/// How much a follower has delivered.
#[derive(Clone, Copy, Debug, Default)]
struct Delivered {
    messages: usize,
    bytes: usize,
}

/// How much of a log one page has.
#[derive(Clone, Copy, Debug)]
struct PageSize {
    /// At most so many entries.
    entries: usize,
    /// The page ends with the entry by which its frames have this many bytes.
    bytes: usize,
}

/// Where the next messages come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Store,
    Hub,
}

/// Where a follower starts in the log.
struct Position {
    seen: u64,
    must_reset: bool,
}

impl Position {
    /// The position of `start` in a log with this head. A cursor of another epoch or beyond the
    /// head cannot be honoured.
    fn find(start: Start, epoch: Epoch, head: u64) -> Self {
        match start {
            Start::Latest => Self::at(head),
            Start::Seq(seq) if seq <= head => Self::at(seq),
            Start::Cursor(cursor) if cursor.epoch == epoch && cursor.seq <= head => {
                Self::at(cursor.seq)
            }
            Start::Seq(_) | Start::Cursor(_) | Start::Unknown => Self {
                seen: 0,
                must_reset: true,
            },
        }
    }

    fn at(seen: u64) -> Self {
        Self {
            seen,
            must_reset: false,
        }
    }
}

impl Chat {
    /// Follows a room from `start`: its history, then live messages.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn follow_room(
        &self,
        by: &Person,
        room: &RoomId,
        start: Start,
    ) -> Result<Follower, Error> {
        Follower::start(self.clone(), by.clone(), *room, start).await
    }
}

impl Follower {
    pub(crate) async fn start(
        chat: Chat,
        by: Person,
        room: RoomId,
        start: Start,
    ) -> Result<Self, Error> {
        let session = chat.watch_session(&by).await?;
        let inner = &chat.0;
        // The subscription comes first: the hub passes on what is committed after the head is read.
        let subscriber = inner.listeners.hub.subscribe(room);
        let row = chat.load_room_row(&by, room).await?;
        subscriber.init_lifetime(row.lifetime());
        let Position { seen, must_reset } = Position::find(start, subscriber.epoch(), row.head);
        let source = if seen < row.head {
            Source::Store
        } else {
            Source::Hub
        };
        Ok(Self {
            chat,
            by,
            room,
            session,
            subscriber,
            must_reset,
            seen,
            source,
            delivered: Delivered::default(),
        })
    }

    /// Follows under a name, if there is one: the name is present as long as this follower exists.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, [`protocol::Refusal::Taken`] if it
    /// belongs to another person, or a fault.
    pub async fn with_username(mut self, username: Option<&str>) -> Result<Self, Error> {
        if let Some(username) = username {
            self.set_username(username).await?;
        }
        Ok(self)
    }

    /// Makes a name present as long as this follower exists. The follower can go on without a name
    /// if the name is refused.
    ///
    /// # Errors
    /// Those of [`Follower::with_username`].
    pub async fn set_username(&mut self, username: &str) -> Result<(), Error> {
        let username =
            name_claims::resolve_name(&self.chat.0.store, &self.by, self.room, username).await?;
        self.subscriber.join(&username);
        Ok(())
    }

    /// While this follower waits, the hub may write new messages to the `sink`, if there is one,
    /// instead of waking the follower. What the sink takes and what [`Follower::next`] returns is
    /// complete and in order together. After the future of `next` is dropped, nothing is written.
    #[must_use]
    pub fn with_sink(mut self, sink: Option<Arc<dyn Sink>>) -> Self {
        if let Some(sink) = sink {
            self.subscriber.set_sink(sink, self.session.clone());
        }
        self
    }

    /// The cursor up to which everything is delivered; `None` while the client's cursor is invalid
    /// and the reset is not delivered yet.
    pub fn cursor(&self) -> Option<Cursor> {
        (!self.must_reset).then_some(Cursor {
            epoch: self.subscriber.epoch(),
            seq: self.seen,
        })
    }

    /// The next event; waits while there is none, and while the database is out of reach. The future
    /// may be dropped while it waits, and loses nothing.
    ///
    /// # Errors
    /// A fault of the store. The caller may call this again, or start another follower from the
    /// cursor.
    pub async fn next(&mut self) -> Result<FollowEvent, Error> {
        let next = loop {
            match self.try_next().await {
                Err(Error::Unavailable(_)) => tokio::time::sleep(STORE_RETRY).await,
                next => break next,
            }
        };
        self.count(&next);
        next
    }

    async fn try_next(&mut self) -> Result<FollowEvent, Error> {
        if std::mem::take(&mut self.must_reset) {
            return Ok(FollowEvent::Reset);
        }
        loop {
            if self.session.has_ended() {
                return self.end_of_session().await;
            }
            let next = match self.source {
                Source::Store => self.next_from_store().await?,
                Source::Hub => self.next_from_hub().await,
            };
            let Some(next) = next else { continue };
            if let Some(event) = self.advance(next).await? {
                return Ok(event);
            }
        }
    }

    /// Executes a step; `None` if it results in no event.
    async fn advance(&mut self, next: Next) -> Result<Option<FollowEvent>, Error> {
        let event = match next {
            Next::Deliver(frames) => self.deliver(frames),
            Next::ReadStore => {
                self.source = Source::Store;
                // The store has everything that has left the ring, until the rows of the room are
                // erased.
                match self.read_page().await? {
                    Some(frames) => self.deliver(frames),
                    None => Box::pin(self.find_end()).await?,
                }
            }
            Next::RecheckAccess(version) => match Box::pin(self.find_lost_access()).await? {
                Some(refusal) => FollowEvent::Removed(refusal),
                None => {
                    self.subscriber.confirm_access(version);
                    return Ok(None);
                }
            },
            Next::Closing(end) => FollowEvent::Closing(end),
            Next::Ephemeral(event, _) | Next::Announcement(event, _) => {
                FollowEvent::Ephemeral(event)
            }
            Next::End(End::Closed(end)) => FollowEvent::Closed(end),
            Next::End(End::Draining) => FollowEvent::Draining,
        };
        Ok(Some(event))
    }

    fn deliver(&mut self, frames: Frames) -> FollowEvent {
        self.seen = frames.last();
        self.delivered.messages += frames.len();
        self.delivered.bytes += frames.bytes().len();
        FollowEvent::Messages(frames)
    }

    /// The last event after the session has ended. A deleted account has also lost its access.
    async fn end_of_session(&self) -> Result<FollowEvent, Error> {
        let lost = Box::pin(self.find_lost_access()).await?;
        Ok(lost.map_or(FollowEvent::SignedOut, FollowEvent::Removed))
    }

    /// The next step from the hub; `None` if the session ends first.
    async fn next_from_hub(&mut self) -> Option<Next> {
        tokio::select! {
            biased;
            () = self.session.ended() => None,
            next = self.subscriber.next(&mut self.seen) => Some(next),
        }
    }

    /// An urgent step, or else the next page from the store; `None` if the page is empty.
    async fn next_from_store(&mut self) -> Result<Option<Next>, Error> {
        match self.subscriber.next_urgent() {
            None => Ok(self.read_page().await?.map(Next::Deliver)),
            urgent => Ok(urgent),
        }
    }

    /// Why the caller may no longer follow the room, unless it has ended.
    async fn find_lost_access(&self) -> Result<Option<Refusal>, Error> {
        let refusal = self.find_refusal().await?;
        Ok(refusal.filter(|refusal| !matches!(refusal, Refusal::Gone(_))))
    }

    /// The last event when entries are missing: the room has ended, or the database has lost them.
    async fn find_end(&self) -> Result<FollowEvent, Error> {
        Ok(match self.find_refusal().await? {
            Some(Refusal::Gone(end)) => FollowEvent::Closed(end),
            Some(_) => FollowEvent::Closed(RoomEnd::default()),
            None => FollowEvent::Draining,
        })
    }

    /// The refusal of a caller who does not find the room.
    async fn find_refusal(&self) -> Result<Option<Refusal>, Error> {
        match self.chat.load_room_row(&self.by, self.room).await {
            Ok(_) => Ok(None),
            Err(Error::Refusal(refusal)) => Ok(Some(refusal)),
            Err(fault) => Err(fault),
        }
    }

    /// Reads the next page from the store; `None` if it is empty.
    async fn read_page(&mut self) -> Result<Option<Frames>, Error> {
        let store = self.chat.0.store.clone();
        let room = self.room;
        let seen = self.seen;
        let PageSize { entries, bytes } = self.page_size();
        let mut frames = FrameEncoder::new(self.subscriber.epoch(), seen + 1);
        // A task of its own: a follower with a slow reader is not polled, and would keep one of the
        // few connections of the pool for as long.
        let read = tokio::spawn(async move {
            let is_last = history::load_entries(&store, room, seen, entries, |entry| {
                let is_next = entry.seq() == frames.next_seq() && frames.push(&entry).is_some();
                is_next && frames.len() < bytes
            });
            let is_last = is_last.await?;
            Ok::<_, Error>((frames.finish(), is_last))
        });
        let (frames, is_last) = read.await.map_err(Error::fault)??;
        if is_last || frames.is_none() {
            // The page ends at the head of the room, and the hub has everything newer. Or there is
            // a gap because the room is being erased, and the hub will end the stream.
            self.source = Source::Hub;
        }
        Ok(frames)
    }

    /// How much to read from the store next: as much as fits into [`PAGE_BYTES`], by the
    /// average size of the delivered ones.
    fn page_size(&self) -> PageSize {
        let Delivered { messages, bytes } = self.delivered;
        let Some(average_size) = bytes.checked_div(messages) else {
            return PageSize {
                entries: FIRST_PAGE,
                bytes: *PAGE_BYTES.end(),
            };
        };
        let page_bytes = (bytes / 16).clamp(*PAGE_BYTES.start(), *PAGE_BYTES.end());
        PageSize {
            entries: (page_bytes / average_size).clamp(2, LARGEST_PAGE),
            bytes: page_bytes,
        }
    }
}
