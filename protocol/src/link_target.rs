//! Where a pasted link or ID leads.

use crate::RoomId;

/// The target of a pasted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// A room.
    Room(RoomId),
    /// The path of another page that leads to a room: an invitation, a room by its name, or the
    /// direct messages with an account.
    Page(String),
}

impl LinkTarget {
    /// Finds the target of a link of any server, or of the ID of a room.
    pub fn find_in(pasted: &str) -> Option<Self> {
        let room = RoomId::find_in(pasted).map(Self::Room);
        let mut pages = PAGES.iter();
        room.or_else(|| {
            pages
                .find_map(|page| find_page(pasted.trim(), page))
                .map(Self::Page)
        })
    }
}

/// What precedes and what follows the variable part of the path of a page.
const PAGES: [(&str, &str); 3] = [("/invitations/", "/"), ("/chat?room=", ""), ("/chats/", "")];

/// The path of a page of this form in a link.
fn find_page(pasted: &str, (prefix, end): &(&str, &str)) -> Option<String> {
    let (_, rest) = pasted.split_once(prefix)?;
    let part = rest.split(['/', '?', '&', '#']).next()?;
    let is_safe = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\');
    (!part.is_empty() && part.chars().all(is_safe)).then(|| format!("{prefix}{part}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_kind_lead_to_their_pages() {
        let id = "0123456789abcdef";
        let room = Some(LinkTarget::Room(id.parse().unwrap()));
        let page = |path: &str| Some(LinkTarget::Page(path.to_owned()));
        for (pasted, target) in [
            (id.to_owned(), room.clone()),
            (format!(" https://chat.example/rooms/{id}/#5 "), room),
            (
                "https://chat.example/invitations/ab12/".into(),
                page("/invitations/ab12/"),
            ),
            ("/invitations/ab12?utm=1".into(), page("/invitations/ab12/")),
            (
                "http://a.example/chat?room=tea%20time&x=1".into(),
                page("/chat?room=tea%20time"),
            ),
            ("https://a.example/chats/bob".into(), page("/chats/bob")),
            ("https://a.example/invitations/".into(), None),
            ("https://a.example/chats/b ob".into(), None),
            ("https://a.example/chats/\r\nx".into(), None),
            ("tea".into(), None),
        ] {
            assert_eq!(LinkTarget::find_in(&pasted), target, "{pasted}");
        }
    }
}
