//! Links to the cards of people.
//!
//! # Not here
//! The cards, which the server renders (`pages/person`).

use protocol::{Message, RoomId};

use crate::api::room_path;
use crate::browser::cookies::percent_encode;

/// The query that names the author of a message.
pub fn query_of_author(seq: u64) -> String {
    format!("message={seq}")
}

/// The query that names a person.
pub fn query_of_name(name: &str) -> String {
    format!("name={}", percent_encode(name))
}

/// The card of the author of a message; `None` before the message is delivered.
pub fn author_link(message: &Message) -> Option<String> {
    (message.id > 0).then(|| card_link(message.room, &query_of_author(message.id)))
}

/// The card of the person with this name.
pub fn name_link(room: RoomId, name: &str) -> String {
    card_link(room, &query_of_name(name))
}

fn card_link(room: RoomId, query: &str) -> String {
    format!("{}person/?{query}", room_path(room))
}
