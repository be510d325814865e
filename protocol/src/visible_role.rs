//! The roles that everyone in a room sees, and their entries in a room.

use crate::Author;

/// What a person may do in a room beyond its ordinary members, so that everyone there sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisibleRole {
    /// The owner of the room.
    Owner,
    /// An operator of the server, in a room that is open to everyone.
    Operator,
    /// A moderator of the room.
    Moderator,
}

impl VisibleRole {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Operator, Self::Moderator];

    /// Returns the role's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
            Self::Moderator => "moderator",
        }
    }
}

/// The entry of a person in [`crate::Room::roles`]: the role, a space, and the name under which the
/// person writes, after `~` for a guest. So a name belongs to one kind of author.
pub fn role_entry(role: VisibleRole, author: Author, username: &str) -> String {
    format!("{} {}{username}", role.name(), prefix_of(author))
}

/// The role of an author by such entries. Roles that a later version may have added are none.
pub fn find_role(entries: &[String], author: Author, username: &str) -> Option<VisibleRole> {
    let role = entries.iter().find_map(|entry| {
        let (role, name) = entry.split_once(' ')?;
        (name.strip_prefix(prefix_of(author)) == Some(username)).then_some(role)
    })?;
    let mut roles = VisibleRole::ALL.into_iter();
    roles.find(|known| known.name() == role)
}

/// What stands before the name in an entry. No username of an account begins with it.
fn prefix_of(author: Author) -> &'static str {
    match author {
        Author::Account => "",
        Author::Guest => "~",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_is_that_of_one_kind_of_author_alone() {
        let entries = [
            role_entry(VisibleRole::Owner, Author::Guest, "Ben B."),
            role_entry(VisibleRole::Moderator, Author::Account, "ada"),
            "jester eve".to_owned(),
            "owner".to_owned(),
        ];
        assert_eq!(entries[0], "owner ~Ben B.");
        assert_eq!(entries[1], "moderator ada");
        for (author, name, role) in [
            (Author::Guest, "Ben B.", Some(VisibleRole::Owner)),
            (Author::Account, "Ben B.", None),
            (Author::Account, "ada", Some(VisibleRole::Moderator)),
            (Author::Guest, "ada", None),
            (Author::Account, "Ada", None),
            (Author::Account, "eve", None),
            (Author::Guest, "", None),
        ] {
            assert_eq!(find_role(&entries, author, name), role, "{author:?} {name}");
        }
    }
}
