//! What the visitor may do with a message.
//!
//! **Guarantees:** nothing is offered that the server would refuse.

use leptos::prelude::*;
use protocol::{Author, Message, Role};

use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;

/// What somebody may do with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Write it anew.
    pub edit: bool,
    /// Delete it.
    pub delete: bool,
    /// Keep its author from more.
    pub order: bool,
}

impl Permissions {
    /// What the visitor may do with this message now.
    pub fn of(message: &Message, name: DisplayName, state: RoomState) -> Self {
        let own = is_mine(message, name);
        let moderates = state.can_moderate();
        let there = !message.deleted && !state.closed.get();
        Self {
            edit: there && own,
            delete: there && (own || moderates),
            order: moderates && !own && message.author.is_some(),
        }
    }
}

/// Whether a message is surely by who goes by this name; follows that.
pub fn is_mine(message: &Message, name: DisplayName) -> bool {
    message.username == name.get() && message.author == own_author(name)
}

/// How far the server will know who wrote what is on its way, so that nothing moves when it is delivered.
pub fn own_author(name: DisplayName) -> Option<Author> {
    Some(if name.fixed {
        Author::Account
    } else {
        Author::Guest
    })
}

impl RoomState {
    /// Whether only members may enter the room; follows it.
    pub fn is_private(self) -> bool {
        self.room.with(|room| room.private)
    }

    /// Whether the visitor may invite others; follows it.
    pub fn can_invite(self) -> bool {
        self.room.with(|room| room.role >= Some(Role::Moderator))
    }

    /// Whether the visitor moderates the room while it is open; follows it.
    pub fn can_moderate(self) -> bool {
        self.can_invite() && !self.closed.get()
    }

    /// Why the visitor cannot write in the room, if so; follows it.
    pub fn write_obstacle(self) -> Option<&'static str> {
        self.room.with(|room| match room.role {
            Some(Role::Reader) => Some("You read along here: readers do not write."),
            role if room.read_only && role < Some(Role::Moderator) => {
                Some("Only moderators write here.")
            }
            _ => None,
        })
    }
}
