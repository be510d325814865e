//! The rules that a message keeps before it waits for the writer.

use protocol::{NewMessage, Refusal, RoomId, text};

use crate::identity::person::{Person, guest_name, own_name};
use crate::log::command::{Deed, Post};

/// A message that keeps the rules, for the writer. Who has an account writes under its name.
pub(crate) fn check(
    by: &Person,
    room: RoomId,
    message: &NewMessage,
    key: Option<&str>,
) -> Result<Post, Refusal> {
    let (username, body) = (
        text::username(&message.username)?,
        text::body(&message.body)?,
    );
    let username = own_name(by, username)?;
    Ok(Post {
        room,
        author: by.id(),
        username,
        body,
        key: key.map(text::key).transpose()?,
        deed: Deed::Say,
    })
}

/// The wish to change a message, for the writer.
pub(crate) fn change(by: &Person, room: RoomId, deed: Deed, body: String) -> Post {
    let actor = by.member().map_or_else(
        || guest_name(by.id()),
        |member| member.username().to_owned(),
    );
    Post {
        room,
        author: by.id(),
        username: actor,
        body,
        key: None,
        deed,
    }
}
