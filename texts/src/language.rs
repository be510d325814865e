//! The languages, and the one that is current on the server.

use std::fmt;

use icu_locale_core::Locale;
use icu_plurals::{PluralRuleType, PluralRules};

use crate::BROWSER_TEXTS;
use crate::category::name_of;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The texts of a language.
struct Table {
    /// Its language tag ([BCP 47](https://www.rfc-editor.org/info/bcp47)).
    tag: &'static str,
    /// The value of the HTML attribute `dir`.
    direction: &'static str,
    /// Its plural categories, in the order of the forms.
    categories: &'static [&'static str],
    texts: &'static [&'static str],
}

/// A language of the catalogue; English by default.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Language(usize);

tokio::task_local! {
    static CURRENT: Language;
}

impl Language {
    /// Returns all languages that people use.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLES.len())
            .map(Self)
            .filter(|language| !language.is_pseudo())
    }

    /// Returns the language with a tag, in any case. The pseudo-language is found only by its whole
    /// tag, and another one also by a tag with more parts: `de-AT` is German.
    pub fn find(tag: &str) -> Option<Self> {
        let index = TABLES.iter().position(|table| {
            let rest = tag
                .get(..table.tag.len())
                .filter(|start| start.eq_ignore_ascii_case(table.tag))
                .and_then(|_| tag.get(table.tag.len()..));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let exact = TABLES
            .iter()
            .position(|table| table.tag.eq_ignore_ascii_case(tag));
        exact.or(index).map(Self)
    }

    /// Returns the language of the request that is being answered, and English outside of one.
    pub fn current() -> Self {
        CURRENT.try_with(|language| *language).unwrap_or_default()
    }

    /// Runs a future in which this language is current.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs a function in which this language is current.
    pub fn run<T>(self, function: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self, function)
    }

    /// Returns the language tag.
    pub fn tag(self) -> &'static str {
        self.table().tag
    }

    /// Returns the direction in which it is written: `ltr` or `rtl`.
    pub fn direction(self) -> &'static str {
        self.table().direction
    }

    /// Returns the browser's part of the catalogue as JSON.
    pub fn browser_catalogue(self) -> String {
        let Table {
            categories, texts, ..
        } = self.table();
        let texts = &texts[..BROWSER_TEXTS];
        // Rust's debug format is not JSON: it escapes other characters.
        let list = |items: &[&str]| {
            let quoted: Vec<_> = items.iter().map(|item| quote(item)).collect();
            quoted.join(",")
        };
        format!(
            "{{\"plurals\":[{}],\"texts\":[{}]}}",
            list(categories),
            list(texts)
        )
    }

    fn is_pseudo(self) -> bool {
        self.direction() == "rtl"
    }

    fn table(self) -> &'static Table {
        &TABLES[self.0]
    }

    /// The index of the plural form for a number.
    fn plural_form(self, count: u64) -> usize {
        let Ok(locale) = self.tag().parse::<Locale>() else {
            return 0;
        };
        let Ok(rules) = PluralRules::try_new(locale.into(), PluralRuleType::Cardinal.into()) else {
            return 0;
        };
        let name = name_of(rules.category_for(count));
        let categories = self.table().categories;
        categories
            .iter()
            .position(|category| *category == name)
            .unwrap_or(0)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// The text with this number in the current language.
pub fn lookup(index: u16) -> &'static str {
    Language::current().table().texts[usize::from(index)]
}

/// The index of the plural form for a number in the current language.
pub fn plural_form(count: u64) -> usize {
    Language::current().plural_form(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::find(tag).unwrap()
    }

    #[test]
    fn language_is_found_by_its_tag_or_a_longer_one() {
        for (tag, found) in [
            ("en", Some("en")),
            ("DE", Some("de")),
            ("de-AT", Some("de")),
            ("en-XA", Some("en-XA")),
            ("deu", None),
            ("d", None),
            ("", None),
            ("dé", None),
        ] {
            assert_eq!(Language::find(tag).map(Language::tag), found, "{tag}");
        }
        assert_eq!(Language::all().count(), 2);
    }

    #[test]
    fn numbers_have_the_plural_forms_of_their_language() {
        for tag in ["en", "de"] {
            for count in 0..=1_000 {
                let form = language(tag).run(|| plural_form(count));
                assert_eq!(form, usize::from(count != 1), "{tag} {count}");
            }
        }
        let text = |tag, count| language(tag).run(|| crate::app::N_MESSAGES.count(count, []));
        assert_eq!(text("en", 1), "1 message");
        assert_eq!(text("de", 2), "2 Nachrichten");
    }

    #[test]
    fn text_is_in_the_language_of_its_scope() {
        let send = || crate::app::SEND.text();
        assert_eq!(send(), "Send");
        assert_eq!(language("de").run(send), "Senden");
        assert_eq!(language("en-XA").run(send), "[Séñd~]");
    }

    #[test]
    fn catalogue_for_the_browser_is_escaped() {
        assert_eq!(quote("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }
}
