//! What can be done with a message where it stands: its author edits or deletes it, moderators delete it and keep order.
//!
//! Promises: offered only to whom the server lets do it; one menu for the whole log, and nothing moves for it; what cannot
//! be taken back asks once more. Leaves to others: writing anew (`composer`). Comes alive in the browser.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, MouseEvent};

use crate::api;
use crate::browser::dom::{browser_effect, element_by_id, on_click, spawn_task};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::permissions::Permissions;
use crate::room::state::RoomState;
use crate::room::timeline::keyboard_nav::focus_message;
use crate::session::display_name::DisplayName;

/// The ID of the menu.
const MENU: &str = "message-menu";

/// The button of one message that opens the menu. Styles show it to whom the server lets do anything; it is not announced
/// with the message.
#[component]
pub fn MessageMenuButton(id: u64) -> impl IntoView {
    view! {
        <button
            type="button"
            class="message-menu-button icon-button script-only"
            aria-live="off"
            aria-label="What to do with this message"
            popovertarget=MENU
            value=id.to_string()
        ></button>
    }
}

/// What a click in the log does: if it is on the button of a message, the menu is about that one.
pub fn select_message(state: RoomState) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let Some(button) =
            target.and_then(|target| target.closest(".message-menu-button").ok().flatten())
        else {
            return;
        };
        let id = button.get_attribute("value").and_then(|id| id.parse().ok());
        state.selected.set(id.unwrap_or_default());
        place(&button);
    })
}

/// Puts the menu where the button is: under it, or above it in the lower half of the page.
fn place(button: &Element) {
    let Some(menu) = element_by_id::<HtmlElement>(MENU) else {
        return;
    };
    // Whole pixels: to write out a fraction takes more code than all of this.
    let (at, pixels) = (button.get_bounding_client_rect(), |size: f64| {
        format!("{}px", size as i32)
    });
    let length = |size: Result<wasm_bindgen::JsValue, _>| {
        size.ok().and_then(|size| size.as_f64()).unwrap_or_default()
    };
    let (width, height) = (
        length(window().inner_width()),
        length(window().inner_height()),
    );
    let upper = at.bottom() < height / 2.0;
    let (side, away) = if upper {
        ("top", "bottom")
    } else {
        ("bottom", "top")
    };
    let distance = pixels(if upper {
        at.bottom()
    } else {
        height - at.top()
    });
    let right = pixels(width - at.right());
    for (name, value) in [
        (side, &*distance),
        (away, "auto"),
        ("right", &*right),
        ("left", "auto"),
    ] {
        // A style that cannot be set leaves the menu in its corner.
        let _ = menu.style().set_property(name, value);
    }
}

/// The menu of the message that was chosen.
#[component]
pub fn MessageMenu(state: RoomState) -> impl IntoView {
    let name = expect_context::<DisplayName>();
    let chosen = move || state.history.log.with(|log| log.find(state.selected.get()));
    let may = move || {
        chosen().map_or(Permissions::default(), |message| {
            Permissions::of(&message, name, state)
        })
    };
    // Whether it is asked once more.
    let sure = RwSignal::new(false);
    browser_effect(move || {
        state.selected.get();
        sure.set(false);
    });
    let edit = move || {
        close();
        state.editing.set(state.selected.get_untracked());
    };
    let delete = move || {
        if !sure.get_untracked() {
            return sure.set(true);
        }
        close();
        // The button that had the focus goes.
        focus_message(state.selected.get_untracked());
        spawn_task(async move {
            match api::delete_message(state.id, state.selected.get_untracked()).await {
                Ok(message) => state.history.replace(message),
                Err(failure) => state.show_error(&failure),
            }
        });
    };
    let sanction = move |kind: &'static str, lasts: &'static str, done: &'static str| {
        on_click(move || {
            close();
            let Some(message) = untrack(chosen) else {
                return;
            };
            spawn_task(async move {
                match api::impose_sanction(state.id, message.id, kind, lasts).await {
                    Ok(_) => drop(state.notice.try_set(format!("{} {done}", message.username))),
                    Err(failure) => state.show_error(&failure),
                }
            });
        })
    };
    let words = text_signal(move || {
        if sure.get() {
            "Delete for good?"
        } else {
            "Delete"
        }
        .to_owned()
    });
    erase_type(view! {
        <div id=MENU class="menu" popover="auto" role="group" aria-label="This message">
            <button hidden=bool_signal(move || !may().edit) type="button" on:click=on_click(edit)>"Edit"</button>
            <button hidden=bool_signal(move || !may().delete) type="button" class="destructive" on:click=on_click(delete)>{words}</button>
            <button hidden=bool_signal(move || !may().sanction_author) type="button" on:click=sanction("mute", "10m", "cannot write for 10 minutes.")>
                "Mute the author for 10 minutes"
            </button>
            <button hidden=bool_signal(move || !may().sanction_author) type="button" class="destructive" on:click=sanction("ban", "1day", "is banned for a day.")>
                "Ban the author for a day"
            </button>
        </div>
    })
}

fn close() {
    if let Some(menu) = element_by_id::<HtmlElement>(MENU) {
        // Refused only to one that is closed.
        let _ = menu.hide_popover();
    }
}
