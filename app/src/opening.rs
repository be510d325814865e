//! What the server hands to the browser with a page, so that both draw the same one.
//!
//! Promises: everything that the first drawing depends on is in here, once, and travels with the page. Leaves to
//! others: finding it (the server) and whatever happens afterwards (the pages).

use leptos::prelude::*;
use protocol::{Message, Overview, Problem, Room, RoomId, Time};
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::browser::live;
use crate::theme::Theme;
use crate::visitor::{Signed, Visitor};
use crate::way::Page;
use crate::wire::{self, Wire, field};

/// The ID of the element in which it travels.
pub const ELEMENT: &str = "opening";

/// The first state of a page.
#[derive(Clone, Debug, Serialize)]
pub struct Opening {
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
    pub page: Page,
    /// What it shows.
    pub scene: Scene,
}

/// What a page shows first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scene {
    /// The home page.
    Home(Home),
    /// A room.
    Room(Arrival),
    /// A room that cannot be shown, and why.
    Refused(Problem),
    /// An address that leads nowhere.
    Lost,
}

/// What the home page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Home {
    /// What was typed to join a room and leads to none.
    pub sought: Option<String>,
}

/// What one finds on entering a room.
#[derive(Clone, Debug, Serialize)]
pub struct Arrival {
    /// The room.
    pub room: Room,
    /// Its newest messages, oldest first.
    pub messages: Vec<Message>,
}

impl Opening {
    /// The opening of this page: on the server from the context, in the browser from the page.
    pub fn current() -> Self {
        use_context().or_else(handed_over).unwrap_or_else(|| Self {
            now: crate::clock::now(),
            visitor: Visitor::default(),
            overview: Overview::default(),
            open: Vec::new(),
            page: Page::Lost,
            scene: Scene::Lost,
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
fn handed_over() -> Option<Opening> {
    if cfg!(feature = "ssr") {
        return None;
    }
    let opening: Opening = wire::parse(&document().get_element_by_id(ELEMENT)?.text_content()?)?;
    // A room may be shown at the address of a name; which room it is, only the server knows.
    let path = window().location().pathname().ok()?;
    let page = opening
        .scene
        .room()
        .map_or_else(|| Page::at(&path), Page::Room);
    Some(Opening { page, ..opening })
}

impl Wire for Opening {
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
            page: Page::default(),
            scene,
        })
    }
}

impl Wire for Visitor {
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

impl Wire for Signed {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            account: field(value, "account")?,
        })
    }
}

impl Wire for Scene {
    fn read(value: &JsValue) -> Option<Self> {
        let home = || field(value, "home").map(Self::Home);
        let room = || field(value, "room").map(Self::Room);
        let refused = || field(value, "refused").map(Self::Refused);
        home().or_else(room).or_else(refused).or(Some(Self::Lost))
    }
}

impl Wire for Home {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            sought: field(value, "sought")?,
        })
    }
}

impl Wire for Arrival {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            room: field(value, "room")?,
            messages: field(value, "messages")?,
        })
    }
}

impl Scene {
    /// The HTTP status of the page.
    pub fn status(&self) -> u16 {
        match self {
            Self::Home(_) | Self::Room(_) => 200,
            Self::Refused(problem) => problem.status,
            Self::Lost => 404,
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
            Self::Home(_) => title(None),
            Self::Room(arrival) => title(Some(&room_title(&arrival.room))),
            Self::Refused(problem) => title(Some(&problem.title)),
            Self::Lost => title(Some("Not found")),
        }
    }
}

/// The title of a page about something, or of the product's own.
pub fn title(about: Option<&str>) -> String {
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
pub struct Stage(StoredValue<Option<Scene>>);

impl Stage {
    /// Sets the stage for the first drawing.
    pub fn new(scene: Scene) -> Self {
        let stage = Self(StoredValue::new(Some(scene)));
        live(move || stage.0.set_value(None));
        stage
    }

    /// Whether the first drawing is over, so that what is drawn now was asked for on this page.
    pub fn is_over(self) -> bool {
        self.0.with_value(Option::is_none)
    }

    /// The first scene, during the first drawing.
    pub fn scene(self) -> Option<Scene> {
        self.0.get_value()
    }
}
