//! The menu of a room.
//!
//! # Guarantees
//! It opens and closes without a script.

use leptos::prelude::*;
use protocol::Role;
use texts::app as t;

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
        <button type="button" class="icon-button" aria-label=t::MORE.text() title=t::MORE.text() popovertarget="menu">{Icon::More.view()}</button>
        <div id="menu" class="menu" popover="auto">
            <div hidden=closed>
                <a hidden=is_direct data-panel href=format!("{path}settings/")>
                    {text_signal(move || settings_label(state).to_owned())}
                </a>
                <a hidden=bool_signal(move || is_direct || !has_members()) data-panel href=format!("{path}members/")>{t::PEOPLE.text()}</a>
                <a hidden=bool_signal(move || is_direct || !state.can_invite()) data-panel href=format!("{path}invitations/")>{t::INVITATIONS.text()}</a>
                <a hidden=false data-panel href=format!("{path}files/")>{t::FILES.text()}</a>
                <a hidden=false data-panel href=format!("{path}notifications/")>{t::NOTIFICATIONS.text()}</a>
                <a hidden=is_direct data-panel href=format!("{path}listing/")>{t::KEEP_OR_LEAVE.text()}</a>
                <a href=format!("{path}transcript.txt") rel="external" download>{t::SAVE_AS_TEXT.text()}</a>
                <a href=format!("{path}archive.jsonl") rel="external" download>{t::SAVE_AS_ARCHIVE.text()}</a>
            </div>
            <button type="button" class="script-only" on:click=on_click(open_shortcuts)>{t::KEYBOARD_SHORTCUTS.text()}</button>
            <a href=format!("/language/?next={path}") rel="external">{t::LANGUAGE.text()}</a>
            <a href="/docs/" rel="external">{t::FOR_PROGRAMS.text()}</a>
            <ThemeSwitch/>
        </div>
    })
}

fn settings_label(state: RoomState) -> &'static str {
    if state.room.with(|room| room.role == Some(Role::Owner)) {
        t::ROOM_SETTINGS.text()
    } else {
        t::ABOUT_ROOM.text()
    }
}
