//! The visitor's rooms and chats and the public rooms, shared by all components.
//!
//! # Guarantees
//! - The lists are current while the page shows them.
//! - In a room that the visitor does not belong to, the browser counts what is unread.
//! - A page is taken over with the first rows of each list. The others follow when the browser is
//!   idle.
//!
//! # Not here
//! Rendering (`list`, `sidebar`), and what members have read, which the server stores.

use leptos::prelude::*;
use protocol::{Account, DirectChat, Overview, Room, RoomId, Time};
use texts::app as t;

use crate::browser::dom::{browser_effect, on_window_event, when_idle};
use crate::browser::{json, local_storage};
use crate::connection::sharing::topic::{OVERVIEW, ROOMS};
use crate::connection::tab_feed::{FeedEvent, TabFeed};
use crate::room_list::unread::Unread;
use crate::router::{Route, Router};

/// The rows of a list that fit on the first screen.
const FIRST_ROWS: usize = 12;

/// How many more rows a list gets at a time.
const MORE_ROWS: usize = 2;

/// The lists of rooms.
#[derive(Clone, Copy)]
pub struct RoomLists {
    /// The visitor's rooms and chats.
    pub own: RwSignal<Overview>,
    /// The public rooms, the most recently active first.
    pub public: RwSignal<Vec<Room>>,
    /// How many rows a list has at most: in the beginning those of the first screen.
    pub shown_rows: RwSignal<usize>,
    /// Whether the sidebar of a room can be seen; the sidebar sets it.
    pub is_sidebar_visible: RwSignal<bool>,
}

impl RoomLists {
    /// Starts with the lists of the initial state; follows their changes after hydration.
    pub fn start(own: Overview, public: Vec<Room>, feed: TabFeed) -> Self {
        let lists = Self {
            own: RwSignal::new(own),
            public: RwSignal::new(public),
            shown_rows: RwSignal::new(FIRST_ROWS),
            is_sidebar_visible: RwSignal::new(false),
        };
        browser_effect(move || {
            lists.follow(feed);
            lists.show_more_rows();
        });
        lists
    }

    /// Adds the rows that are not shown yet while the browser is idle, a few at a time, so that nothing
    /// else has to wait for them. There can be many public rooms; the rest of the others comes last.
    fn show_more_rows(self) {
        when_idle(move || {
            let shown = self.shown_rows.get_untracked().saturating_add(MORE_ROWS);
            let is_whole = shown >= self.public.with_untracked(Vec::len);
            self.shown_rows
                .set(if is_whole { usize::MAX } else { shown });
            if !is_whole {
                self.show_more_rows();
            }
        });
    }

    /// What is unread in the visitor's rooms and chats, without the muted ones and the room that is
    /// open.
    pub fn unread_except(self, open: Option<RoomId>) -> Unread {
        self.own.with(|own| Unread::of(own, open))
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

    /// Subscribes to what can be seen: of a hidden page the title, which counts what is unread. In a
    /// room the connection is open anyway.
    fn request_topics(self, feed: TabFeed, router: Router) {
        let route = router.route_untracked();
        let in_room = matches!(route, Route::Room(_));
        let at_home = route == Route::Home;
        let shows_public_rooms = if in_room {
            self.is_sidebar_visible.get_untracked()
        } else {
            at_home && !document().hidden()
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
                (true, _) => t::DELETED_MESSAGE.text().to_owned(),
                (false, true) => last.body().to_owned(),
                (false, false) => t::YOU_WROTE.fill([last.body()]),
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
        level: chat.level,
        read_seq: None,
        roles: Vec::new(),
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

/// Stores up to which sequence the visitor has read a room that they do not belong to.
pub fn store_read_seq(id: RoomId, seq: u64) {
    local_storage::set(&read_seq_key(id), &seq.to_string());
}

/// The sequence that was stored.
pub fn stored_read_seq(id: RoomId) -> Option<u64> {
    local_storage::get(&read_seq_key(id))?.parse().ok()
}

fn read_seq_key(id: RoomId) -> String {
    format!("read-seq/{id}")
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
