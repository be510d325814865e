//! Decides about changes of messages.

use protocol::{Change, ChangeKind, Message, MessageContent, Refusal, Time};
use texts::refusal;

use super::{Appended, Decider, NO_MESSAGE, Outcome};
use crate::log::batch_state::MessageId;
use crate::log::command::WriteRequest;
use crate::log::entry::Entry;
use crate::room::write_policy::MessageChange;
use crate::store::{RowChange, WritePolicy};

/// A message that a request changes.
pub(super) struct Target {
    policy: WritePolicy,
    /// Whether the caller wrote it.
    pub is_own: bool,
    pub old: MessageContent,
}

impl Decider<'_> {
    /// Changes a message, and appends the change.
    pub(super) fn change_message(
        &mut self,
        request: &WriteRequest,
        seq: u64,
        kind: ChangeKind,
    ) -> Outcome {
        let id = MessageId {
            room: request.room,
            seq,
        };
        let is_deletion = kind == ChangeKind::Deletion;
        let Target {
            policy,
            is_own,
            old,
        } = self.find_target(request, id, is_deletion)?;
        if kind == ChangeKind::Edit {
            policy.check_pace(self.state.now)?;
        }
        self.check_text(request, old.body.len())?;
        if kind == ChangeKind::Edit {
            self.record_write(policy, request);
        }
        let content = request.content.clone().map(|new| MessageContent {
            files: old.files.clone(),
            ..new
        });
        if is_deletion {
            self.drop_files(id, &old.files, &[])?;
        }
        if !is_own {
            self.record_deletion(request, "deleted message", seq);
        }
        self.change_content(request, id, kind, content)
    }

    /// The message that a request changes, if its caller may do that.
    pub(super) fn find_target(
        &mut self,
        request: &WriteRequest,
        id: MessageId,
        is_deletion: bool,
    ) -> Result<Target, Refusal> {
        self.open_room(request)?;
        let policy = self
            .policy_of(request)
            .ok_or(Refusal::NotFound(refusal::NO_ROOM))?;
        let target = self.state.messages.get(&id);
        let found =
            target.and_then(|stored| Some((stored.author, stored.message.content.clone()?)));
        let is_own = found
            .as_ref()
            .is_some_and(|(author, _)| *author != 0 && *author == request.author);
        // A missing message counts as the caller's own, so that a refusal of the policy (of a
        // muted caller, say) comes before `NO_MESSAGE`.
        policy.check_change(MessageChange {
            is_own: is_own || found.is_none(),
            is_deletion,
        })?;
        let (_, old) = found.ok_or(NO_MESSAGE)?;
        Ok(Target {
            policy,
            is_own,
            old,
        })
    }

    /// Notes that a moderator deletes something of another author.
    pub(super) fn record_deletion(
        &mut self,
        request: &WriteRequest,
        action: &'static str,
        target: u64,
    ) {
        self.decisions.row_changes.push(RowChange::RecordDeletion {
            room: request.room,
            actor: request.username.clone(),
            action,
            target,
        });
    }

    /// Replaces the content of a message that exists, and appends the change.
    pub(super) fn change_content(
        &mut self,
        request: &WriteRequest,
        id: MessageId,
        kind: ChangeKind,
        content: Option<MessageContent>,
    ) -> Outcome {
        let now = Time::from_millis(self.state.wall_time);
        let target = self.state.messages.get_mut(&id);
        let message = &mut target.ok_or(NO_MESSAGE)?.message;
        let old_text = message.body().len();
        message.content = content;
        message.edited_at = (kind == ChangeKind::Edit).then_some(now);
        let message = message.clone();
        self.open_room(request)?
            .replace_text(old_text, message.body().len());
        self.append_change(request, kind, message)
    }

    fn append_change(
        &mut self,
        request: &WriteRequest,
        kind: ChangeKind,
        message: Message,
    ) -> Outcome {
        let room = self.open_room(request)?;
        room.add_change();
        let room = *room;
        let change = Change::new(kind, room.head.unsigned_abs(), message);
        Ok(Appended {
            room: request.room,
            entry: Entry::Change(change),
            lifetime: Some(room.lifetime()),
        })
    }
}
