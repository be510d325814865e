//! Who may come into a room, as one choice: on the page for a new room, and in its settings.

use leptos::prelude::*;

/// The name of the field.
const FIELD: &str = "access";

/// What can be chosen: as it is sent, and as people read it.
pub const CHOICES: [(&str, &str); 3] = [
    ("link", "Anyone with the link"),
    ("public", "Shown to everyone under open rooms"),
    ("private", "Private: only people you invite"),
];

/// What a room has chosen, as it is sent.
#[cfg(feature = "ssr")]
pub fn chosen(room: &protocol::Room) -> &'static str {
    match (room.private, room.public) {
        (true, _) => "private",
        (false, true) => "public",
        (false, false) => "link",
    }
}

/// The choice, as a group of buttons of which one is pressed.
#[component]
pub fn Access(chosen: &'static str) -> impl IntoView {
    let choice = |(value, words): (&'static str, &'static str)| {
        view! {
            <label class="tick">
                <input type="radio" name=FIELD value=value checked=value == chosen/>
                <span>{words}</span>
            </label>
        }
    };
    view! {
        <fieldset class="access">
            <legend>"Who may come"</legend>
            {CHOICES.map(choice).into_iter().collect_view()}
        </fieldset>
    }
}
