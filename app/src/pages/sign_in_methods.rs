//! The ways to sign in to the visitor's account, on its page, and the page that links one.

use leptos::prelude::*;
use protocol::Time;
use texts::page as p;

use crate::pages::form::{Field, FormPage, isolated, sentence};
use crate::time::local_time::LocalTime;

/// How the account signs in.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// Whether it has a password.
    pub has_password: bool,
    /// When the password was set, if that is known.
    pub password_set_at: Option<Time>,
    /// The identities that it is linked to.
    pub identities: Vec<LinkedIdentity>,
    /// Whether the visitor has signed in just now.
    pub is_fresh: bool,
    /// The minimum length of a password.
    pub least: usize,
    /// The external sign-in, if the server has one.
    pub provider: Option<LinkedProvider>,
}

/// An external sign-in and its link to the account.
#[derive(Clone, Debug)]
pub struct LinkedProvider {
    /// Its name.
    pub name: String,
    /// Whether the account is linked to it.
    pub is_linked: bool,
}

/// An identity that the account is linked to.
#[derive(Clone, Debug)]
pub struct LinkedIdentity {
    /// The name of the external sign-in.
    pub name: String,
    /// When the account was linked.
    pub linked_at: Time,
}

/// The page of the visitor's account, on which a visitor signs in again for what needs that.
const SIGN_IN_AGAIN: &str = "/login/openid/?again=true&next=%2Fprofile%2F";

/// The ways to sign in, each with the time when it was added: an unknown one was added by another
/// person.
pub(crate) fn method_list(options: &SignInOptions) -> AnyView {
    let row = |name: String, added_at: Option<Time>| {
        let time = added_at.map(|at| {
            let full = format!("{} UTC", LocalTime::new(at, 0).full());
            let time = view! { <time datetime=at.to_string()>{full}</time> };
            view! { <span class="hint">{sentence(p::SINCE, [time.into_any()])}</span> }
        });
        view! { <li><bdi>{name}</bdi>" "{time}</li> }
    };
    let password = options
        .has_password
        .then(|| row(p::PASSWORD.text().to_owned(), options.password_set_at));
    let identities = options
        .identities
        .iter()
        .map(|identity| row(identity.name.clone(), Some(identity.linked_at)));
    let identities = identities.collect_view();
    view! {
        <section aria-labelledby="methods-title">
            <h2 id="methods-title">{p::WAYS_TO_SIGN_IN.text()}</h2>
            <ul>{password}{identities}</ul>
        </section>
    }
    .into_any()
}

/// For a visitor without a password, who has to sign in again first.
pub(crate) fn sign_in_again(options: &SignInOptions) -> AnyView {
    let name = options
        .provider
        .as_ref()
        .map(|provider| provider.name.clone());
    let link = name.map(|name| {
        view! { <p class="row"><a class="button" href=SIGN_IN_AGAIN><span>{sentence(p::SIGN_IN_AGAIN_WITH, [isolated(name)])}</span></a></p> }
    });
    view! {
        <p class="hint">{p::SIGN_IN_AGAIN_FIRST.text()}</p>
        {link}
    }
    .into_any()
}

pub(crate) fn provider_section(
    page: &FormPage,
    provider: &LinkedProvider,
    options: &SignInOptions,
) -> AnyView {
    let LinkedProvider { name, is_linked } = provider.clone();
    let action = match (is_linked, options.has_password) {
        (true, true) => view! {
            <form class="row" method="post" action="/profile/unlink/">{page.next_field()}<button>{p::UNLINK.text()}</button></form>
        }
        .into_any(),
        (true, false) => {
            view! { <p class="hint">{p::ONLY_WAY.text()}</p> }.into_any()
        }
        (false, false) if !options.is_fresh => sign_in_again(options),
        (false, has_password) => link_form(page, has_password),
    };
    let text = if is_linked {
        p::CAN_SIGN_IN_WITH_THIS.text()
    } else {
        p::SIGN_IN_WITH_THIS_TOO.text()
    };
    view! {
        <section aria-labelledby="provider-title">
            <h2 id="provider-title"><bdi>{name}</bdi></h2>
            <p>{text}</p>
            {action}
        </section>
    }
    .into_any()
}

fn link_form(page: &FormPage, has_password: bool) -> AnyView {
    let password = Field {
        name: "current",
        label: p::ACCOUNT_PASSWORD.text(),
        autocomplete: "current-password",
        hint: p::SHOW_THAT_YOU.text(),
        ..Field::default()
    };
    view! {
        <form class="form" method="post" action="/profile/link/">
            {page.next_field()}
            {has_password.then(|| password.view(page))}
            <p class="row"><button>{p::LINK_ACCOUNT.text()}</button></p>
        </form>
    }
    .into_any()
}

/// The page from which a visitor who has confirmed it goes to the external sign-in `name` to link the
/// account. It has a link, because a form may lead to no other site, nor may the answer to one.
pub fn provider_link_page(page: &FormPage, name: &str, path: &str) -> String {
    let content = view! {
        <p>{p::SHOW_THERE.text()}</p>
        <p class="row">
            <a class="button primary" href=path.to_owned()><span>{sentence(p::CONTINUE_TO, [isolated(name)])}</span></a>
            <a class="button" href=page.link_to("/profile/")>{p::CANCEL.text()}</a>
        </p>
    };
    page.render(p::LINK_ACCOUNT.text(), content)
}
