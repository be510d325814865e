//! The visitor as the browser describes them: display name, theme, and recently visited rooms.
//!
//! # Guarantees
//! A visitor without cookies gets a suggested name and the system's theme. Nothing here proves an
//! identity: a client can send any cookie. The server adds the account.

use protocol::{Account, RoomId, text};
use serde::{Deserialize, Serialize};

use crate::browser::cookies;
use crate::session::display_name::{CHOSEN, NameOrigin, SUGGESTED, suggested_name};
use crate::session::theme::Theme;

/// How many recently visited rooms are stored.
pub const VISITS_MAX: usize = 8;

/// What the browser stores about its visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The display name: the stored one, or a suggestion.
    pub name: String,
    /// Whether the visitor has chosen the name.
    pub is_named: bool,
    /// The chosen theme.
    pub theme: Theme,
    /// Recently visited rooms, the latest first; for the server only.
    #[serde(skip)]
    pub visits: Vec<RoomId>,
    /// The visitor's account.
    pub signed: SignedIn,
}

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The account; `None` for a guest.
    pub account: Option<Account>,
}

impl Visitor {
    /// Reads a `Cookie` header; `random` chooses the name that is suggested if none is stored.
    pub fn from_cookies(header: &str, random: u64) -> Self {
        let stored = |cookie| {
            let name = cookies::read_cookie(header, cookie)?;
            text::parse_username(&name).ok()
        };
        let chosen = stored(CHOSEN);
        let is_named = chosen.is_some();
        let name = chosen.or_else(|| stored(SUGGESTED));
        Self {
            name: name.unwrap_or_else(|| suggested_name(random)),
            is_named,
            theme: Theme::from_cookie(cookies::read_cookie(header, "theme").as_deref()),
            visits: parse_visits(&cookies::read_cookie(header, "visits").unwrap_or_default()),
            signed: SignedIn::default(),
        }
    }

    /// Where the name comes from.
    pub fn name_origin(&self) -> NameOrigin {
        match (&self.signed.account, self.is_named) {
            (Some(_), _) => NameOrigin::Account,
            (None, true) => NameOrigin::Chosen,
            (None, false) => NameOrigin::Suggested,
        }
    }

    /// The same visitor, signed in: a member writes under the username of the account.
    #[must_use]
    pub fn signed_in(self, account: Account) -> Self {
        Self {
            name: account.username.clone(),
            signed: SignedIn {
                account: Some(account),
            },
            ..self
        }
    }
}

/// The room IDs in the cookie `visits`, which are separated by dots.
fn parse_visits(cookie: &str) -> Vec<RoomId> {
    cookie
        .split('.')
        .filter_map(|id| id.parse().ok())
        .take(VISITS_MAX)
        .collect()
}

/// The list after one more visit.
fn add_visit(mut visits: Vec<RoomId>, room: RoomId) -> Vec<RoomId> {
    visits.retain(|id| *id != room);
    visits.insert(0, room);
    visits.truncate(VISITS_MAX);
    visits
}

/// Stores a visit. In the browser only.
pub fn record_visit(room: RoomId) {
    cookies::set_cookie("visits", &join_ids(&add_visit(stored_visits(), room), "."));
}

/// The recently visited rooms as text with a separator. In the browser only.
pub fn list_visits(separator: &str) -> String {
    join_ids(&stored_visits(), separator)
}

/// The current list: another tab may have visited a room.
fn stored_visits() -> Vec<RoomId> {
    parse_visits(&cookies::stored_cookie("visits").unwrap_or_default())
}

fn join_ids(visits: &[RoomId], separator: &str) -> String {
    let ids: Vec<_> = visits.iter().map(ToString::to_string).collect();
    ids.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> RoomId {
        RoomId::from_bytes([n; 8])
    }

    #[test]
    fn cookies_describe_the_visitor() {
        let header = "name=Ada%20L; theme=dark; visits=0101010101010101.x.0202020202020202";
        let visitor = Visitor::from_cookies(header, 0);
        assert_eq!(visitor.name, "Ada L");
        assert_eq!(visitor.theme, Theme::Dark);
        assert_eq!(visitor.visits, [id(1), id(2)]);
        assert!(visitor.is_named);
    }

    #[test]
    fn suggestion_that_others_have_seen_stays_and_is_no_chosen_name() {
        let visitor = Visitor::from_cookies("suggested=tidy-bison", 0);
        assert_eq!(visitor.name, "tidy-bison");
        assert!(!visitor.is_named);
        let visitor = Visitor::from_cookies("suggested=tidy-bison; name=ada", 0);
        assert_eq!(visitor.name, "ada");
        assert!(visitor.is_named);
    }

    #[test]
    fn visitor_without_cookies_gets_a_suggested_name() {
        for header in ["", "name=", "name=%0A", "theme=blue; name=%zz"] {
            assert_eq!(
                Visitor::from_cookies(header, 0),
                Visitor {
                    name: "amber-badger".into(),
                    ..Visitor::default()
                }
            );
        }
    }

    #[test]
    fn latest_visit_is_first_and_listed_once() {
        let many = (0..20).fold(Vec::new(), |visits, n| add_visit(visits, id(n)));
        assert_eq!(many.len(), VISITS_MAX);
        assert_eq!(add_visit(many.clone(), id(15))[..2], [id(15), id(19)]);
        assert_eq!(add_visit(many, id(15)).len(), VISITS_MAX);
    }
}
