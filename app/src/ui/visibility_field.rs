//! Who can find and enter a room, as a group of radio buttons: for a new room and in a room's
//! settings.

use leptos::prelude::*;

/// The name of the form field.
const FIELD: &str = "access";

/// The choices: value and label.
pub const VISIBILITY_CHOICES: [(&str, &str); 3] = [
    ("link", "Anyone with the link"),
    ("public", "Anyone; listed under Public rooms"),
    ("private", "Private: only people you invite"),
];

/// The value for a room.
#[cfg(feature = "ssr")]
pub fn chosen_visibility(room: &protocol::Room) -> &'static str {
    match (room.private, room.public) {
        (true, _) => "private",
        (false, true) => "public",
        (false, false) => "link",
    }
}

/// The radio buttons.
#[component]
pub fn VisibilityField(chosen: &'static str) -> impl IntoView {
    let choice = |(value, label): (&'static str, &'static str)| {
        view! {
            <label class="choice">
                <input type="radio" name=FIELD value=value checked=value == chosen/>
                <span>{label}</span>
            </label>
        }
    };
    view! {
        <fieldset class="visibility">
            <legend>"Who can enter"</legend>
            {VISIBILITY_CHOICES.map(choice).into_iter().collect_view()}
        </fieldset>
    }
}
