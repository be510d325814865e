//! The sidebar of a room: the other rooms and chats, a button for a new room, and the account.
//!
//! # Guarantees
//! - On a wide screen it is beside the room; on a narrow one it is a drawer that opens and closes
//!   without a script.
//! - It keeps its state when the visitor goes to another room.
//!
//! # Not here
//! The lists (`list`).

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

/// The ID of the sidebar.
const SIDEBAR: &str = "sidebar";

/// The sidebar; empty outside of rooms.
#[component]
pub fn Sidebar() -> impl IntoView {
    let router = expect_context::<Router>();
    let lists = expect_context::<RoomLists>();
    let in_room = Memo::new(move |_| matches!(router.route(), Route::Room(_)));
    browser_effect(move || {
        router.route();
        close_drawer();
        update_visibility(lists);
    });
    browser_effect(move || {
        on_window_event("resize", move |_| update_visibility(lists));
        on_window_capture("toggle", move |_| update_visibility(lists));
    });
    move || in_room.get().then(|| view! { <SidebarContent/> })
}

#[component]
fn SidebarContent() -> impl IntoView {
    let router = expect_context::<Router>();
    let error = RwSignal::new(None);
    let create_room =
        move || create_and_open(NewRoom::default(), router, RwSignal::new(false), error);
    let error_text = Signal::derive(move || {
        error
            .get()
            .map(|failure: crate::api::Failure| failure.text())
    });
    erase_type(view! {
        <nav id=SIDEBAR class="sidebar" popover="auto" aria-label="Rooms and chats">
            <div class="sidebar-header">
                <a href="/" aria-label="All rooms">
                    <Identicon/>
                    <span>"webchat"</span>
                </a>
                <form method="post" action="/rooms/" on:submit=on_submit(create_room)>
                    <button class="icon-button" aria-label="Open a room" title="Open a room">{Icon::Plus.view()}</button>
                </form>
            </div>
            <ErrorText text=error_text/>
            <RoomListPanel/>
            <p class="account-links"><AccountLinks/></p>
        </nav>
    })
}

/// The button that opens the drawer, with the number of unread messages in other rooms.
#[component]
pub fn SidebarButton() -> impl IntoView {
    let lists = expect_context::<RoomLists>();
    let router = expect_context::<Router>();
    let unread = move || lists.count_unread(|room| router.route() != Route::Room(room.id));
    erase_type(view! {
        <button type="button" class="icon-button sidebar-button" popovertarget=SIDEBAR aria-label="Rooms and chats">
            {Icon::List.view()}
            <span hidden=bool_signal(move || unread() == 0) class="unread">
                {text_signal(move || unread().to_string())}
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
        || find_open_drawer().is_some()
}

/// Finds the drawer, if it is open.
fn find_open_drawer() -> Option<Element> {
    element_by_id::<Element>(SIDEBAR)
        .filter(|sidebar| sidebar.matches(":popover-open").unwrap_or(false))
}

/// Closes the drawer.
fn close_drawer() {
    if let Some(drawer) = find_open_drawer()
        .and_then(|sidebar| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(sidebar).ok())
    {
        // Hiding an open popover does not fail.
        let _ = drawer.hide_popover();
    }
}
