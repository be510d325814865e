//! The page for an address without a route.

use leptos::prelude::*;

use crate::initial_state::document_title;
use crate::page_title;
use crate::reactive::erase_type;

/// The page.
#[component]
pub fn NotFound() -> impl IntoView {
    page_title::show_page(document_title(Some("Not found")));
    erase_type(view! {
        <main class="page notice">
            <h1>"There is nothing here"</h1>
            <p>"This address leads to no page. If it was meant to be a room, check that its ID has 16 characters, each 0–9 or a–f."</p>
            <p class="row"><a class="button" href="/">"Go to the rooms"</a></p>
        </main>
    })
}
