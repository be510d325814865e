//! The rules that a message keeps before it waits for the writer.

use protocol::{NewMessage, Refusal, RoomId, text};

use crate::identity::person::{Person, guest_public_id};
use crate::log::command::{Command, WriteRequest};

/// A message that keeps the rules, for the writer. Who has an account writes under its name.
pub(crate) fn check(
    by: &Person,
    room: RoomId,
    message: &NewMessage,
    key: Option<&str>,
) -> Result<WriteRequest, Refusal> {
    let (username, body) = (
        text::parse_username(&message.username)?,
        text::parse_body(&message.body)?,
    );
    let username = by.resolve_username(username)?;
    Ok(WriteRequest {
        room,
        author: by.id(),
        username,
        body,
        key: key.map(text::parse_idempotency_key).transpose()?,
        command: Command::Post,
    })
}

/// The wish to change a message, for the writer.
pub(crate) fn change(by: &Person, room: RoomId, command: Command, body: String) -> WriteRequest {
    let actor = by.account().map_or_else(
        || guest_public_id(by.id()),
        |member| member.username().to_owned(),
    );
    WriteRequest {
        room,
        author: by.id(),
        username: actor,
        body,
        key: None,
        command,
    }
}
