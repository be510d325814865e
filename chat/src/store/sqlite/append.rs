//! The transaction of the writer: loads what a batch is decided by, and appends what was decided.
//!
//! It has a connection of its own through `rusqlite`, because the way through the thread of a pool
//! would cost several times as much as a statement.
//!
//! # Not here
//! - The decision: `log::decide`.

use protocol::{Change, Message, MessageContent, Role, RoomId, Time};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::audit_log::{DELETE_OLDEST, INSERT, KEPT};
use super::name_claims::IS_TAKEN;
use crate::Error;
use crate::store::rows::{author_from_row, key, message_key, role_from_row, sanction_from_row};
use crate::store::{
    DatabaseLocation, EarlierMessage, KeyDigests, MINUTE, NameClaim, OpenRoom, RowChange,
    StoredMessage, WritePolicy,
};

/// The connection of the writer.
#[derive(Debug)]
pub(crate) struct LogConnection(Connection);

/// A transaction that appends to logs. It is rolled back if it is dropped.
#[derive(Debug)]
pub(crate) struct LogTransaction<'a>(Transaction<'a>);

impl LogConnection {
    pub fn open(location: &DatabaseLocation) -> Result<Self, Error> {
        Ok(Self(location.connect()?))
    }

    /// Begins a transaction. The caller holds the write lock.
    pub fn begin(&mut self) -> Result<LogTransaction<'_>, Error> {
        let behavior = TransactionBehavior::Immediate;
        Ok(LogTransaction(self.0.transaction_with_behavior(behavior)?))
    }
}

/// The start of a query for a message, whose row [`message_from_row`] reads.
macro_rules! select_message {
    ($condition:literal) => {
        concat!(
            "select key & 4294967295, author, username, body, sent_at, edited_at,
               deleted_at is not null, client_id,
               (select name from account where account.id = message.author), content
             from message where ",
            $condition
        )
    };
}

/// What a batch is decided by.
impl LogTransaction<'_> {
    /// The room with this ID, if it is open and not due.
    pub fn find_open_room(&self, id: RoomId, now: i64) -> Result<Option<OpenRoom>, Error> {
        let sql = "select number, head, message_count, timeout_ms, last_active_at, expires_at,
               access <> 0 or read_only or slow_mode_ms > 0
                 or exists (select 1 from sanction where room = ?1),
               exists (select 1 from name_claim where room = ?1)
             from room where id = ?1 and state = 0 and expires_at > ?2";
        let mut select = self.0.prepare_cached(sql)?;
        let room = select.query_row(params![key(id), now], |row| {
            Ok(OpenRoom {
                number: row.get(0)?,
                head: row.get(1)?,
                message_count: row.get(2)?,
                timeout: row.get(3)?,
                last_active_at: row.get(4)?,
                expires_at: row.get(5)?,
                has_policy: row.get(6)?,
                has_name_claims: row.get(7)?,
                is_changed: false,
                is_minute_changed: false,
            })
        });
        Ok(room.optional()?)
    }

    /// Whether a room that is not open exists or has existed.
    pub fn has_existed(&self, id: RoomId) -> Result<bool, Error> {
        let sql = "select exists (select 1 from room_tombstone where room = ?1)
                     or exists (select 1 from room where id = ?1)";
        let mut select = self.0.prepare_cached(sql)?;
        Ok(select.query_row([key(id)], |row| row.get(0))?)
    }

    /// The write policy of a room for a person.
    pub fn load_policy(&self, room: RoomId, person: i64, now: i64) -> Result<WritePolicy, Error> {
        let sql = "select access <> 0, read_only, slow_mode_ms,
                 (select role from member where room = ?1 and person = ?2),
                 (select kind from sanction
                  where room = ?1 and person = ?2 and coalesce(until, ?3 + 1) > ?3),
                 (select written_at from last_write where room = ?1 and person = ?2),
                 access = 0 and exists (select 1 from account where id = ?2 and operator)
               from room where id = ?1";
        let mut select = self.0.prepare_cached(sql)?;
        Ok(select.query_row(params![key(room), person, now], policy_from_row)?)
    }

    /// The message of an author that was posted with this idempotency key.
    pub fn find_by_key(
        &self,
        number: i64,
        room: RoomId,
        author: i64,
        key: &KeyDigests,
    ) -> Result<Option<EarlierMessage>, Error> {
        // Messages of earlier versions do not tell anonymous authors apart.
        let sql = select_message!(
            "key >> 32 = ?1 and author = ?2 and client_id = ?3 and coalesce(sender, ?4) = ?4"
        );
        let mut select = self.0.prepare_cached(sql)?;
        let parameters = params![number, author, key.client_id, key.sender];
        let found = select.query_row(parameters, |row| {
            Ok(EarlierMessage {
                stored: message_from_row(room, row)?,
                content: row.get(9)?,
            })
        });
        Ok(found.optional()?)
    }

    /// The message with this sequence number, unless the entry is of another kind.
    pub fn find_message(
        &self,
        room: RoomId,
        number: i64,
        seq: u64,
    ) -> Result<Option<StoredMessage>, Error> {
        let sql = select_message!("key = ?1 and kind = 0");
        let mut select = self.0.prepare_cached(sql)?;
        let found = select.query_row([message_key(number, seq)], |row| {
            message_from_row(room, row)
        });
        Ok(found.optional()?)
    }

    /// The claims in a room of names with one of these skeletons.
    pub fn load_claims(
        &self,
        room: RoomId,
        lowercase: &str,
        cased: &str,
    ) -> Result<Vec<NameClaim>, Error> {
        let sql = "select person, name, skeleton, cased_skeleton from name_claim
                   where room = ?1 and skeleton in (?2, ?3)
                   union select person, name, skeleton, cased_skeleton from name_claim
                   where room = ?1 and cased_skeleton in (?2, ?3)";
        let mut select = self.0.prepare_cached(sql)?;
        let claims = select.query_map(params![key(room), lowercase, cased], claim_from_row)?;
        Ok(claims.collect::<Result<_, _>>()?)
    }

    /// Whether the username of an account has one of these skeletons.
    pub fn is_name_registered(&self, lowercase: &str, cased: &str) -> Result<bool, Error> {
        let sql = "select exists (select 1 from account where skeleton in (?1, ?2))";
        let mut select = self.0.prepare_cached(sql)?;
        Ok(select.query_row([lowercase, cased], |row| row.get(0))?)
    }

    /// Whether an account, or another person in the room, has a name with one of these skeletons.
    pub fn is_name_taken(
        &self,
        room: RoomId,
        person: i64,
        lowercase: &str,
        cased: &str,
    ) -> Result<bool, Error> {
        let mut select = self.0.prepare_cached(IS_TAKEN)?;
        let parameters = params![key(room), person, lowercase, cased];
        Ok(select.query_row(parameters, |row| row.get(0))?)
    }

    /// The display name of an account.
    pub fn find_account_name(&self, account: i64) -> Result<Option<String>, Error> {
        let sql = "select name from account where id = ?1";
        let mut select = self.0.prepare_cached(sql)?;
        Ok(select.query_row([account], |row| row.get(0)).optional()?)
    }

    /// The names in the lobby with one of these skeletons.
    pub fn load_lobby_names(
        &self,
        room: RoomId,
        lowercase: &str,
        cased: &str,
    ) -> Result<Vec<NameClaim>, Error> {
        let sql = "select 0, name, skeleton, cased_skeleton from lobby_name
                   where room = ?1 and skeleton in (?2, ?3)
                   union select 0, name, skeleton, cased_skeleton from lobby_name
                   where room = ?1 and cased_skeleton in (?2, ?3)";
        let mut select = self.0.prepare_cached(sql)?;
        let names = select.query_map(params![key(room), lowercase, cased], claim_from_row)?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}

/// What was decided.
impl LogTransaction<'_> {
    /// Inserts a new message of an author into the room with this number.
    pub fn insert_message(
        &self,
        number: i64,
        author: i64,
        key: Option<&KeyDigests>,
        message: &Message,
    ) -> Result<(), Error> {
        let sql = "insert into message
                     (key, author, kind, sent_at, client_id, sender, content, username, body)
                   values (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.0.prepare_cached(sql)?.execute(params![
            message_key(number, message.id),
            author,
            message.sent_at.millis(),
            message.client_id,
            key.map(|key| key.sender),
            key.map(|key| key.content),
            message.username,
            message.body()
        ])?;
        Ok(())
    }

    /// Stores what a change has made of its message, and inserts the entry of the change, which a
    /// person made at `now`.
    pub fn insert_change(
        &self,
        number: i64,
        person: i64,
        now: i64,
        change: &Change,
    ) -> Result<(), Error> {
        let message = &change.message;
        let target = message_key(number, message.id);
        let sql = "update message set body = ?2, edited_at = ?3, deleted_at = ?4,
                     content = case when ?4 is null then content end
                   where key = ?1";
        self.0.prepare_cached(sql)?.execute(params![
            target,
            message.body(),
            message.edited_at.map(Time::millis),
            message.is_deleted().then_some(now)
        ])?;
        let sql = "insert into message (key, author, kind, target, sent_at, username, body)
                   values (?1, ?2, ?3, ?4, ?5, '', '')";
        self.0.prepare_cached(sql)?.execute(params![
            message_key(number, change.id),
            person,
            change.kind as i64,
            target,
            now
        ])?;
        Ok(())
    }

    /// Updates the row of a room, and those of its members once a minute.
    pub fn save_room(&self, id: RoomId, room: &OpenRoom) -> Result<(), Error> {
        let sql = "update room
                   set head = ?2, last_active_at = ?3, expires_at = ?4, message_count = ?5
                   where id = ?1";
        self.0.prepare_cached(sql)?.execute(params![
            key(id),
            room.head,
            room.last_active_at,
            room.expires_at,
            room.message_count
        ])?;
        if room.is_minute_changed {
            let sql = "update member set active_minute = ?2 where room = ?1";
            let minute = room.last_active_at / MINUTE;
            self.0
                .prepare_cached(sql)?
                .execute(params![key(id), minute])?;
        }
        Ok(())
    }

    /// Notes that an account has written in a room.
    pub fn insert_room_author(&self, room: RoomId, account: i64) -> Result<(), Error> {
        let sql = "insert into room_author (account, room) values (?1, ?2) on conflict do nothing";
        self.0
            .prepare_cached(sql)?
            .execute(params![account, key(room)])?;
        Ok(())
    }

    /// Makes a change of a row beside the log.
    pub fn change_row(&self, now: i64, change: &RowChange) -> Result<(), Error> {
        match change {
            RowChange::ClaimName { room, claim } => self.replace_claim(*room, claim),
            RowChange::RecordWrite { room, person } => self.record_write(*room, *person, now),
            RowChange::ClaimLobbyName { room, claim, since } => {
                self.insert_lobby_name(*room, claim, *since)
            }
            RowChange::ReleaseLobbyName { room, name } => self.delete_lobby_name(*room, name),
            RowChange::RecordDeletion {
                room,
                actor,
                target,
            } => self.append_to_audit_log(*room, now, actor, "deleted message", *target),
        }
    }

    /// Stores that a guest has this name in the room. It replaces the earlier name of the guest.
    fn replace_claim(&self, room: RoomId, claim: &NameClaim) -> Result<(), Error> {
        let sql = "insert into name_claim (room, skeleton, cased_skeleton, name, person)
                   values (?1, ?2, ?3, ?4, ?5)
                   on conflict (room, skeleton) do update
                     set cased_skeleton = excluded.cased_skeleton, name = excluded.name
                   on conflict (room, person) do update set skeleton = excluded.skeleton,
                     cased_skeleton = excluded.cased_skeleton, name = excluded.name";
        self.0.prepare_cached(sql)?.execute(params![
            key(room),
            claim.skeleton,
            claim.cased_skeleton,
            claim.name,
            claim.person
        ])?;
        Ok(())
    }

    fn record_write(&self, room: RoomId, person: i64, now: i64) -> Result<(), Error> {
        let sql = "insert into last_write (room, person, written_at) values (?1, ?2, ?3)
                   on conflict (room, person) do update set written_at = excluded.written_at";
        self.0
            .prepare_cached(sql)?
            .execute(params![key(room), person, now])?;
        Ok(())
    }

    fn insert_lobby_name(&self, room: RoomId, claim: &NameClaim, since: i64) -> Result<(), Error> {
        let sql = "insert into lobby_name (room, name, skeleton, cased_skeleton, since_seq)
                   values (?1, ?2, ?3, ?4, ?5)";
        self.0.prepare_cached(sql)?.execute(params![
            key(room),
            claim.name,
            claim.skeleton,
            claim.cased_skeleton,
            since
        ])?;
        Ok(())
    }

    fn delete_lobby_name(&self, room: RoomId, name: &str) -> Result<(), Error> {
        let sql = "delete from lobby_name where room = ?1 and name = ?2";
        self.0
            .prepare_cached(sql)?
            .execute(params![key(room), name])?;
        Ok(())
    }

    fn append_to_audit_log(
        &self,
        room: RoomId,
        now: i64,
        actor: &str,
        action: &str,
        target: u64,
    ) -> Result<(), Error> {
        let parameters = params![key(room), now, actor, action, target.to_string()];
        let mut insert = self.0.prepare_cached(INSERT)?;
        let seq: i64 = insert.query_row(parameters, |row| row.get(0))?;
        self.0
            .prepare_cached(DELETE_OLDEST)?
            .execute(params![key(room), seq - KEPT])?;
        Ok(())
    }

    /// Commits the transaction.
    pub fn commit(self) -> Result<(), Error> {
        Ok(self.0.commit()?)
    }
}

fn claim_from_row(row: &Row<'_>) -> rusqlite::Result<NameClaim> {
    Ok(NameClaim {
        person: row.get(0)?,
        name: row.get(1)?,
        skeleton: row.get(2)?,
        cased_skeleton: row.get(3)?,
    })
}

fn policy_from_row(row: &Row<'_>) -> rusqlite::Result<WritePolicy> {
    let role: Option<i64> = row.get(3)?;
    let sanction: Option<i64> = row.get(4)?;
    let is_operator = row.get(6)?;
    Ok(WritePolicy {
        hidden: row.get(0)?,
        read_only: row.get(1)?,
        slow_mode: row.get(2)?,
        role: if is_operator {
            Some(Role::Owner)
        } else {
            role.map(role_from_row)
        },
        sanction: sanction.map(sanction_from_row),
        last_write: row.get(5)?,
    })
}

/// The message in a row of a query that begins with `select_message`.
fn message_from_row(room: RoomId, row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let author: i64 = row.get(1)?;
    let is_deleted: bool = row.get(6)?;
    let body = row.get(3)?;
    let message = Message {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        room,
        username: row.get(2)?,
        name: row.get(8)?,
        author: author_from_row(author),
        client_id: row.get(7)?,
        sent_at: Time::from_millis(row.get(4)?),
        edited_at: row.get::<_, Option<i64>>(5)?.map(Time::from_millis),
        content: (!is_deleted).then_some(MessageContent { body }),
        own: false,
    };
    Ok(StoredMessage { author, message })
}
