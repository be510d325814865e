//! Who can find and enter a room, as a group of radio buttons: for a new room and in a room's
//! settings.

use leptos::prelude::*;
use texts::Text;
use texts::app as t;

/// The name of the form field.
const FIELD: &str = "access";

/// The choices: value and label.
pub const VISIBILITY_CHOICES: [(&str, Text); 3] = [
    ("link", t::VISIBLE_LINK),
    ("public", t::VISIBLE_PUBLIC),
    ("private", t::VISIBLE_PRIVATE),
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
    let choice = |(value, label): (&'static str, Text)| {
        view! {
            <label class="choice">
                <input type="radio" name=FIELD value=value checked=value == chosen/>
                <span>{label.text()}</span>
            </label>
        }
    };
    view! {
        <fieldset class="visibility">
            <legend>{t::WHO_CAN_ENTER.text()}</legend>
            {VISIBILITY_CHOICES.map(choice).into_iter().collect_view()}
        </fieldset>
    }
}
