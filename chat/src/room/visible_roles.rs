//! The roles that everyone in a room sees: its owner, its moderators, and the operators of the
//! server.
//!
//! # Guarantees
//! - A person is listed once: the owner as such, and an operator who moderates as an operator.
//! - The list is bounded, whatever the number of members and accounts.
//!
//! # Not here
//! - When followers learn that the roles have changed: `events`.

use protocol::{Author, Role, VisibleRole, find_role, role_entry};

use crate::store::{MemberRow, RoomRow, accounts, author_from_row, members};
use crate::{Chat, Error};

/// The most people in the list.
const LISTED_MAX: usize = 100;

impl Chat {
    /// The people whose role everyone in the room sees: the owner, the operators in a room that is
    /// open to everyone, and the moderators. A guest who has not written there has no name yet.
    pub(crate) async fn list_role_holders(&self, found: &RoomRow) -> Result<Vec<String>, Error> {
        if found.direct {
            return Ok(Vec::new());
        }
        let mut reader = self.0.store.reader().await?;
        let members = members::list_moderators(&mut reader, found.room.id, LISTED_MAX).await?;
        let operators = match found.is_open_to_all() {
            true => accounts::list_operators(&mut reader, LISTED_MAX).await?,
            false => Vec::new(),
        };
        Ok(merge(members, operators))
    }
}

/// The entries of the owner, the operators and the moderators in this order, each person once.
fn merge(members: Vec<MemberRow>, operators: Vec<String>) -> Vec<String> {
    let holder = |member: MemberRow| {
        let role = match member.role {
            Role::Owner => VisibleRole::Owner,
            _ => VisibleRole::Moderator,
        };
        Some((role, author_from_row(member.person)?, member.name?))
    };
    let (owners, moderators): (Vec<_>, Vec<_>) = members
        .into_iter()
        .filter_map(holder)
        .partition(|(role, ..)| *role == VisibleRole::Owner);
    let operators = operators
        .into_iter()
        .map(|username| (VisibleRole::Operator, Author::Account, username));
    let mut entries = Vec::new();
    for (role, author, name) in owners.into_iter().chain(operators).chain(moderators) {
        if entries.len() < LISTED_MAX && find_role(&entries, author, &name).is_none() {
            entries.push(role_entry(role, author, &name));
        }
    }
    entries
}
