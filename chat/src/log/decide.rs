//! Decides about a batch of write requests: grants or refuses each of them.
//!
//! The decision depends on nothing but the loaded state and the batch: it reads no database, no
//! clock and no random numbers. Each granted request changes the state that the next one is decided
//! by.
//!
//! # Guarantees
//! - A batch is decided as if its requests came one after the other.
//! - A refused request changes nothing.
//!
//! # Not here
//! - The rules themselves: `room::write_policy` and `room::name_claims`. Reading and writing rows:
//!   `load` and `store`.

mod change;
mod files;
#[cfg(test)]
mod model;
mod outcome;
#[cfg(test)]
mod steps;

use std::borrow::Cow;

use protocol::{ChangeKind, Message, Refusal, RoomId, Time};
use texts::refusal;

pub(crate) use self::outcome::{Appended, AppendedMessage, Committed, Decisions, Outcome};
use crate::log::batch_state::{
    BatchState, ClientMessageId, EarlierRequest, MessageId, RoomPerson, RoomState,
};
use crate::log::command::{Command, WriteRequest};
use crate::room::name_claims;
use crate::store::{OpenRoom, RowChange, StoredMessage, WritePolicy, author_from_row};

const NO_MESSAGE: Refusal = Refusal::NotFound(refusal::NO_MESSAGE);
const REUSED_KEY: Refusal = Refusal::Invalid {
    field: "Idempotency-Key",
    rule: Cow::Borrowed("was sent with another text before; each message needs a key of its own"),
};

/// Decides about the requests, in order. Afterwards the rooms of the state are as they will be.
pub(crate) fn decide<'a>(
    state: &mut BatchState,
    requests: impl IntoIterator<Item = &'a WriteRequest>,
) -> Decisions {
    let mut decider = Decider {
        state,
        decisions: Decisions::default(),
    };
    for request in requests {
        let outcome = decider.decide(request);
        decider.decisions.outcomes.push(outcome);
    }
    decider.decisions
}

struct Decider<'a> {
    state: &'a mut BatchState,
    decisions: Decisions,
}

impl Decider<'_> {
    fn decide(&mut self, request: &WriteRequest) -> Outcome {
        self.check_session(request)?;
        match &request.command {
            Command::Post => self.append_message(request),
            Command::Edit(seq) => self.change_message(request, *seq, ChangeKind::Edit),
            Command::Delete(seq) => self.change_message(request, *seq, ChangeKind::Deletion),
            Command::RemoveFile(seq, file) => self.remove_file(request, *seq, *file),
            Command::JoinLobby(name) => self.join_lobby(request, name),
            Command::LeaveLobby(name) => self.leave_lobby(request, name),
        }
    }

    /// Checks that the session of the author has not ended since the request began.
    fn check_session(&self, request: &WriteRequest) -> Result<(), Refusal> {
        if request.session.is_none() || self.display_name(request).is_some() {
            Ok(())
        } else {
            Err(Refusal::NotSignedIn)
        }
    }

    /// The display name of the author's account; `None` without an account, or if the session has
    /// ended.
    fn display_name(&self, request: &WriteRequest) -> Option<&String> {
        self.state.sessions.get(&request.session?)?.as_ref()
    }

    fn join_lobby(&mut self, request: &WriteRequest, name: &str) -> Outcome {
        let since = self.open_room(request)?.head;
        let names = self.state.lobby_names.entry(request.room).or_default();
        let claim = name_claims::claim_lobby_name(names, name)
            .ok_or_else(|| Refusal::Taken(format!("The name {name}")))?;
        self.decisions.row_changes.push(RowChange::ClaimLobbyName {
            room: request.room,
            claim,
            since,
        });
        self.append_message(request)
    }

    fn leave_lobby(&mut self, request: &WriteRequest, name: &str) -> Outcome {
        self.open_room(request)?;
        let names = self.state.lobby_names.entry(request.room).or_default();
        let index = names.iter().position(|claim| claim.name == name);
        names.swap_remove(index.ok_or(Refusal::NotFound(refusal::NO_NAME))?);
        self.decisions
            .row_changes
            .push(RowChange::ReleaseLobbyName {
                room: request.room,
                name: name.to_owned(),
            });
        self.append_message(request)
    }

    fn append_message(&mut self, request: &WriteRequest) -> Outcome {
        self.open_room(request)?;
        // The server writes the lines of the lobby, which have no author to check.
        let policy = self
            .policy_of(request)
            .filter(|_| !request.username.is_empty());
        if let Some(policy) = policy {
            policy.check_write()?;
        }
        if let Some(message) = self.find_earlier_message(request)? {
            return Ok(Appended {
                room: request.room,
                entry: message.into(),
                lifetime: None,
            });
        }
        if let Some(policy) = policy {
            policy.check_pace(self.state.now)?;
        }
        // The server writes the lines of the lobby, which are short.
        if !request.username.is_empty() {
            self.check_text(request, 0)?;
        }
        let files = self.take_files(request)?;
        self.claim_name(request)?;
        if let Some(policy) = policy {
            self.record_write(policy, request);
        }
        let now = self.state.now;
        let room = self.open_room(request)?;
        room.add_message(now);
        room.replace_text(0, text_bytes(request));
        let room = *room;
        let mut message = self.new_message(request, room);
        self.attach_files(room, &mut message, files)?;
        self.remember(request, &message);
        Ok(Appended {
            room: request.room,
            entry: message.into(),
            lifetime: Some(room.lifetime()),
        })
    }

    fn new_message(&self, request: &WriteRequest, room: OpenRoom) -> Message {
        Message {
            id: room.head.unsigned_abs(),
            room: request.room,
            username: request.username.clone(),
            name: self.display_name(request).cloned(),
            author: author_from_row(request.author),
            client_id: request.key.as_ref().map(|key| key.client_id.clone()),
            sent_at: Time::from_millis(self.state.wall_time),
            edited_at: None,
            content: request.content.clone(),
            own: false,
        }
    }

    /// Keeps what later requests of the batch may refer to.
    fn remember(&mut self, request: &WriteRequest, message: &Message) {
        let id = MessageId {
            room: request.room,
            seq: message.id,
        };
        if let Some(client_message) = ClientMessageId::of(request) {
            let earlier = EarlierRequest {
                seq: message.id,
                content: request.key.as_ref().map(|key| key.content),
            };
            self.state.earlier.insert(client_message, earlier);
        }
        if self.state.targets.contains(&id) {
            let stored = StoredMessage {
                author: request.author,
                message: message.clone(),
            };
            self.state.messages.insert(id, stored);
        }
    }

    /// The message of an earlier request with the same idempotency key.
    fn find_earlier_message(&self, request: &WriteRequest) -> Result<Option<Message>, Refusal> {
        let client_message = ClientMessageId::of(request);
        let earlier = client_message.and_then(|message| self.state.earlier.get(&message));
        let (Some(earlier), Some(key)) = (earlier, &request.key) else {
            return Ok(None);
        };
        let id = MessageId {
            room: request.room,
            seq: earlier.seq,
        };
        let stored = self.state.messages.get(&id);
        let stored = stored.map(|stored| &stored.message);
        let Some(message) = stored.or_else(|| self.find_in_batch(id)) else {
            return Ok(None);
        };
        // Nothing is kept of what a deleted message has said, nor of what a message of an earlier
        // version said before it was edited.
        let is_other = match earlier.content {
            _ if message.is_deleted() => false,
            Some(content) => content != key.content,
            None => message.edited_at.is_none() && message.body() != body_of(request),
        };
        if is_other {
            return Err(REUSED_KEY);
        }
        Ok(Some(message.clone()))
    }

    /// A message that an earlier request of the batch appended.
    fn find_in_batch(&self, id: MessageId) -> Option<&Message> {
        let entries = self.decisions.outcomes.iter().flatten();
        entries
            .filter(|appended| appended.room == id.room)
            .filter_map(|appended| appended.entry.message())
            .find(|message| message.id == id.seq)
    }

    /// Checks that the author may use the name; a guest claims it. An account always has its
    /// username, and the lines of the lobby have none.
    fn claim_name(&mut self, request: &WriteRequest) -> Result<(), Refusal> {
        if request.author > 0 || request.username.is_empty() {
            return Ok(());
        }
        let name = &request.username;
        let claims = self.state.claims.entry(request.room).or_default();
        let is_registered = self.state.registered.contains(name);
        if is_registered || name_claims::is_claimed(claims, request.author, name) {
            // The writer suggests a free name.
            return Err(Refusal::NameTaken {
                name: name.clone(),
                free: String::new(),
            });
        }
        if request.author < 0
            && let Some(claim) = name_claims::replace_claim(claims, request.author, name)
        {
            let room = request.room;
            let change = RowChange::ClaimName { room, claim };
            self.decisions.row_changes.push(change);
        }
        Ok(())
    }

    /// Checks that there is space for the text of a request in place of one of so many bytes, on the
    /// disk and in the room.
    fn check_text(&mut self, request: &WriteRequest, old: usize) -> Result<(), Refusal> {
        let most = self.state.room_bytes;
        let new = text_bytes(request);
        if self.state.is_disk_full && new > old {
            return Err(Refusal::DiskFull);
        }
        self.open_room(request)?.check_text(old, new, most)
    }

    /// Notes that the author writes now, if the room is in slow mode for the author.
    fn record_write(&mut self, policy: WritePolicy, request: &WriteRequest) {
        if !policy.is_slow() {
            return;
        }
        let author = RoomPerson::author_of(request);
        if let Some(policy) = self.state.policies.get_mut(&author) {
            policy.last_write = Some(self.state.now);
        }
        self.decisions.row_changes.push(RowChange::RecordWrite {
            room: author.room,
            person: author.person,
        });
    }

    fn policy_of(&self, request: &WriteRequest) -> Option<WritePolicy> {
        let author = RoomPerson::author_of(request);
        self.state.policies.get(&author).copied()
    }

    /// An open room of the batch.
    fn room_of(&self, id: RoomId) -> Result<OpenRoom, Refusal> {
        match self.state.rooms.get(&id) {
            Some(RoomState::Open(room)) => Ok(*room),
            _ => Err(Refusal::NotFound(refusal::NO_ROOM)),
        }
    }

    /// The room of a request, if it is open and not due.
    fn open_room(&mut self, request: &WriteRequest) -> Result<&mut OpenRoom, Refusal> {
        match self.state.rooms.get_mut(&request.room) {
            Some(RoomState::Open(room)) => Ok(room),
            _ => {
                let end = self.state.ended.get(&RoomPerson::author_of(request));
                Err(Refusal::of_ended_room(end.copied().flatten()))
            }
        }
    }
}

/// The length of what a message says after the request, in bytes.
fn text_bytes(request: &WriteRequest) -> usize {
    body_of(request).len()
}

/// What a message says after the request; nothing after a deletion.
fn body_of(request: &WriteRequest) -> &str {
    let content = request.content.as_ref();
    content.map_or("", |content| &content.body)
}
