//! The visitor's rooms and chats and the open rooms, as every part of the page shares them.
//!
//! Promises: alive while the page can be seen; what was read here is not unread. Leaves to others: drawing them
//! (`rooms`, `side`), and what a member has read, which the server knows.

use leptos::prelude::*;
use protocol::{Account, Conversation, Overview, Room, RoomId, Time};

use crate::browser::dom::{browser_effect, on_window_event};
use crate::browser::{json, local_storage};
use crate::connection::subscriptions::{OVERVIEW, ROOMS};
use crate::connection::tab_feed::{FeedEvent, TabFeed};
use crate::router::{Route, Router};

/// What there is on this server for the visitor.
#[derive(Clone, Copy)]
pub struct RoomLists {
    /// The visitor's own.
    pub own: RwSignal<Overview>,
    /// The rooms open to everyone, the most recently active first.
    pub open: RwSignal<Vec<Room>>,
    /// Whether the sidebar of a room can be seen; the sidebar sets it.
    pub is_sidebar_visible: RwSignal<bool>,
}

impl RoomLists {
    /// Starts with what came with the page; follows it once the browser has taken over.
    pub fn start(own: Overview, open: Vec<Room>, feed: TabFeed) -> Self {
        let lists = Self {
            own: RwSignal::new(own),
            open: RwSignal::new(open),
            is_sidebar_visible: RwSignal::new(false),
        };
        browser_effect(move || lists.follow(feed));
        lists
    }

    /// How many messages wait in the rooms and chats that satisfy this.
    pub fn unread(self, which: impl Fn(&Room) -> bool) -> u64 {
        self.own.with(|own| {
            let chats: u64 = own
                .chats
                .iter()
                .map(chat_as_room)
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

    fn follow(self, feed: TabFeed) {
        self.own.update(count);
        feed.also(OVERVIEW, move |news| {
            if let FeedEvent::Event(_, data, _) = news
                && let Some(mut own) = json::parse(&data)
            {
                count(&mut own);
                self.own.set(own);
            }
        });
        feed.also(ROOMS, move |news| {
            if let FeedEvent::Event(_, data, _) = news
                && let Some(rooms) = json::parse(&data)
            {
                self.open.set(rooms);
            }
        });
        let router = expect_context::<Router>();
        on_window_event("visibilitychange", move |_| {
            self.request_topics(feed, router)
        });
        browser_effect(move || {
            router.page();
            self.is_sidebar_visible.get();
            self.request_topics(feed, router);
        });
    }

    /// Subscribes to what can be seen: a hidden page needs nothing, but in a room the connection is open anyway.
    fn request_topics(self, feed: TabFeed, router: Router) {
        let route = router.here();
        let in_room = matches!(route, Route::Room(_));
        let at_home = route == Route::Home && !document().hidden();
        let shows_open_rooms = if in_room {
            self.is_sidebar_visible.get_untracked()
        } else {
            at_home
        };
        feed.want(OVERVIEW, in_room || at_home);
        feed.want(ROOMS, shows_open_rooms);
    }
}

/// A conversation as the room that it is.
pub fn chat_as_room(chat: &Conversation) -> Room {
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
pub fn store_read_count(id: RoomId, messages: u64) {
    local_storage::set(&kept_count(id), &messages.to_string());
}

/// Counts what is unread where the server does not: in rooms that the visitor does not belong to.
fn count(own: &mut Overview) {
    for room in own.rooms.iter_mut().filter(|room| room.role.is_none()) {
        let read =
            local_storage::get(&kept_count(room.id)).and_then(|count| count.parse::<u64>().ok());
        room.unread = room
            .message_count
            .saturating_sub(read.unwrap_or(room.message_count));
    }
}

fn kept_count(id: RoomId) -> String {
    format!("read/{id}")
}
