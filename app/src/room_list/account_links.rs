//! Links to the visitor's chats and account, or to the sign-in page.

use leptos::prelude::*;

use crate::reactive::text_signal;
use crate::router::Router;
use crate::session::visitor::SignedIn;

/// The links.
#[component]
pub fn AccountLinks() -> impl IntoView {
    let SignedIn { account } = expect_context();
    let guest = account.is_none();
    let router = expect_context::<Router>();
    let (text, path) = match account {
        Some(account) => (account.name, "/profile/"),
        None => ("Sign in".to_owned(), "/login"),
    };
    view! {
        <a hidden=guest href="/chats/">"Chats"</a>
        <a class="account" href=text_signal(move || format!("{path}?next={}", router.route().path()))><bdi>{text}</bdi></a>
    }
}
