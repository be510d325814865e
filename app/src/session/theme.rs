//! The theme: light, dark, or the system's.
//!
//! # Guarantees
//! The server renders the chosen theme into the page, so nothing flashes.
//!
//! # Not here
//! The colours, which are styles on `html[data-theme]`.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::browser::cookies;

/// A visitor's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// The system's theme.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// Reads the value of the cookie `theme`; unknown values are the system's theme.
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
            // Setting an attribute does not fail.
            let _ = root.set_attribute("data-theme", self.name());
        }
    }
}
