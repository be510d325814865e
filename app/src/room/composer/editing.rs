//! Editing a message in the message field.
//!
//! # Guarantees
//! The changed text stays in the field until the server has accepted it, also across reloads of the
//! tab. After the edit, or when it is cancelled, the draft is in the field again.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::Message;

use crate::api;
use crate::browser::dom::{browser_effect, spawn_task};
use crate::room::composer::draft::DraftField;
use crate::room::permissions::Permissions;
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;

/// Fills the field whenever an edit starts or continues after a reload.
pub fn fill_field_on_edit(state: RoomState, field: DraftField) {
    browser_effect(move || {
        let edited = state.editing.get();
        let stored = field.stored_edit().filter(|edit| edit.message == edited);
        let message = state.history.log.with_untracked(|log| log.find(edited));
        let original = || message.map(|message| message.body().to_owned());
        if let Some(text) = stored.map(|edit| edit.text).or_else(original) {
            field.set_text(&text);
        }
    });
}

/// Sends the changed text of a message.
pub fn save_edit(state: RoomState, field: DraftField, id: u64, body: String) {
    spawn_task(async move {
        match api::edit_message(state.id, id, &body).await {
            Ok(message) => {
                state.history.replace(message);
                if state.editing.try_get_untracked() == Some(id) {
                    field.end_edit();
                }
            }
            Err(failure) => state.show_error(&failure),
        }
    });
}

/// Finds the last message that the visitor may edit.
pub fn find_last_editable(state: RoomState, name: DisplayName) -> Option<u64> {
    let is_editable =
        |message: &&Arc<Message>| untrack(|| Permissions::of(message, name, state).edit);
    state.history.log.with_untracked(|log| {
        let last = log.messages().iter().rev().find(is_editable);
        last.map(|message| message.id)
    })
}
