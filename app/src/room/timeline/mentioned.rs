//! Who is meant by the mentions in a message.
//!
//! # Guarantees
//! A mention means a person who is in the room, has written in it, or is the visitor. Names are
//! compared without regard to the case of ASCII letters.

use leptos::prelude::*;
use protocol::characters::clean_name;
use protocol::{Mark, MarkKind, Message};

use crate::room::log::message_log::MessageLog;
use crate::room::person_link::name_link;
use crate::room::state::RoomState;
use crate::room::timeline::marked_text::Mentioned;
use crate::session::display_name::DisplayName;

/// Whether a message mentions a person by this name.
pub fn mentions(message: &Message, name: &str) -> bool {
    let is_meant = |mark: &Mark| {
        let mentioned = mark.username.as_deref();
        mentioned.is_some_and(|mentioned| mentioned.eq_ignore_ascii_case(name))
    };
    message.marks().iter().any(is_meant)
}

/// The people of a room.
#[derive(Clone, Copy)]
pub struct MentionLookup<'a> {
    /// The room.
    pub state: RoomState,
    /// The visitor's own name.
    pub name: DisplayName,
    /// The messages on the page.
    pub log: &'a MessageLog,
}

impl MentionLookup<'_> {
    /// The persons whom the mentions among these marks mean; tracks the room only if there are any.
    pub fn find_all(self, marks: &[Mark]) -> Vec<Option<Mentioned>> {
        let mentions = marks.iter().filter(|mark| mark.kind == MarkKind::Mention);
        mentions
            .map(|mark| self.find(mark.username.as_deref().unwrap_or_default()))
            .collect()
    }

    fn find(self, username: &str) -> Option<Mentioned> {
        let is_same = |name: &String| name.eq_ignore_ascii_case(username);
        let own = Some(self.name.get()).filter(is_same);
        let is_own = own.is_some();
        let present = || {
            let find = |names: &Vec<String>| names.iter().find(|name| is_same(name)).cloned();
            self.state.present.with(|present| find(&present.names))
        };
        let author = || {
            let mut authors = self.log.messages().iter().map(|message| &message.username);
            authors.find(|name| is_same(name)).cloned()
        };
        let username = own.or_else(author).or_else(present)?;
        let shown = |name: &str| clean_name(name).into_owned();
        Some(Mentioned {
            link: name_link(self.state.id, &username),
            name: self.state.names.with(|names| shown(names.shown(&username))),
            username: shown(&username),
            is_own,
        })
    }
}
