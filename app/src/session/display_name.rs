//! The visitor's display name: one for all rooms, stored by the browser.
//!
//! # Guarantees
//! There is always a name to suggest, and a changed one is stored at once.
//!
//! # Not here
//! Which names are valid (`protocol::text`).

use leptos::prelude::*;
use protocol::characters::shows_nothing;
use protocol::text;

use crate::browser::cookies;

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

/// The visitor's display name.
#[derive(Clone, Copy, Debug)]
pub struct DisplayName {
    name: RwSignal<String>,
    /// Whether it is the username of an account, which cannot be changed here.
    pub is_fixed: bool,
}

impl DisplayName {
    /// Starts with the stored or suggested name, or with the username of an account (`is_fixed`).
    pub fn new(name: String, is_fixed: bool) -> Self {
        Self {
            name: RwSignal::new(name),
            is_fixed,
        }
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
        let stored =
            cookies::stored_cookie("name").and_then(|name| text::parse_username(&name).ok());
        stored.unwrap_or_else(|| {
            cookies::set_cookie("name", &self.get_untracked());
            self.get_untracked()
        })
    }

    /// Changes and stores the name.
    ///
    /// # Errors
    /// Why the name is invalid, as text for the visitor.
    pub fn change(self, name: &str) -> Result<(), String> {
        let name = text::parse_username(name).map_err(|_| match name {
            _ if shows_nothing(name) => "Choose a name that others will see.".to_owned(),
            _ => format!(
                "A name has at most {} characters, all of them visible and on one line.",
                text::USERNAME_MAX
            ),
        })?;
        cookies::set_cookie("name", &name);
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
