//! Who is in the room: a button with their number, and the list that it opens.
//!
//! # Guarantees
//! When people come and go, nothing moves and screen readers announce nothing.

use leptos::prelude::*;
use protocol::characters::clean_name;

use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::ui::avatar::initials;

/// How many avatars the button shows.
const AVATARS: usize = 3;

/// The button and the list.
#[component]
pub fn PresenceButton(state: RoomState) -> impl IntoView {
    let is_unknown =
        bool_signal(move || state.present.with(|present| present.count == 0) || state.closed.get());
    let count =
        text_signal(move || format!("{} here", state.present.with(|present| present.count)));
    let rest = text_signal(move || {
        match state
            .present
            .with(|present| present.count.saturating_sub(present.names.len() as u64))
        {
            0 => String::new(),
            rest => format!("and {rest} more"),
        }
    });
    erase_type(view! {
        <button type="button" class="presence-button script-only" class:idle=is_unknown popovertarget="presence-list">
            <span class="avatars" aria-hidden="true"><Rows state limit=AVATARS/></span>
            <span>{count}</span>
        </button>
        <div id="presence-list" class="menu presence-list" popover="auto">
            <h2 id="here-title">"Here now"</h2>
            <div class="presence-names" role="list" tabindex="0" aria-labelledby="here-title"><Rows state limit=usize::MAX/></div>
            <p class="hint">{rest}</p>
        </div>
    })
}

/// The first people of the list. The button shows the same rows with hidden names: another kind of
/// row would make the app larger.
#[component]
fn Rows(state: RoomState, limit: usize) -> impl IntoView {
    let own = expect_context::<DisplayName>();
    let row = move |name: &String| {
        let you = if *name == own.get() { " (you)" } else { "" };
        let shown = state
            .names
            .with(|names| clean_name(names.shown(name)).into_owned());
        let username = clean_name(name).into_owned();
        let added = (shown != username).then(|| view! { " (" <bdi>{username.clone()}</bdi> ")" });
        view! {
            <span role="listitem" translate="no">
                <span class=format!("avatar {}", state.hue_class(name)) aria-hidden="true">{initials(&shown)}</span>
                <span class="participant-name" title=username><bdi>{shown}</bdi>{added}{you}</span>
            </span>
        }
    };
    move || {
        state
            .present
            .with(|present| present.names.iter().take(limit).map(row).collect_view())
    }
}
