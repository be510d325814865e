//! What else can be done in a room.
//!
//! Promises: opens and closes without a script, by the browser's own means.

use leptos::prelude::*;

use crate::api;
use crate::browser::click;
use crate::icon::Icon;
use crate::keys::show_keys;
use crate::part::{flag, part};
use crate::theme::ThemeSwitch;
use crate::visit::Visit;

/// The menu of a room and the button that opens it.
#[component]
pub fn Menu(visit: Visit) -> impl IntoView {
    let path = api::path(visit.id);
    let closed = flag(move || visit.closed.get());
    part(view! {
        <button type="button" class="icon-button" aria-label="More" popovertarget="menu">{Icon::More.view()}</button>
        <div id="menu" class="menu" popover="auto">
                <a hidden=closed href=format!("{path}transcript.txt") rel="external" download>"Save as text"</a>
                <a hidden=closed href=format!("{path}archive.jsonl") rel="external" download>"Save as archive (JSON lines)"</a>
            <button type="button" class="needs-script" on:click=click(show_keys)>"Keyboard"</button>
            <a href="/docs/" rel="external">"For programs: the API"</a>
            <ThemeSwitch/>
        </div>
    })
}
