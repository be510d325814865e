//! What to call the members of a room.

use std::collections::BTreeMap;

/// What to call somebody: a guest by the name they write under, if they have written.
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
