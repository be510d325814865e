//! The names of the members of a room.

use std::collections::BTreeMap;

/// The name of a member: the username of an account, or the display name of a guest who has
/// written.
pub(crate) fn display_name(names: &BTreeMap<String, String>, id: &str) -> String {
    let guest = || {
        if id.starts_with('~') {
            "a guest".to_owned()
        } else {
            id.to_owned()
        }
    };
    names.get(id).cloned().unwrap_or_else(guest)
}
