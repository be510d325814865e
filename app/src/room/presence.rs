//! Who is in a room, and who is typing there.
//!
//! Promises: said calmly: nothing moves and nothing is read aloud when somebody comes, goes or types; whoever wants to
//! know who it is opens the list. Leaves to others: who counts as here and as typing, which the server says.

use leptos::prelude::*;

use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::ui::avatar::{hue_class, initials};

/// How many faces are shown.
const FACES: usize = 3;

/// How many are here, and the list that it opens.
#[component]
pub fn PresenceButton(state: RoomState) -> impl IntoView {
    let unknown =
        bool_signal(move || state.present.with(|here| here.count == 0) || state.closed.get());
    let count = text_signal(move || format!("{} here", state.present.with(|here| here.count)));
    let rest = text_signal(move || {
        match state
            .present
            .with(|here| here.count.saturating_sub(here.names.len() as u64))
        {
            0 => String::new(),
            rest => format!("and {rest} more"),
        }
    });
    erase_type(view! {
        <button type="button" class="presence-button script-only" class:idle=unknown popovertarget="presence-list">
            <span class="avatars" aria-hidden="true"><Rows state most=FACES/></span>
            <span>{count}</span>
        </button>
        <div id="presence-list" class="menu presence-list" popover="auto">
            <h2 id="here-title">"Here now"</h2>
            <div class="presence-names" role="list" tabindex="0" aria-labelledby="here-title"><Rows state most=usize::MAX/></div>
            <p class="hint">{rest}</p>
        </div>
    })
}

/// The first of those who are here. Faces alone are the same rows with their names hidden: another kind of row would be
/// more to load.
#[component]
fn Rows(state: RoomState, most: usize) -> impl IntoView {
    let own = expect_context::<DisplayName>();
    let row = move |name: &String| {
        let you = if *name == own.get() { " (you)" } else { "" };
        view! {
            <span role="listitem">
                <span class=format!("avatar {}", hue_class(name)) aria-hidden="true">{initials(name)}</span>
                <span class="participant-name"><bdi>{name.clone()}</bdi>{you}</span>
            </span>
        }
    };
    move || {
        state
            .present
            .with(|here| here.names.iter().take(most).map(row).collect_view())
    }
}
