//! The display names of the accounts that wrote in a room, by username.
//!
//! # Guarantees
//! Each account has the display name that the server reported last.

use protocol::{Account, Message};

/// The accounts. They are few: a list is smaller than a map to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountNames(Vec<Account>);

impl AccountNames {
    /// Records the name of an account; returns whether it is new.
    pub fn record(&mut self, username: &str, name: &str) -> bool {
        let known = self.0.iter_mut().find(|known| known.username == username);
        match known {
            Some(known) if known.name == name => return false,
            Some(known) => name.clone_into(&mut known.name),
            None => self.0.push(Account {
                name: name.to_owned(),
                username: username.to_owned(),
            }),
        }
        true
    }

    /// Records the author of a message, if it is an account; returns whether its name is new.
    pub fn record_author(&mut self, message: &Message) -> bool {
        let name = message.name.as_deref();
        name.is_some_and(|name| self.record(&message.username, name))
    }

    /// The display name of an account, or the name itself if it is of no known account.
    pub fn shown<'a>(&'a self, username: &'a str) -> &'a str {
        let known = self.0.iter().find(|known| known.username == username);
        known.map_or(username, |known| &known.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn account_has_the_name_that_was_reported_last() {
        let mut names = AccountNames::default();
        assert!(!names.record_author(&fixtures::message(1)), "a guest");
        assert!(names.record("ada", "Ada"));
        assert!(!names.record("ada", "Ada"));
        assert!(names.record_author(&Message {
            name: Some("Countess".into()),
            ..fixtures::message(2)
        }));
        assert_eq!(names.shown("ada"), "Countess");
        assert_eq!(names.shown("ben"), "ben");
    }
}
