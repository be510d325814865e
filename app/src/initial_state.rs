//! What the server hands to the browser with a page, so that both draw the same one.
//!
//! Promises: everything that the first drawing depends on is in here, once, and travels with the page. Leaves to
//! others: finding it (the server) and whatever happens afterwards (the pages).

use leptos::prelude::*;
use protocol::{Message, Overview, Problem, Room, RoomId, Time};
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::browser::dom::browser_effect;
use crate::browser::json::{self, FromJson, field};
use crate::router::Route;
use crate::session::theme::Theme;
use crate::session::visitor::{SignedIn, Visitor};

/// The ID of the element in which it travels.
pub const STATE_ELEMENT: &str = "opening";

/// The first state of a page.
#[derive(Clone, Debug, Serialize)]
pub struct InitialState {
    /// The server's clock when it drew the page.
    pub now: Time,
    /// Whom it was drawn for.
    pub visitor: Visitor,
    /// The visitor's rooms and chats.
    pub overview: Overview,
    /// The rooms open to everyone, most recently active first.
    pub open: Vec<Room>,
    /// Which page it is; the browser knows by its address, or by the room it shows.
    #[serde(skip)]
    pub page: Route,
    /// What it shows.
    pub scene: PageContent,
}

/// What a page shows first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PageContent {
    /// The home page.
    Home(HomeContent),
    /// A room.
    Room(RoomSnapshot),
    /// A room that cannot be shown, and why.
    Refused(Problem),
    /// An address that leads nowhere.
    NotFound,
}

/// What the home page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HomeContent {
    /// What was typed to join a room and leads to none.
    pub sought: Option<String>,
}

/// What one finds on entering a room.
#[derive(Clone, Debug, Serialize)]
pub struct RoomSnapshot {
    /// The room.
    pub room: Room,
    /// Its newest messages, oldest first.
    pub messages: Vec<Message>,
}

impl InitialState {
    /// The opening of this page: on the server from the context, in the browser from the page.
    pub fn current() -> Self {
        use_context().or_else(handed_over).unwrap_or_else(|| Self {
            now: crate::time::clock::now(),
            visitor: Visitor::default(),
            overview: Overview::default(),
            open: Vec::new(),
            page: Route::NotFound,
            scene: PageContent::NotFound,
        })
    }

    /// How it travels: JSON that may stand in a script element.
    #[cfg(feature = "ssr")]
    pub fn json(&self) -> String {
        // These types have no keys but texts, so they always serialise.
        serde_json::to_string(self)
            .unwrap_or_default()
            .replace('<', "\\u003c")
    }
}

/// The opening that the server left in the page.
fn handed_over() -> Option<InitialState> {
    if cfg!(feature = "ssr") {
        return None;
    }
    let opening: InitialState = json::parse(
        &document()
            .get_element_by_id(STATE_ELEMENT)?
            .text_content()?,
    )?;
    // A room may be shown at the address of a name; which room it is, only the server knows.
    let path = window().location().pathname().ok()?;
    let page = opening
        .scene
        .room()
        .map_or_else(|| Route::at(&path), Route::Room);
    Some(InitialState { page, ..opening })
}

impl FromJson for InitialState {
    fn read(value: &JsValue) -> Option<Self> {
        let (now, visitor, scene) = (
            field(value, "now")?,
            field(value, "visitor")?,
            field(value, "scene")?,
        );
        let (overview, open) = (field(value, "overview")?, field(value, "open")?);
        Some(Self {
            now,
            visitor,
            overview,
            open,
            page: Route::default(),
            scene,
        })
    }
}

impl FromJson for Visitor {
    fn read(value: &JsValue) -> Option<Self> {
        let theme = Theme::from_cookie(field::<String>(value, "theme").as_deref());
        let (name, signed) = (field(value, "name")?, field(value, "signed")?);
        Some(Self {
            name,
            theme,
            visits: Vec::new(),
            signed,
        })
    }
}

impl FromJson for SignedIn {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            account: field(value, "account")?,
        })
    }
}

impl FromJson for PageContent {
    fn read(value: &JsValue) -> Option<Self> {
        let home = || field(value, "home").map(Self::Home);
        let room = || field(value, "room").map(Self::Room);
        let refused = || field(value, "refused").map(Self::Refused);
        home()
            .or_else(room)
            .or_else(refused)
            .or(Some(Self::NotFound))
    }
}

impl FromJson for HomeContent {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            sought: field(value, "sought")?,
        })
    }
}

impl FromJson for RoomSnapshot {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            room: field(value, "room")?,
            messages: field(value, "messages")?,
        })
    }
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

    /// The room whose seal the page carries.
    pub fn room(&self) -> Option<RoomId> {
        match self {
            Self::Room(arrival) => Some(arrival.room.id),
            _ => None,
        }
    }

    /// The title of the page.
    pub fn title(&self) -> String {
        match self {
            Self::Home(_) => document_title(None),
            Self::Room(arrival) => document_title(Some(&room_title(&arrival.room))),
            Self::Refused(problem) => document_title(Some(&problem.title)),
            Self::NotFound => document_title(Some("Not found")),
        }
    }
}

/// The title of a page about something, or of the product's own.
pub fn document_title(about: Option<&str>) -> String {
    about.map_or_else(
        || "webchat".to_owned(),
        |about| format!("{about} · webchat"),
    )
}

/// What to call a room: whom one talks to, its name, or the beginning of its ID.
pub fn room_title(room: &Room) -> String {
    let name = room
        .with
        .as_ref()
        .map(|with| &with.name)
        .or(room.name.as_ref());
    name.cloned()
        .unwrap_or_else(|| format!("Room {:.4}", room.id.to_string()))
}

/// The opening of this page, for its parts. It is spent once the browser has taken over: whoever comes later asks
/// the server anew.
#[derive(Clone, Copy)]
pub struct FirstContent(StoredValue<Option<PageContent>>);

impl FirstContent {
    /// Sets the stage for the first drawing.
    pub fn new(scene: PageContent) -> Self {
        let stage = Self(StoredValue::new(Some(scene)));
        browser_effect(move || stage.0.set_value(None));
        stage
    }

    /// Whether the first drawing is over, so that what is drawn now was asked for on this page.
    pub fn is_over(self) -> bool {
        self.0.with_value(Option::is_none)
    }

    /// The first scene, during the first drawing.
    pub fn scene(self) -> Option<PageContent> {
        self.0.get_value()
    }
}
