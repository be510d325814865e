//! The rows that a batch is decided by, read with as many statements as there are kinds of rows.

mod names;
mod rows;

use std::collections::{HashMap, HashSet};

use protocol::{FileId, RoomId};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use self::names::{CLAIMS, LOBBY_NAMES, load_names, with_skeletons};
use self::rows::{
    AuthorRow, MESSAGE_COLUMNS, author_row, file_from_row, index_of, message_from_row,
};
use crate::Error;
use crate::store::file_rows::{FILE_COLUMNS, FileRow, file_key};
use crate::store::log_connection::WantedRows;
use crate::store::log_sql::END;
use crate::store::rows::{key, key_seq, room_id};
use crate::store::{
    AccountSession, EarlierMessage, KeyDigests, NameClaim, OpenRoom, StoredMessage,
};

/// A room, an author, and the digests by which a message is found again.
type ClientMessage = (RoomId, i64, String, i64);

/// The rows that a batch is decided by.
#[derive(Debug, Default)]
pub(super) struct LoadedRows {
    rooms: HashMap<RoomId, OpenRoom>,
    authors: HashMap<(RoomId, i64), AuthorRow>,
    earlier: HashMap<ClientMessage, EarlierMessage>,
    targets: HashMap<(RoomId, u64), StoredMessage>,
    files: HashMap<FileId, FileRow>,
    registered: HashSet<String>,
    claims: HashMap<RoomId, Vec<NameClaim>>,
    lobby_names: HashMap<RoomId, Vec<NameClaim>>,
    sessions: HashMap<AccountSession, String>,
}

impl LoadedRows {
    /// Reads what a batch refers to, and locks its rooms.
    pub async fn load(
        connection: &mut PgConnection,
        now: i64,
        wanted: WantedRows,
    ) -> sqlx::Result<Self> {
        let mut loaded = Self::default();
        loaded.load_rooms(connection, now, &wanted).await?;
        loaded.load_authors(connection, now, &wanted).await?;
        if !wanted.sessions.is_empty() {
            loaded.load_sessions(connection, &wanted.sessions).await?;
        }
        if !wanted.keys.is_empty() {
            loaded.load_earlier(connection, &wanted.keys).await?;
        }
        if !wanted.targets.is_empty() {
            loaded.load_targets(connection, &wanted).await?;
        }
        if !wanted.files.is_empty() {
            loaded.load_files(connection, &wanted).await?;
        }
        if !wanted.names.is_empty() {
            loaded.load_registered(connection, &wanted).await?;
            let is_claimed = loaded.rooms.values().any(|room| room.has_name_claims);
            if is_claimed {
                loaded.claims = load_names(connection, CLAIMS, wanted.names.iter()).await?;
            }
        }
        if !wanted.lobby_names.is_empty() {
            let names = wanted.lobby_names.iter();
            loaded.lobby_names = load_names(connection, LOBBY_NAMES, names).await?;
        }
        Ok(loaded)
    }

    async fn load_rooms(
        &mut self,
        connection: &mut PgConnection,
        now: i64,
        wanted: &WantedRows,
    ) -> sqlx::Result<()> {
        let sql = "select id, number, head, message_count, timeout_ms, last_active_at, expires_at,
                     text_bytes
                   from room where id = any($1) and state = 0 and expires_at > $2
                   order by id for update";
        let rooms: Vec<i64> = wanted.authors.iter().map(|(room, _)| key(*room)).collect();
        let rows = sqlx::query(sql)
            .bind(rooms)
            .bind(now)
            .fetch_all(connection)
            .await?;
        for row in rows {
            let room = OpenRoom {
                number: row.try_get("number")?,
                head: row.try_get("head")?,
                message_count: row.try_get("message_count")?,
                text_bytes: row.try_get("text_bytes")?,
                timeout: row.try_get("timeout_ms")?,
                last_active_at: row.try_get("last_active_at")?,
                expires_at: row.try_get("expires_at")?,
                has_policy: false,
                has_name_claims: false,
                is_changed: false,
                is_minute_changed: false,
            };
            self.rooms.insert(room_id(row.try_get("id")?), room);
        }
        Ok(())
    }

    async fn load_authors(
        &mut self,
        connection: &mut PgConnection,
        now: i64,
        wanted: &WantedRows,
    ) -> sqlx::Result<()> {
        let end = END
            .replace("$1", "wanted.room")
            .replace("$2", "wanted.person");
        let sql = AssertSqlSafe(format!(
            "select wanted.room, wanted.person, access <> 0 as is_hidden, read_only, slow_mode_ms,
               role, kind, until, written_at, operator and access = 0 as is_operator,
               access <> 0 or read_only or slow_mode_ms > 0 or exists (
                 select 1 from sanction where sanction.room = wanted.room) as has_policy,
               exists (select 1 from name_claim where name_claim.room = wanted.room)
                 as has_name_claims,
               ({end}) as ended_by
             from unnest($1::bigint[], $2::bigint[]) as wanted (room, person)
             left join room on room.id = wanted.room
             left join member on member.room = wanted.room and member.person = wanted.person
             left join sanction on sanction.room = wanted.room
               and sanction.person = wanted.person and (until is null or until > $3)
             left join last_write on last_write.room = wanted.room
               and last_write.person = wanted.person
             left join account on account.id = wanted.person"
        ));
        let (rooms, people): (Vec<i64>, Vec<i64>) = wanted
            .authors
            .iter()
            .map(|(room, person)| (key(*room), person))
            .unzip();
        let rows = sqlx::query(sql)
            .bind(rooms)
            .bind(people)
            .bind(now)
            .fetch_all(connection)
            .await?;
        for row in rows {
            let room = room_id(row.try_get("room")?);
            if let Some(open) = self.rooms.get_mut(&room) {
                open.has_policy = row.try_get("has_policy")?;
                open.has_name_claims = row.try_get("has_name_claims")?;
            }
            let author = (room, row.try_get("person")?);
            self.authors.insert(author, author_row(&row)?);
        }
        Ok(())
    }

    async fn load_sessions(
        &mut self,
        connection: &mut PgConnection,
        sessions: &[AccountSession],
    ) -> sqlx::Result<()> {
        let sql = "select position, name
                   from unnest($1::bigint[], $2::bigint[], $3::bigint[])
                     with ordinality as wanted (account, generation, session, position)
                   join account on id = wanted.account and account.generation = wanted.generation
                   where not exists (select 1 from revoked_session
                     where revoked_session.account = wanted.account
                       and revoked_session.session = wanted.session)";
        let column =
            |read: fn(&AccountSession) -> i64| -> Vec<i64> { sessions.iter().map(read).collect() };
        let ids: Vec<Option<i64>> = sessions.iter().map(|session| session.id).collect();
        let rows = sqlx::query(sql)
            .bind(column(|session| session.account))
            .bind(column(|session| session.generation))
            .bind(ids)
            .fetch_all(connection)
            .await?;
        for row in rows {
            if let Some(session) = sessions.get(index_of(&row)?) {
                self.sessions.insert(*session, row.try_get("name")?);
            }
        }
        Ok(())
    }

    async fn load_earlier(
        &mut self,
        connection: &mut PgConnection,
        keys: &[(RoomId, i64, KeyDigests)],
    ) -> sqlx::Result<()> {
        // Messages of earlier versions do not tell anonymous authors apart.
        let sql = AssertSqlSafe(format!(
            "select position, {MESSAGE_COLUMNS}
             from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])
               with ordinality as wanted (room, author, client_id, sender, position)
             join room on room.id = wanted.room
             join message on message.key >> 32 = room.number and message.author = wanted.author
               and message.client_id = wanted.client_id and message.client_id is not null
               and coalesce(message.sender, wanted.sender) = wanted.sender"
        ));
        let client_ids: Vec<&str> = keys
            .iter()
            .map(|(.., digests)| &*digests.client_id)
            .collect();
        let rows = sqlx::query(sql)
            .bind(keys.iter().map(|(room, ..)| key(*room)).collect::<Vec<_>>())
            .bind(
                keys.iter()
                    .map(|(_, author, _)| *author)
                    .collect::<Vec<_>>(),
            )
            .bind(client_ids)
            .bind(
                keys.iter()
                    .map(|(.., digests)| digests.sender)
                    .collect::<Vec<_>>(),
            )
            .fetch_all(connection)
            .await?;
        for row in rows {
            if let Some((room, author, digests)) = keys.get(index_of(&row)?) {
                let found = EarlierMessage {
                    stored: message_from_row(&row)?,
                    content: row.try_get("content")?,
                };
                self.earlier
                    .insert(client_message(*room, *author, digests), found);
            }
        }
        Ok(())
    }

    async fn load_targets(
        &mut self,
        connection: &mut PgConnection,
        wanted: &WantedRows,
    ) -> sqlx::Result<()> {
        let sql = AssertSqlSafe(format!(
            "select {MESSAGE_COLUMNS}
             from unnest($1::bigint[], $2::bigint[]) as wanted (room, seq)
             join room on room.id = wanted.room
             join message on message.key = (room.number << 32 | wanted.seq) and message.kind = 0"
        ));
        let (rooms, seqs): (Vec<i64>, Vec<i64>) = wanted
            .targets
            .iter()
            .map(|(room, seq)| (key(*room), key_seq(*seq)))
            .unzip();
        let rows = sqlx::query(sql)
            .bind(rooms)
            .bind(seqs)
            .fetch_all(connection)
            .await?;
        for row in rows {
            let stored = message_from_row(&row)?;
            let target = (stored.message.room, stored.message.id);
            self.targets.insert(target, stored);
        }
        Ok(())
    }

    async fn load_files(
        &mut self,
        connection: &mut PgConnection,
        wanted: &WantedRows,
    ) -> sqlx::Result<()> {
        let sql = AssertSqlSafe(format!(
            "select {FILE_COLUMNS} from file where id = any($1)"
        ));
        let ids: Vec<i64> = wanted.files.iter().map(|id| file_key(*id)).collect();
        let rows = sqlx::query(sql).bind(ids).fetch_all(connection).await?;
        for row in rows {
            let found = file_from_row(&row)?;
            self.files.insert(found.file.id, found);
        }
        Ok(())
    }

    async fn load_registered(
        &mut self,
        connection: &mut PgConnection,
        wanted: &WantedRows,
    ) -> sqlx::Result<()> {
        let sql = "select skeleton from account where skeleton = any($1)
                   union select skeleton from former_username where skeleton = any($1)";
        let skeletons: Vec<&str> = wanted
            .names
            .iter()
            .flat_map(|name| [&*name.lowercase, &*name.cased])
            .collect();
        let rows = sqlx::query(sql)
            .bind(skeletons)
            .fetch_all(connection)
            .await?;
        for row in rows {
            self.registered.insert(row.try_get(0)?);
        }
        Ok(())
    }

    pub fn open_room(&self, id: RoomId) -> Option<OpenRoom> {
        self.rooms.get(&id).copied()
    }

    /// The author of a request of the batch.
    pub fn author(&self, room: RoomId, person: i64) -> Result<AuthorRow, Error> {
        let found = self.authors.get(&(room, person)).copied();
        found.ok_or_else(|| Error::fault("no request of the batch has this author"))
    }

    pub fn earlier_message(
        &self,
        room: RoomId,
        author: i64,
        digests: &KeyDigests,
    ) -> Option<EarlierMessage> {
        self.earlier
            .get(&client_message(room, author, digests))
            .cloned()
    }

    pub fn target(&self, room: RoomId, seq: u64) -> Option<StoredMessage> {
        self.targets.get(&(room, seq)).cloned()
    }

    pub fn file(&self, id: FileId) -> Option<FileRow> {
        self.files.get(&id).cloned()
    }

    pub fn is_registered(&self, lowercase: &str, cased: &str) -> bool {
        self.registered.contains(lowercase) || self.registered.contains(cased)
    }

    pub fn claims(&self, room: RoomId, lowercase: &str, cased: &str) -> Vec<NameClaim> {
        with_skeletons(self.claims.get(&room), lowercase, cased)
    }

    pub fn lobby_names(&self, room: RoomId, lowercase: &str, cased: &str) -> Vec<NameClaim> {
        with_skeletons(self.lobby_names.get(&room), lowercase, cased)
    }

    pub fn name_of_session(&self, session: AccountSession) -> Option<String> {
        self.sessions.get(&session).cloned()
    }
}

fn client_message(room: RoomId, author: i64, digests: &KeyDigests) -> ClientMessage {
    (room, author, digests.client_id.clone(), digests.sender)
}
