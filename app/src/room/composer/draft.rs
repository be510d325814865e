//! The text in the message field, and the draft that the browser keeps of it.
//!
//! # Guarantees
//! - Each tab keeps its text of each room across reloads until it is sent, also that of an edit.
//! - The newest draft of all tabs is offered in a tab that has had none, also after its own tab was
//!   closed. Sending in one tab deletes no draft of another.
//! - Text that the visitor enters before hydration stays in the field.

use leptos::prelude::*;
use protocol::RoomId;
use protocol::text::trim_body;
use web_sys::{Element, HtmlElement, HtmlTextAreaElement};

use crate::browser::dom::{element_by_id, focus_field, on_window_event};
use crate::browser::local_storage;
use crate::room::ids::{FIELD, NOTICE};
use crate::room::state::RoomState;

/// The message field of a room.
#[derive(Clone, Copy)]
pub struct DraftField {
    state: RoomState,
}

impl DraftField {
    /// The field of a room.
    pub fn new(state: RoomState) -> Self {
        Self { state }
    }

    /// The element, if it is on the page.
    pub fn element(self) -> Option<HtmlTextAreaElement> {
        element_by_id(FIELD)
    }

    /// Stores the draft after a change, and fits the height of the field to its text.
    pub fn on_changed(self) {
        let Some(field) = self.element() else { return };
        let text = field.value();
        match self.state.editing.get_untracked() {
            0 => store_draft(self.state.id, &text),
            edited => store_edit(self.state.id, &format!("{edited} {text}")),
        }
        let length = trim_body(&text).chars().count();
        self.state.draft_length.set(length);
        self.state.error.set(None);
        set_notice("");
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

    /// The text from its beginning to the caret.
    pub fn text_before_caret(self) -> Option<String> {
        let field = self.element()?;
        let caret = field.selection_end().ok()??;
        let text = js_sys::JsString::from(field.value());
        Some(text.slice(0, caret).into())
    }

    /// Replaces the text that ends at the caret, and moves the caret behind its replacement.
    pub fn replace_before_caret(self, old: &str, new: &str) {
        let Some((field, before)) = self.element().zip(self.text_before_caret()) else {
            return;
        };
        let length = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or_default();
        let end = length(&before);
        let start = end - length(old);
        // Fails only for a range outside of the text.
        let _ = field.set_range_text_with_start_and_end(new, start, end);
        let caret = start + length(new);
        let _ = field.set_selection_range(caret, caret);
        self.on_changed();
    }

    /// Puts a mention at the caret, as a word of its own, and moves the focus to the field.
    pub fn insert_mention(self, mention: &str) {
        let before = self.text_before_caret().unwrap_or_default();
        let is_word_start = before.is_empty() || before.trim_end().len() < before.len();
        let space = if is_word_start { "" } else { " " };
        self.replace_before_caret("", &format!("{space}{mention}"));
        focus_field(FIELD);
    }

    /// Ends an edit and puts the stored draft back.
    pub fn end_edit(self) {
        store_edit(self.state.id, "");
        self.state.editing.set(0);
        self.set_text(&read_draft(self.state.id));
    }

    /// Puts a text before the draft; returns whether there is a field to put it in.
    pub fn take_back(self, text: &str) -> bool {
        if self.state.editing.get_untracked() > 0 {
            self.end_edit();
        }
        let Some(field) = self.element() else {
            return false;
        };
        let draft = field.value();
        let separator = if draft.is_empty() { "" } else { "\n" };
        self.set_text(&format!("{text}{separator}{draft}"));
        true
    }

    /// Fills an empty field with the stored draft, and continues an edit.
    pub fn load_draft(self) {
        let Some(field) = self.element() else { return };
        if field.value().is_empty() {
            field.set_value(&read_draft(self.state.id));
        }
        self.on_changed();
        if let Some(edit) = self.stored_edit() {
            self.state.editing.set(edit.message);
        }
        on_window_event("pagehide", move |_| offer_draft(self.state.id));
    }

    /// The edit that this tab has not ended.
    pub fn stored_edit(self) -> Option<StoredEdit> {
        let stored = local_storage::get_in_tab(&edit_key(self.state.id))?;
        let (message, text) = stored.split_once(' ')?;
        Some(StoredEdit {
            message: message.parse().ok()?,
            text: text.to_owned(),
        })
    }
}

/// Shows a line above the composer, as the server has drawn it. Returns whether there is a place for
/// it.
pub fn set_notice(html: &str) -> bool {
    let notice = element_by_id::<Element>(NOTICE);
    notice.map(|notice| notice.set_inner_html(html)).is_some()
}

/// An edit that has not ended.
pub struct StoredEdit {
    /// The sequence of the message.
    pub message: u64,
    /// The changed text.
    pub text: String,
}

/// Reads the draft of a room: this tab's, or the newest of all tabs.
pub fn read_draft(id: RoomId) -> String {
    let key = draft_key(id);
    local_storage::get_in_tab(&key)
        .or_else(|| local_storage::get(&key))
        .unwrap_or_default()
}

/// Stores this tab's draft, which is the newest one now. When it is empty, a newer one of another
/// tab stays.
fn store_draft(id: RoomId, text: &str) {
    let key = draft_key(id);
    let before = local_storage::get_in_tab(&key);
    if before.as_deref() == Some(text) {
        return;
    }
    local_storage::set_in_tab(&key, text);
    if !text.is_empty() || local_storage::get(&key) == before {
        local_storage::set(&key, text);
    }
}

/// Offers this tab's draft to the next tab, unless there is a newer one.
fn offer_draft(id: RoomId) {
    let key = draft_key(id);
    if local_storage::get(&key).is_none() {
        local_storage::set(&key, &local_storage::get_in_tab(&key).unwrap_or_default());
    }
}

fn store_edit(id: RoomId, edit: &str) {
    local_storage::set_in_tab(&edit_key(id), edit);
}

fn edit_key(id: RoomId) -> String {
    format!("edit/{id}")
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
