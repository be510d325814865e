//! Who is signed in, in the header of a page: the way to one's chats and account, or to sign in.

use leptos::prelude::*;

use crate::reactive::text_signal;
use crate::router::Router;
use crate::session::visitor::SignedIn;

/// The links.
#[component]
pub fn AccountLinks() -> impl IntoView {
    let SignedIn { account } = expect_context();
    let guest = account.is_none();
    let way = expect_context::<Router>();
    let (words, place) = match account {
        Some(account) => (account.name, "/profile/"),
        None => ("Sign in".to_owned(), "/login"),
    };
    view! {
        <a hidden=guest href="/chats/">"Chats"</a>
        <a class="account" href=text_signal(move || format!("{place}?next={}", way.page().path()))><bdi>{words}</bdi></a>
    }
}
