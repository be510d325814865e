//! The visitor's rooms and chats and the public rooms, shared by all components.
//!
//! # Guarantees
//! - The lists are current while the page shows them.
//! - In a room that the visitor does not belong to, the browser counts what is unread.
//!
//! # Not here
//! Rendering (`list`, `sidebar`), and what members have read, which the server stores.

use leptos::prelude::*;
use protocol::{Account, DirectChat, Overview, Room, RoomId, Time};

use crate::browser::dom::{browser_effect, on_window_event};
use crate::browser::{json, local_storage};
use crate::connection::sharing::topic::{OVERVIEW, ROOMS};
use crate::connection::tab_feed::{FeedEvent, TabFeed};
use crate::router::{Route, Router};

/// The lists of rooms.
#[derive(Clone, Copy)]
pub struct RoomLists {
    /// The visitor's rooms and chats.
    pub own: RwSignal<Overview>,
    /// The public rooms, the most recently active first.
    pub public: RwSignal<Vec<Room>>,
    /// Whether the sidebar of a room can be seen; the sidebar sets it.
    pub is_sidebar_visible: RwSignal<bool>,
}

impl RoomLists {
    /// Starts with the lists of the initial state; follows their changes after hydration.
    pub fn start(own: Overview, public: Vec<Room>, feed: TabFeed) -> Self {
        let lists = Self {
            own: RwSignal::new(own),
            public: RwSignal::new(public),
            is_sidebar_visible: RwSignal::new(false),
        };
        browser_effect(move || lists.follow(feed));
        lists
    }

    /// The number of unread messages in the rooms and chats for which `which` is true.
    pub fn count_unread(self, which: impl Fn(&Room) -> bool) -> u64 {
        self.own.with(|own| {
            let chats = own.chats.iter().map(chat_as_room);
            let rooms = own.rooms.iter().filter(|room| which(room));
            let in_chats: u64 = chats.filter(&which).map(|room| room.unread).sum();
            let in_rooms: u64 = rooms.map(|room| room.unread).sum();
            in_chats + in_rooms
        })
    }

    fn follow(self, feed: TabFeed) {
        self.own.update(count_unread_of_visits);
        feed.also(OVERVIEW, move |event| {
            if let FeedEvent::Event(_, data, _) = event
                && let Some(mut own) = json::parse(&data)
            {
                count_unread_of_visits(&mut own);
                self.own.set(own);
            }
        });
        feed.also(ROOMS, move |event| {
            if let FeedEvent::Event(_, data, _) = event
                && let Some(rooms) = json::parse(&data)
            {
                self.public.set(rooms);
            }
        });
        let router = expect_context::<Router>();
        on_window_event("visibilitychange", move |_| {
            self.request_topics(feed, router)
        });
        browser_effect(move || {
            router.route();
            self.is_sidebar_visible.get();
            self.request_topics(feed, router);
        });
    }

    /// Subscribes to what can be seen: a hidden page needs nothing, but in a room the connection is
    /// open anyway.
    fn request_topics(self, feed: TabFeed, router: Router) {
        let route = router.route_untracked();
        let in_room = matches!(route, Route::Room(_));
        let at_home = route == Route::Home && !document().hidden();
        let shows_public_rooms = if in_room {
            self.is_sidebar_visible.get_untracked()
        } else {
            at_home
        };
        feed.want(OVERVIEW, in_room || at_home);
        feed.want(ROOMS, shows_public_rooms);
    }
}

/// The room of a direct chat.
pub fn chat_as_room(chat: &DirectChat) -> Room {
    let last_at = chat
        .last
        .as_ref()
        .map_or(Time::from_millis(0), |last| last.sent_at);
    let excerpt =
        chat.last.as_ref().map(
            |last| match (last.is_deleted(), last.username == chat.username) {
                (true, _) => "A message that was deleted".to_owned(),
                (false, true) => last.body().to_owned(),
                (false, false) => format!("You: {}", last.body()),
            },
        );
    Room {
        id: chat.room,
        name: None,
        public: false,
        created_at: last_at,
        last_active_at: last_at,
        expires_at: last_at,
        message_count: 0,
        description: excerpt,
        private: false,
        read_only: false,
        slow_mode: 0,
        role: None,
        muted: false,
        muted_until: None,
        unread: chat.unread,
        mentions: 0,
        with: Some(Account {
            name: chat.name.clone(),
            username: chat.username.clone(),
        }),
    }
}

/// Stores how many messages the visitor has read in a room that they do not belong to.
pub fn store_read_count(id: RoomId, messages: u64) {
    local_storage::set(&read_count_key(id), &messages.to_string());
}

/// Counts unread messages in rooms that the visitor does not belong to, as the server does not.
fn count_unread_of_visits(own: &mut Overview) {
    for room in own.rooms.iter_mut().filter(|room| room.role.is_none()) {
        let read = local_storage::get(&read_count_key(room.id))
            .and_then(|count| count.parse::<u64>().ok());
        room.unread = room
            .message_count
            .saturating_sub(read.unwrap_or(room.message_count));
    }
}

fn read_count_key(id: RoomId) -> String {
    format!("read/{id}")
}
