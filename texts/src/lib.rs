//! The texts of the pages and of the refusals, in all languages.
//!
//! # Guarantees
//! - Every text of the English catalogue exists in every language, with the same placeholders and
//!   with all plural forms of the language; otherwise this crate does not compile.
//! - A text is drawn in one language: on the server that of the request, in the browser that of the
//!   page.
//!
//! # Not here
//! Which language a request gets (`server`), loading the catalogue in the browser (`app`), and
//! dates and times (`app`).

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod category;
#[cfg(not(target_arch = "wasm32"))]
mod language;

#[cfg(target_arch = "wasm32")]
pub use browser::install;
#[cfg(target_arch = "wasm32")]
use browser::{lookup, plural_form};
#[cfg(not(target_arch = "wasm32"))]
pub use language::Language;
#[cfg(not(target_arch = "wasm32"))]
use language::{lookup, plural_form};

include!(concat!(env!("OUT_DIR"), "/keys.rs"));

/// A text without placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text(u16);

/// A text with placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template<const SLOTS: usize>(u16);

/// A text that depends on a number, with placeholders besides the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plural<const SLOTS: usize>(u16);

impl Text {
    /// Returns the text in the current language.
    pub fn text(self) -> &'static str {
        lookup(self.0)
    }
}

impl<const SLOTS: usize> Template<SLOTS> {
    /// Returns the text in the current language, with values for its placeholders in the order of
    /// the English text.
    pub fn fill(self, values: [&str; SLOTS]) -> String {
        fill(lookup(self.0), &values)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<const SLOTS: usize> Template<SLOTS> {
    /// Returns the pieces of the text, for values that are elements.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        let pieces = lookup(self.0).split(['{', '}']).enumerate();
        pieces.filter_map(|(index, piece)| match index % 2 {
            0 => (!piece.is_empty()).then_some(Piece::Text(piece)),
            _ => piece.parse().ok().map(Piece::Slot),
        })
    }
}

/// A piece of a text with placeholders.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What stands between placeholders.
    Text(&'static str),
    /// A placeholder, by its position in the English text.
    Slot(usize),
}

impl Template<1> {
    /// Returns the texts before and after the placeholder, for a value that is an element.
    pub fn around(self) -> [&'static str; 2] {
        let text = lookup(self.0);
        text.split_once("{0}")
            .map_or([text, ""], |parts| parts.into())
    }
}

impl<const SLOTS: usize> Plural<SLOTS> {
    /// Returns the form for a number in the current language. `shown` is that number as text, and
    /// `values` are those of the other placeholders, in the order of the English text.
    pub fn fill(self, count: u64, shown: &str, values: [&str; SLOTS]) -> String {
        let form = lookup(self.0).split('\n').nth(plural_form(count));
        let values: Vec<&str> = std::iter::once(shown).chain(values).collect();
        fill(form.unwrap_or_default(), &values)
    }

    /// Returns the form for a number, and the number as its digits.
    pub fn count(self, count: u64, values: [&str; SLOTS]) -> String {
        self.fill(count, &count.to_string(), values)
    }
}

/// Puts values at the placeholders `{0}`, `{1}` of a text.
fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::with_capacity(text.len() + 16);
    for (index, part) in text.split(['{', '}']).enumerate() {
        let value = || values.get(part.parse::<usize>().ok()?).copied();
        filled.push_str(if index % 2 == 0 {
            part
        } else {
            value().unwrap_or_default()
        });
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_get_their_values_in_any_order() {
        assert_eq!(fill("{1} und {0}{0}.", &["a", "b"]), "b und aa.");
        assert_eq!(fill("nothing", &["a"]), "nothing");
        assert_eq!(fill("{0}", &["{1}"]), "{1}");
        assert_eq!(fill("{7}x", &["a"]), "x");
    }
}
