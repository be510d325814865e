//! Who looks at the page, as far as the browser tells: name, colours, and rooms visited lately.
//!
//! Promises: a visitor who says nothing gets a name to use and the system's colours. Never an identity: anybody can
//! say anything here. Who is signed in, the server adds.

use protocol::{Account, RoomId, text};
use serde::Serialize;

use crate::browser::cookies;
use crate::session::display_name::suggested_name;
use crate::session::theme::Theme;

/// How many rooms visited lately are remembered.
pub const VISITS_MAX: usize = 8;

/// What the browser remembers of its visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Visitor {
    /// The name to write under: the remembered one, or a friendly offer.
    pub name: String,
    /// The chosen colours.
    pub theme: Theme,
    /// Rooms visited lately, the latest first; for the server alone.
    #[serde(skip)]
    pub visits: Vec<RoomId>,
    /// The visitor's account.
    pub signed: SignedIn,
}

/// Who is signed in, as the server knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SignedIn {
    /// The account; none of a guest.
    pub account: Option<Account>,
}

impl Visitor {
    /// Reads a `Cookie` header; `luck` chooses the name that is offered if none is remembered.
    pub fn from_cookies(header: &str, luck: u64) -> Self {
        let name = cookies::read_cookie(header, "name").and_then(|name| text::username(&name).ok());
        Self {
            name: name.unwrap_or_else(|| suggested_name(luck)),
            theme: Theme::from_cookie(cookies::read_cookie(header, "theme").as_deref()),
            visits: visits(&cookies::read_cookie(header, "visits").unwrap_or_default()),
            signed: SignedIn::default(),
        }
    }

    /// The same visitor, signed in: who has an account writes under its name.
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

/// The rooms in the cookie `visits`, where they stand one after the other with dots between.
fn visits(cookie: &str) -> Vec<RoomId> {
    cookie
        .split('.')
        .filter_map(|id| id.parse().ok())
        .take(VISITS_MAX)
        .collect()
}

/// The same rooms after one more visit.
fn visited(mut visits: Vec<RoomId>, room: RoomId) -> Vec<RoomId> {
    visits.retain(|id| *id != room);
    visits.insert(0, room);
    visits.truncate(VISITS_MAX);
    visits
}

/// Remembers one more visit. In the browser only.
pub fn record_visit(room: RoomId) {
    cookies::set_cookie("visits", &listed(&visited(kept(), room), "."));
}

/// The rooms visited lately, as a list with this between them. In the browser only.
pub fn list_visits(between: &str) -> String {
    listed(&kept(), between)
}

/// As the browser has them now: another tab may have visited one.
fn kept() -> Vec<RoomId> {
    visits(&cookies::stored_cookie("visits").unwrap_or_default())
}

fn listed(visits: &[RoomId], between: &str) -> String {
    let ids: Vec<_> = visits.iter().map(ToString::to_string).collect();
    ids.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> RoomId {
        RoomId::from_bytes([n; 8])
    }

    #[test]
    fn cookies_say_who_it_is() {
        let header = "name=Ada%20L; theme=dark; visits=0101010101010101.x.0202020202020202";
        let visitor = Visitor::from_cookies(header, 0);
        assert_eq!(visitor.name, "Ada L");
        assert_eq!(visitor.theme, Theme::Dark);
        assert_eq!(visitor.visits, [id(1), id(2)]);
    }

    #[test]
    fn a_stranger_gets_an_offer() {
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
    fn the_latest_visit_comes_first_and_once() {
        let many = (0..20).fold(Vec::new(), |visits, n| visited(visits, id(n)));
        assert_eq!(many.len(), VISITS_MAX);
        assert_eq!(visited(many.clone(), id(15))[..2], [id(15), id(19)]);
        assert_eq!(visited(many, id(15)).len(), VISITS_MAX);
    }
}
