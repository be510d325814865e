//! Who is signed in, in the header of a page: the way to one's chats and account, or to sign in.

use leptos::prelude::*;

use crate::visitor::Signed;
use crate::way::Way;

/// The links.
#[component]
pub fn Who() -> impl IntoView {
    let Signed { account, unread } = expect_context();
    let guest = account.is_none();
    let next = expect_context::<Way>().here().path();
    let (words, place) = match account {
        Some(account) => (account.name, "/profile/"),
        None => ("Sign in".to_owned(), "/login"),
    };
    let unread =
        (unread > 0).then(|| view! { <span class="unread">{unread}<span class="unseen">" unread"</span></span> });
    view! {
        <a hidden=guest href="/chats/">"Chats"{unread}</a>
        <a class="account" href=format!("{place}?next={next}")><bdi>{words}</bdi></a>
    }
}
