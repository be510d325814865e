//! The roles that everyone in the room sees, as the room was last reported.
//!
//! # Guarantees
//! A name has a role only if the server identified its author: others can write under the same name.

use leptos::prelude::*;
use protocol::{Author, VisibleRole, find_role};
use texts::app as t;

use crate::room::state::RoomState;

impl RoomState {
    /// The role of an author, in one word; empty if there is none. Tracks the room.
    pub fn role_of_author(self, username: &str, author: Option<Author>) -> &'static str {
        let find = |author| {
            self.room
                .with(|room| find_role(&room.roles, author, username))
        };
        match author.and_then(find) {
            None => "",
            Some(VisibleRole::Owner) => t::ROLE_OWNER.text(),
            Some(VisibleRole::Operator) => t::ROLE_OPERATOR.text(),
            Some(VisibleRole::Moderator) => t::ROLE_MODERATOR.text(),
        }
    }

    /// The role of a person who is present, whose name no other person can have. Tracks the room.
    pub fn role_of_name(self, username: &str) -> &'static str {
        match self.role_of_author(username, Some(Author::Account)) {
            "" => self.role_of_author(username, Some(Author::Guest)),
            role => role,
        }
    }
}
