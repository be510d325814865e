//! Pages that are forms: drawn by the server alone, and complete without a script.
//!
//! Promises: what was wrong is said beside the field at fault, which has the focus; what was typed is kept, but never a
//! password; password managers know which field is which. Leaves to others: which forms there are (`account`,
//! `profile`, `direct`, `settings`, `member`, `invitation`), and what is wrong (the server).

use leptos::prelude::*;
use protocol::Role;

use crate::browser::cookies::percent_encode;
use crate::initial_state::document_title;
use crate::session::theme::Theme;
use crate::shell::{Assets, head_elements};
use crate::ui::icon::Icon;
use crate::ui::identicon;

/// What every such page is drawn with.
#[derive(Clone, Debug)]
pub struct FormPage {
    /// Where the parts of the app are served.
    pub assets: Assets,
    /// The visitor's colours.
    pub theme: Theme,
    /// Where to go on from here: a path of this site.
    pub next: String,
    /// What was wrong with the form as it was sent, if it was.
    pub wrong: Option<FieldError>,
}

/// What was wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The name of the field at fault.
    pub at: &'static str,
    /// What happened and what to do.
    pub words: String,
    /// Whether what was typed is at fault, and not only its time.
    pub invalid: bool,
}

impl FormPage {
    /// A whole page with this heading.
    pub(crate) fn page(&self, heading: &str, content: impl IntoView) -> String {
        let theme = self.theme.name();
        let page = view! {
            <!DOCTYPE html>
            <html lang="en" data-theme=theme>
                <head>{head_elements(document_title(Some(heading)), identicon::identicon_url(None), self.assets.css.clone())}</head>
                <body>
                    <div class="page form-page">
                        <header class="masthead">
                            <a class="icon-button" href=self.next.clone() aria-label="Back">{Icon::Back.view()}</a>
                            <h1>{heading.to_owned()}</h1>
                        </header>
                        <main>{self.trouble()}{content}</main>
                    </div>
                </body>
            </html>
        };
        page.to_html()
    }

    /// What was wrong with none of the fields in particular.
    fn trouble(&self) -> Option<impl IntoView + use<>> {
        let wrong = self.wrong.as_ref().filter(|wrong| wrong.at.is_empty())?;
        Some(view! { <p class="error" role="alert">{wrong.words.clone()}</p> })
    }

    /// The address of another page that goes on to the same place.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{path}?next={}", percent_encode(&self.next))
    }

    /// The place to go on to, as a field of a form.
    pub(crate) fn go_on(&self) -> impl IntoView + use<> {
        view! { <input type="hidden" name="next" value=self.next.clone()/> }
    }

    /// The same with another place to go on to.
    #[must_use]
    pub fn to(self, next: String) -> Self {
        Self { next, ..self }
    }

    /// The same for a form that was refused.
    #[must_use]
    pub fn with(self, wrong: FieldError) -> Self {
        Self {
            wrong: Some(wrong),
            ..self
        }
    }

    /// Whether this field was wrong.
    pub(crate) fn is_wrong(&self, field: &str) -> bool {
        self.wrong.as_ref().is_some_and(|wrong| wrong.at == field)
    }
}

/// A field of a form.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Field<'a> {
    /// Its name, also its ID.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What password managers call it.
    pub autocomplete: &'static str,
    /// What is in it. Passwords never come back.
    pub value: &'a str,
    /// What to know beforehand.
    pub hint: &'a str,
    /// Whether it has the focus on a page where nothing was wrong.
    pub first: bool,
    /// Whether it may be left empty.
    pub optional: bool,
}

impl Field<'_> {
    /// The field with its label, its hint and what is wrong with it.
    pub(crate) fn view(self, sheet: &FormPage) -> AnyView {
        let Self {
            name,
            label,
            autocomplete,
            value,
            hint,
            first,
            optional,
        } = self;
        let wrong = sheet.wrong.as_ref().filter(|wrong| wrong.at == name);
        // What is wrong says the rule, too.
        let about = wrong.map_or(hint, |wrong| &wrong.words).to_owned();
        let kind = if autocomplete.ends_with("-password") {
            "password"
        } else {
            "text"
        };
        let (class, role) = if wrong.is_some() {
            ("error", Some("alert"))
        } else {
            ("hint", None)
        };
        let about_id = (!about.is_empty()).then(|| format!("{name}-{class}"));
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input
                    id=name
                    name=name
                    type=kind
                    value=(kind == "text").then(|| value.to_owned())
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required=!optional
                    autofocus=wrong.is_some() || (first && sheet.wrong.is_none())
                    aria-invalid=wrong.is_some_and(|wrong| wrong.invalid).then_some("true")
                    aria-describedby=about_id.clone()
                />
                {about_id.map(|id| view! { <p class=class id=id role=role>{about}</p> })}
            </div>
        }
        .into_any()
    }
}

/// A place in a form where one of several is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    /// Its name.
    pub name: &'static str,
    /// What it is called.
    pub label: &'a str,
    /// What can be chosen: each as it is sent and as people read it.
    pub options: &'a [(&'a str, &'a str)],
    /// What is chosen, as it is sent.
    pub chosen: &'a str,
}

impl Choice<'_> {
    /// The list that folds out, with its label.
    pub(crate) fn view(self) -> AnyView {
        let Self {
            name,
            label,
            options,
            chosen,
        } = self;
        let option = |(value, words): &(&str, &str)| {
            view! { <option value=(*value).to_owned() selected=*value == chosen>{(*words).to_owned()}</option> }
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

/// A yes or no in a form. What is not ticked is sent, too: as a no.
pub(crate) fn tick(name: &'static str, words: &'static str, is: bool) -> AnyView {
    view! {
        <div>
            <input type="hidden" name=name value="false"/>
            <label class="choice">
                <input type="checkbox" name=name value="true" checked=is/>
                <span>{words}</span>
            </label>
        </div>
    }
    .into_any()
}

/// One of the roles as people read it, with its article.
pub(crate) fn role_words(role: Role) -> &'static str {
    match role {
        Role::Reader => "a reader",
        Role::Member => "a member",
        Role::Moderator => "a moderator",
        Role::Owner => "the owner",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sheet(wrong: Option<FieldError>) -> FormPage {
        let assets = Assets {
            js: String::new(),
            wasm: "/a.wasm".into(),
            css: "/a.css".into(),
        };
        FormPage {
            assets,
            theme: Theme::Dark,
            next: "/rooms/0123456789abcdef/".into(),
            wrong,
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field_and_no_password_comes_back() {
        let sheet = sheet(Some(FieldError {
            at: "new",
            words: "<b>Short.".into(),
            invalid: true,
        }));
        let field = Field {
            name: "new",
            autocomplete: "new-password",
            value: "secret",
            hint: "At least",
            ..Field::default()
        };
        let html = field.view(&sheet).to_html();
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
        let html = other.view(&sheet).to_html();
        assert!(
            !html.contains("autofocus") && !html.contains("aria-invalid"),
            "{html}"
        );
    }

    #[test]
    fn a_page_of_forms_loads_no_app() {
        let html = sheet(None).page("Sign in", ());
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
