//! The side bar of a room: every other room and chat, a new one, and who one is.
//!
//! Promises: stands beside the room where the screen is wide, and is a drawer elsewhere, which opens and closes without a
//! script; going from room to room leaves it as it is. Leaves to others: the lists (`rooms`).

use leptos::prelude::*;
use protocol::NewRoom;
use web_sys::Element;

use crate::browser::dom::{
    browser_effect, element_by_id, on_submit, on_window_capture, on_window_event,
};
use crate::reactive::{ErrorText, bool_signal, erase_type, text_signal};
use crate::room_list::account_links::AccountLinks;
use crate::room_list::list::RoomListPanel;
use crate::room_list::new_room_form::create_and_open;
use crate::room_list::store::RoomLists;
use crate::router::{Route, Router};
use crate::ui::icon::Icon;
use crate::ui::identicon::Identicon;

/// Its ID.
const SIDE: &str = "sidebar";

/// The side bar; nothing but in a room.
#[component]
pub fn Sidebar() -> impl IntoView {
    let way = expect_context::<Router>();
    let lists = expect_context::<RoomLists>();
    let in_room = Memo::new(move |_| matches!(way.page(), Route::Room(_)));
    browser_effect(move || {
        way.page();
        close();
        update_visibility(lists);
    });
    browser_effect(move || {
        on_window_event("resize", move |_| update_visibility(lists));
        on_window_capture("toggle", move |_| update_visibility(lists));
    });
    move || in_room.get().then(|| view! { <Bar/> })
}

#[component]
fn Bar() -> impl IntoView {
    let way = expect_context::<Router>();
    let trouble = RwSignal::new(None);
    let new = move || create_and_open(NewRoom::default(), way, RwSignal::new(false), trouble);
    let words = Signal::derive(move || {
        trouble
            .get()
            .map(|failure: crate::api::Failure| failure.words())
    });
    erase_type(view! {
        <nav id=SIDE class="sidebar" popover="auto" aria-label="Rooms and chats">
            <div class="sidebar-header">
                <a href="/" aria-label="All rooms">
                    <Identicon/>
                    <span>"webchat"</span>
                </a>
                <form method="post" action="/rooms/" on:submit=on_submit(new)>
                    <button class="icon-button" aria-label="Open a room" title="Open a room">{Icon::Plus.view()}</button>
                </form>
            </div>
            <ErrorText words/>
            <RoomListPanel/>
            <p class="account-links"><AccountLinks/></p>
        </nav>
    })
}

/// The button that opens the drawer, with a mark when something is unread elsewhere.
#[component]
pub fn SidebarButton() -> impl IntoView {
    let (glance, way) = (expect_context::<RoomLists>(), expect_context::<Router>());
    let elsewhere = move || glance.unread(|room| way.page() != Route::Room(room.id));
    erase_type(view! {
        <button type="button" class="icon-button sidebar-button" popovertarget=SIDE aria-label="Rooms and chats">
            {Icon::List.view()}
            <span hidden=bool_signal(move || elsewhere() == 0) class="unread">
                {text_signal(move || elsewhere().to_string())}
                <span class="visually-hidden">" unread"</span>
            </span>
        </button>
    })
}

fn update_visibility(lists: RoomLists) {
    let is_visible = is_visible();
    if lists.is_sidebar_visible.get_untracked() != is_visible {
        lists.is_sidebar_visible.set(is_visible);
    }
}

/// Whether the sidebar can be seen: beside the room, or as an open drawer. In the browser only.
fn is_visible() -> bool {
    window()
        .match_media("(min-width: 64rem)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
        || drawer().is_some()
}

/// The drawer, if it is open.
fn drawer() -> Option<Element> {
    element_by_id::<Element>(SIDE).filter(|side| side.matches(":popover-open").unwrap_or(false))
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
