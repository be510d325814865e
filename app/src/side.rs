//! The side bar of a room: every other room and chat, a new one, and who one is.
//!
//! Promises: stands beside the room where the screen is wide, and is a drawer elsewhere, which opens and closes without a
//! script; going from room to room leaves it as it is. Leaves to others: the lists (`rooms`).

use leptos::prelude::*;
use protocol::NewRoom;
use web_sys::Element;

use crate::browser::{find, live, submit};
use crate::create::create;
use crate::icon::Icon;
use crate::overview::Glance;
use crate::part::{Trouble, flag, part, text};
use crate::rooms::Lists;
use crate::seal::Seal;
use crate::way::{Page, Way};
use crate::who::Who;

/// Its ID.
const SIDE: &str = "side";

/// The side bar; nothing but in a room.
#[component]
pub fn Side() -> impl IntoView {
    let way = expect_context::<Way>();
    let in_room = Memo::new(move |_| matches!(way.page(), Page::Room(_)));
    live(move || {
        way.page();
        close();
    });
    move || in_room.get().then(|| view! { <Bar/> })
}

#[component]
fn Bar() -> impl IntoView {
    let way = expect_context::<Way>();
    let trouble = RwSignal::new(None);
    let new = move || create(NewRoom::default(), way, RwSignal::new(false), trouble);
    let words = Signal::derive(move || {
        trouble
            .get()
            .map(|failure: crate::api::Failure| failure.words())
    });
    part(view! {
        <nav id=SIDE class="side" popover="auto" aria-label="Rooms and chats">
            <div class="side-head">
                <a href="/" aria-label="All rooms">
                    <Seal/>
                    <span>"webchat"</span>
                </a>
                <form method="post" action="/rooms/" on:submit=submit(new)>
                    <button class="icon-button" aria-label="Open a room" title="Open a room">{Icon::Plus.view()}</button>
                </form>
            </div>
            <Trouble words/>
            <Lists/>
            <p class="signed"><Who/></p>
        </nav>
    })
}

/// The button that opens the drawer, with a mark when something is unread elsewhere.
#[component]
pub fn OpenSide() -> impl IntoView {
    let (glance, way) = (expect_context::<Glance>(), expect_context::<Way>());
    let elsewhere = move || glance.unread(|room| way.page() != Page::Room(room.id));
    part(view! {
        <button type="button" class="icon-button open-side" popovertarget=SIDE aria-label="Rooms and chats">
            {Icon::List.view()}
            <span hidden=flag(move || elsewhere() == 0) class="unread">
                {text(move || elsewhere().to_string())}
                <span class="unseen">" unread"</span>
            </span>
        </button>
    })
}

/// Whether the lists of a room's side bar can be seen: beside the room, or in the drawer. In the browser only.
pub fn is_seen() -> bool {
    window()
        .match_media("(min-width: 64rem)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
        || drawer().is_some()
}

/// The drawer, if it is open.
fn drawer() -> Option<Element> {
    find::<Element>(SIDE).filter(|side| side.matches(":popover-open").unwrap_or(false))
}

/// Closes the drawer.
fn close() {
    if let Some(drawer) =
        drawer().and_then(|side| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(side).ok())
    {
        // One that is open closes.
        let _ = drawer.hide_popover();
    }
}
