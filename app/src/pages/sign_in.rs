//! Signing up and signing in.

use leptos::prelude::*;

use crate::pages::form::{Field, FormPage};

/// What was typed to sign up or in, so that nobody types it twice.
#[derive(Clone, Debug, Default)]
pub struct AccountFields {
    /// What the person wants to be called.
    pub name: String,
    /// Under which name they write.
    pub username: String,
}

/// The page on which one makes an account; `least` is how many characters a password has, `provider` by whom one can sign
/// in instead.
pub fn sign_up_page(
    sheet: &FormPage,
    typed: &AccountFields,
    least: usize,
    provider: Option<&str>,
) -> String {
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
    let fields = fields
        .map(|field| field.view(sheet))
        .into_iter()
        .collect_view();
    let content = view! {
        <form class="form" method="post" action="/register">
            {sheet.go_on()}
            {fields}
            <p class="row"><button class="primary">"Create account"</button></p>
        </form>
        {by_provider(sheet, provider)}
        <p class="hint">"Have one already? "<a href=sheet.link("/login")>"Sign in"</a></p>
    };
    sheet.page("Create account", content)
}

/// The page on which one signs in; `provider` is by whom one can instead.
pub fn sign_in_page(sheet: &FormPage, typed: &AccountFields, provider: Option<&str>) -> String {
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
        {by_provider(sheet, provider)}
        <p class="hint">"New here? "<a href=sheet.link("/register")>"Create an account"</a>", or go on as a guest: nobody needs one."</p>
    };
    sheet.page("Sign in", content)
}

/// The way in that leads over a provider. A link, because the page's policy lets no form lead to another site.
fn by_provider(sheet: &FormPage, provider: Option<&str>) -> AnyView {
    let Some(name) = provider.map(str::to_owned) else {
        return ().into_any();
    };
    view! { <p class="row"><a class="button" href=sheet.link("/login/openid/")><span>"Sign in with "<bdi>{name}</bdi></span></a></p> }.into_any()
}

/// The page that says why nobody could be signed in by a provider, or linked to it (`links`), and what else to do.
pub fn sign_in_refused_page(sheet: &FormPage, provider: &str, why: &str, links: bool) -> String {
    let (heading, again, other) = match links {
        true => ("Not linked", sheet.link("/profile/"), None),
        false => (
            "Not signed in",
            sheet.link("/login/openid/"),
            Some(sheet.link("/login")),
        ),
    };
    let again_words = if links {
        "Back to your account".to_owned()
    } else {
        format!("Sign in with {provider}")
    };
    let content = view! {
        <p role="alert">{why.to_owned()}</p>
        <p class="row">
            <a class="button primary" href=again>{again_words}</a>
            {other.map(|other| view! { <a class="button" href=other>"Sign in by a password"</a> })}
        </p>
    };
    sheet.page(heading, content)
}

fn password<'a>(autocomplete: &'static str, hint: &'a str) -> Field<'a> {
    Field {
        name: "password",
        label: "Password",
        autocomplete,
        hint,
        ..Field::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::sheet;

    #[test]
    fn what_was_typed_and_where_one_came_from_are_kept() {
        let typed = AccountFields {
            name: "Ada \"L\"".into(),
            username: "ada".into(),
        };
        let pages = [
            sign_up_page(&sheet(None), &typed, 6, None),
            sign_in_page(&sheet(None), &typed, None),
        ];
        for html in pages {
            for part in [
                "value=\"ada\"",
                "name=\"next\" value=\"/rooms/0123456789abcdef/\"",
                "next=%2Frooms%2F",
            ] {
                assert!(html.contains(part), "{part}: {html}");
            }
            assert_eq!(html.matches("<h1").count(), 1);
            assert!(!html.contains("/login/openid/"), "{html}");
        }
    }

    #[test]
    fn the_provider_is_a_link_with_its_name_as_text() {
        let (sheet, typed, name) = (sheet(None), AccountFields::default(), "<b>Ours");
        let link = "href=\"/login/openid/?next=%2Frooms%2F0123456789abcdef%2F\"";
        let pages = [
            sign_up_page(&sheet, &typed, 6, Some(name)),
            sign_in_page(&sheet, &typed, Some(name)),
            sign_in_refused_page(&sheet, name, "<b>No.", false),
        ];
        for html in pages {
            assert!(
                html.contains(link) && html.contains("Sign in with "),
                "{html}"
            );
            assert!(!html.contains("<b>"), "{html}");
        }
        let html = sign_in_refused_page(&sheet, name, "No.", true);
        assert!(
            html.contains("href=\"/profile/?next=") && !html.contains("/login"),
            "{html}"
        );
    }
}
