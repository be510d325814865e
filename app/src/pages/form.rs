//! The frame, the fields and the errors of form pages.
//!
//! # Guarantees
//! - Each error is shown at its field, and the first of these fields gets the focus.
//! - After an error the form keeps the entered values, except passwords.
//! - A password can be shown, where scripts run.
//! - Fields have the `autocomplete` values that password managers need.
//!
//! # Not here
//! The single pages (the other files of `pages`), and checking the entered values (`server`).

use leptos::prelude::*;
use protocol::Role;
use texts::{Language, Piece, Template, Text, page as p};

use crate::browser::cookies::percent_encode;
use crate::initial_state::document_title;
use crate::room_list::unread::Unread;
use crate::session::theme::Theme;
use crate::shell::{Assets, head_elements};
use crate::ui::icon::Icon;
use crate::ui::identicon;

/// What every form page has.
#[derive(Clone, Debug)]
pub struct FormPage {
    /// The URLs of the app's files.
    pub assets: Assets,
    /// The visitor's theme.
    pub theme: Theme,
    /// What is unread in the visitor's rooms and chats.
    pub unread: Unread,
    /// Where to go afterwards: a path on this site.
    pub next: String,
    /// The errors of the submitted form.
    pub errors: Vec<FieldError>,
}

/// An error in a submitted form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The name of the field; empty if the error belongs to none.
    pub field: &'static str,
    /// What happened and what to do.
    pub text: String,
    /// Whether the value is invalid; a rate limit, for example, says nothing about the value.
    pub is_invalid: bool,
}

impl FormPage {
    /// The HTML document with a heading and its content.
    pub(crate) fn render(&self, heading: &str, content: impl IntoView) -> String {
        let theme = self.theme.name();
        let language = Language::current();
        let title = self.unread.before(&document_title(Some(heading)));
        let icon = identicon::identicon_url(None, self.unread.messages > 0);
        let page = view! {
            <!DOCTYPE html>
            <html lang=language.tag() dir=language.direction() data-theme=theme>
                <head>{head_elements(title, icon, self.assets.css.clone())}</head>
                <body>
                    <div class="page form-page">
                        <header class="masthead">
                            <a class="icon-button" href=self.next.clone() aria-label=p::BACK.text() title=p::BACK.text()>{Icon::Back.view()}</a>
                            <h1>{heading.to_owned()}</h1>
                        </header>
                        <main>{self.general_error()}{content}</main>
                    </div>
                </body>
            </html>
        };
        page.to_html()
    }

    /// The error that belongs to no field.
    fn general_error(&self) -> Option<impl IntoView + use<>> {
        let error = self.errors.iter().find(|error| error.field.is_empty())?;
        Some(view! { <p class="error" role="alert">{error.text.clone()}</p> })
    }

    /// The URL of another page with the same `next`.
    pub(crate) fn link_to(&self, path: &str) -> String {
        format!("{path}?next={}", percent_encode(&self.next))
    }

    /// A hidden field with `next`.
    pub(crate) fn next_field(&self) -> impl IntoView + use<> {
        view! { <input type="hidden" name="next" value=self.next.clone()/> }
    }

    /// The same page with errors.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// The error of a field.
    fn error_at(&self, field: &str) -> Option<&FieldError> {
        self.errors.iter().find(|error| error.field == field)
    }

    /// Whether a field has an error.
    pub(crate) fn has_error(&self, field: &str) -> bool {
        self.error_at(field).is_some()
    }

    /// Whether a field is the first one with an error.
    fn is_first_error(&self, field: &str) -> bool {
        self.errors
            .first()
            .is_some_and(|error| error.field == field)
    }
}

/// A text field of a form.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Field<'a> {
    /// Its name, which is also its ID.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// Its `autocomplete` value.
    pub autocomplete: &'static str,
    /// Its value; ignored in password fields.
    pub value: &'a str,
    /// A hint; replaced by an error.
    pub hint: &'a str,
    /// Whether it has the focus if there is no error.
    pub first: bool,
    /// Whether it may be left empty.
    pub optional: bool,
}

impl Field<'_> {
    /// The field with its label, and its hint or its error.
    pub(crate) fn view(self, page: &FormPage) -> AnyView {
        let Self {
            name,
            label,
            autocomplete,
            value,
            hint,
            first,
            optional,
        } = self;
        let error = page.error_at(name);
        // An error states the rule, so the hint is not needed.
        let about = error.map_or(hint, |error| &error.text).to_owned();
        let kind = if autocomplete.ends_with("-password") {
            "password"
        } else {
            "text"
        };
        let class = if error.is_some() { "error" } else { "hint" };
        let role = error.map(|_| "alert");
        let about_id = (!about.is_empty()).then(|| format!("{name}-{class}"));
        let input = view! {
            <input
                id=name
                name=name
                type=kind
                value=(kind == "text").then(|| value.to_owned())
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                required=!optional
                autofocus=page.is_first_error(name) || (first && page.errors.is_empty())
                aria-invalid=error.is_some_and(|error| error.is_invalid).then_some("true")
                aria-describedby=about_id.clone()
            />
        };
        let input = match kind {
            "password" => showable_password(input).into_any(),
            _ => input.into_any(),
        };
        view! {
            <div class="field">
                <label for=name>{label}</label>
                {input}
                {about_id.map(|id| view! { <p class=class id=id role=role>{about}</p> })}
            </div>
        }
        .into_any()
    }
}

/// A password field, to which a script adds a button that shows the password. A browser runs the
/// script once, also on a page with several of these fields.
fn showable_password(input: impl IntoView) -> impl IntoView {
    view! {
        <div
            class="password-field"
            data-show=p::SHOW.text()
            data-show-label=p::SHOW_PASSWORD.text()
            data-hide=p::HIDE.text()
            data-hide-label=p::HIDE_PASSWORD.text()
        >
            {input}
        </div>
        <script type="module" src="/show_password.js"></script>
    }
}

/// A select field of a form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SelectField<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its label.
    pub label: &'a str,
    /// The options: value and label.
    pub options: &'a [(&'a str, &'a str)],
    /// The value of the selected option.
    pub chosen: &'a str,
}

impl SelectField<'_> {
    /// The field with its label.
    pub(crate) fn view(self) -> AnyView {
        let Self {
            name,
            label,
            options,
            chosen,
        } = self;
        let option = |(value, label): &(&str, &str)| {
            view! { <option value=(*value).to_owned() selected=*value == chosen>{(*label).to_owned()}</option> }
        };
        let options = options.iter().map(option).collect_view();
        view! {
            <label class="field">
                <span>{label.to_owned()}</span>
                <select name=name>{options}</select>
            </label>
        }
        .into_any()
    }
}

/// A checkbox. An unchecked one is sent too, as `false`.
pub(crate) fn checkbox(name: &'static str, label: &'static str, is_checked: bool) -> AnyView {
    view! {
        <div>
            <input type="hidden" name=name value="false"/>
            <label class="choice">
                <input type="checkbox" name=name value="true" checked=is_checked/>
                <span>{label}</span>
            </label>
        </div>
    }
    .into_any()
}

/// A choice of a select field: its value and its label.
pub(crate) type Choice = (&'static str, Text);

/// The choices with their labels in the page's language.
pub(crate) fn label_choices(choices: &[Choice]) -> Vec<(&'static str, &'static str)> {
    let label = |(value, label): &Choice| (*value, label.text());
    choices.iter().map(label).collect()
}

/// A sentence in which elements stand for the placeholders.
pub(crate) fn sentence<const SLOTS: usize>(
    template: Template<SLOTS>,
    values: [AnyView; SLOTS],
) -> AnyView {
    let mut values = values.map(Some);
    let pieces = template.pieces().map(|piece| match piece {
        Piece::Text(text) => text.into_any(),
        Piece::Slot(slot) => values.get_mut(slot).and_then(Option::take).into_any(),
    });
    pieces.collect_view().into_any()
}

/// A name in a sentence, isolated from its direction.
pub(crate) fn isolated(name: impl Into<String>) -> AnyView {
    view! { <bdi>{name.into()}</bdi> }.into_any()
}

/// A role as text, with its article.
pub(crate) fn role_text(role: Role) -> &'static str {
    match role {
        Role::Reader => p::A_READER.text(),
        Role::Member => p::A_MEMBER.text(),
        Role::Moderator => p::A_MODERATOR.text(),
        Role::Owner => p::THE_OWNER.text(),
    }
}

/// A role as text.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Reader => p::NAME_ROLE_READER.text(),
        Role::Member => p::NAME_ROLE_MEMBER.text(),
        Role::Moderator => p::NAME_ROLE_MODERATOR.text(),
        Role::Owner => p::NAME_ROLE_OWNER.text(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn form_page(error: Option<FieldError>) -> FormPage {
        let assets = Assets {
            wasm: "/a.wasm".into(),
            css: "/a.css".into(),
            ..Assets::default()
        };
        FormPage {
            assets,
            theme: Theme::Dark,
            unread: Unread::default(),
            next: "/rooms/0123456789abcdef/".into(),
            errors: error.into_iter().collect(),
        }
    }

    #[test]
    fn error_is_shown_at_its_field_and_no_password_is_repeated() {
        let page = form_page(Some(FieldError {
            field: "new",
            text: "<b>Short.".into(),
            is_invalid: true,
        }));
        let field = Field {
            name: "new",
            autocomplete: "new-password",
            value: "secret",
            hint: "At least",
            ..Field::default()
        };
        let html = field.view(&page).to_html();
        for part in [
            "type=\"password\"",
            "aria-describedby=\"new-error\"",
            "aria-invalid=\"true\"",
            "autofocus",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("secret") && !html.contains("<b>"), "{html}");
        let other = Field {
            name: "old",
            autocomplete: "current-password",
            first: true,
            ..Field::default()
        };
        let html = other.view(&page).to_html();
        assert!(
            !html.contains("autofocus") && !html.contains("aria-invalid"),
            "{html}"
        );
    }

    #[test]
    fn every_field_shows_its_error_and_the_first_of_them_has_the_focus() {
        let error = |field| FieldError {
            field,
            text: format!("{field} is wrong."),
            is_invalid: true,
        };
        let page = form_page(None).with_errors(vec![error("name"), error("username")]);
        let view = |name| {
            let field = Field {
                name,
                first: name == "name",
                ..Field::default()
            };
            field.view(&page).to_html()
        };
        for name in ["name", "username"] {
            let html = view(name);
            assert!(html.contains(&format!("{name} is wrong.")), "{html}");
            assert_eq!(html.contains("autofocus"), name == "name", "{html}");
        }
    }

    #[test]
    fn form_page_loads_no_app() {
        let html = form_page(None).render("Sign in", ());
        assert!(
            html.contains(r#"data-theme="dark""#) && html.contains("Sign in · webchat"),
            "{html}"
        );
        assert!(
            !html.contains("a.wasm") && !html.contains("<script"),
            "{html}"
        );
    }
}
