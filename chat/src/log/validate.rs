//! Checks of a message that need no transaction, before the message is queued for the writer.

use protocol::{FileId, MessageContent, NewMessage, Refusal, RoomId, text};

use crate::identity::person::{Person, guest_public_id};
use crate::log::command::{Command, IdempotencyKey, WriteRequest};
use crate::markup::marked_content;

/// The files of a new message.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewFiles<'a> {
    /// Their IDs, in the order in which readers see them.
    pub ids: &'a [FileId],
    /// What they show, for people who do not see them, in the same order. One that is empty or missing
    /// says nothing.
    pub alts: &'a [String],
    /// What tells these files from others when a request is repeated with the same idempotency key,
    /// if that is not their IDs: a client that sends the bytes again gets new IDs.
    pub digest: Option<&'a str>,
}

impl NewFiles<'_> {
    /// What tells these files from others.
    fn digest(self) -> String {
        let ids = || self.ids.iter().map(FileId::to_string).collect();
        self.digest.map_or_else(ids, str::to_owned)
    }
}

/// Checks a new message, whose text may be empty if it has files. The holder of an account posts under
/// the username of the account.
pub(crate) fn check_message(
    by: &Person,
    room: RoomId,
    message: &NewMessage,
    files: NewFiles<'_>,
    key: Option<IdempotencyKey<'_>>,
) -> Result<WriteRequest, Refusal> {
    let username = text::parse_username(&message.username)?;
    let body = match message.body.trim() {
        "" if !files.ids.is_empty() => String::new(),
        _ => text::parse_body(&message.body)?,
    };
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
        key: key.map(|key| key.digests(by.id(), &content, &files.digest())),
        files: files.ids.to_vec(),
        alts: files
            .alts
            .iter()
            .map(|alt| text::parse_alt(alt))
            .collect::<Result<_, _>>()?,
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
        files: Vec::new(),
        alts: Vec::new(),
        key: None,
        command,
    }
}
