//! The warning that a room will be deleted soon.

use leptos::prelude::*;
use texts::app as t;

use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::time::duration_text;
use crate::ui::time_left::TimeLeft;

/// The warning in the last tenth of a room's lifetime; screen readers announce it once.
#[component]
pub fn ExpiryWarning(state: RoomState, left: Signal<TimeLeft>) -> impl IntoView {
    let is_short = move || left.get().is_short() && !state.closed.get();
    let [before, after] = t::EXPIRY_WARNING.around();
    erase_type(view! {
        <div class="expiry-warning" role="status">
            <p hidden=bool_signal(move || !is_short())>
                {before}
                <span aria-hidden="true">{text_signal(move || time_text(left.get()))}</span>
                {after}
            </p>
        </div>
    })
}

fn time_text(left: TimeLeft) -> String {
    match left.time.as_secs() {
        0 => t::NOW.text().to_owned(),
        _ => t::IN_TIME.fill([&duration_text::format_long(left.time)]),
    }
}
