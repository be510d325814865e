//! The log of a room: messages and their changes, in the order of their sequence numbers.
//!
//! # Guarantees
//! - The sequence numbers of a room are 1, 2, 3 … without gaps.
//! - An answered request is durable.
//!
//! # Not here
//! - Who may write: `room::write_policy`. Delivery to followers: `realtime`.

pub(crate) mod batch_state;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod entry;
pub(crate) mod history;
pub(crate) mod load;
mod open_room;
mod suggest;
pub(crate) mod validate;
mod wanted;
pub(crate) mod writer;

use protocol::{FileId, Message, MessageContent, NewMessage, Refusal, RoomId, text};

use self::command::{Command, IdempotencyKey, WriteRequest};
pub use self::validate::NewFiles;
use self::writer::WriteQueue;
use crate::identity::person::Person;
use crate::markup::{mark_in_place, marked_content};
use crate::sync::lock;
use crate::{Chat, Error};

impl Chat {
    /// Posts a message. When this returns the message, it is durable. A repeated `key` of the same
    /// author in the same room returns the message of the first request.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the message breaks a rule or has the key of a message with
    /// another text,
    /// [`protocol::Refusal::NameTaken`] if the name belongs to another person,
    /// [`protocol::Refusal::RoomFull`], [`protocol::Refusal::DiskFull`], the refusals of
    /// [`Chat::find_room`], or a fault.
    pub async fn post_message(
        &self,
        by: &Person,
        room: &RoomId,
        message: &NewMessage,
        key: Option<IdempotencyKey<'_>>,
    ) -> Result<Message, Error> {
        self.post_message_with_files(by, room, message, NewFiles::default(), key)
            .await
    }

    /// Posts a message with files of the caller, whose text may be empty.
    ///
    /// # Errors
    /// Those of [`Chat::post_message`], and [`protocol::Refusal::Invalid`] if a file is not ready, in
    /// another room, of another person or in a message already.
    pub async fn post_message_with_files(
        &self,
        by: &Person,
        room: &RoomId,
        message: &NewMessage,
        files: NewFiles<'_>,
        key: Option<IdempotencyKey<'_>>,
    ) -> Result<Message, Error> {
        let queue = self.write_queue()?;
        let request = validate::check_message(by, *room, message, files, key)?;
        let appended = queue.append(request).await?;
        let mut posted = appended.message;
        if appended.is_repeated {
            // The message comes from the store, which has no marks.
            mark_in_place(&mut posted);
        }
        Ok(posted)
    }

    /// Replaces the text of one of the caller's messages. When this returns the message as it is
    /// now, the change is durable.
    ///
    /// # Errors
    /// [`protocol::Refusal::Forbidden`] if the caller is not the author,
    /// [`protocol::Refusal::NotFound`] if there is no such message,
    /// [`protocol::Refusal::Invalid`] if the text breaks a rule, the refusals of
    /// [`Chat::find_room`], or a fault.
    pub async fn edit_message(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
        body: &str,
    ) -> Result<Message, Error> {
        let body = text::parse_body(body)?;
        let content = Some(marked_content(body));
        let request = validate::change_request(by, *room, Command::Edit(seq), content);
        Ok(self.write_queue()?.append(request).await?.message)
    }

    /// Deletes a message: its text is overwritten in the store, and all followers of the room
    /// receive the deletion. The author and the moderators of the room may delete a message.
    ///
    /// # Errors
    /// [`protocol::Refusal::Forbidden`] if the caller is neither, [`protocol::Refusal::NotFound`]
    /// if there is no such message, the refusals of [`Chat::find_room`], or a fault.
    pub async fn delete_message(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
    ) -> Result<Message, Error> {
        let queue = self.write_queue()?;
        let request = validate::change_request(by, *room, Command::Delete(seq), None);
        Ok(queue.append(request).await?.message)
    }

    /// Removes a file from its message, which is deleted if it says nothing then. When this returns, no
    /// one can read the file.
    pub(crate) async fn remove_attached_file(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
        file: FileId,
    ) -> Result<(), Error> {
        let queue = self.write_queue()?;
        let command = Command::RemoveFile(seq, file);
        let request = validate::change_request(by, *room, command, None);
        queue.append(request).await?;
        Ok(())
    }

    /// Appends a line without an author to the lobby, and executes the command that it announces.
    pub(crate) async fn announce(
        &self,
        room: &RoomId,
        command: Command,
        line: String,
    ) -> Result<Message, Error> {
        let request = WriteRequest {
            room: *room,
            author: 0,
            session: None,
            username: String::new(),
            content: Some(MessageContent::text(line)),
            files: Vec::new(),
            alts: Vec::new(),
            key: None,
            command,
        };
        Ok(self.write_queue()?.append(request).await?.message)
    }

    /// The queue of the writer, until the chat is closed.
    fn write_queue(&self) -> Result<WriteQueue, Error> {
        let queue = lock(&self.0.write_queue).clone();
        Ok(queue.ok_or(Refusal::Draining)?)
    }
}
