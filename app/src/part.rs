//! What parts of a page are made of, in as few types as possible.
//!
//! Every type of a closure that follows a signal brings machinery of its own into what a first visit loads. Here they
//! become one type for each kind of value. Promises: the same markup and the same behaviour as without.

use leptos::prelude::*;

/// A part of a page, on the server, where its type is forgotten: the types of whole pages are too long for compilers.
#[cfg(feature = "ssr")]
pub fn part(view: impl IntoView + 'static) -> AnyView {
    view.into_any()
}

/// A part of a page, in the browser, where its type is kept: to forget it costs a third of what is loaded.
#[cfg(not(feature = "ssr"))]
pub fn part<V: IntoView + 'static>(view: V) -> impl IntoView + use<V> {
    view
}

/// A text that changes.
pub fn text(words: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(words)
}

/// A yes or no that changes.
pub fn flag(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(is)
}

/// What is wrong, said where it is wrong; nothing if all is well.
#[component]
pub fn Trouble(#[prop(optional)] id: &'static str, #[prop(into)] words: Signal<Option<String>>) -> impl IntoView {
    view! {
        <p class="trouble" id=id role="alert">
            {words}
        </p>
    }
}
