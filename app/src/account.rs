//! Signing up and signing in.

use leptos::prelude::*;

use crate::form::{Field, Sheet};

/// What was typed to sign up or in, so that nobody types it twice.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// What the person wants to be called.
    pub name: String,
    /// Under which name they write.
    pub username: String,
}

/// The page on which one makes an account; `least` is how many characters a password has.
pub fn sign_up_page(sheet: &Sheet, typed: &Typed, least: usize) -> String {
    let advice = format!("At least {least} characters. It cannot be recovered, so keep it.");
    let fields = [
        Field {
            name: "name",
            label: "Your name",
            autocomplete: "name",
            value: &typed.name,
            hint: "What people call you.",
            first: true,
            ..Field::default()
        },
        Field {
            name: "username",
            label: "Username",
            autocomplete: "username",
            value: &typed.username,
            hint: "You write under it, and nobody else can: 3 to 32 of the letters a to z, digits, - and _.",
            ..Field::default()
        },
        password("new-password", &advice),
    ];
    let fields = fields.map(|field| field.view(sheet)).into_iter().collect_view();
    let content = view! {
        <form class="form" method="post" action="/register">
            {sheet.go_on()}
            {fields}
            <p class="row"><button class="primary">"Create account"</button></p>
        </form>
        <p class="hint">"Have one already? "<a href=sheet.link("/login")>"Sign in"</a></p>
    };
    sheet.page("Create account", content)
}

/// The page on which one signs in.
pub fn sign_in_page(sheet: &Sheet, typed: &Typed) -> String {
    let username = Field {
        name: "username",
        label: "Username",
        autocomplete: "username",
        value: &typed.username,
        first: true,
        ..Field::default()
    };
    let content = view! {
        <form class="form" method="post" action="/login">
            {sheet.go_on()}
            {username.view(sheet)}
            {password("current-password", "").view(sheet)}
            <p class="row"><button class="primary">"Sign in"</button></p>
        </form>
        <p class="hint">"New here? "<a href=sheet.link("/register")>"Create an account"</a>", or go on as a guest: nobody needs one."</p>
    };
    sheet.page("Sign in", content)
}

fn password<'a>(autocomplete: &'static str, hint: &'a str) -> Field<'a> {
    Field { name: "password", label: "Password", autocomplete, hint, ..Field::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::tests::sheet;

    #[test]
    fn what_was_typed_and_where_one_came_from_are_kept() {
        let typed = Typed { name: "Ada \"L\"".into(), username: "ada".into() };
        for html in [sign_up_page(&sheet(None), &typed, 6), sign_in_page(&sheet(None), &typed)] {
            for part in ["value=\"ada\"", "name=\"next\" value=\"/rooms/0123456789abcdef/\"", "next=%2Frooms%2F"] {
                assert!(html.contains(part), "{part}: {html}");
            }
            assert_eq!(html.matches("<h1").count(), 1);
        }
    }
}
