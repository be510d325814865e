//! What else can be done in a room.
//!
//! Promises: opens and closes without a script, by the browser's own means.

use leptos::prelude::*;
use protocol::Role;

use crate::api;
use crate::browser::click;
use crate::icon::Icon;
use crate::keys::show_keys;
use crate::part::{flag, part, text};
use crate::theme::ThemeSwitch;
use crate::visit::Visit;

/// The menu of a room and the button that opens it.
#[component]
pub fn Menu(visit: Visit) -> impl IntoView {
    let path = api::path(visit.id);
    let closed = flag(move || visit.closed.get());
    let direct = visit.room.with_untracked(|room| room.with.is_some());
    let known = move || visit.room.with(|room| room.private || room.role.is_some());
    part(view! {
        <button type="button" class="icon-button" aria-label="More" popovertarget="menu">{Icon::More.view()}</button>
        <div id="menu" class="menu" popover="auto">
                <a hidden=flag(move || direct || visit.closed.get()) data-panel href=format!("{path}settings/")>
                    {text(move || settings(visit).to_owned())}
                </a>
                <a hidden=flag(move || direct || visit.closed.get() || !known()) data-panel href=format!("{path}members/")>"People"</a>
                <a hidden=flag(move || direct || visit.closed.get() || !visit.invites()) data-panel href=format!("{path}invitations/")>"Invitations"</a>
                <a hidden=closed href=format!("{path}transcript.txt") rel="external" download>"Save as text"</a>
                <a hidden=closed href=format!("{path}archive.jsonl") rel="external" download>"Save as archive (JSON lines)"</a>
            <button type="button" class="needs-script" on:click=click(show_keys)>"Keyboard"</button>
            <a href="/docs/" rel="external">"For programs: the API"</a>
            <ThemeSwitch/>
        </div>
    })
}

fn settings(visit: Visit) -> &'static str {
    if visit.room.with(|room| room.role == Some(Role::Owner)) {
        "Room settings"
    } else {
        "About this room"
    }
}
