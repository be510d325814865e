//! The text in the message field, and the draft that the browser keeps of it.
//!
//! # Guarantees
//! - The browser keeps the text of each room until it is sent.
//! - Text that the visitor enters before hydration stays in the field.

use leptos::prelude::*;
use protocol::RoomId;
use protocol::text::trim_body;
use web_sys::{HtmlElement, HtmlTextAreaElement};

use crate::browser::dom::element_by_id;
use crate::browser::local_storage;
use crate::room::ids::FIELD;
use crate::room::state::RoomState;

/// The message field of a room.
#[derive(Clone, Copy)]
pub struct DraftField {
    state: RoomState,
    /// The number of characters in it after trimming.
    pub length: RwSignal<usize>,
}

impl DraftField {
    /// The field of a room, empty.
    pub fn new(state: RoomState) -> Self {
        Self {
            state,
            length: RwSignal::new(0),
        }
    }

    /// The element, if it is on the page.
    pub fn element(self) -> Option<HtmlTextAreaElement> {
        element_by_id(FIELD)
    }

    /// Stores the draft after a change, and fits the height of the field to its text.
    pub fn on_changed(self) {
        let Some(field) = self.element() else { return };
        let text = field.value();
        // The text of a message that is edited is not a draft.
        if self.state.editing.get_untracked() == 0 {
            local_storage::set(&draft_key(self.state.id), &text);
        }
        self.length.set(trim_body(&text).chars().count());
        self.state.error.set(None);
        self.state.notice.set(String::new());
        fit_height(&field);
    }

    /// Replaces the text, and moves the focus to the field.
    pub fn set_text(self, text: &str) {
        if let Some(field) = self.element() {
            field.set_value(text);
            self.on_changed();
            let _ = field.focus();
        }
    }

    /// Puts the stored draft back after an edit.
    pub fn restore_draft(self) {
        self.set_text(&read_draft(self.state.id));
    }

    /// Fills an empty field with the stored draft.
    pub fn load_draft(self) {
        let Some(field) = self.element() else { return };
        if field.value().is_empty() {
            field.set_value(&read_draft(self.state.id));
        }
        self.on_changed();
    }
}

/// Reads the draft of a room from the browser's storage.
pub fn read_draft(id: RoomId) -> String {
    local_storage::get(&draft_key(id)).unwrap_or_default()
}

fn draft_key(id: RoomId) -> String {
    format!("draft/{id}")
}

/// Fits the height of the field to its text, up to the maximum that the style sets.
fn fit_height(field: &HtmlTextAreaElement) {
    let style = HtmlElement::style(field);
    // If the style cannot be set, the field scrolls.
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}
