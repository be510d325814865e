//! Checks of a message that need no transaction, before the message is queued for the writer.

use protocol::{MessageContent, NewMessage, Refusal, RoomId, text};

use crate::identity::person::{Person, guest_public_id};
use crate::log::command::{Command, IdempotencyKey, WriteRequest};
use crate::markup::marked_content;

/// Checks a new message. The holder of an account posts under the username of the account.
pub(crate) fn check_message(
    by: &Person,
    room: RoomId,
    message: &NewMessage,
    key: Option<IdempotencyKey<'_>>,
) -> Result<WriteRequest, Refusal> {
    let username = text::parse_username(&message.username)?;
    let body = text::parse_body(&message.body)?;
    let username = by.resolve_username(username)?;
    let content = marked_content(body);
    if let Some(key) = key {
        text::check_idempotency_key(key.text)?;
    }
    Ok(WriteRequest {
        room,
        author: by.id(),
        session: by.session(),
        username,
        key: key.map(|key| key.digests(by.id(), &content)),
        content: Some(content),
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
        session: by.session(),
        username: actor,
        content,
        key: None,
        command,
    }
}
