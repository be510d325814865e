//! The names of the members of a room.

use std::borrow::Cow;
use std::collections::BTreeMap;

use protocol::characters::clean_name;
use texts::page as p;

/// The name of a member: the username of an account, or the display name of a guest who has
/// written.
pub(crate) fn display_name(names: &BTreeMap<String, String>, id: &str) -> String {
    let guest = || {
        if id.starts_with('~') {
            p::A_GUEST.text().to_owned()
        } else {
            id.to_owned()
        }
    };
    let drawn = names
        .get(id)
        .map(|name| clean_name(name))
        .filter(|name| !name.is_empty());
    drawn.map_or_else(guest, Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_name_is_drawn_without_invisible_characters() {
        let names = BTreeMap::from([
            ("~1".to_owned(), "\u{202e}aron".to_owned()),
            ("~2".to_owned(), "\u{200b}".to_owned()),
        ]);
        assert_eq!(display_name(&names, "~1"), "aron");
        assert_eq!(display_name(&names, "~2"), "a guest");
        assert_eq!(display_name(&names, "~3"), "a guest");
        assert_eq!(display_name(&names, "ada"), "ada");
    }
}
