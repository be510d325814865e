//! Who is signed in, in the header of a page: the way to one's chats and account, or to sign in.

use leptos::prelude::*;

use crate::part::text;
use crate::visitor::Signed;
use crate::way::Way;

/// The links.
#[component]
pub fn Who() -> impl IntoView {
    let Signed { account } = expect_context();
    let guest = account.is_none();
    let way = expect_context::<Way>();
    let (words, place) = match account {
        Some(account) => (account.name, "/profile/"),
        None => ("Sign in".to_owned(), "/login"),
    };
    view! {
        <a hidden=guest href="/chats/">"Chats"</a>
        <a class="account" href=text(move || format!("{place}?next={}", way.page().path()))><bdi>{words}</bdi></a>
    }
}
