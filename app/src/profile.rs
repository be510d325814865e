//! What somebody does with their own account.

use leptos::prelude::*;
use protocol::Account;

use crate::form::{Field, Sheet};
use crate::person::{hue_class, initials};

/// What has just been changed, to be said once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The name.
    Name,
    /// The password.
    Password,
}

impl Changed {
    /// What it is called in the page's address, and back.
    pub fn from_query(text: &str) -> Option<Self> {
        [Self::Name, Self::Password].into_iter().find(|changed| changed.in_query() == text)
    }

    /// What it is called in the page's address.
    pub fn in_query(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Password => "password",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Name => "Your name is changed.",
            Self::Password => "Your password is changed. Everywhere else you are signed out.",
        }
    }
}

/// The page of one's own account; `least` is how many characters a password has.
pub fn profile_page(sheet: &Sheet, me: &Account, name: &str, changed: Option<Changed>, least: usize) -> String {
    let content = view! {
        <div class="me">
            <span class=format!("face {}", hue_class(&me.username)) aria-hidden="true">{initials(&me.name)}</span>
            <p>
                <bdi class="entry-name">{me.name.clone()}</bdi>
                <span class="hint">"Writes as "<b>{me.username.clone()}</b></span>
            </p>
            <a class="button" href="/chats/">"Your chats"</a>
        </div>
        <p class="done" role="status">{changed.map(Changed::words)}</p>
        {name_form(sheet, name)}
        {password_form(sheet, me, least)}
        {leaving(sheet)}
        {deletion(sheet)}
    };
    sheet.page("Your account", content)
}

fn name_form(sheet: &Sheet, name: &str) -> AnyView {
    let field =
        Field { name: "name", label: "What people call you", autocomplete: "name", value: name, ..Field::default() };
    view! {
        <section aria-labelledby="name-title">
            <h2 id="name-title">"Name"</h2>
            <form class="form" method="post" action="/profile/">
                {sheet.go_on()}
                {field.view(sheet)}
                <p class="row"><button>"Change name"</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn password_form(sheet: &Sheet, me: &Account, least: usize) -> AnyView {
    let hint = format!("At least {least} characters. Everywhere else you are signed out.");
    let old = Field { name: "old", label: "Password so far", autocomplete: "current-password", ..Field::default() };
    let new =
        Field { name: "new", label: "New password", autocomplete: "new-password", hint: &hint, ..Field::default() };
    view! {
        <section aria-labelledby="password-title">
            <h2 id="password-title">"Password"</h2>
            <form class="form" method="post" action="/profile/password/">
                {sheet.go_on()}
                // Tells password managers whose password it is.
                <input type="text" name="username" autocomplete="username" value=me.username.clone() readonly hidden/>
                {old.view(sheet)}
                {new.view(sheet)}
                <p class="row"><button>"Change password"</button></p>
            </form>
        </section>
    }
    .into_any()
}

fn leaving(sheet: &Sheet) -> AnyView {
    view! {
        <section aria-labelledby="leaving-title">
            <h2 id="leaving-title">"Sign out"</h2>
            <div class="row">
                <form method="post" action="/logout">{sheet.go_on()}<button>"Sign out"</button></form>
                <form method="post" action="/profile/sign-out/">{sheet.go_on()}<button>"Sign out everywhere"</button></form>
            </div>
            <p class="hint">"Everywhere means: in every browser, and every program that has a token of yours."</p>
        </section>
    }
    .into_any()
}

fn deletion(sheet: &Sheet) -> AnyView {
    let password =
        Field { name: "password", label: "Your password", autocomplete: "current-password", ..Field::default() };
    view! {
        <section>
            <details class="danger" open=sheet.is_wrong("password")>
                <summary>"Delete account"</summary>
                <form class="form" method="post" action="/profile/delete/">
                    <p>
                        "Your account and your list of chats are gone for good, and your username is free for others. What you wrote stays where it is until its room ends."
                    </p>
                    {password.view(sheet)}
                    <p class="row"><button class="final">"Delete my account for good"</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Wrong;
    use crate::form::tests::sheet;

    #[test]
    fn the_form_that_was_wrong_is_open() {
        let me = Account { name: "<b>Ada".into(), username: "ada".into() };
        let html = profile_page(&sheet(None), &me, &me.name, Some(Changed::Name), 6);
        assert!(html.contains("Your name is changed.") && !html.contains("<b>Ada"), "{html}");
        assert!(!html.contains("<details class=\"danger\" open"), "{html}");
        let wrong = Wrong { at: "password", words: "No.".into(), invalid: true };
        let html = profile_page(&sheet(Some(wrong)), &me, &me.name, None, 6);
        assert!(html.contains("<details open") || html.contains("class=\"danger\" open"), "{html}");
    }

    #[test]
    fn what_changed_is_named_in_the_address() {
        for changed in [Changed::Name, Changed::Password] {
            assert_eq!(Changed::from_query(changed.in_query()), Some(changed));
        }
        assert_eq!(Changed::from_query("x"), None);
    }
}
