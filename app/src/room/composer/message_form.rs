//! The event handlers of the form: keys, input and sending.
//!
//! # Guarantees
//! Only a valid text under a valid display name is sent; an error says what is invalid.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use protocol::characters::shows_nothing;
use protocol::text::{BODY_MAX, parse_body};
use protocol::{NewMessage, Refusal};
use web_sys::HtmlInputElement;

use crate::browser::dom::{element_by_id, focus_heading};
use crate::room::composer::draft::DraftField;
use crate::room::composer::editing;
use crate::room::composer::typing::TypingReporter;
use crate::room::ids::WRITING_AS;
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;

/// What the event handlers of the form share.
#[derive(Clone, Copy)]
pub struct MessageForm {
    /// The state of the room's page.
    pub state: RoomState,
    /// The visitor's display name.
    pub name: DisplayName,
    /// The message field.
    pub field: DraftField,
    /// Reports that the visitor types.
    pub typing: TypingReporter,
}

impl MessageForm {
    /// Fills the field with the draft. After navigation within the app, the field gets the focus.
    pub fn on_shown(self, navigated: bool) {
        let Some(field) = self.field.element() else {
            return;
        };
        if navigated && has_keyboard() {
            // A field that cannot take the focus leaves it where it is.
            let _ = field.focus();
        } else if navigated {
            focus_heading("h1");
        }
        self.field.load_draft();
    }

    /// The text in the field has changed.
    pub fn on_input(self) {
        self.field.on_changed();
        if self.field.length.get_untracked() > 0 {
            self.typing.report(self.name.get_untracked());
        }
    }

    /// A key was pressed in the field.
    pub fn on_key(self, event: &KeyboardEvent) {
        // While an input method composes a word, Enter ends the word. Safari ends the composition
        // before it reports the key, and marks the key with the code 229.
        let is_composing = event.is_composing() || event.key_code() == 229;
        let is_editing = self.state.editing.get_untracked() > 0;
        match event.key().as_str() {
            "Enter" if !is_composing && enter_sends(event) => {
                event.prevent_default();
                self.send();
            }
            "Escape" if is_editing && !is_composing => editing::cancel_edit(self.state, self.field),
            "ArrowUp" if self.field.length.get_untracked() == 0 => self.edit_last_message(event),
            _ => {}
        }
    }

    /// Sends the message, or the changed text of the message that is edited.
    pub fn send(self) {
        let edited = self.state.editing.get_untracked();
        let Some(body) = self.checked_body(edited > 0) else {
            return;
        };
        self.typing.reset();
        if edited > 0 {
            return editing::save_edit(self.state, self.field, edited, body);
        }
        self.state.send_message(NewMessage {
            username: self.name.get_untracked(),
            body,
        });
        self.field.set_text("");
    }

    /// Takes the display name from its field; returns whether it is valid.
    pub fn change_name(self) -> bool {
        if self.name.is_fixed {
            return true;
        }
        let entered = element_by_id::<HtmlInputElement>(WRITING_AS)
            .map(|field| field.value())
            .unwrap_or_default();
        let error = self.name.change(&entered).err();
        let is_valid = error.is_none();
        self.state.error.set(error);
        is_valid
    }

    fn edit_last_message(self, event: &KeyboardEvent) {
        if let Some(id) = editing::find_last_editable(self.state, self.name) {
            event.prevent_default();
            self.state.editing.set(id);
        }
    }

    /// The text to send, or `None` after showing why it cannot be sent.
    fn checked_body(self, is_editing: bool) -> Option<String> {
        let text = self.field.element()?.value();
        match parse_body(&text) {
            Ok(body) => (is_editing || self.change_name()).then_some(body),
            Err(refusal) if !shows_nothing(&text) => {
                let length = self.field.length.get_untracked();
                self.state.error.set(Some(refusal_text(&refusal, length)));
                None
            }
            Err(_) if is_editing => {
                let error = "To remove a message, delete it.";
                self.state.error.set(Some(error.to_owned()));
                None
            }
            Err(_) => None,
        }
    }
}

/// Whether Enter sends: not with Shift, and with an on-screen keyboard only with Ctrl or Meta.
fn enter_sends(event: &KeyboardEvent) -> bool {
    !event.shift_key() && (has_keyboard() || event.ctrl_key() || event.meta_key())
}

/// Whether the device has a keyboard. On a device without one, focus brings up the on-screen
/// keyboard, which covers half of the page.
fn has_keyboard() -> bool {
    window()
        .match_media("(pointer: fine)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

fn refusal_text(refusal: &Refusal, length: usize) -> String {
    match length.checked_sub(BODY_MAX) {
        Some(over @ 1..) => format!(
            "A message has at most {} characters; this is {over} too many.",
            BODY_MAX
        ),
        _ => refusal.to_string(),
    }
}
