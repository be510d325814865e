//! The menu of a room.
//!
//! # Guarantees
//! It opens and closes without a script.

use leptos::prelude::*;
use protocol::Role;

use crate::api;
use crate::browser::dom::on_click;
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::shortcuts::open_shortcuts;
use crate::ui::icon::Icon;
use crate::ui::theme_switch::ThemeSwitch;

/// The menu and the button that opens it.
#[component]
pub fn RoomMenu(state: RoomState) -> impl IntoView {
    let path = api::room_path(state.id);
    let closed = bool_signal(move || state.closed.get());
    let is_direct = state.room.with_untracked(|room| room.with.is_some());
    let has_members = move || state.room.with(|room| room.private || room.role.is_some());
    erase_type(view! {
        <button type="button" class="icon-button" aria-label="More" title="More" popovertarget="menu">{Icon::More.view()}</button>
        <div id="menu" class="menu" popover="auto">
                <a hidden=bool_signal(move || is_direct || state.closed.get()) data-panel href=format!("{path}settings/")>
                    {text_signal(move || settings_label(state).to_owned())}
                </a>
                <a hidden=bool_signal(move || is_direct || state.closed.get() || !has_members()) data-panel href=format!("{path}members/")>"People"</a>
                <a hidden=bool_signal(move || is_direct || state.closed.get() || !state.can_invite()) data-panel href=format!("{path}invitations/")>"Invitations"</a>
                <a hidden=closed href=format!("{path}transcript.txt") rel="external" download>"Save as text"</a>
                <a hidden=closed href=format!("{path}archive.jsonl") rel="external" download>"Save as archive (JSON lines)"</a>
            <button type="button" class="script-only" on:click=on_click(open_shortcuts)>"Keyboard shortcuts"</button>
            <a href="/docs/" rel="external">"For programs: the API"</a>
            <ThemeSwitch/>
        </div>
    })
}

fn settings_label(state: RoomState) -> &'static str {
    if state.room.with(|room| room.role == Some(Role::Owner)) {
        "Room settings"
    } else {
        "About this room"
    }
}
