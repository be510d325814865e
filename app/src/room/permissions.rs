//! What the visitor may do in the room and with a message.
//!
//! # Guarantees
//! The page offers nothing that the server would refuse.

use leptos::prelude::*;
use protocol::{Author, Message, Role, Time};
use texts::app as t;

use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::time::clock;

/// What the visitor may do with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Edit it.
    pub edit: bool,
    /// Delete it.
    pub delete: bool,
    /// Mute or ban its author.
    pub sanction_author: bool,
}

impl Permissions {
    /// The current permissions for a message; tracks the room.
    pub fn of(message: &Message, name: DisplayName, state: RoomState) -> Self {
        let is_own = is_mine(message, name);
        let can_moderate = state.can_moderate();
        let is_muted = state.muted_until(clock::now()).is_some();
        let is_changeable = !message.is_deleted() && !state.closed.get() && !is_muted;
        Self {
            edit: is_changeable && is_own,
            delete: is_changeable && (is_own || can_moderate),
            sanction_author: can_moderate && !is_own && message.author.is_some(),
        }
    }
}

/// Whether the visitor wrote a message: the server or the outbox says so, or it is by the visitor's
/// account. The name alone says nothing: a guest may have changed it, and others may have it now.
pub fn is_mine(message: &Message, name: DisplayName) -> bool {
    let is_by_account = || {
        name.is_fixed
            && message.author == Some(Author::Account)
            && message.username == name.get_untracked()
    };
    message.own || is_by_account()
}

/// How the server will mark the author of the visitor's messages, so that a delivered message looks
/// like the pending one.
pub fn own_author(name: DisplayName) -> Option<Author> {
    Some(if name.is_fixed {
        Author::Account
    } else {
        Author::Guest
    })
}

impl RoomState {
    /// Whether only members may enter the room; tracks the room.
    pub fn is_private(self) -> bool {
        self.room.with(|room| room.private)
    }

    /// Whether the visitor may invite others; tracks the room.
    pub fn can_invite(self) -> bool {
        self.room.with(|room| room.role >= Some(Role::Moderator))
    }

    /// Whether the visitor moderates the room while it is open; tracks the room.
    pub fn can_moderate(self) -> bool {
        self.can_invite() && !self.closed.get()
    }

    /// Until when the visitor is muted, if they are at this time; without an end, `Some(None)`.
    /// Tracks the room.
    pub fn muted_until(self, now: Time) -> Option<Option<Time>> {
        self.room.with(|room| {
            let is_over = room.muted_until.is_some_and(|until| until <= now);
            (room.muted && !is_over).then_some(room.muted_until)
        })
    }

    /// Why the visitor cannot write in the room, whenever that is, or `None` if they can; tracks the
    /// room.
    pub fn write_obstacle(self) -> Option<&'static str> {
        self.room.with(|room| match room.role {
            Some(Role::Reader) => Some(t::READERS_DO_NOT_WRITE.text()),
            role if room.read_only && role < Some(Role::Moderator) => {
                Some(t::ONLY_MODERATORS_WRITE.text())
            }
            _ => None,
        })
    }
}
