//! What the writer decides in its transaction: whether a request is granted, and which entry it appends.

use std::collections::{HashMap, hash_map};
use std::time::Duration;

use protocol::{Change, ChangeKind, Message, Refusal, RoomId, Time};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::Error;
use crate::log::command::{Command, WriteRequest};
use crate::log::entry::Entry;
use crate::room::name_claims::{NameRequest, UnregisteredNames};
use crate::room::write_policy::{self, MessageChange, WritePolicy};
use crate::room::{Lifetime, audit_log, name_claims};
use crate::store::lobby_names;
use crate::store::rows::{author, key};

/// An entry in the log.
pub(crate) struct Appended {
    pub room: RoomId,
    pub entry: Entry,
    /// How long its room lives now; `None` if the entry was there before.
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
    /// The rooms that it has looked at; `None` are those that are closed, due, or not there.
    pub rooms: HashMap<RoomId, Option<OpenRoom>>,
    pub free: &'a mut UnregisteredNames,
}

/// What a message changes of its room. Times are milliseconds since the Unix epoch.
#[derive(Clone, Copy)]
pub(crate) struct OpenRoom {
    head: i64,
    messages: i64,
    timeout: i64,
    last_active_at: i64,
    expires_at: i64,
    /// Whether not everybody may write as they like.
    has_policy: bool,
    /// Whether anybody holds a name there.
    held: bool,
    /// Whether it has changed since it was read.
    changed: bool,
}

impl OpenRoom {
    fn lifetime(self) -> Lifetime {
        Lifetime {
            end: Time::from_millis(self.expires_at),
            timeout: Duration::from_millis(self.timeout.unsigned_abs()),
        }
    }
}

impl LogTransaction<'_> {
    /// Appends to the log of a room, as long as that is open and not due. An error is one of the database, after which
    /// nothing of the whole batch is written: whatever somebody may not do is a refusal.
    pub fn append(&mut self, post: &WriteRequest) -> Result<Result<Appended, Refusal>, Error> {
        match &post.command {
            Command::Post => self.append_message(post),
            Command::Edit(seq) => self.change_message(post, *seq, ChangeKind::Edit),
            Command::Delete(seq) => self.change_message(post, *seq, ChangeKind::Deletion),
            Command::JoinLobby(name) => self.join_lobby(post, name),
            Command::LeaveLobby(name) => self.leave_lobby(post, name),
        }
    }

    fn join_lobby(
        &mut self,
        post: &WriteRequest,
        name: &str,
    ) -> Result<Result<Appended, Refusal>, Error> {
        let Some(OpenRoom { head, .. }) = *self.load_room(post.room)? else {
            return self.missing_room_refusal(post.room).map(Err);
        };
        if lobby_names::claim_lobby_name(&self.tx, post.room, name, head)? {
            return self.append_message(post);
        }
        Ok(Err(Refusal::Taken(format!("The name {name}"))))
    }

    fn leave_lobby(
        &mut self,
        post: &WriteRequest,
        name: &str,
    ) -> Result<Result<Appended, Refusal>, Error> {
        if self.load_room(post.room)?.is_none() {
            return self.missing_room_refusal(post.room).map(Err);
        }
        if lobby_names::release_lobby_name(&self.tx, post.room, name)? {
            return self.append_message(post);
        }
        Ok(Err(Refusal::NotFound("such name")))
    }

    fn append_message(&mut self, post: &WriteRequest) -> Result<Result<Appended, Refusal>, Error> {
        if let Some(message) = self.find_by_idempotency_key(post)? {
            return Ok(Ok(Appended {
                room: post.room,
                entry: message.into(),
                lifetime: None,
            }));
        }
        if let Err(refusal) = self.check_author(post)? {
            return Ok(Err(refusal));
        }
        let Some(room) = self.next_seq(post.room, true)? else {
            return self.missing_room_refusal(post.room).map(Err);
        };
        let sql =
            "insert into message (room, seq, username, body, sent_at, idempotency_key, author)
                   values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut insert = self.tx.prepare_cached(sql)?;
        let (room_key, sent_at) = (key(post.room), room.last_active_at);
        insert.execute(params![
            room_key,
            room.head,
            post.username,
            post.body,
            sent_at,
            post.key,
            post.author
        ])?;
        let message = Message {
            id: room.head.unsigned_abs(),
            room: post.room,
            username: post.username.clone(),
            author: author(post.author),
            body: post.body.clone(),
            sent_at: Time::from_millis(room.last_active_at),
            edited_at: None,
            deleted: false,
        };
        Ok(Ok(Appended {
            room: post.room,
            entry: message.into(),
            lifetime: Some(room.lifetime()),
        }))
    }

    /// Changes a message, and appends that this was done.
    fn change_message(
        &mut self,
        post: &WriteRequest,
        seq: u64,
        event: ChangeKind,
    ) -> Result<Result<Appended, Refusal>, Error> {
        const NO_MESSAGE: Refusal = Refusal::NotFound("such message");
        if self.load_room(post.room)?.is_none() {
            return self.missing_room_refusal(post.room).map(Err);
        }
        let rules = write_policy::load_policy(&self.tx, post.room, post.author, self.now)?;
        let (target, room) = (i64::try_from(seq).unwrap_or(i64::MAX), key(post.room));
        let author: Option<i64> = self
            .tx
            .prepare_cached("select author from message where room = ?1 and seq = ?2 and kind = 0 and body <> ''")?
            .query_row(params![room, target], |row| row.get(0))
            .optional()?;
        let own = author.is_some_and(|author| author != 0 && author == post.author);
        let admitted = rules.check_change(MessageChange {
            is_own: own || author.is_none(),
            is_deletion: event == ChangeKind::Deletion,
        });
        let refused = admitted.err().or(author.is_none().then_some(NO_MESSAGE));
        if let Some(refusal) = refused {
            return Ok(Err(refusal));
        }
        let edited_at = (event == ChangeKind::Edit).then_some(self.now);
        let sql = "update message set body = ?3, edited_at = ?4 where room = ?1 and seq = ?2";
        self.tx
            .prepare_cached(sql)?
            .execute(params![room, target, post.body, edited_at])?;
        if !own {
            audit_log::record_in_writer(
                &self.tx,
                self.now,
                post.room,
                &post.username,
                "deleted message",
                &target.to_string(),
            )?;
        }
        self.append_change(post, target, event)
    }

    fn append_change(
        &mut self,
        post: &WriteRequest,
        target: i64,
        event: ChangeKind,
    ) -> Result<Result<Appended, Refusal>, Error> {
        let Some(room) = self.next_seq(post.room, false)? else {
            return self.missing_room_refusal(post.room).map(Err);
        };
        let sql = "insert into message (room, seq, username, body, sent_at, author, kind, target)
                   values (?1, ?2, '', '', ?3, ?4, ?5, ?6)";
        self.tx.prepare_cached(sql)?.execute(params![
            key(post.room),
            room.head,
            self.now,
            post.author,
            event as i64,
            target
        ])?;
        let mut select = self.tx.prepare_cached(
            "select seq, username, body, sent_at, author, edited_at from message where room = ?1 and seq = ?2",
        )?;
        let message =
            select.query_row(params![key(post.room), target], |row| read(post.room, row))?;
        let entry = Entry::Change(Change {
            event,
            id: room.head.unsigned_abs(),
            room: post.room,
            message,
        });
        Ok(Ok(Appended {
            room: post.room,
            entry,
            lifetime: Some(room.lifetime()),
        }))
    }

    /// The message of an open room that was sent with the same key.
    fn find_by_idempotency_key(&self, post: &WriteRequest) -> Result<Option<Message>, Error> {
        let Some(idempotency) = &post.key else {
            return Ok(None);
        };
        let mut select = self.tx.prepare_cached(
            "select seq, username, body, sent_at, author, edited_at from message where room = ?1 and idempotency_key = ?2
             and exists (select 1 from room where id = ?1 and state = 0
               and (access = 0 or exists (select 1 from member where room = ?1 and person = ?3)))",
        )?;
        let earlier = select.query_row(params![key(post.room), idempotency, post.author], |row| {
            read(post.room, row)
        });
        Ok(earlier.optional()?)
    }

    /// Whether its author may write to this room, and under this name.
    fn check_author(&mut self, post: &WriteRequest) -> Result<Result<(), Refusal>, Error> {
        let Some(room) = *self.load_room(post.room)? else {
            return self.missing_room_refusal(post.room).map(Err);
        };
        // The lines of the lobby are its own.
        if post.username.is_empty() {
            return Ok(Ok(()));
        }
        let rules = if room.has_policy {
            Some(write_policy::load_policy(
                &self.tx,
                post.room,
                post.author,
                self.now,
            )?)
        } else {
            None
        };
        if let Some(Err(refusal)) = rules.map(|rules| rules.check_post(self.now)) {
            return Ok(Err(refusal));
        }
        if let Err(refusal) = self.claim_name(post, room.held)? {
            return Ok(Err(refusal));
        }
        if rules.is_some_and(WritePolicy::is_slow) {
            write_policy::record_write(&self.tx, post.room, post.author, self.now)?;
        }
        Ok(Ok(()))
    }

    /// Whether its author may write under this name; a guest has it from now on. That of an account is its owner's.
    fn claim_name(
        &mut self,
        post: &WriteRequest,
        held: bool,
    ) -> Result<Result<(), Refusal>, Error> {
        if post.author > 0 {
            return Ok(Ok(()));
        }
        let free = name_claims::claim_name(
            &self.tx,
            self.free,
            held,
            NameRequest {
                room: post.room,
                person: post.author,
                name: &post.username,
            },
        )?;
        if let Some(room) = self.load_room(post.room)? {
            room.held |= post.author < 0;
        }
        Ok(free.map_or(Ok(()), |free| {
            Err(Refusal::NameTaken {
                name: post.username.clone(),
                free,
            })
        }))
    }

    /// The room with this ID, if it is open and not due; read once.
    fn load_room(&mut self, id: RoomId) -> Result<&mut Option<OpenRoom>, Error> {
        Ok(match self.rooms.entry(id) {
            hash_map::Entry::Occupied(found) => found.into_mut(),
            hash_map::Entry::Vacant(place) => place.insert(find(&self.tx, id, self.now)?),
        })
    }

    /// Makes room for one more entry, and gives back the room with it. Only a message lets it live on.
    fn next_seq(&mut self, id: RoomId, is_message: bool) -> Result<Option<OpenRoom>, Error> {
        let now = self.now;
        let Some(room) = self.load_room(id)? else {
            return Ok(None);
        };
        room.head += 1;
        room.changed = true;
        if !is_message {
            return Ok(Some(*room));
        }
        room.messages += 1;
        // The room's own time never runs backwards, even when the machine's clock does.
        room.last_active_at = room.last_active_at.max(now);
        let last = Time::from_millis(i64::MAX).millis();
        room.expires_at = room.last_active_at.saturating_add(room.timeout).min(last);
        Ok(Some(*room))
    }

    /// Why there is no open room with this ID that is not due: it never was, or it is gone, or about to be.
    fn missing_room_refusal(&self, id: RoomId) -> Result<Refusal, Error> {
        let sql = "select exists (select 1 from room_tombstone where room = ?1) or exists (select 1 from room where id = ?1)";
        let mut select = self.tx.prepare_cached(sql)?;
        let was: bool = select.query_row(params![key(id)], |row| row.get(0))?;
        Ok(if was {
            Refusal::Gone
        } else {
            Refusal::NotFound("room")
        })
    }

    /// Makes it durable.
    pub fn commit(self) -> Result<(), Error> {
        let sql = "update room set head = ?2, last_active_at = ?3, expires_at = ?4, message_count = ?5 where id = ?1";
        for (id, room) in &self.rooms {
            let Some(room) = room.filter(|room| room.changed) else {
                continue;
            };
            let mut update = self.tx.prepare_cached(sql)?;
            update.execute(params![
                key(*id),
                room.head,
                room.last_active_at,
                room.expires_at,
                room.messages
            ])?;
        }
        Ok(self.tx.commit()?)
    }
}

/// A message, from what is selected of it. One without a text was deleted.
fn read(room: RoomId, row: &Row<'_>) -> rusqlite::Result<Message> {
    let body: String = row.get(2)?;
    Ok(Message {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        room,
        username: row.get(1)?,
        author: author(row.get(4)?),
        deleted: body.is_empty(),
        body,
        sent_at: Time::from_millis(row.get(3)?),
        edited_at: row.get::<_, Option<i64>>(5)?.map(Time::from_millis),
    })
}

/// The room with this ID, if it is open and not due.
fn find(tx: &Transaction<'_>, id: RoomId, now: i64) -> Result<Option<OpenRoom>, Error> {
    let mut select = tx.prepare_cached(
        "select head, timeout_ms, last_active_at, expires_at,
           access <> 0 or read_only or slow_mode_ms > 0 or exists (select 1 from sanction where room = ?1),
           exists (select 1 from name_claim where room = ?1), message_count
         from room where id = ?1 and state = 0 and expires_at > ?2",
    )?;
    let read = |row: &Row<'_>| {
        let (head, timeout, last_active_at, messages) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(6)?);
        Ok(OpenRoom {
            head,
            messages,
            timeout,
            last_active_at,
            expires_at: row.get(3)?,
            has_policy: row.get(4)?,
            held: row.get(5)?,
            changed: false,
        })
    };
    Ok(select.query_row(params![key(id), now], read).optional()?)
}
