//! The catalogue of the page's language, as the browser has loaded it.

use std::sync::OnceLock;

struct Catalogue {
    texts: Vec<&'static str>,
    plural_form: fn(f64) -> u32,
}

static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();

/// Sets the texts of the page, once: `joined` has them in their order, separated by U+0000, and
/// `plural_form` returns the index of a number's plural category in this language.
pub fn install(joined: String, plural_form: fn(f64) -> u32) {
    // The texts are used until the page closes.
    let texts = joined.leak().split('\0').collect();
    // A second catalogue would mix two languages on the page.
    let _ = CATALOGUE.set(Catalogue { texts, plural_form });
}

/// The text with this number; empty without a catalogue.
pub fn lookup(index: u16) -> &'static str {
    CATALOGUE
        .get()
        .and_then(|catalogue| catalogue.texts.get(usize::from(index)))
        .copied()
        .unwrap_or_default()
}

/// The index of the plural form for a number.
pub fn plural_form(count: u64) -> usize {
    CATALOGUE.get().map_or(0, |catalogue| {
        (catalogue.plural_form)(count as f64) as usize
    })
}
