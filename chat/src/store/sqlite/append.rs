//! The transaction of the writer, and what it appends.
//!
//! It has a connection of its own through `rusqlite`, because the way through the thread of a pool
//! would cost several times as much as a statement.
//!
//! # Not here
//! - What a batch is decided by: `batch_rows`. The decision: `log::decide`.

use protocol::{Change, FileId, Message, RoomId, Time};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::pool::SqliteLocation;
use crate::Error;
use crate::store::file_rows::file_key;
use crate::store::log_connection::{AppendRows, LogConnection, LogTransaction};
use crate::store::log_sql::{AUDITS_KEPT, DELETE_OLD_AUDITS, INSERT_AUDIT, IS_TAKEN};
use crate::store::rows::{key, key_seq_of, message_key};
use crate::store::{KeyDigests, MINUTE, NameClaim, OpenRoom, RowChange};

/// The connection of the writer.
#[derive(Debug)]
pub(crate) struct SqliteLog(Connection);

/// A transaction that appends to logs. It is rolled back if it is dropped.
#[derive(Debug)]
pub(super) struct SqliteLogTransaction<'a>(pub(super) Transaction<'a>);

impl SqliteLog {
    pub fn open(location: &SqliteLocation) -> Result<Self, Error> {
        Ok(Self(location.connect()?))
    }
}

impl LogConnection for SqliteLog {
    fn begin(&mut self) -> Result<Box<dyn LogTransaction + '_>, Error> {
        let behavior = TransactionBehavior::Immediate;
        let tx = self.0.transaction_with_behavior(behavior)?;
        Ok(Box::new(SqliteLogTransaction(tx)))
    }
}

impl AppendRows for SqliteLogTransaction<'_> {
    fn insert_message(
        &mut self,
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

    fn insert_change(
        &mut self,
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

    fn save_room(&mut self, id: RoomId, room: &OpenRoom) -> Result<(), Error> {
        let sql = "update room
                   set head = ?2, last_active_at = ?3, expires_at = ?4, message_count = ?5,
                     text_bytes = ?6
                   where id = ?1";
        self.0.prepare_cached(sql)?.execute(params![
            key(id),
            room.head,
            room.last_active_at,
            room.expires_at,
            room.message_count,
            room.text_bytes
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

    fn insert_room_author(&mut self, room: RoomId, account: i64) -> Result<(), Error> {
        let sql = "insert into room_author (account, room) values (?1, ?2) on conflict do nothing";
        self.0
            .prepare_cached(sql)?
            .execute(params![account, key(room)])?;
        Ok(())
    }

    fn keep_room(&mut self, room: RoomId, person: i64, now: i64) -> Result<(), Error> {
        let sql = "insert into room_preference (person, room, listing, listed_at)
                   select ?1, ?2, 1, ?3
                   where not exists (select 1 from member where room = ?2 and person = ?1)
                   on conflict (person, room) do update
                     set listing = 1, listed_at = excluded.listed_at where listing <> 1";
        self.0
            .prepare_cached(sql)?
            .execute(params![person, key(room), now])?;
        Ok(())
    }

    fn change_row(&mut self, now: i64, change: &RowChange) -> Result<(), Error> {
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
                action,
                target,
            } => self.append_to_audit_log(*room, now, actor, action, *target),
            RowChange::AttachFiles {
                message,
                files,
                stored,
            } => {
                self.attach_files(*message, files, now)?;
                self.set_files(*message, stored.as_deref())
            }
            RowChange::RemoveFiles {
                message,
                files,
                rest,
            } => {
                self.remove_files(files, now)?;
                self.set_files(*message, rest.as_deref())
            }
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn is_name_taken(
        &mut self,
        room: RoomId,
        person: i64,
        lowercase: &str,
        cased: &str,
    ) -> Result<bool, Error> {
        let mut select = self.0.prepare_cached(IS_TAKEN)?;
        let parameters = params![key(room), person, lowercase, cased];
        Ok(select.query_row(parameters, |row| row.get(0))?)
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        Ok(self.0.commit()?)
    }
}

impl SqliteLogTransaction<'_> {
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

    fn attach_files(&self, message: i64, files: &[FileId], now: i64) -> Result<(), Error> {
        let sql = "update file set state = 3, message = ?2, position = ?3, changed_at = ?4
                   where id = ?1";
        let mut attach = self.0.prepare_cached(sql)?;
        for (position, id) in (0_i64..).zip(files) {
            attach.execute(params![file_key(*id), key_seq_of(message), position, now])?;
        }
        Ok(())
    }

    fn remove_files(&self, files: &[FileId], now: i64) -> Result<(), Error> {
        let sql = "update file set state = 4, changed_at = ?2 where id = ?1";
        let mut remove = self.0.prepare_cached(sql)?;
        for id in files {
            remove.execute(params![file_key(*id), now])?;
        }
        Ok(())
    }

    /// Stores with a message which files it has.
    fn set_files(&self, message: i64, stored: Option<&str>) -> Result<(), Error> {
        let sql = "update message set files = ?2 where key = ?1";
        self.0
            .prepare_cached(sql)?
            .execute(params![message, stored])?;
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
        let mut insert = self.0.prepare_cached(INSERT_AUDIT)?;
        let seq: i64 = insert.query_row(parameters, |row| row.get(0))?;
        self.0
            .prepare_cached(DELETE_OLD_AUDITS)?
            .execute(params![key(room), seq - AUDITS_KEPT])?;
        Ok(())
    }
}
