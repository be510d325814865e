//! Light, dark, or as the system says: a switch with three positions.
//!
//! Promises: the choice is in the first byte of the page, so nothing flashes. Leaves to others: the colours, which
//! are styles on `html[data-theme]`.

use leptos::prelude::*;
use serde::Serialize;

use crate::browser::change;
use crate::cookie;
use crate::icon::Icon;
use crate::part::{flag, part};

/// Which colours a visitor wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The value of the cookie `theme`; anything unknown is the system's.
    pub fn from_cookie(value: Option<&str>) -> Self {
        match value {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    /// Its name, in the cookie and in `data-theme`.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn show(self) {
        cookie::keep("theme", self.name());
        if let Some(root) = document().document_element() {
            // Setting an attribute of one's own page cannot fail.
            let _ = root.set_attribute("data-theme", self.name());
        }
    }
}

/// The switch.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = expect_context::<RwSignal<Theme>>();
    let position = move |here: Theme, icon: Icon, label: &'static str| {
        view! {
            <label title=label>
                <input
                    type="radio"
                    name="theme"
                    class="unseen"
                    checked=flag(move || theme.get() == here)
                    on:change=change(move || {
                        theme.set(here);
                        here.show();
                    })
                />
                {icon.view()}
                <span class="unseen">{label}</span>
            </label>
        }
    };
    part(view! {
        <fieldset class="switch needs-script">
            <legend class="unseen">"Colours"</legend>
            {position(Theme::Light, Icon::Sun, "Light")}
            {position(Theme::System, Icon::Screen, "As the system")}
            {position(Theme::Dark, Icon::Moon, "Dark")}
        </fieldset>
    })
}
