//! Who is signed in, in the header of a page: the way to one's chats and account, or to sign in.

use leptos::prelude::*;

use crate::overview::Glance;
use crate::part::{flag, text};
use crate::visitor::Signed;
use crate::way::Way;

/// The links.
#[component]
pub fn Who() -> impl IntoView {
    let Signed { account } = expect_context();
    let glance = expect_context::<Glance>();
    let guest = account.is_none();
    let way = expect_context::<Way>();
    let (words, place) = match account {
        Some(account) => (account.name, "/profile/"),
        None => ("Sign in".to_owned(), "/login"),
    };
    let unread = move || glance.unread(|room| room.with.is_some());
    view! {
        <a hidden=guest href="/chats/">
            "Chats"
            <span hidden=flag(move || unread() == 0) class="unread">
                {text(move || unread().to_string())}
                <span class="unseen">" unread"</span>
            </span>
        </a>
        <a class="account" href=text(move || format!("{place}?next={}", way.page().path()))><bdi>{words}</bdi></a>
    }
}
