//! The event handlers of the form: keys, input and sending.
//!
//! # Guarantees
//! Only a valid text under a valid display name is sent; an error says what is invalid.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use protocol::characters::shows_nothing;
use protocol::text::{BODY_MAX, parse_body};
use protocol::{NewMessage, Refusal};
use texts::app as t;

use crate::browser::dom::{focus_heading, is_composing};
use crate::room::composer::draft::DraftField;
use crate::room::composer::mention_list::MentionList;
use crate::room::composer::splitting::split_text;
use crate::room::composer::typing::TypingReporter;
use crate::room::composer::{editing, files};
use crate::room::ids::WRITING_AS;
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::time::clock;

/// What the event handlers of the form share.
#[derive(Clone, Copy)]
pub struct MessageForm {
    /// The state of the room's page.
    pub state: RoomState,
    /// The visitor's display name.
    pub name: DisplayName,
    /// The message field.
    pub field: DraftField,
    /// The list of names above it.
    pub mentions: MentionList,
    /// Reports that the visitor types.
    pub typing: TypingReporter,
}

impl MessageForm {
    /// Fills the field with the draft, and gives it the focus if the device has a keyboard, unless
    /// the visitor has moved the focus on a page that was just loaded.
    pub fn on_shown(self, navigated: bool) {
        let Some(field) = self.field.element() else {
            return;
        };
        if has_keyboard() && (navigated || is_focus_unmoved()) {
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
        self.mentions.update();
        if self.state.draft_length.get_untracked() > 0 && !self.is_muted() {
            self.typing.report(self.name.get_untracked());
        }
    }

    /// A key was pressed in the field.
    pub fn on_key(self, event: &KeyboardEvent) {
        // While an input method composes a word, Enter ends the word.
        let is_composing = is_composing(event);
        let is_editing = self.state.editing.get_untracked() > 0;
        if !is_composing && self.mentions.on_key(event) {
            return;
        }
        match event.key().as_str() {
            "Enter" if !is_composing && enter_sends(event) => {
                event.prevent_default();
                self.send();
            }
            "Escape" if is_editing && !is_composing => self.field.end_edit(),
            "ArrowUp" if !is_composing && !has_modifier(event) && self.is_field_empty() => {
                self.edit_last_message(event)
            }
            _ => {}
        }
    }

    /// Sends the message, or the changed text of the message that is edited.
    pub fn send(self) {
        if self.is_muted() {
            return;
        }
        let edited = self.state.editing.get_untracked();
        if edited == 0 && self.change_name() && files::take_message() {
            return;
        }
        let Some(body) = self.checked_body(edited > 0) else {
            return;
        };
        if edited > 0 {
            self.typing.reset();
            return editing::save_edit(self.state, self.field, edited, body);
        }
        self.send_all(vec![body]);
    }

    fn send_all(self, bodies: Vec<String>) {
        self.typing.reset();
        for body in bodies {
            let username = self.name.get_untracked();
            self.state.send_message(NewMessage { username, body });
        }
        self.field.set_text("");
    }

    /// Takes the display name from its field; returns whether it is valid.
    pub fn change_name(self) -> bool {
        let is_valid = self.name.take_from(WRITING_AS);
        self.state.error.set(self.name.error.get_untracked());
        is_valid
    }

    /// Whether there is nothing in the field, not even white space.
    fn is_field_empty(self) -> bool {
        self.field
            .element()
            .is_some_and(|field| field.value().is_empty())
    }

    fn is_muted(self) -> bool {
        untrack(|| self.state.muted_until(clock::now())).is_some()
    }

    /// Of how many messages the text consists that is too long for one; 0 if it is not, if they are
    /// too many, or if a message is edited.
    pub fn count_parts(self) -> usize {
        let is_short = self.state.draft_length.get() <= BODY_MAX;
        if is_short || self.state.editing.get() > 0 {
            return 0;
        }
        self.parts().len()
    }

    fn parts(self) -> Vec<String> {
        self.field
            .element()
            .map_or_else(Vec::new, |field| split_text(&field.value()))
    }

    /// Sends a text that is too long as several messages.
    pub fn send_in_parts(self) {
        let parts = self.parts();
        if !parts.is_empty() && !self.is_muted() && self.change_name() {
            self.send_all(parts);
        }
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
                let length = self.state.draft_length.get_untracked();
                self.state.error.set(Some(refusal_text(&refusal, length)));
                None
            }
            Err(_) if is_editing => {
                let error = t::DELETE_TO_REMOVE.text();
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

fn has_modifier(event: &KeyboardEvent) -> bool {
    event.shift_key() || event.ctrl_key() || event.alt_key() || event.meta_key()
}

/// Whether nothing on the page has the focus, and the address leads to no part of the page.
fn is_focus_unmoved() -> bool {
    let focused = document().active_element();
    let hash = window().location().hash().unwrap_or_default();
    focused.is_none_or(|focused| focused.tag_name() == "BODY") && hash.is_empty()
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
        Some(over @ 1..) => t::MESSAGE_TOO_LONG.fill([&BODY_MAX.to_string(), &over.to_string()]),
        _ => refusal.broken_rule().unwrap_or_default(),
    }
}
