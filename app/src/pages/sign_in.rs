//! The pages for signing up and signing in.

use leptos::prelude::*;
use texts::page as p;

use crate::pages::form::{Field, FormPage, isolated, sentence};

/// The values that the visitor entered in a form that the server refused.
#[derive(Clone, Debug, Default)]
pub struct AccountFields {
    /// The name of the person.
    pub name: String,
    /// The username.
    pub username: String,
}

/// The page that creates an account. `min_length` is the minimum length of a password, `provider`
/// the name of the external sign-in.
pub fn sign_up_page(
    page: &FormPage,
    entered: &AccountFields,
    min_length: usize,
    provider: Option<&str>,
) -> String {
    let hint = p::PASSWORD_HINT_NEW.fill([&min_length.to_string(), p::UNCOMMON.text()]);
    let fields = [
        Field {
            name: "name",
            label: p::YOUR_NAME.text(),
            autocomplete: "name",
            value: &entered.name,
            hint: p::YOUR_NAME_HINT.text(),
            first: true,
            ..Field::default()
        },
        Field {
            name: "username",
            label: p::USERNAME.text(),
            autocomplete: "username",
            value: &entered.username,
            hint: p::USERNAME_HINT.text(),
            ..Field::default()
        },
        password_field("new-password", &hint),
    ];
    let fields = fields
        .map(|field| field.view(page))
        .into_iter()
        .collect_view();
    let content = view! {
        <form class="form" method="post" action="/register">
            {page.next_field()}
            {fields}
            <p class="row"><button class="primary">{p::CREATE_ACCOUNT.text()}</button></p>
        </form>
        {provider_link(page, provider)}
        <p class="hint">{p::HAVE_ACCOUNT.text()}" "<a href=page.link_to("/login")>{p::SIGN_IN.text()}</a></p>
    };
    page.render(p::CREATE_ACCOUNT.text(), content)
}

/// The sign-in page; `provider` is the name of the external sign-in.
pub fn sign_in_page(page: &FormPage, entered: &AccountFields, provider: Option<&str>) -> String {
    let username = Field {
        name: "username",
        label: p::USERNAME.text(),
        autocomplete: "username",
        value: &entered.username,
        first: true,
        ..Field::default()
    };
    let create = view! { <a href=page.link_to("/register")>{p::CREATE_AN_ACCOUNT.text()}</a> };
    let content = view! {
        <form class="form" method="post" action="/login">
            {page.next_field()}
            {username.view(page)}
            {password_field("current-password", "").view(page)}
            <p class="row"><button class="primary">{p::SIGN_IN.text()}</button></p>
        </form>
        {provider_link(page, provider)}
        <p class="hint">{sentence(p::NEW_HERE, [create.into_any()])}</p>
    };
    page.render(p::SIGN_IN.text(), content)
}

/// The link to the external sign-in. It is no form: the content security policy forbids forms that
/// lead to other sites.
fn provider_link(page: &FormPage, provider: Option<&str>) -> AnyView {
    let Some(name) = provider.map(str::to_owned) else {
        return ().into_any();
    };
    view! { <p class="row"><a class="button" href=page.link_to("/login/openid/")><span>{sentence(p::SIGN_IN_WITH, [isolated(name)])}</span></a></p> }.into_any()
}

/// The page that says why an external sign-in, or linking an account to it (`is_link`), failed.
pub fn sign_in_refused_page(
    page: &FormPage,
    provider: &str,
    reason: &str,
    is_link: bool,
) -> String {
    let heading = if is_link {
        p::NOT_LINKED.text()
    } else {
        p::NOT_SIGNED_IN.text()
    };
    let next = page.link_to(if is_link {
        "/profile/"
    } else {
        "/login/openid/"
    });
    let next_text = if is_link {
        p::BACK_TO_ACCOUNT.text().to_owned()
    } else {
        p::SIGN_IN_WITH.fill([provider])
    };
    let by_password = (!is_link).then(|| page.link_to("/login"));
    let content = view! {
        <p role="alert">{reason.to_owned()}</p>
        <p class="row">
            <a class="button primary" href=next>{next_text}</a>
            {by_password.map(|link| view! { <a class="button" href=link>{p::BY_PASSWORD.text()}</a> })}
        </p>
    };
    page.render(heading, content)
}

fn password_field<'a>(autocomplete: &'static str, hint: &'a str) -> Field<'a> {
    Field {
        name: "password",
        label: p::PASSWORD.text(),
        autocomplete,
        hint,
        ..Field::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;

    #[test]
    fn entered_values_and_next_are_kept() {
        let entered = AccountFields {
            name: "Ada \"L\"".into(),
            username: "ada".into(),
        };
        let pages = [
            sign_up_page(&form_page(None), &entered, 6, None),
            sign_in_page(&form_page(None), &entered, None),
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
    fn external_sign_in_is_a_link_with_its_name_as_text() {
        let page = form_page(None);
        let entered = AccountFields::default();
        let name = "<b>Ours";
        let link = "href=\"/login/openid/?next=%2Frooms%2F0123456789abcdef%2F\"";
        let pages = [
            sign_up_page(&page, &entered, 6, Some(name)),
            sign_in_page(&page, &entered, Some(name)),
            sign_in_refused_page(&page, name, "<b>No.", false),
        ];
        for html in pages {
            assert!(
                html.contains(link) && html.contains("Sign in with "),
                "{html}"
            );
            assert!(!html.contains("<b>"), "{html}");
        }
        let html = sign_in_refused_page(&page, name, "No.", true);
        assert!(
            html.contains("href=\"/profile/?next=") && !html.contains("/login"),
            "{html}"
        );
    }
}
