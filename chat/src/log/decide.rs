//! Decides about each write request in the writer's transaction: grants or refuses it, and appends
//! the entry of a granted request.
//!
//! # Guarantees
//! - A refused request changes nothing.
//!
//! # Not here
//! - The rules themselves: `room::write_policy` and `room::name_claims`.

use std::collections::{HashMap, hash_map};

use protocol::{Change, ChangeKind, Message, Refusal, RoomId, Time, client_id};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::Error;
use crate::error::Decision;
use crate::lifetime::Lifetime;
use crate::log::command::{Command, WriteRequest};
use crate::log::entry::Entry;
use crate::log::open_room::OpenRoom;
use crate::room::name_claims::{NameRequest, UnregisteredNames};
use crate::room::write_policy::{self, MessageChange, WritePolicy};
use crate::room::{audit_log, name_claims};
use crate::store::lobby_names;
use crate::store::rows::{author_from_row, key};

const NO_MESSAGE: Refusal = Refusal::NotFound("such message");

/// An entry that a granted request appended.
pub(crate) struct Appended {
    pub room: RoomId,
    pub entry: Entry,
    /// The lifetime of the room after the entry; `None` if an earlier request with the same
    /// idempotency key appended the entry.
    pub lifetime: Option<Lifetime>,
}

impl Appended {
    /// The message as it is now.
    pub fn into_message(self) -> Message {
        match self.entry {
            Entry::Message(message) => message,
            Entry::Change(change) => change.message,
        }
    }
}

/// A transaction that appends to the logs of rooms.
pub(crate) struct LogTransaction<'a> {
    pub tx: Transaction<'a>,
    pub now: i64,
    /// The time that readers see.
    pub wall_time: i64,
    /// The rooms that were loaded in this transaction; `None` for a room that does not exist or no
    /// longer accepts messages.
    pub rooms: HashMap<RoomId, Option<OpenRoom>>,
    pub unregistered_names: &'a mut UnregisteredNames,
}

impl LogTransaction<'_> {
    /// Decides about a request, and appends its entry if it is granted. An error is a fault of the
    /// database, which fails the whole batch; a request that breaks a rule is only refused.
    pub fn append(&mut self, request: &WriteRequest) -> Decision<Appended> {
        match &request.command {
            Command::Post => self.append_message(request),
            Command::Edit(seq) => self.change_message(request, *seq, ChangeKind::Edit),
            Command::Delete(seq) => self.change_message(request, *seq, ChangeKind::Deletion),
            Command::JoinLobby(name) => self.join_lobby(request, name),
            Command::LeaveLobby(name) => self.leave_lobby(request, name),
        }
    }

    fn join_lobby(&mut self, request: &WriteRequest, name: &str) -> Decision<Appended> {
        let Some(OpenRoom { head, .. }) = *self.load_room(request.room)? else {
            return self.refuse_missing_room(request.room);
        };
        if lobby_names::claim_lobby_name(&self.tx, request.room, name, head)? {
            return self.append_message(request);
        }
        Ok(Err(Refusal::Taken(format!("The name {name}"))))
    }

    fn leave_lobby(&mut self, request: &WriteRequest, name: &str) -> Decision<Appended> {
        if self.load_room(request.room)?.is_none() {
            return self.refuse_missing_room(request.room);
        }
        if lobby_names::release_lobby_name(&self.tx, request.room, name)? {
            return self.append_message(request);
        }
        Ok(Err(Refusal::NotFound("such name")))
    }

    fn append_message(&mut self, request: &WriteRequest) -> Decision<Appended> {
        if let Some(message) = self.find_by_idempotency_key(request)? {
            return Ok(Ok(Appended {
                room: request.room,
                entry: message.into(),
                lifetime: None,
            }));
        }
        if let Err(refusal) = self.check_author(request)? {
            return Ok(Err(refusal));
        }
        let Some(room) = self.next_message_seq(request.room)? else {
            return self.refuse_missing_room(request.room);
        };
        let message = self.insert_message(request, room)?;
        Ok(Ok(Appended {
            room: request.room,
            entry: message.into(),
            lifetime: Some(room.lifetime()),
        }))
    }

    /// Inserts a message at the head of its room.
    fn insert_message(&self, request: &WriteRequest, room: OpenRoom) -> Result<Message, Error> {
        let sql =
            "insert into message (room, seq, username, body, sent_at, idempotency_key, author)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.tx.prepare_cached(sql)?.execute(params![
            key(request.room),
            room.head,
            request.username,
            request.body,
            self.wall_time,
            request.idempotency_key,
            request.author
        ])?;
        Ok(Message {
            id: room.head.unsigned_abs(),
            room: request.room,
            username: request.username.clone(),
            author: author_from_row(request.author),
            body: request.body.clone(),
            sent_at: Time::from_millis(self.wall_time),
            edited_at: None,
            deleted: false,
            client_id: request.idempotency_key.as_deref().map(client_id),
            own: false,
        })
    }

    /// Changes a message, and appends the change.
    fn change_message(
        &mut self,
        request: &WriteRequest,
        seq: u64,
        kind: ChangeKind,
    ) -> Decision<Appended> {
        if self.load_room(request.room)?.is_none() {
            return self.refuse_missing_room(request.room);
        }
        let policy = write_policy::load_policy(&self.tx, request.room, request.author, self.now)?;
        let target = i64::try_from(seq).unwrap_or(i64::MAX);
        let author = self.find_author(request.room, target)?;
        let is_own = author.is_some_and(|author| author != 0 && author == request.author);
        // A missing message counts as the caller's own, so that a refusal of the policy (of a
        // muted caller, say) comes before `NO_MESSAGE`.
        let permitted = policy.check_change(MessageChange {
            is_own: is_own || author.is_none(),
            is_deletion: kind == ChangeKind::Deletion,
        });
        let refused = permitted.err().or(author.is_none().then_some(NO_MESSAGE));
        if let Some(refusal) = refused {
            return Ok(Err(refusal));
        }
        self.update_body(request, target, kind)?;
        if !is_own {
            self.record_deletion(request, target)?;
        }
        self.append_change(request, target, kind)
    }

    /// The author of a message that is not deleted.
    fn find_author(&self, room: RoomId, seq: i64) -> Result<Option<i64>, Error> {
        let sql = "select author from message
                   where room = ?1 and seq = ?2 and kind = 0 and body <> ''";
        let mut select = self.tx.prepare_cached(sql)?;
        let author = select.query_row(params![key(room), seq], |row| row.get(0));
        Ok(author.optional()?)
    }

    fn update_body(
        &self,
        request: &WriteRequest,
        target: i64,
        kind: ChangeKind,
    ) -> Result<(), Error> {
        let edited_at = (kind == ChangeKind::Edit).then_some(self.wall_time);
        let sql = "update message set body = ?3, edited_at = ?4 where room = ?1 and seq = ?2";
        self.tx.prepare_cached(sql)?.execute(params![
            key(request.room),
            target,
            request.body,
            edited_at
        ])?;
        Ok(())
    }

    /// Records in the audit log that a moderator deleted the message of another author.
    fn record_deletion(&self, request: &WriteRequest, target: i64) -> Result<(), Error> {
        audit_log::record_in_writer(
            &self.tx,
            self.now,
            request.room,
            &request.username,
            "deleted message",
            &target.to_string(),
        )
    }

    fn append_change(
        &mut self,
        request: &WriteRequest,
        target: i64,
        kind: ChangeKind,
    ) -> Decision<Appended> {
        let Some(room) = self.next_change_seq(request.room)? else {
            return self.refuse_missing_room(request.room);
        };
        let sql = "insert into message (room, seq, username, body, sent_at, author, kind, target)
                   values (?1, ?2, '', '', ?3, ?4, ?5, ?6)";
        self.tx.prepare_cached(sql)?.execute(params![
            key(request.room),
            room.head,
            self.wall_time,
            request.author,
            kind as i64,
            target
        ])?;
        let message = self.load_message(request.room, target)?;
        let change = Change::new(kind, room.head.unsigned_abs(), message);
        Ok(Ok(Appended {
            room: request.room,
            entry: Entry::Change(change),
            lifetime: Some(room.lifetime()),
        }))
    }

    fn load_message(&self, room: RoomId, seq: i64) -> Result<Message, Error> {
        let sql = "select seq, username, body, sent_at, author, edited_at, idempotency_key
                   from message where room = ?1 and seq = ?2";
        let mut select = self.tx.prepare_cached(sql)?;
        Ok(select.query_row(params![key(room), seq], |row| message_from_row(room, row))?)
    }

    /// The message of an earlier request with the same idempotency key, if the room is open and
    /// the author may still read it.
    fn find_by_idempotency_key(&self, request: &WriteRequest) -> Result<Option<Message>, Error> {
        let Some(idempotency_key) = &request.idempotency_key else {
            return Ok(None);
        };
        let sql = "select seq, username, body, sent_at, author, edited_at, idempotency_key
             from message where room = ?1 and idempotency_key = ?2
             and exists (select 1 from room where id = ?1 and state = 0 and (access = 0
               or exists (select 1 from member where room = ?1 and person = ?3)))";
        let mut select = self.tx.prepare_cached(sql)?;
        let parameters = params![key(request.room), idempotency_key, request.author];
        let earlier = select.query_row(parameters, |row| message_from_row(request.room, row));
        Ok(earlier.optional()?)
    }

    /// Checks whether the author may write to the room, and under this name.
    fn check_author(&mut self, request: &WriteRequest) -> Decision<()> {
        let Some(room) = *self.load_room(request.room)? else {
            return self.refuse_missing_room(request.room);
        };
        // The server writes the lines of the lobby, which have no author to check.
        if request.username.is_empty() {
            return Ok(Ok(()));
        }
        let policy = self.load_policy(request, room)?;
        if let Some(Err(refusal)) = policy.map(|policy| policy.check_post(self.now)) {
            return Ok(Err(refusal));
        }
        if let Err(refusal) = self.claim_name(request, room.has_name_claims)? {
            return Ok(Err(refusal));
        }
        if policy.is_some_and(WritePolicy::is_slow) {
            write_policy::record_write(&self.tx, request.room, request.author, self.now)?;
        }
        Ok(Ok(()))
    }

    fn load_policy(
        &self,
        request: &WriteRequest,
        room: OpenRoom,
    ) -> Result<Option<WritePolicy>, Error> {
        if !room.has_policy {
            return Ok(None);
        }
        write_policy::load_policy(&self.tx, request.room, request.author, self.now).map(Some)
    }

    /// Checks that the author may use the name; a guest claims it. An account always has its
    /// username.
    fn claim_name(&mut self, request: &WriteRequest, has_name_claims: bool) -> Decision<()> {
        if request.author > 0 {
            return Ok(Ok(()));
        }
        let name_request = NameRequest {
            room: request.room,
            person: request.author,
            name: &request.username,
        };
        let suggestion = name_claims::claim_name(
            &self.tx,
            self.unregistered_names,
            has_name_claims,
            name_request,
        )?;
        if let Some(room) = self.load_room(request.room)? {
            room.has_name_claims |= request.author < 0;
        }
        Ok(suggestion.map_or(Ok(()), |free| {
            Err(Refusal::NameTaken {
                name: request.username.clone(),
                free,
            })
        }))
    }

    /// The room with this ID, if it is open and not due. The transaction reads each room once.
    fn load_room(&mut self, id: RoomId) -> Result<&mut Option<OpenRoom>, Error> {
        Ok(match self.rooms.entry(id) {
            hash_map::Entry::Occupied(loaded) => loaded.into_mut(),
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(OpenRoom::find(&self.tx, id, self.now)?)
            }
        })
    }

    /// Gives the next sequence number of a room to a message, which extends the room's lifetime.
    /// Returns the room with the new head, or `None` if the room accepts no messages.
    fn next_message_seq(&mut self, id: RoomId) -> Result<Option<OpenRoom>, Error> {
        let now = self.now;
        let Some(room) = self.load_room(id)? else {
            return Ok(None);
        };
        room.add_message(now);
        Ok(Some(*room))
    }

    /// Gives the next sequence number of a room to a change, which does not extend the lifetime.
    fn next_change_seq(&mut self, id: RoomId) -> Result<Option<OpenRoom>, Error> {
        let Some(room) = self.load_room(id)? else {
            return Ok(None);
        };
        room.add_change();
        Ok(Some(*room))
    }

    /// Refuses a request to a room that is not open: [`Refusal::Gone`] if the room ended or is
    /// about to, and [`Refusal::NotFound`] if it never existed.
    fn refuse_missing_room<T>(&self, id: RoomId) -> Decision<T> {
        let sql = "select exists (select 1 from room_tombstone where room = ?1)
                     or exists (select 1 from room where id = ?1)";
        let mut select = self.tx.prepare_cached(sql)?;
        let existed: bool = select.query_row(params![key(id)], |row| row.get(0))?;
        Ok(Err(if existed {
            Refusal::Gone
        } else {
            Refusal::NotFound("room")
        }))
    }

    /// Updates the changed rooms and commits the transaction.
    pub fn commit(self) -> Result<(), Error> {
        for (id, room) in &self.rooms {
            if let Some(room) = room {
                room.save(&self.tx, *id)?;
            }
        }
        Ok(self.tx.commit()?)
    }
}

/// A message from the columns `seq, username, body, sent_at, author, edited_at, idempotency_key`. A
/// message without
/// a text is deleted.
fn message_from_row(room: RoomId, row: &Row<'_>) -> rusqlite::Result<Message> {
    let body: String = row.get(2)?;
    Ok(Message {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        room,
        username: row.get(1)?,
        author: author_from_row(row.get(4)?),
        deleted: body.is_empty(),
        client_id: row.get::<_, Option<String>>(6)?.as_deref().map(client_id),
        own: false,
        body,
        sent_at: Time::from_millis(row.get(3)?),
        edited_at: row.get::<_, Option<i64>>(5)?.map(Time::from_millis),
    })
}
