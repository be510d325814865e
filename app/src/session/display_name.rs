//! What a visitor is called: one name for every room, remembered by the browser.
//!
//! Promises: there is always a name to offer, and a changed one is kept at once. Leaves to others: which names are
//! allowed (`protocol::text`).

use leptos::prelude::*;
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

/// A friendly name, one of about a thousand, chosen by `luck`.
pub fn suggested_name(luck: u64) -> String {
    let pick =
        |words: [&'static str; 32], luck: u64| words[usize::try_from(luck % 32).unwrap_or(0)];
    format!("{}-{}", pick(ADJECTIVES, luck), pick(ANIMALS, luck >> 32))
}

/// The visitor's name, for every part of the page.
#[derive(Clone, Copy, Debug)]
pub struct DisplayName {
    name: RwSignal<String>,
    /// Whether it is that of an account, which is not chosen here.
    pub fixed: bool,
}

impl DisplayName {
    /// Starts from what the browser remembered, from an offer, or from the name of an account, which is `fixed`.
    pub fn new(name: String, fixed: bool) -> Self {
        Self {
            name: RwSignal::new(name),
            fixed,
        }
    }

    /// The name as it is now, for whoever wants to follow it.
    pub fn get(self) -> String {
        self.name.get()
    }

    /// The name as it is at this moment.
    pub fn now(self) -> String {
        self.name.get_untracked()
    }

    /// The name that the browser remembers: another tab may have changed it. One that was only offered is remembered
    /// from now on, as others are about to see it. In the browser only.
    pub fn kept(self) -> String {
        if self.fixed {
            return self.now();
        }
        let kept = cookies::stored_cookie("name").and_then(|name| text::username(&name).ok());
        kept.unwrap_or_else(|| {
            cookies::set_cookie("name", &self.now());
            self.now()
        })
    }

    /// Takes and remembers a new name.
    ///
    /// # Errors
    /// Why it cannot be one, for people.
    pub fn change(self, name: &str) -> Result<(), String> {
        let name = text::username(name).map_err(|_| match name.trim() {
            "" => "Choose a name that others will see.".to_owned(),
            _ => format!(
                "A name has at most {} characters, all on one line.",
                text::USERNAME_MAX
            ),
        })?;
        cookies::set_cookie("name", &name);
        if self.now() != name {
            self.name.set(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offer_is_a_name() {
        for luck in 0..2_000_u64 {
            let name = suggested_name(luck.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            assert_eq!(text::username(&name), Ok(name));
        }
        assert_eq!(suggested_name(0), "amber-badger");
    }
}
