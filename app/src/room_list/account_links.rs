//! The link to the visitor's account, or to the sign-in page.

use leptos::prelude::*;
use protocol::characters::clean_name;
use texts::app as t;

use crate::reactive::text_signal;
use crate::router::Router;
use crate::session::visitor::SignedIn;

/// The links.
#[component]
pub fn AccountLinks() -> impl IntoView {
    let SignedIn { account } = expect_context();
    let is_guest = account.is_none();
    let router = expect_context::<Router>();
    let translate = if is_guest { "yes" } else { "no" };
    let path = if is_guest { "/login" } else { "/profile/" };
    let text = account.map_or_else(
        || t::SIGN_IN.text().to_owned(),
        |account| clean_name(&account.name).into_owned(),
    );
    view! {
        <a class="account" href=text_signal(move || format!("{path}?next={}", router.route().path())) translate=translate><bdi>{text}</bdi></a>
    }
}
