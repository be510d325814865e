//! The sidebar of a room: the other rooms, the direct messages, the form for a new room, and the
//! account.
//!
//! # Guarantees
//! - On a wide screen it is beside the room; on a narrow one it is a drawer that opens and closes
//!   without a script.
//! - It keeps its state when the visitor goes to another room.
//!
//! # Not here
//! The lists (`list`).

use leptos::prelude::*;
use texts::app as t;
use web_sys::HtmlElement;

use crate::browser::dom::{browser_effect, element_by_id, on_window_capture, on_window_event};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room_list::account_links::AccountLinks;
use crate::room_list::list::RoomListPanel;
use crate::room_list::new_room_form::NewRoomForm;
use crate::room_list::store::RoomLists;
use crate::router::{Route, Router};
use crate::ui::icon::Icon;
use crate::ui::identicon::Identicon;
use crate::ui::later::later;

/// The ID of the sidebar.
const SIDEBAR: &str = "sidebar";
/// The ID of the panel with the form for a new room.
pub const NEW_ROOM: &str = "new-room-panel";

/// The sidebar; empty outside of rooms.
#[component]
pub fn Sidebar() -> impl IntoView {
    let router = expect_context::<Router>();
    let lists = expect_context::<RoomLists>();
    let in_room = Memo::new(move |_| matches!(router.route(), Route::Room(_)));
    browser_effect(move || {
        router.route();
        hide_popover(NEW_ROOM);
        hide_popover(SIDEBAR);
        update_visibility(lists);
    });
    browser_effect(move || {
        on_window_event("resize", move |_| update_visibility(lists));
        on_window_capture("toggle", move |_| update_visibility(lists));
    });
    move || {
        in_room
            .get()
            .then(|| later(2, || view! { <SidebarContent/> }))
    }
}

#[component]
fn SidebarContent() -> impl IntoView {
    erase_type(view! {
        <nav id=SIDEBAR class="sidebar" popover="auto" aria-label=t::ROOMS_AND_MESSAGES.text()>
            <div class="sidebar-header">
                <a href="/" aria-label=t::ALL_ROOMS.text()>
                    <Identicon/>
                    <span>"webchat"</span>
                </a>
                <button type="button" class="icon-button" popovertarget=NEW_ROOM aria-label=t::NEW_ROOM.text() title=t::NEW_ROOM.text()>{Icon::Plus.view()}</button>
            </div>
            <RoomListPanel/>
            <p class="account-links"><AccountLinks/></p>
        </nav>
        // Not in the sidebar, which may be closed while another button opens the form.
        <div id=NEW_ROOM class="dialog new-room-panel" popover="auto" role="dialog" aria-label=t::NEW_ROOM.text()>
            <NewRoomForm is_panel=true/>
        </div>
    })
}

/// The button that opens the drawer, with the number of unread messages in other rooms.
#[component]
pub fn SidebarButton() -> impl IntoView {
    let lists = expect_context::<RoomLists>();
    let router = expect_context::<Router>();
    let unread = move || match router.route() {
        Route::Room(id) => lists.unread_except(Some(id)).messages,
        _ => 0,
    };
    erase_type(view! {
        <button type="button" class="icon-button sidebar-button" popovertarget=SIDEBAR aria-label=t::ROOMS_AND_MESSAGES.text() title=t::ROOMS_AND_MESSAGES.text()>
            {Icon::List.view()}
            <span hidden=bool_signal(move || unread() == 0) class="unread">
                {text_signal(move || unread().to_string())}
                <span class="visually-hidden">" "{t::UNREAD.text()}</span>
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
        || find_open_popover(SIDEBAR).is_some()
}

/// Finds the popover with this ID, if it is open.
fn find_open_popover(id: &str) -> Option<HtmlElement> {
    element_by_id::<HtmlElement>(id)
        .filter(|popover| popover.matches(":popover-open").unwrap_or(false))
}

fn hide_popover(id: &str) {
    if let Some(popover) = find_open_popover(id) {
        // Hiding an open popover does not fail.
        let _ = popover.hide_popover();
    }
}
