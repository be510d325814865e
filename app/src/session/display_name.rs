//! The visitor's display name: one for all rooms, stored by the browser.
//!
//! # Guarantees
//! There is always a name to suggest, and a chosen one is stored at once. A suggestion counts as
//! chosen when the visitor first writes under it.
//!
//! # Not here
//! Which names are valid (`protocol::text`).

use leptos::prelude::*;
use protocol::characters::shows_nothing;
use protocol::text;
use texts::app as t;
use web_sys::HtmlInputElement;

use crate::browser::cookies;
use crate::browser::dom::element_by_id;

const ADJECTIVES: [&str; 32] = [
    "amber", "brisk", "calm", "clever", "cosy", "daring", "eager", "fair", "gentle", "golden",
    "happy", "honest", "jolly", "keen", "kind", "lively", "lucky", "mellow", "merry", "nimble",
    "patient", "plucky", "proud", "quiet", "rapid", "silver", "steady", "sunny", "swift", "tidy",
    "witty", "young",
];
const ANIMALS: [&str; 32] = [
    "badger", "beaver", "bison", "crane", "curlew", "deer", "dolphin", "falcon", "finch", "fox",
    "gecko", "hare", "heron", "ibex", "jay", "kestrel", "lark", "lynx", "marmot", "marten", "newt",
    "otter", "owl", "panda", "puffin", "raven", "robin", "seal", "stork", "swan", "tern", "wren",
];

/// One of about a thousand names like `amber-badger`, chosen by a random number.
pub fn suggested_name(random: u64) -> String {
    let pick =
        |words: [&'static str; 32], random: u64| words[usize::try_from(random % 32).unwrap_or(0)];
    format!(
        "{}-{}",
        pick(ADJECTIVES, random),
        pick(ANIMALS, random >> 32)
    )
}

/// The cookie of the name that the visitor has chosen.
pub const CHOSEN: &str = "name";
/// The cookie of a suggestion that other people may have seen.
pub const SUGGESTED: &str = "suggested";

/// Where a display name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOrigin {
    /// It is a suggestion.
    Suggested,
    /// The visitor chose it.
    Chosen,
    /// It is the username of an account.
    Account,
}

/// The visitor's display name.
#[derive(Clone, Copy, Debug)]
pub struct DisplayName {
    name: RwSignal<String>,
    /// Whether the visitor has chosen it; otherwise it is a suggestion.
    is_chosen: RwSignal<bool>,
    /// Why what the visitor entered last is no name.
    pub error: RwSignal<Option<String>>,
    /// Whether it is the username of an account, which cannot be changed here.
    pub is_fixed: bool,
}

impl DisplayName {
    /// Starts with the stored or suggested name, or with the username of an account.
    pub fn new(name: String, origin: NameOrigin) -> Self {
        Self {
            name: RwSignal::new(name),
            is_chosen: RwSignal::new(origin != NameOrigin::Suggested),
            error: RwSignal::new(None),
            is_fixed: origin == NameOrigin::Account,
        }
    }

    /// Whether the visitor has chosen the name; tracks it.
    pub fn is_chosen(self) -> bool {
        self.is_chosen.get()
    }

    /// The name; tracks its changes.
    pub fn get(self) -> String {
        self.name.get()
    }

    /// The name, untracked.
    pub fn get_untracked(self) -> String {
        self.name.get_untracked()
    }

    /// The stored name, which another tab may have changed. A name that was only suggested is
    /// stored now, as other people are about to see it. In the browser only.
    pub fn stored(self) -> String {
        if self.is_fixed {
            return self.get_untracked();
        }
        let stored = |cookie: &&str| {
            let name = cookies::stored_cookie(cookie)?;
            text::parse_username(&name).ok()
        };
        [CHOSEN, SUGGESTED]
            .iter()
            .find_map(stored)
            .unwrap_or_else(|| {
                cookies::set_cookie(SUGGESTED, &self.get_untracked());
                self.get_untracked()
            })
    }

    /// Takes the name from a field, if the page has it. Otherwise `error` says why it is no name.
    /// Returns whether the name is valid.
    pub fn take_from(self, field: &str) -> bool {
        let field = element_by_id::<HtmlInputElement>(field).filter(|_| !self.is_fixed);
        let error = field.and_then(|field| self.change(&field.value()).err());
        let is_valid = error.is_none();
        self.error.set(error);
        is_valid
    }

    /// Changes and stores the name.
    ///
    /// # Errors
    /// Why the name is invalid, as text for the visitor.
    pub fn change(self, name: &str) -> Result<(), String> {
        let name = text::parse_username(name).map_err(|_| match name {
            _ if shows_nothing(name) => t::CHOOSE_VISIBLE_NAME.text().to_owned(),
            _ => t::NAME_RULE.fill([&text::USERNAME_MAX.to_string()]),
        })?;
        cookies::set_cookie(CHOSEN, &name);
        self.is_chosen.set(true);
        if self.get_untracked() != name {
            self.name.set(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suggestion_is_a_valid_name() {
        for random in 0..2_000_u64 {
            let name = suggested_name(random.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert_eq!(text::parse_username(&name), Ok(name));
        }
        assert_eq!(suggested_name(0), "amber-badger");
    }
}
