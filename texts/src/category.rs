//! The names of the plural categories, in the keys of the catalogues and in their tables.

use icu_plurals::PluralCategory;

/// The name that CLDR and `Intl` give a category.
pub fn name_of(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}
