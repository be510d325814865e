//! The title and the icon of the browser's tab, and the badge of an installed app.
//!
//! # Guarantees
//! All three tell what is unread: everything in the visitor's other rooms and chats, and in the open
//! room what arrived while the page was hidden.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use protocol::RoomId;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::browser::dom::{browser_effect, focus_heading, on_window_event, spawn_task};
use crate::initial_state::FirstContent;
use crate::room_list::store::RoomLists;
use crate::room_list::unread::Unread;
use crate::ui::identicon::identicon_url;

/// Shows the title of a room, which may change, and its icon. `here` counts what arrives while the
/// page is hidden, and is set to nothing when it is shown.
pub fn show_room(id: RoomId, here: RwSignal<Unread>, title: impl Fn() -> String + 'static) {
    show(Some(id), move || here.get(), title);
    browser_effect(move || {
        on_window_event("visibilitychange", move |_| {
            if !document().hidden() {
                here.set(Unread::default());
            }
        });
        on_window_event("focus", move |_| here.set(Unread::default()));
    });
}

/// Shows the title of a page without a room. After navigation within the app, its heading gets the
/// focus.
pub fn show_page(title: String) {
    show(None, Unread::default, move || title.clone());
    if expect_context::<FirstContent>().is_over() {
        browser_effect(|| focus_heading("h1"));
    }
}

fn show(
    id: Option<RoomId>,
    here: impl Fn() -> Unread + 'static,
    title: impl Fn() -> String + 'static,
) {
    let lists = expect_context::<RoomLists>();
    browser_effect(move || {
        let unread = lists.unread_except(id) + here();
        document().set_title(&unread.before(&title()));
        show_icon(&identicon_url(id, unread.messages > 0));
        set_badge(unread.messages);
    });
}

fn show_icon(icon: &str) {
    if let Ok(Some(link)) = document().query_selector("link[rel=icon]")
        && link.get_attribute("href").as_deref() != Some(icon)
    {
        // Setting an attribute does not fail.
        let _ = link.set_attribute("href", icon);
    }
}

/// Shows a number on the icon of the installed app ([Badging](https://www.w3.org/TR/badging/)).
fn set_badge(count: u64) {
    let navigator = window().navigator();
    let name = if count == 0 {
        "clearAppBadge"
    } else {
        "setAppBadge"
    };
    // Many browsers have no such function.
    let Ok(Ok(function)) = Reflect::get(&navigator, &name.into()).map(JsCast::dyn_into::<Function>)
    else {
        return;
    };
    let shown = function.call1(&navigator, &JsValue::from(count as f64));
    if let Ok(Ok(promise)) = shown.map(JsCast::dyn_into::<Promise>) {
        // The system may forbid it.
        spawn_task(async move { drop(JsFuture::from(promise).await) });
    }
}
