//! Content for pages without the app: without scripts, or if the app cannot start.
//!
//! # Guarantees
//! It costs pages with the app nothing but its bytes: to a browser that runs scripts, the content of
//! a `noscript` element is a text.
//!
//! # Not here
//! Showing it if the app fails (`shell`).

use leptos::prelude::*;

/// Shows `content` on pages without the app, unless it is hidden.
#[cfg(feature = "ssr")]
pub fn without_app<V: IntoView>(is_hidden: Signal<bool>, content: impl FnOnce() -> V) -> AnyView {
    if is_hidden.get_untracked() {
        return view! { <noscript hidden=is_hidden></noscript> }.into_any();
    }
    let content = content().into_view().to_html();
    view! { <noscript hidden=is_hidden inner_html=content></noscript> }.into_any()
}

/// The app itself shows nothing.
#[cfg(not(feature = "ssr"))]
pub fn without_app<V: IntoView>(
    is_hidden: Signal<bool>,
    _content: impl FnOnce() -> V,
) -> impl IntoView {
    view! { <noscript hidden=is_hidden></noscript> }
}
