//! The menu of a message: copy its text or its link, edit, delete, and sanctions against its author.
//!
//! # Guarantees
//! - It offers what the server permits the visitor.
//! - There is one menu for all messages, and opening it moves nothing on the page.
//! - Deleting needs a second click.
//!
//! # Not here
//! Editing the text (`composer`).

use std::sync::Arc;

use leptos::prelude::*;
use protocol::Message;
use protocol::characters::isolate_name;
use texts::Template;
use texts::app as t;
use wasm_bindgen::JsValue;
use web_sys::{Element, HtmlElement, MouseEvent};

use crate::api;
use crate::browser::dom::{browser_effect, element_by_id, on_click, spawn_task};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::ids::message_id;
use crate::room::page_dialog;
use crate::room::permissions::Permissions;
use crate::room::share_dialog::room_url;
use crate::room::state::RoomState;
use crate::room::viewport::keyboard_nav::focus_message;
use crate::session::display_name::DisplayName;
use crate::ui::copy_button::CopyButton;

/// The ID of the menu.
const MENU: &str = "message-menu";

/// The button of a message that opens the menu. Screen readers do not announce it with a new
/// message.
#[component]
pub fn MessageMenuButton(id: u64) -> impl IntoView {
    view! {
        <button
            type="button"
            class="message-menu-button icon-button script-only"
            aria-live="off"
            aria-label=t::MESSAGE_ACTIONS.text()
            title=t::MESSAGE_ACTIONS.text()
            popovertarget=MENU
            value=id.to_string()
        ></button>
    }
}

/// After a click on the button of a message: the menu is for that message and beside the button; the
/// browser itself opens it.
pub fn open_menu(state: RoomState, button: &Element) {
    let id = button.get_attribute("value").and_then(|id| id.parse().ok());
    state.selected.set(id.unwrap_or_default());
    place_menu(button);
}

/// Places the menu below the button, or above it in the lower half of the window.
fn place_menu(button: &Element) {
    let Some(menu) = element_by_id::<HtmlElement>(MENU) else {
        return;
    };
    let at = button.get_bounding_client_rect();
    let width = to_pixels(window().inner_width());
    let height = to_pixels(window().inner_height());
    let is_below = at.bottom() < height / 2.0;
    let near_edge = if is_below { "top" } else { "bottom" };
    let far_edge = if is_below { "bottom" } else { "top" };
    let distance = css_length(if is_below {
        at.bottom()
    } else {
        height - at.top()
    });
    let is_rtl = document()
        .document_element()
        .is_some_and(|page| page.get_attribute("dir").as_deref() == Some("rtl"));
    let (start_edge, end_edge, from_end) = if is_rtl {
        ("right", "left", at.left())
    } else {
        ("left", "right", width - at.right())
    };
    let from_end = css_length(from_end);
    for (property, value) in [
        (near_edge, &*distance),
        (far_edge, "auto"),
        (end_edge, &*from_end),
        (start_edge, "auto"),
    ] {
        // If the style cannot be set, the menu is in its corner.
        let _ = menu.style().set_property(property, value);
    }
}

fn to_pixels(length: Result<JsValue, JsValue>) -> f64 {
    length
        .ok()
        .and_then(|length| length.as_f64())
        .unwrap_or_default()
}

/// A length in whole pixels: formatting fractions would add much code to the first visit.
fn css_length(pixels: f64) -> String {
    format!("{}px", pixels as i32)
}

/// The menu of the selected message.
#[component]
pub fn MessageMenu(state: RoomState) -> impl IntoView {
    let menu = Menu {
        state,
        name: expect_context(),
        is_confirming: RwSignal::new(false),
    };
    browser_effect(move || {
        state.selected.get();
        menu.is_confirming.set(false);
    });
    let delete_text = text_signal(move || {
        if menu.is_confirming.get() {
            t::DELETE_FOR_GOOD.text()
        } else {
            t::DELETE.text()
        }
        .to_owned()
    });
    let cannot_edit = bool_signal(move || !menu.permissions().edit);
    let cannot_sanction = move || !menu.permissions().sanction_author;
    erase_type(view! {
        <div id=MENU class="menu" popover="auto" role="group" aria-label=t::THIS_MESSAGE.text()>
            <CopyButton hidden=bool_signal(move || menu.has_no_text()) text=Box::new(move || menu.text()) label=t::COPY_TEXT.text()/>
            <CopyButton text=Box::new(move || menu.link()) label=t::COPY_LINK.text()/>
            <button hidden=cannot_edit type="button" on:click=on_click(move || menu.edit())>{t::EDIT.text()}</button>
            <button hidden=bool_signal(move || !menu.permissions().delete) type="button" class="destructive" on:click=on_click(move || menu.delete())>{delete_text}</button>
            <button hidden=bool_signal(cannot_sanction) type="button" on:click=menu.sanction_on_click("kind=mute&timeout=10m")>
                {menu.label(t::MUTE_PERSON)}
            </button>
            <button hidden=bool_signal(cannot_sanction) type="button" class="destructive" on:click=menu.sanction_on_click("kind=ban&timeout=1day")>
                {menu.label(t::BAN_PERSON)}
            </button>
        </div>
    })
}

/// What the handlers of the menu share.
#[derive(Clone, Copy)]
struct Menu {
    state: RoomState,
    name: DisplayName,
    /// Whether the next click on "Delete" deletes the message.
    is_confirming: RwSignal<bool>,
}

impl Menu {
    fn message(self) -> Option<Arc<Message>> {
        let id = self.state.selected.get();
        self.state.history.log.with(|log| log.find(id))
    }

    fn permissions(self) -> Permissions {
        self.message().map_or(Permissions::default(), |message| {
            Permissions::of(&message, self.name, self.state)
        })
    }

    fn has_no_text(self) -> bool {
        self.message().is_none_or(|message| message.is_deleted())
    }

    fn text(self) -> String {
        let message = untrack(|| self.message());
        message.map_or_else(String::new, |message| message.body().to_owned())
    }

    fn link(self) -> String {
        let id = message_id(self.state.selected.get_untracked());
        format!("{}#{id}", room_url(self.state.id))
    }

    fn edit(self) {
        close_menu();
        self.state.editing.set(self.state.selected.get_untracked());
    }

    fn delete(self) {
        if !self.is_confirming.get_untracked() {
            return self.is_confirming.set(true);
        }
        close_menu();
        let state = self.state;
        // The button that had the focus is no longer shown for a deleted message.
        focus_message(state.selected.get_untracked());
        spawn_task(async move {
            match api::delete_message(state.id, state.selected.get_untracked()).await {
                Ok(message) => state.history.replace(message),
                Err(failure) => state.show_error(&failure),
            }
        });
    }

    /// A label with the name of the author.
    fn label(self, text: Template<1>) -> Signal<String> {
        text_signal(move || {
            let author = self
                .message()
                .map(|message| isolate_name(&message.username));
            text.fill([&author.unwrap_or_default()])
        })
    }

    /// A click handler that imposes a sanction on the author of the message; `fields` are those of
    /// the form that does the same. The answer is shown above the composer, with a button to undo it.
    fn sanction_on_click(self, fields: &'static str) -> Box<dyn FnMut(MouseEvent)> {
        let state = self.state;
        on_click(move || {
            close_menu();
            let path = format!("{}sanctions/", api::room_path(state.id));
            let form = format!("message={}&{fields}", state.selected.get_untracked());
            page_dialog::load_into_dialog(state, path, Some(form));
        })
    }
}

fn close_menu() {
    if let Some(menu) = element_by_id::<HtmlElement>(MENU) {
        // Fails only if the menu is closed.
        let _ = menu.hide_popover();
    }
}
