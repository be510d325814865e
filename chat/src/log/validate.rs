//! Checks of a message that need no transaction, before the message is queued for the writer.

use protocol::{MessageContent, NewMessage, Refusal, RoomId, client_id, text};

use crate::identity::person::{Person, guest_public_id};
use crate::log::command::{Command, WriteRequest};

/// Checks a new message. The holder of an account posts under the username of the account.
pub(crate) fn check_message(
    by: &Person,
    room: RoomId,
    message: &NewMessage,
    idempotency_key: Option<&str>,
) -> Result<WriteRequest, Refusal> {
    let username = text::parse_username(&message.username)?;
    let body = text::parse_body(&message.body)?;
    let username = by.resolve_username(username)?;
    Ok(WriteRequest {
        room,
        author: by.id(),
        username,
        content: Some(MessageContent { body }),
        client_id: idempotency_key
            .map(text::parse_idempotency_key)
            .transpose()?
            .map(|key| client_id(&key)),
        command: Command::Post,
    })
}

/// The request to edit or delete a message.
pub(crate) fn change_request(
    by: &Person,
    room: RoomId,
    command: Command,
    content: Option<MessageContent>,
) -> WriteRequest {
    let actor = by.account().map_or_else(
        || guest_public_id(by.id()),
        |account| account.username().to_owned(),
    );
    WriteRequest {
        room,
        author: by.id(),
        username: actor,
        content,
        client_id: None,
        command,
    }
}
