//! The rows that a batch of write requests is decided by.
//!
//! # Not here
//! - Which rows a request refers to: `log::load`.

use protocol::{FileId, Message, Role, RoomEnd, RoomId, Time};
use rusqlite::{OptionalExtension, Row, params};

use super::append::SqliteLogTransaction;
use crate::Error;
use crate::store::file_rows::{FILE_COLUMNS, FileColumns, FileRow, StoredContent, file_key};
use crate::store::log_connection::{BatchRows, WantedRows};
use crate::store::log_sql::END;
use crate::store::rows::{
    ActiveSanction, author_from_row, key, message_key, role_from_row, room_end_from_row,
};
use crate::store::{
    AccountSession, EarlierMessage, KeyDigests, NameClaim, OpenRoom, StoredMessage, WritePolicy,
};

/// The start of a query for a message, whose row [`message_from_row`] reads.
macro_rules! select_message {
    ($condition:literal) => {
        concat!(
            "select key & 4294967295, author, username, body, sent_at, edited_at,
               deleted_at is not null, client_id,
               (select name from account where account.id = message.author), content, files
             from message where ",
            $condition
        )
    };
}

impl BatchRows for SqliteLogTransaction<'_> {
    fn prefetch(&mut self, _: i64, _: &dyn Fn() -> WantedRows) -> Result<(), Error> {
        Ok(())
    }

    fn find_open_room(&self, id: RoomId, now: i64) -> Result<Option<OpenRoom>, Error> {
        let sql = "select number, head, message_count, timeout_ms, last_active_at, expires_at,
               access <> 0 or read_only or slow_mode_ms > 0
                 or exists (select 1 from sanction where room = ?1),
               exists (select 1 from name_claim where room = ?1), text_bytes
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
                text_bytes: row.get(8)?,
                is_changed: false,
                is_minute_changed: false,
            })
        });
        Ok(room.optional()?)
    }

    fn find_end(&self, id: RoomId, person: i64) -> Result<Option<RoomEnd>, Error> {
        let mut select = self.0.prepare_cached(END)?;
        let end: Option<i64> = select.query_row([key(id), person], |row| row.get(0))?;
        Ok(end.map(room_end_from_row))
    }

    fn load_policy(&self, room: RoomId, person: i64, now: i64) -> Result<WritePolicy, Error> {
        let sql = "select access <> 0, read_only, slow_mode_ms,
                 (select role from member where room = ?1 and person = ?2),
                 sanction.kind,
                 (select written_at from last_write where room = ?1 and person = ?2),
                 access = 0 and exists (select 1 from account where id = ?2 and operator),
                 sanction.until
               from room left join sanction on sanction.room = id and sanction.person = ?2
                 and coalesce(sanction.until, ?3 + 1) > ?3
               where id = ?1";
        let mut select = self.0.prepare_cached(sql)?;
        Ok(select.query_row(params![key(room), person, now], policy_from_row)?)
    }

    fn load_role(&self, room: RoomId, person: i64) -> Result<Option<Role>, Error> {
        let sql = "select role from member where room = ?1 and person = ?2";
        let mut select = self.0.prepare_cached(sql)?;
        let role = select.query_row([key(room), person], |row| row.get(0));
        Ok(role.optional()?.map(role_from_row))
    }

    fn find_by_key(
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

    fn find_message(
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

    fn find_file(&self, id: FileId) -> Result<Option<FileRow>, Error> {
        let sql = format!("select {FILE_COLUMNS} from file where id = ?1");
        let mut select = self.0.prepare_cached(&sql)?;
        let found = select.query_row([file_key(id)], file_from_row);
        Ok(found.optional()?)
    }

    fn load_claims(
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

    fn is_name_registered(&self, lowercase: &str, cased: &str) -> Result<bool, Error> {
        let sql = "select exists (select 1 from account where skeleton in (?1, ?2))
                   or exists (select 1 from former_username where skeleton in (?1, ?2))";
        let mut select = self.0.prepare_cached(sql)?;
        Ok(select.query_row([lowercase, cased], |row| row.get(0))?)
    }

    fn find_name_of_session(&self, session: AccountSession) -> Result<Option<String>, Error> {
        let sql = "select name from account where id = ?1 and generation = ?2
                   and not exists (select 1 from revoked_session where account = ?1 and session = ?3)";
        let mut select = self.0.prepare_cached(sql)?;
        let parameters = params![session.account, session.generation, session.id];
        Ok(select.query_row(parameters, |row| row.get(0)).optional()?)
    }

    fn load_lobby_names(
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

fn policy_from_row(row: &Row<'_>) -> rusqlite::Result<WritePolicy> {
    let role: Option<i64> = row.get(3)?;
    let sanction: Option<i64> = row.get(4)?;
    let is_operator: bool = row.get(6)?;
    let until = row.get(7)?;
    Ok(WritePolicy {
        hidden: row.get(0)?,
        read_only: row.get(1)?,
        slow_mode: row.get(2)?,
        role: if is_operator {
            Some(Role::Owner)
        } else {
            role.map(role_from_row)
        },
        // No sanction holds against an operator.
        sanction: sanction
            .filter(|_| !is_operator)
            .map(|kind| ActiveSanction::from_row(kind, until)),
        last_write: row.get(5)?,
    })
}

/// The message in a row of a query that begins with `select_message`.
fn message_from_row(room: RoomId, row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let author: i64 = row.get(1)?;
    let is_deleted: bool = row.get(6)?;
    let stored = StoredContent {
        body: row.get(3)?,
        files: row.get(10)?,
    };
    let content = (!is_deleted).then(|| stored.content(room)).transpose();
    let content = content.map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(10, rusqlite::types::Type::Text, Box::new(error))
    })?;
    let message = Message {
        id: row.get::<_, i64>(0)?.unsigned_abs(),
        room,
        username: row.get(2)?,
        name: row.get(8)?,
        author: author_from_row(author),
        client_id: row.get(7)?,
        sent_at: Time::from_millis(row.get(4)?),
        edited_at: row.get::<_, Option<i64>>(5)?.map(Time::from_millis),
        content,
        own: false,
    };
    Ok(StoredMessage { author, message })
}

/// The file in a row with [`FILE_COLUMNS`].
fn file_from_row(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    let columns = FileColumns {
        id: row.get(0)?,
        room: row.get(1)?,
        person: row.get(2)?,
        name: row.get(3)?,
        kind: row.get(4)?,
        size: row.get(5)?,
        sha256: row.get(6)?,
        state: row.get(7)?,
        message: row.get(8)?,
        details: row.get(9)?,
    };
    Ok(columns.into())
}

fn claim_from_row(row: &Row<'_>) -> rusqlite::Result<NameClaim> {
    Ok(NameClaim {
        person: row.get(0)?,
        name: row.get(1)?,
        skeleton: row.get(2)?,
        cased_skeleton: row.get(3)?,
    })
}
