//! Decides about the files of messages.
//!
//! # Guarantees
//! - A file is in one message at most, in the room that it was sent to, and by the person who sent it.
//! - A message that says nothing without its last file is deleted with it.

use protocol::{ChangeKind, FILES_MAX, File, FileId, Message, Refusal};
use texts::refusal;

use super::change::Target;
use super::{Decider, Outcome};
use crate::log::batch_state::MessageId;
use crate::log::command::WriteRequest;
use crate::store::file_rows::{FileState, encode_files};
use crate::store::{OpenRoom, RowChange, message_key};

const NO_FILE: Refusal = Refusal::NotFound(refusal::NO_FILE);

impl Decider<'_> {
    /// The files that a request names, for its message.
    pub(super) fn take_files(&self, request: &WriteRequest) -> Result<Vec<File>, Refusal> {
        let files = request.files.iter().enumerate().map(|(position, id)| {
            let is_first = !request.files[..position].contains(id);
            let found = self.state.files.get(id)?;
            let is_free = found.state == FileState::Ready
                && found.room == request.room
                && found.person == request.author;
            let alt = request.alts.get(position).filter(|alt| !alt.is_empty());
            (is_first && is_free).then(|| File {
                alt: alt.cloned(),
                ..found.file.clone().shown(request.room)
            })
        });
        let files: Option<Vec<File>> = files.collect();
        if files.is_none() && self.waits_for_a_file(request) {
            return Err(Refusal::NotReady(refusal::FILE_UNCHECKED.text().to_owned()));
        }
        let files = files.filter(|files| files.len() <= FILES_MAX);
        files.ok_or_else(|| {
            Refusal::invalid("files", refusal::RULE_FILES.fill([&FILES_MAX.to_string()]))
        })
    }

    /// Whether a file that a request names will be ready a little later.
    fn waits_for_a_file(&self, request: &WriteRequest) -> bool {
        let mut files = request
            .files
            .iter()
            .filter_map(|id| self.state.files.get(id));
        files.any(|found| {
            found.state == FileState::Received
                && found.room == request.room
                && found.person == request.author
        })
    }

    /// Adds files to a new message.
    pub(super) fn attach_files(
        &mut self,
        room: OpenRoom,
        message: &mut Message,
        files: Vec<File>,
    ) -> Result<(), Refusal> {
        if files.is_empty() {
            return Ok(());
        }
        for file in &files {
            if let Some(row) = self.state.files.get_mut(&file.id) {
                row.state = FileState::Attached;
            }
        }
        self.decisions.row_changes.push(RowChange::AttachFiles {
            message: message_key(room.number, message.id),
            files: files.iter().map(|file| file.id).collect(),
            stored: encode_files(&files),
        });
        if let Some(content) = &mut message.content {
            content.files = files;
        }
        Ok(())
    }

    /// Removes a file from its message.
    pub(super) fn remove_file(
        &mut self,
        request: &WriteRequest,
        seq: u64,
        file: FileId,
    ) -> Outcome {
        let id = MessageId {
            room: request.room,
            seq,
        };
        let Target { is_own, old, .. } = self.find_target(request, id, true)?;
        let (removed, rest): (Vec<File>, Vec<File>) =
            old.files.iter().cloned().partition(|one| one.id == file);
        if removed.is_empty() {
            return Err(NO_FILE);
        }
        self.drop_files(id, &removed, &rest)?;
        if !is_own {
            self.record_deletion(request, "deleted file", seq);
        }
        let is_empty = rest.is_empty() && old.body.is_empty();
        let kind = match is_empty {
            true => ChangeKind::Deletion,
            false => ChangeKind::Edit,
        };
        let mut content = old;
        content.files = rest;
        self.change_content(request, id, kind, (!is_empty).then_some(content))
    }

    /// Removes files from a message that has the `rest` then.
    pub(super) fn drop_files(
        &mut self,
        id: MessageId,
        removed: &[File],
        rest: &[File],
    ) -> Result<(), Refusal> {
        if removed.is_empty() {
            return Ok(());
        }
        let room = self.room_of(id.room)?;
        self.decisions.row_changes.push(RowChange::RemoveFiles {
            message: message_key(room.number, id.seq),
            files: removed.iter().map(|file| file.id).collect(),
            rest: encode_files(rest),
        });
        Ok(())
    }
}
