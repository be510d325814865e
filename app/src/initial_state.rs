//! The initial state that the server sends with a page, so that both sides render the same one.
//!
//! # Guarantees
//! Everything that the first rendering depends on is in [`InitialState`].
//!
//! # Not here
//! Finding the data (`server`), and what happens after the first rendering.

use std::borrow::Cow;

use leptos::prelude::*;
use protocol::characters::{clean_name, isolate_name};
use protocol::{Message, Overview, Problem, Room, RoomId, Time};
use serde::{Deserialize, Serialize};
use texts::app as t;

use crate::browser::dom::browser_effect;
use crate::browser::json;
use crate::router::Route;
use crate::session::visitor::Visitor;

/// The ID of the script element that holds the state as JSON.
pub const STATE_ELEMENT: &str = "initial-state";

/// The initial state of a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InitialState {
    /// The server's time when it rendered the page.
    pub now: Time,
    /// The visitor.
    pub visitor: Visitor,
    /// The visitor's rooms and chats.
    pub overview: Overview,
    /// The public rooms, most recently active first.
    pub public_rooms: Vec<Room>,
    /// The longest lifetime of a room without a message, in seconds.
    pub longest_lifetime: u64,
    /// The route. It is not serialised: the browser derives it from the room or the address.
    #[serde(skip)]
    pub route: Route,
    /// What the page shows.
    pub content: PageContent,
}

/// What a page shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageContent {
    /// The home page.
    Home(HomeContent),
    /// A room.
    Room(RoomSnapshot),
    /// A room that cannot be shown, and the reason.
    Refused(Problem),
    /// No page at this address.
    NotFound,
}

/// What the home page shows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct HomeContent {
    /// What the visitor entered to join a room, if it leads to none.
    pub rejected_link: Option<String>,
}

/// A room and its newest messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoomSnapshot {
    /// The room.
    pub room: Room,
    /// The newest messages, oldest first.
    pub messages: Vec<Message>,
}

impl InitialState {
    /// The state of this page: on the server from the context, in the browser from the document.
    pub fn current() -> Self {
        use_context()
            .or_else(embedded_state)
            .unwrap_or_else(|| Self {
                now: crate::time::clock::now(),
                visitor: Visitor::default(),
                overview: Overview::default(),
                public_rooms: Vec::new(),
                longest_lifetime: 0,
                route: Route::NotFound,
                content: PageContent::NotFound,
            })
    }

    /// The state as JSON that is safe in a script element.
    #[cfg(feature = "ssr")]
    pub fn json(&self) -> String {
        // Serialising fails only for maps whose keys are no strings; there are none.
        serde_json::to_string(self)
            .unwrap_or_default()
            .replace('<', "\\u003c")
    }
}

/// The state that the server embedded in the document.
fn embedded_state() -> Option<InitialState> {
    if cfg!(feature = "ssr") {
        return None;
    }
    let json = document()
        .get_element_by_id(STATE_ELEMENT)?
        .text_content()?;
    let state: InitialState = json::parse(&json)?;
    // A named room is shown at the address of its name; only the server knows its ID.
    let path = window().location().pathname().ok()?;
    let route = state
        .content
        .room()
        .map_or_else(|| Route::from_path(&path), Route::Room);
    Some(InitialState { route, ..state })
}

impl PageContent {
    /// The HTTP status of the page.
    pub fn status(&self) -> u16 {
        match self {
            Self::Home(_) | Self::Room(_) => 200,
            Self::Refused(problem) => problem.status,
            Self::NotFound => 404,
        }
    }

    /// The room that the page shows.
    pub fn room(&self) -> Option<RoomId> {
        match self {
            Self::Room(snapshot) => Some(snapshot.room.id),
            _ => None,
        }
    }

    /// Whether the page shows files.
    #[cfg(feature = "ssr")]
    pub fn has_files(&self) -> bool {
        match self {
            Self::Room(snapshot) => snapshot.messages.iter().any(|it| !it.files().is_empty()),
            _ => false,
        }
    }

    /// The room that the page shows, if opening it makes it one of the visitor's own.
    #[cfg(feature = "ssr")]
    pub fn visited_room(&self) -> Option<RoomId> {
        match self {
            Self::Room(snapshot) if !snapshot.room.public => Some(snapshot.room.id),
            _ => None,
        }
    }

    /// The title of the page.
    pub fn title(&self) -> String {
        match self {
            Self::Home(_) => document_title(None),
            Self::Room(snapshot) => document_title(Some(&room_title(&snapshot.room))),
            Self::Refused(problem) => document_title(Some(&problem.title)),
            Self::NotFound => document_title(Some(t::NOT_FOUND.text())),
        }
    }
}

/// The document title of a page about something, or of the home page.
pub fn document_title(about: Option<&str>) -> String {
    about.map_or_else(
        || "webchat".to_owned(),
        |about| format!("{} · webchat", isolate_name(about)),
    )
}

/// The title of a room: the other person of a direct chat, its name, or the beginning of its ID if
/// nothing is drawn for its name.
pub fn room_title(room: &Room) -> String {
    let name = room
        .with
        .as_ref()
        .map(|peer| &peer.name)
        .or(room.name.as_ref());
    let drawn = name
        .map(|name| clean_name(name))
        .filter(|name| !name.is_empty());
    drawn.map_or_else(
        || t::ROOM_BY_ID.fill([&format!("{:.4}", room.id.to_string())]),
        Cow::into_owned,
    )
}

/// The content of the first rendering, for components. It is gone after hydration: components that
/// are mounted later fetch their data.
#[derive(Clone, Copy)]
pub struct FirstContent(StoredValue<Option<PageContent>>);

impl FirstContent {
    /// Holds the content until hydration.
    pub fn new(content: PageContent) -> Self {
        let first = Self(StoredValue::new(Some(content)));
        browser_effect(move || first.0.set_value(None));
        first
    }

    /// Whether the first rendering is over, so that a component that is mounted now comes from
    /// navigation within the app.
    pub fn is_over(self) -> bool {
        self.0.with_value(Option::is_none)
    }

    /// The content, during the first rendering.
    pub fn content(self) -> Option<PageContent> {
        self.0.get_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn state() -> InitialState {
        let room = Room {
            role: Some(protocol::Role::Reader),
            ..fixtures::room()
        };
        InitialState {
            now: Time::from_millis(1_795_157_260_123),
            visitor: Visitor::from_cookies("name=ada; theme=dark", 0),
            overview: Overview::default(),
            public_rooms: vec![fixtures::room()],
            longest_lifetime: 86_400,
            route: Route::Room(room.id),
            content: PageContent::Room(RoomSnapshot {
                room,
                messages: vec![fixtures::message(1), fixtures::message(2)],
            }),
        }
    }

    fn read(json: &str) -> Option<InitialState> {
        json::parse(json)
    }

    #[test]
    fn state_is_read_as_it_was_written_and_unknown_fields_are_ignored() {
        let contents = [
            state().content,
            PageContent::Home(HomeContent::default()),
            PageContent::Refused(protocol::Refusal::Gone(protocol::RoomEnd::Inactive).problem()),
            PageContent::NotFound,
        ];
        for content in contents {
            let written = serde_json::to_string(&InitialState { content, ..state() }).unwrap();
            let extended = written.replace("{\"id\":", "{\"of_tomorrow\":[1],\"id\":");
            assert_ne!(extended, written);
            let read = read(&extended);
            assert_eq!(serde_json::to_string(&read.unwrap()).unwrap(), written);
        }
    }

    #[test]
    fn state_without_a_field_or_with_a_wrong_type_is_not_read() {
        let written = serde_json::to_string(&state()).unwrap();
        assert!(read(&written).is_some());
        for (part, wrong) in [
            ("\"body\":", "\"text\":"),
            ("\"id\":2", "\"id\":\"2\""),
            ("\"id\":2", "\"id\":-2"),
            ("2026-11-20T06:47:40.123Z", "yesterday"),
            ("0000000000000000", "0"),
            ("\"public\":false", "\"public\":0"),
        ] {
            assert!(written.contains(part), "{part}");
            assert!(read(&written.replace(part, wrong)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn room_is_titled_by_what_is_drawn_of_its_name_or_by_its_id() {
        let title = |name: Option<&str>| {
            room_title(&Room {
                name: name.map(str::to_owned),
                ..fixtures::room()
            })
        };
        assert_eq!(title(Some("Tea")), "Tea");
        assert_eq!(title(Some("\u{202e}aeT\u{200b}")), "aeT");
        for name in [None, Some("\u{200b}"), Some("\u{3164}\u{2800}")] {
            assert_eq!(title(name), "Room 0000");
        }
        assert_eq!(
            document_title(Some("נורה")),
            "\u{2068}נורה\u{2069} · webchat"
        );
    }
}
