//! The visitor's rooms and chats and the open rooms, as every part of the page shares them.
//!
//! Promises: alive while the page can be seen; what was read here is not unread. Leaves to others: drawing them
//! (`rooms`, `side`), and what a member has read, which the server knows.

use leptos::prelude::*;
use protocol::{Account, Conversation, Overview, Room, RoomId, Time};

use crate::browser::{listen, listen_first, live};
use crate::feed::{Feed, News};
use crate::needs::{OVERVIEW, ROOMS};
use crate::way::{Page, Way};
use crate::{side, storage, wire};

/// What there is on this server for the visitor.
#[derive(Clone, Copy)]
pub struct Glance {
    /// The visitor's own.
    pub own: RwSignal<Overview>,
    /// The rooms open to everyone, the most recently active first.
    pub open: RwSignal<Vec<Room>>,
}

impl Glance {
    /// Starts with what came with the page; follows it once the browser has taken over.
    pub fn start(own: Overview, open: Vec<Room>, feed: Feed) -> Self {
        let glance = Self {
            own: RwSignal::new(own),
            open: RwSignal::new(open),
        };
        live(move || glance.follow(feed));
        glance
    }

    /// How many messages wait in the rooms and chats that satisfy this.
    pub fn unread(self, which: impl Fn(&Room) -> bool) -> u64 {
        self.own.with(|own| {
            let chats: u64 = own
                .chats
                .iter()
                .map(chat)
                .filter(&which)
                .map(|room| room.unread)
                .sum();
            chats
                + own
                    .rooms
                    .iter()
                    .filter(|room| which(room))
                    .map(|room| room.unread)
                    .sum::<u64>()
        })
    }

    fn follow(self, feed: Feed) {
        self.own.update(count);
        feed.also(OVERVIEW, move |news| {
            if let News::Event(_, data, _) = news
                && let Some(mut own) = wire::parse(&data)
            {
                count(&mut own);
                self.own.set(own);
            }
        });
        feed.also(ROOMS, move |news| {
            if let News::Event(_, data, _) = news
                && let Some(rooms) = wire::parse(&data)
            {
                self.open.set(rooms);
            }
        });
        let way = expect_context::<Way>();
        let look = move || {
            let (seen, page) = (!document().hidden(), way.here());
            let in_room = matches!(page, Page::Room(_));
            // A page that nobody sees needs nothing; in a room its connection is there anyway.
            feed.want(OVERVIEW, in_room || (seen && page == Page::Home));
            feed.want(
                ROOMS,
                if in_room {
                    side::is_seen()
                } else {
                    seen && page == Page::Home
                },
            );
        };
        listen("visibilitychange", move |_| look());
        listen("resize", move |_| look());
        listen_first("toggle", move |_| look());
        live(move || {
            way.page();
            look();
        });
    }
}

/// A conversation as the room that it is.
pub fn chat(chat: &Conversation) -> Room {
    let said_at = chat
        .last
        .as_ref()
        .map_or(Time::from_millis(0), |last| last.sent_at);
    let said =
        chat.last.as_ref().map(
            |last| match (last.deleted, last.username == chat.username) {
                (true, _) => "A message that was deleted".to_owned(),
                (false, true) => last.body.clone(),
                (false, false) => format!("You: {}", last.body),
            },
        );
    Room {
        id: chat.room,
        name: None,
        public: false,
        created_at: said_at,
        last_active_at: said_at,
        expires_at: said_at,
        message_count: 0,
        description: said,
        private: false,
        read_only: false,
        slow_mode: 0,
        role: None,
        unread: chat.unread,
        with: Some(Account {
            name: chat.name.clone(),
            username: chat.username.clone(),
        }),
    }
}

/// Takes note that a room, which the visitor does not belong to, has been read up to so many messages.
pub fn keep_count(id: RoomId, messages: u64) {
    storage::set(&kept_count(id), &messages.to_string());
}

/// Counts what is unread where the server does not: in rooms that the visitor does not belong to.
fn count(own: &mut Overview) {
    for room in own.rooms.iter_mut().filter(|room| room.role.is_none()) {
        let read = storage::get(&kept_count(room.id)).and_then(|count| count.parse::<u64>().ok());
        room.unread = room
            .message_count
            .saturating_sub(read.unwrap_or(room.message_count));
    }
}

fn kept_count(id: RoomId) -> String {
    format!("read/{id}")
}
