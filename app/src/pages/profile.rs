//! The page of the visitor's own account.

use leptos::prelude::*;
use protocol::Account;
use protocol::characters::clean_name;

use crate::pages::form::{Field, FormPage};
use crate::ui::avatar::{hue_class, initials};

/// The change that was just made; the page confirms it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileChange {
    /// The name.
    Name,
    /// The password.
    Password,
    /// The account was linked to the external sign-in.
    Linked,
    /// It was unlinked.
    Unlinked,
}

/// How the account signs in.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// Whether it has a password.
    pub has_password: bool,
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
    /// A token that proves that the request to link comes from this page.
    pub link: String,
}

impl ProfileChange {
    /// Reads the value in the page's query.
    pub fn from_query(text: &str) -> Option<Self> {
        [Self::Name, Self::Password, Self::Linked, Self::Unlinked]
            .into_iter()
            .find(|changed| changed.in_query() == text)
    }

    /// The value in the page's query.
    pub fn in_query(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Password => "password",
            Self::Linked => "linked",
            Self::Unlinked => "unlinked",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Name => "Your name is changed.",
            Self::Password => "Your password is changed. Everywhere else you are signed out.",
            Self::Linked => "From now on you can sign in this way, too.",
            Self::Unlinked => "You can no longer sign in that way.",
        }
    }
}

/// Renders the page.
pub fn profile_page(
    page: &FormPage,
    me: &Account,
    name: &str,
    changed: Option<ProfileChange>,
    options: &SignInOptions,
) -> String {
    let content = view! {
        <div class="profile-summary">
            <span class=format!("avatar {}", hue_class(&me.username)) aria-hidden="true">{initials(&clean_name(&me.name))}</span>
            <p>
                <bdi class="entry-name">{clean_name(&me.name).into_owned()}</bdi>
                <span class="hint">"Writes as "<b>{me.username.clone()}</b></span>
            </p>
            <a class="button" href="/chats/">"Your chats"</a>
        </div>
        <p class="status-message" role="status">{changed.map(ProfileChange::text)}</p>
        {name_form(page, name)}
        {password_form(page, me, options)}
        {options.provider.as_ref().map(|provider| provider_section(page, provider, options.has_password))}
        {sign_out_section(page)}
        {deletion_section(page, options.has_password)}
    };
    page.render("Your account", content)
}

fn name_form(page: &FormPage, name: &str) -> AnyView {
    let field = Field {
        name: "name",
        label: "What people call you",
        autocomplete: "name",
        value: name,
        ..Field::default()
    };
    view! {
        <section aria-labelledby="name-title">
            <h2 id="name-title">"Name"</h2>
            <form class="form" method="post" action="/profile/">
                {page.next_field()}
                {field.view(page)}
                <p class="row"><button>"Change name"</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn password_form(page: &FormPage, me: &Account, options: &SignInOptions) -> AnyView {
    let SignInOptions {
        has_password,
        least,
        ..
    } = *options;
    let hint = format!("At least {least} characters. Everywhere else you are signed out.");
    let old = Field {
        name: "old",
        label: "Current password",
        autocomplete: "current-password",
        ..Field::default()
    };
    let new = Field {
        name: "new",
        label: "New password",
        autocomplete: "new-password",
        hint: &hint,
        ..Field::default()
    };
    view! {
        <section aria-labelledby="password-title">
            <h2 id="password-title">"Password"</h2>
            <form class="form" method="post" action="/profile/password/">
                {page.next_field()}
                // Tells password managers whose password it is.
                <input type="text" name="username" autocomplete="username" value=me.username.clone() readonly hidden/>
                {has_password.then(|| old.view(page))}
                {new.view(page)}
                <p class="row"><button>{if has_password { "Change password" } else { "Set password" }}</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn provider_section(page: &FormPage, provider: &LinkedProvider, has_password: bool) -> AnyView {
    let LinkedProvider {
        name,
        is_linked,
        link,
    } = provider.clone();
    let action = match (is_linked, has_password) {
        (true, true) => view! {
            <form class="row" method="post" action="/profile/unlink/">{page.next_field()}<button>"Unlink"</button></form>
        }
        .into_any(),
        (true, false) => {
            view! { <p class="hint">"It is your only way to sign in, until you set a password."</p> }.into_any()
        }
        (false, _) => {
            let href = format!("{}&link={link}", page.link_to("/login/openid/"));
            view! { <p class="row"><a class="button" href=href>"Link your account there"</a></p> }.into_any()
        }
    };
    let text = if is_linked {
        "You can sign in with this."
    } else {
        "Sign in with this, too, from now on."
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

fn sign_out_section(page: &FormPage) -> AnyView {
    view! {
        <section aria-labelledby="leaving-title">
            <h2 id="leaving-title">"Sign out"</h2>
            <div class="row">
                <form method="post" action="/logout">{page.next_field()}<button>"Sign out"</button></form>
                <form method="post" action="/profile/sign-out/">{page.next_field()}<button>"Sign out everywhere"</button></form>
            </div>
            <p class="hint">"Everywhere means: in every browser, and every program that has a token of yours."</p>
        </section>
    }
    .into_any()
}

fn deletion_section(page: &FormPage, has_password: bool) -> AnyView {
    let confirmation = match has_password {
        true => Field {
            name: "password",
            label: "Your password",
            autocomplete: "current-password",
            ..Field::default()
        },
        false => Field {
            name: "username",
            label: "Your username",
            autocomplete: "off",
            hint: "To show that you mean it.",
            ..Field::default()
        },
    };
    view! {
        <section>
            <details class="danger-zone" open=page.has_error(confirmation.name)>
                <summary>"Delete account"</summary>
                <form class="form" method="post" action="/profile/delete/">
                    <p>
                        "Your account and your list of chats are gone for good, and your username is free for others. What you wrote stays where it is until its room ends."
                    </p>
                    {confirmation.view(page)}
                    <p class="row"><button class="destructive">"Delete my account for good"</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::FieldError;
    use crate::pages::form::tests::form_page;

    fn options(has_password: bool, provider: Option<bool>) -> SignInOptions {
        let provider = provider.map(|is_linked| LinkedProvider {
            name: "<b>Ours".into(),
            is_linked,
            link: "a.b.c".into(),
        });
        SignInOptions {
            has_password,
            least: 6,
            provider,
        }
    }

    #[test]
    fn impossible_actions_are_not_offered() {
        let me = Account {
            name: "Ada".into(),
            username: "ada".into(),
        };
        let render =
            |options: &SignInOptions| profile_page(&form_page(None), &me, &me.name, None, options);
        let cases = [
            (options(true, None), "Change password", "provider-title"),
            (
                options(true, Some(false)),
                "&amp;link=a.b.c",
                "/profile/unlink/",
            ),
            (options(true, Some(true)), "/profile/unlink/", "link=a.b.c"),
            (
                options(false, Some(true)),
                "your only way",
                "/profile/unlink/",
            ),
            (options(false, None), "Set password", "Current password"),
            (options(false, None), "Your username", "Your password<"),
        ];
        for (options, present, absent) in cases {
            let html = render(&options);
            assert!(
                html.contains(present) && !html.contains(absent) && !html.contains("<b>Ours"),
                "{options:?}: {html}"
            );
        }
    }

    #[test]
    fn form_with_an_error_is_open() {
        let me = Account {
            name: "<b>Ada".into(),
            username: "ada".into(),
        };
        let html = profile_page(
            &form_page(None),
            &me,
            &me.name,
            Some(ProfileChange::Name),
            &options(true, None),
        );
        assert!(
            html.contains("Your name is changed.") && !html.contains("<b>Ada"),
            "{html}"
        );
        assert!(
            !html.contains("<details class=\"danger-zone\" open"),
            "{html}"
        );
        let wrong = FieldError {
            field: "password",
            text: "No.".into(),
            is_invalid: true,
        };
        let html = profile_page(
            &form_page(Some(wrong)),
            &me,
            &me.name,
            None,
            &options(true, None),
        );
        assert!(
            html.contains("<details open") || html.contains("class=\"danger-zone\" open"),
            "{html}"
        );
    }

    #[test]
    fn change_is_read_from_the_query() {
        for changed in [
            ProfileChange::Name,
            ProfileChange::Password,
            ProfileChange::Linked,
            ProfileChange::Unlinked,
        ] {
            assert_eq!(ProfileChange::from_query(changed.in_query()), Some(changed));
        }
        assert_eq!(ProfileChange::from_query("x"), None);
    }
}
