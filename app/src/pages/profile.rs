//! The page of the visitor's own account.

use leptos::prelude::*;
use protocol::Account;
use protocol::characters::clean_name;
use texts::page as p;

use crate::pages::form::{Field, FormPage, checkbox, sentence};
use crate::pages::sign_in_methods::{SignInOptions, method_list, provider_section, sign_in_again};
use crate::ui::avatar::{hue_class, initials};

/// The change that was just made; the page confirms it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileChange {
    /// The name.
    Name,
    /// The password.
    Password,
    /// The password, to one of those that most people choose.
    CommonPassword,
    /// The account was linked to the external sign-in.
    Linked,
    /// It was unlinked.
    Unlinked,
}

impl ProfileChange {
    /// Reads the value in the page's query.
    pub fn from_query(text: &str) -> Option<Self> {
        let changes = [
            Self::Name,
            Self::Password,
            Self::CommonPassword,
            Self::Linked,
            Self::Unlinked,
        ];
        changes
            .into_iter()
            .find(|changed| changed.in_query() == text)
    }

    /// The value in the page's query.
    pub fn in_query(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Password => "password",
            Self::CommonPassword => "common-password",
            Self::Linked => "linked",
            Self::Unlinked => "unlinked",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Name => p::NAME_CHANGED.text(),
            Self::Password => p::PASSWORD_CHANGED.text(),
            Self::CommonPassword => p::COMMON_PASSWORD_CHANGED.text(),
            Self::Linked => p::LINKED.text(),
            Self::Unlinked => p::UNLINKED.text(),
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
    let username = view! { <b>{me.username.clone()}</b> };
    let content = view! {
        <div class="profile-summary">
            <span class=format!("avatar {}", hue_class(&me.username)) aria-hidden="true">{initials(&clean_name(&me.name))}</span>
            <p>
                <bdi class="entry-name">{clean_name(&me.name).into_owned()}</bdi>
                <span class="hint">{sentence(p::WRITES_AS, [username.into_any()])}</span>
            </p>
        </div>
        <p class="status-message" role="status">{changed.map(ProfileChange::text)}</p>
        {name_form(page, name)}
        {method_list(options)}
        {password_form(page, me, options)}
        {options.provider.as_ref().map(|provider| provider_section(page, provider, options))}
        {notification_section(page)}
        {sign_out_section(page)}
        {deletion_section(page, options.has_password)}
    };
    page.render(p::YOUR_ACCOUNT.text(), content)
}

fn name_form(page: &FormPage, name: &str) -> AnyView {
    let field = Field {
        name: "name",
        label: p::CALL_YOU.text(),
        autocomplete: "name",
        value: name,
        ..Field::default()
    };
    view! {
        <section aria-labelledby="name-title">
            <h2 id="name-title">{p::NAME.text()}</h2>
            <form class="form" method="post" action="/profile/">
                {page.next_field()}
                {field.view(page)}
                <p class="row"><button>{p::CHANGE_NAME.text()}</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn password_form(page: &FormPage, me: &Account, options: &SignInOptions) -> AnyView {
    let SignInOptions {
        has_password,
        is_fresh,
        least,
        ..
    } = *options;
    if !has_password && !is_fresh {
        return view! {
            <section aria-labelledby="password-title">
                <h2 id="password-title">{p::SET_PASSWORD.text()}</h2>
                {sign_in_again(options)}
            </section>
        }
        .into_any();
    }
    let unlink = (has_password && !options.identities.is_empty())
        .then(|| checkbox("unlink", p::END_OTHER_WAYS.text(), true));
    let hint = p::PASSWORD_HINT.fill([&least.to_string(), p::UNCOMMON.text()]);
    let old = Field {
        name: "old",
        label: p::CURRENT_PASSWORD.text(),
        autocomplete: "current-password",
        ..Field::default()
    };
    let new = Field {
        name: "new",
        label: p::NEW_PASSWORD.text(),
        autocomplete: "new-password",
        hint: &hint,
        ..Field::default()
    };
    view! {
        <section aria-labelledby="password-title">
            <h2 id="password-title">{p::PASSWORD.text()}</h2>
            <form class="form" method="post" action="/profile/password/">
                {page.next_field()}
                // Tells password managers whose password it is.
                <input type="text" name="username" autocomplete="username" value=me.username.clone() readonly hidden/>
                {has_password.then(|| old.view(page))}
                {new.view(page)}
                {unlink}
                <p class="row"><button>{if has_password { p::CHANGE_PASSWORD } else { p::SET_PASSWORD }.text()}</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn notification_section(page: &FormPage) -> AnyView {
    view! {
        <section aria-labelledby="notifications-title">
            <h2 id="notifications-title">{p::NOTIFICATIONS.text()}</h2>
            <p class="row"><a class="button" href=page.link_to("/profile/notifications/")>{p::SOUND_AND_PAUSE.text()}</a></p>
        </section>
    }
    .into_any()
}

fn sign_out_section(page: &FormPage) -> AnyView {
    view! {
        <section aria-labelledby="leaving-title">
            <h2 id="leaving-title">{p::SIGN_OUT.text()}</h2>
            <div class="row">
                <form method="post" action="/logout">{page.next_field()}<button>{p::SIGN_OUT.text()}</button></form>
                <form method="post" action="/profile/sign-out/">{page.next_field()}<button>{p::SIGN_OUT_EVERYWHERE.text()}</button></form>
            </div>
            <p class="hint">{p::EVERYWHERE_MEANS.text()}</p>
        </section>
    }
    .into_any()
}

fn deletion_section(page: &FormPage, has_password: bool) -> AnyView {
    let confirmation = match has_password {
        true => Field {
            name: "password",
            label: p::YOUR_PASSWORD.text(),
            autocomplete: "current-password",
            ..Field::default()
        },
        false => Field {
            name: "username",
            label: p::YOUR_USERNAME.text(),
            autocomplete: "off",
            hint: p::SHOW_YOU_MEAN_IT.text(),
            ..Field::default()
        },
    };
    view! {
        <section>
            <details class="danger-zone" open=page.has_error(confirmation.name)>
                <summary>{p::DELETE_ACCOUNT.text()}</summary>
                <form class="form" method="post" action="/profile/delete/">
                    <p>
                        {p::DELETION_TEXT.text()}
                    </p>
                    {confirmation.view(page)}
                    <p class="row"><button class="destructive">{p::DELETE_FOR_GOOD.text()}</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use protocol::Time;

    use super::*;
    use crate::pages::form::FieldError;
    use crate::pages::form::tests::form_page;
    use crate::pages::sign_in_methods::{LinkedIdentity, LinkedProvider};

    fn options(has_password: bool, provider: Option<bool>) -> SignInOptions {
        let provider = provider.map(|is_linked| LinkedProvider {
            name: "<b>Ours".into(),
            is_linked,
        });
        let linked = provider.as_ref().is_some_and(|provider| provider.is_linked);
        let identity = linked.then(|| LinkedIdentity {
            name: "<b>Ours".into(),
            linked_at: Time::from_millis(0),
        });
        SignInOptions {
            has_password,
            password_set_at: None,
            identities: identity.into_iter().collect(),
            is_fresh: true,
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
                "/profile/link/",
                "/profile/unlink/",
            ),
            (
                options(true, Some(false)),
                "Password of this account</label>",
                "name=\"unlink\"",
            ),
            (
                options(true, Some(true)),
                "/profile/unlink/",
                "/profile/link/",
            ),
            (
                options(true, Some(true)),
                "name=\"unlink\" value=\"true\" checked",
                "Set password",
            ),
            (
                options(true, Some(true)),
                "Thursday, 1 January 1970 at 00:00:00 UTC",
                "/profile/link/",
            ),
            (
                SignInOptions {
                    is_fresh: false,
                    ..options(false, Some(true))
                },
                "Sign in again with",
                "New password",
            ),
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
            ProfileChange::CommonPassword,
            ProfileChange::Linked,
            ProfileChange::Unlinked,
        ] {
            assert_eq!(ProfileChange::from_query(changed.in_query()), Some(changed));
        }
        assert_eq!(ProfileChange::from_query("x"), None);
    }
}
