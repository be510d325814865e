//! What a batch appends, written with as many statements as there are kinds of rows.
//!
//! A statement may change a row once only, so where a batch changes a row several times, its last
//! change counts.

mod beside;
mod files;

use std::collections::{BTreeMap, BTreeSet};

use protocol::{Change, FileId, Message, RoomId, Time};
use sqlx::PgConnection;

use self::beside::{
    write_claims, write_deletions, write_kept_rooms, write_last_writes, write_lobby_names,
    write_room_authors,
};
use self::files::{AttachedFile, write_files, write_message_files};
use crate::store::rows::{key, key_seq_of, message_key};
use crate::store::{KeyDigests, MINUTE, NameClaim, OpenRoom, RowChange};

/// A room and a person.
type RoomPerson = (RoomId, i64);

/// What a batch appends.
#[derive(Debug, Default)]
pub(super) struct AppendedRows {
    entries: Entries,
    changed: BTreeMap<i64, ChangedMessage>,
    rooms: BTreeMap<RoomId, OpenRoom>,
    room_authors: BTreeSet<RoomPerson>,
    /// The people who keep a room, and since when.
    kept_rooms: BTreeMap<RoomPerson, i64>,
    claims: BTreeMap<RoomPerson, NameClaim>,
    last_writes: BTreeMap<RoomPerson, i64>,
    /// The names in the lobby, each with its claim and the sequence number after which its messages
    /// begin, or without if it was released.
    lobby_names: BTreeMap<(RoomId, String), Option<(NameClaim, i64)>>,
    /// The deletions by moderators.
    deletions: Vec<Deletion>,
    /// The place of files in their messages; `None` for those that are removed.
    files: BTreeMap<FileId, Option<AttachedFile>>,
    /// The files of messages as they are stored with them, by the keys of the messages.
    message_files: BTreeMap<i64, Option<String>>,
    /// When the files have changed.
    files_changed_at: i64,
}

/// New rows of the logs, by column.
#[derive(Debug, Default)]
struct Entries {
    key: Vec<i64>,
    author: Vec<i64>,
    kind: Vec<i64>,
    target: Vec<Option<i64>>,
    sent_at: Vec<i64>,
    client_id: Vec<Option<String>>,
    sender: Vec<Option<i64>>,
    content: Vec<Option<i64>>,
    username: Vec<String>,
    body: Vec<String>,
}

/// What a moderator has deleted.
#[derive(Debug)]
struct Deletion {
    room: RoomId,
    at: i64,
    actor: String,
    action: &'static str,
    /// The sequence number of the message.
    target: u64,
}

/// What a change has made of a message.
#[derive(Debug)]
struct ChangedMessage {
    body: String,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
}

impl AppendedRows {
    pub fn insert_message(
        &mut self,
        number: i64,
        author: i64,
        key: Option<&KeyDigests>,
        message: &Message,
    ) {
        let entries = &mut self.entries;
        entries.key.push(message_key(number, message.id));
        entries.author.push(author);
        entries.kind.push(0);
        entries.target.push(None);
        entries.sent_at.push(message.sent_at.millis());
        entries.client_id.push(message.client_id.clone());
        entries.sender.push(key.map(|key| key.sender));
        entries.content.push(key.map(|key| key.content));
        entries.username.push(message.username.clone());
        entries.body.push(message.body().to_owned());
    }

    pub fn insert_change(&mut self, number: i64, person: i64, now: i64, change: &Change) {
        let message = &change.message;
        let target = message_key(number, message.id);
        let changed = ChangedMessage {
            body: message.body().to_owned(),
            edited_at: message.edited_at.map(Time::millis),
            deleted_at: message.is_deleted().then_some(now),
        };
        self.changed.insert(target, changed);
        let entries = &mut self.entries;
        entries.key.push(message_key(number, change.id));
        entries.author.push(person);
        entries.kind.push(change.kind as i64);
        entries.target.push(Some(target));
        entries.sent_at.push(now);
        entries.client_id.push(None);
        entries.sender.push(None);
        entries.content.push(None);
        entries.username.push(String::new());
        entries.body.push(String::new());
    }

    pub fn save_room(&mut self, id: RoomId, room: OpenRoom) {
        self.rooms.insert(id, room);
    }

    pub fn insert_room_author(&mut self, room: RoomId, account: i64) {
        self.room_authors.insert((room, account));
    }

    pub fn keep_room(&mut self, room: RoomId, person: i64, now: i64) {
        self.kept_rooms.insert((room, person), now);
    }

    pub fn change_row(&mut self, now: i64, change: &RowChange) {
        match change {
            RowChange::ClaimName { room, claim } => {
                self.claims.insert((*room, claim.person), claim.clone());
            }
            RowChange::RecordWrite { room, person } => {
                self.last_writes.insert((*room, *person), now);
            }
            RowChange::ClaimLobbyName { room, claim, since } => {
                let name = (*room, claim.name.clone());
                self.lobby_names.insert(name, Some((claim.clone(), *since)));
            }
            RowChange::ReleaseLobbyName { room, name } => {
                self.lobby_names.insert((*room, name.clone()), None);
            }
            RowChange::RecordDeletion {
                room,
                actor,
                action,
                target,
            } => self.deletions.push(Deletion {
                room: *room,
                at: now,
                actor: actor.clone(),
                action,
                target: *target,
            }),
            RowChange::AttachFiles {
                message,
                files,
                stored,
            } => {
                let places = (0..).map(|position| AttachedFile {
                    seq: key_seq_of(*message),
                    position,
                });
                let places = places.map(Some);
                self.set_files(now, *message, files.iter().copied().zip(places), stored);
            }
            RowChange::RemoveFiles {
                message,
                files,
                rest,
            } => {
                let removed = files.iter().map(|id| (*id, None));
                self.set_files(now, *message, removed, rest);
            }
        }
    }

    fn set_files(
        &mut self,
        now: i64,
        message: i64,
        files: impl Iterator<Item = (FileId, Option<AttachedFile>)>,
        stored: &Option<String>,
    ) {
        self.files.extend(files);
        self.message_files.insert(message, stored.clone());
        self.files_changed_at = now;
    }

    /// Writes the rows.
    pub async fn write(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if !self.entries.key.is_empty() || !self.rooms.is_empty() {
            self.entries.write_with(connection, &self.rooms).await?;
            write_minutes(connection, &self.rooms).await?;
        }
        if !self.changed.is_empty() {
            write_changed(connection, self.changed).await?;
        }
        if !self.room_authors.is_empty() {
            write_room_authors(connection, self.room_authors).await?;
        }
        if !self.kept_rooms.is_empty() {
            write_kept_rooms(connection, self.kept_rooms).await?;
        }
        if !self.claims.is_empty() {
            write_claims(connection, self.claims).await?;
        }
        if !self.last_writes.is_empty() {
            write_last_writes(connection, self.last_writes).await?;
        }
        if !self.lobby_names.is_empty() {
            write_lobby_names(connection, self.lobby_names).await?;
        }
        if !self.deletions.is_empty() {
            write_deletions(connection, self.deletions).await?;
        }
        if !self.message_files.is_empty() {
            write_files(connection, self.files, self.files_changed_at).await?;
            write_message_files(connection, self.message_files).await?;
        }
        Ok(())
    }
}

impl Entries {
    /// Writes the rows, and those of their rooms, in one round trip.
    async fn write_with(
        self,
        connection: &mut PgConnection,
        rooms: &BTreeMap<RoomId, OpenRoom>,
    ) -> sqlx::Result<()> {
        let sql = "with inserted as (
                     insert into message
                       (key, author, kind, target, sent_at, client_id, sender, content, username, body)
                     select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],
                       $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[]))
                   update room
                   set head = changed.head, last_active_at = changed.last_active_at,
                     expires_at = changed.expires_at, message_count = changed.message_count,
                     text_bytes = changed.text_bytes
                   from unnest($11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                     $15::bigint[], $16::bigint[])
                     as changed (id, head, last_active_at, expires_at, message_count, text_bytes)
                   where room.id = changed.id";
        let column =
            |read: fn(&OpenRoom) -> i64| -> Vec<i64> { rooms.values().map(read).collect() };
        sqlx::query(sql)
            .bind(self.key)
            .bind(self.author)
            .bind(self.kind)
            .bind(self.target)
            .bind(self.sent_at)
            .bind(self.client_id)
            .bind(self.sender)
            .bind(self.content)
            .bind(self.username)
            .bind(self.body)
            .bind(rooms.keys().map(|id| key(*id)).collect::<Vec<_>>())
            .bind(column(|room| room.head))
            .bind(column(|room| room.last_active_at))
            .bind(column(|room| room.expires_at))
            .bind(column(|room| room.message_count))
            .bind(column(|room| room.text_bytes))
            .execute(connection)
            .await?;
        Ok(())
    }
}

async fn write_changed(
    connection: &mut PgConnection,
    changed: BTreeMap<i64, ChangedMessage>,
) -> sqlx::Result<()> {
    let sql = "update message
               set body = changed.body, edited_at = changed.edited_at,
                 deleted_at = changed.deleted_at,
                 content = case when changed.deleted_at is null then content end
               from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])
                 as changed (key, body, edited_at, deleted_at)
               where message.key = changed.key";
    let times = |read: fn(&ChangedMessage) -> Option<i64>| -> Vec<Option<i64>> {
        changed.values().map(read).collect()
    };
    let (edited, deleted) = (times(|row| row.edited_at), times(|row| row.deleted_at));
    let (keys, bodies): (Vec<i64>, Vec<String>) = changed
        .into_iter()
        .map(|(key, row)| (key, row.body))
        .unzip();
    sqlx::query(sql)
        .bind(keys)
        .bind(bodies)
        .bind(edited)
        .bind(deleted)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes for the members of rooms that their rooms were active in this minute.
async fn write_minutes(
    connection: &mut PgConnection,
    rooms: &BTreeMap<RoomId, OpenRoom>,
) -> sqlx::Result<()> {
    let changed = rooms.iter().filter(|(_, room)| room.is_minute_changed);
    let (rooms, minutes): (Vec<i64>, Vec<i64>) = changed
        .map(|(id, room)| (key(*id), room.last_active_at / MINUTE))
        .unzip();
    if rooms.is_empty() {
        return Ok(());
    }
    let sql = "update member set active_minute = changed.minute
               from unnest($1::bigint[], $2::bigint[]) as changed (room, minute)
               where member.room = changed.room";
    sqlx::query(sql)
        .bind(rooms)
        .bind(minutes)
        .execute(connection)
        .await?;
    Ok(())
}
