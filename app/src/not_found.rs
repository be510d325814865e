//! The page for an address without a route.

use leptos::prelude::*;
use texts::app as t;

use crate::initial_state::document_title;
use crate::page_title;
use crate::reactive::erase_type;

/// The page.
#[component]
pub fn NotFound() -> impl IntoView {
    page_title::show_page(document_title(Some(t::NOT_FOUND.text())));
    erase_type(view! {
        <main class="page notice">
            <h1>{t::NOTHING_HERE.text()}</h1>
            <p>{t::NOTHING_HERE_HINT.text()}</p>
            <p class="row"><a class="button" href="/">{t::GO_TO_ROOMS.text()}</a></p>
        </main>
    })
}
