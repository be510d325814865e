//! The log of a room: what lasts, in order.

pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod entry;
pub(crate) mod history;
mod validate;
pub(crate) mod writer;

use protocol::{Message, NewMessage, RoomId};

use self::command::{Command, WriteRequest};
use crate::identity::person::Person;
use crate::sync::lock;
use crate::{Chat, Error};

impl Chat {
    /// Sends a message. When this returns it, it is durable. The same `key` in the same room gives back the first answer.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if it breaks a rule, [`protocol::Refusal::NameTaken`] if the name is somebody else's,
    /// the refusals of [`Chat::find_room`], or a fault.
    pub async fn post_message(
        &self,
        by: &Person,
        room: &RoomId,
        message: &NewMessage,
        key: Option<&str>,
    ) -> Result<Message, Error> {
        self.posts()?
            .append(validate::check(by, *room, message, key)?)
            .await
    }

    /// Lets somebody write a message of theirs anew. When this returns it as it is now, that is durable.
    ///
    /// # Errors
    /// [`protocol::Refusal::Forbidden`] for all but its author, [`protocol::Refusal::NotFound`] if there is no such message,
    /// [`protocol::Refusal::Invalid`] if the text breaks a rule, the refusals of [`Chat::find_room`], or a fault.
    pub async fn edit_message(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
        body: &str,
    ) -> Result<Message, Error> {
        let post = validate::change(
            by,
            *room,
            Command::Edit(seq),
            protocol::text::parse_body(body)?,
        );
        self.posts()?.append(post).await
    }

    /// Lets its author or a moderator delete a message: everybody is told, and its text is gone from the store.
    ///
    /// # Errors
    /// [`protocol::Refusal::Forbidden`] for all others, [`protocol::Refusal::NotFound`] if there is no such message, the
    /// refusals of [`Chat::find_room`], or a fault.
    pub async fn delete_message(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
    ) -> Result<Message, Error> {
        self.posts()?
            .append(validate::change(
                by,
                *room,
                Command::Delete(seq),
                String::new(),
            ))
            .await
    }

    /// Does something of which a line tells that nobody wrote.
    pub(crate) async fn announce(
        &self,
        room: &RoomId,
        command: Command,
        line: String,
    ) -> Result<Message, Error> {
        let post = WriteRequest {
            room: *room,
            author: 0,
            username: String::new(),
            body: line,
            key: None,
            command,
        };
        self.posts()?.append(post).await
    }

    fn posts(&self) -> Result<writer::WriteQueue, Error> {
        Ok(lock(&self.0.posts)
            .clone()
            .ok_or(protocol::Refusal::Draining)?)
    }
}
