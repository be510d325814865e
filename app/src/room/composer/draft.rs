//! The text in the message field, and the draft that the browser keeps of it.
//!
//! **Guarantees:** what is typed is kept for each room until it is sent; what was typed before the browser took over
//! stays. In the browser only.

use leptos::prelude::*;
use protocol::RoomId;
use web_sys::{HtmlElement, HtmlTextAreaElement};

use crate::browser::dom::element_by_id;
use crate::browser::local_storage;
use crate::room::ids::FIELD;
use crate::room::state::RoomState;

/// The message field of a room.
#[derive(Clone, Copy)]
pub struct DraftField {
    state: RoomState,
    /// How many characters it holds, without those around the text.
    pub length: RwSignal<usize>,
}

impl DraftField {
    /// The empty field of a room.
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

    /// Stores the draft after a change, and lets the field grow with its text.
    pub fn on_changed(self) {
        let Some(field) = self.element() else { return };
        let text = field.value();
        // The text of an edited message is no draft.
        if self.state.editing.get_untracked() == 0 {
            local_storage::set(&draft_key(self.state.id), &text);
        }
        self.length.set(text.trim().chars().count());
        self.state.error.set(None);
        self.state.notice.set(String::new());
        fit_height(&field);
    }

    /// Replaces the text, and gives the field the focus.
    pub fn set_text(self, text: &str) {
        if let Some(field) = self.element() {
            field.set_value(text);
            self.on_changed();
            let _ = field.focus();
        }
    }

    /// Puts the stored draft back after an edit.
    pub fn restore_draft(self) {
        self.set_text(&stored_draft(self.state.id));
    }

    /// Fills an empty field with the stored draft.
    pub fn load_draft(self) {
        let Some(field) = self.element() else { return };
        if field.value().is_empty() {
            field.set_value(&stored_draft(self.state.id));
        }
        self.on_changed();
    }
}

/// The draft that the browser keeps for a room.
pub fn stored_draft(id: RoomId) -> String {
    local_storage::get(&draft_key(id)).unwrap_or_default()
}

fn draft_key(id: RoomId) -> String {
    format!("draft/{id}")
}

/// Lets the field grow with its text, up to what the style allows.
fn fit_height(field: &HtmlTextAreaElement) {
    let style = HtmlElement::style(field);
    // A style that cannot be set leaves the field scrolling.
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}
