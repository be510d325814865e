//! What can be done with a message where it stands: its author edits or deletes it, moderators delete it and keep order.
//!
//! Promises: offered only to whom the server lets do it; one menu for the whole log, and nothing moves for it; what cannot
//! be taken back asks once more. Leaves to others: writing anew (`composer`). Comes alive in the browser.

use leptos::prelude::*;
use protocol::Message;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, MouseEvent};

use crate::api;
use crate::browser::{click, find, live, spawn};
use crate::message::is_mine;
use crate::name::Name;
use crate::part::{flag, part, text};
use crate::visit::Visit;
use crate::walk::walk_to;

/// The ID of the menu.
const MENU: &str = "act";

/// What somebody may do with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct May {
    /// Write it anew.
    pub edit: bool,
    /// Delete it.
    pub delete: bool,
    /// Keep its author from more.
    pub order: bool,
}

impl May {
    /// What the visitor may do with this message now.
    pub fn of(message: &Message, name: Name, visit: Visit) -> Self {
        let own = is_mine(message, name);
        let moderates = visit.moderates();
        let there = !message.deleted && !visit.closed.get();
        Self {
            edit: there && own,
            delete: there && (own || moderates),
            order: moderates && !own && message.author.is_some(),
        }
    }
}

/// The button of one message that opens the menu. Styles show it to whom the server lets do anything; it is not announced
/// with the message.
#[component]
pub fn Act(id: u64) -> impl IntoView {
    view! {
        <button
            type="button"
            class="act icon-button needs-script"
            aria-live="off"
            aria-label="What to do with this message"
            popovertarget=MENU
            value=id.to_string()
        ></button>
    }
}

/// What a click in the log does: if it is on the button of a message, the menu is about that one.
pub fn choose(visit: Visit) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let Some(button) = target.and_then(|target| target.closest(".act").ok().flatten()) else {
            return;
        };
        let id = button.get_attribute("value").and_then(|id| id.parse().ok());
        visit.chosen.set(id.unwrap_or_default());
        place(&button);
    })
}

/// Puts the menu where the button is: under it, or above it in the lower half of the page.
fn place(button: &Element) {
    let Some(menu) = find::<HtmlElement>(MENU) else {
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
pub fn ActMenu(visit: Visit) -> impl IntoView {
    let name = expect_context::<Name>();
    let chosen = move || visit.log.with(|log| log.find(visit.chosen.get()));
    let may = move || chosen().map_or(May::default(), |message| May::of(&message, name, visit));
    // Whether it is asked once more.
    let sure = RwSignal::new(false);
    live(move || {
        visit.chosen.get();
        sure.set(false);
    });
    let edit = move || {
        close();
        visit.editing.set(visit.chosen.get_untracked());
    };
    let delete = move || {
        if !sure.get_untracked() {
            return sure.set(true);
        }
        close();
        // The button that had the focus goes.
        walk_to(visit.chosen.get_untracked());
        spawn(async move {
            match api::delete(visit.id, visit.chosen.get_untracked()).await {
                Ok(message) => visit.replace(message),
                Err(failure) => visit.complain(&failure),
            }
        });
    };
    let sanction = move |kind: &'static str, lasts: &'static str, done: &'static str| {
        click(move || {
            close();
            let Some(message) = untrack(chosen) else {
                return;
            };
            spawn(async move {
                match api::sanction(visit.id, message.id, kind, lasts).await {
                    Ok(_) => drop(visit.notice.try_set(format!("{} {done}", message.username))),
                    Err(failure) => visit.complain(&failure),
                }
            });
        })
    };
    let words = text(move || {
        if sure.get() {
            "Delete for good?"
        } else {
            "Delete"
        }
        .to_owned()
    });
    part(view! {
        <div id=MENU class="menu" popover="auto" role="group" aria-label="This message">
            <button hidden=flag(move || !may().edit) type="button" on:click=click(edit)>"Edit"</button>
            <button hidden=flag(move || !may().delete) type="button" class="final" on:click=click(delete)>{words}</button>
            <button hidden=flag(move || !may().order) type="button" on:click=sanction("mute", "10m", "cannot write for 10 minutes.")>
                "Mute the author for 10 minutes"
            </button>
            <button hidden=flag(move || !may().order) type="button" class="final" on:click=sanction("ban", "1day", "is banned for a day.")>
                "Ban the author for a day"
            </button>
        </div>
    })
}

fn close() {
    if let Some(menu) = find::<HtmlElement>(MENU) {
        // Refused only to one that is closed.
        let _ = menu.hide_popover();
    }
}
