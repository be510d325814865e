//! Light, dark, or as the system says: a switch with three positions.
//!
//! Promises: the choice is in the first byte of the page, so nothing flashes. Leaves to others: the colours, which
//! are styles on `html[data-theme]`.

use leptos::prelude::*;
use serde::Serialize;

use crate::browser::cookies;

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

    /// Applies the theme to the page and stores it in a cookie. In the browser only.
    pub fn apply(self) {
        cookies::set_cookie("theme", self.name());
        if let Some(root) = document().document_element() {
            // Setting an attribute of one's own page cannot fail.
            let _ = root.set_attribute("data-theme", self.name());
        }
    }
}
