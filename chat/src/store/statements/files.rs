//! The rows of files, from the first byte of an upload to the deletion of the bytes.
//!
//! # Guarantees
//! - What all files count for the limit of the server is kept as one number, which changes with their
//!   rows.
//!
//! # Not here
//! - Attaching files to messages, and removing them from there: the writer's own statements.

use protocol::{FileId, RoomId, Time};
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::metrics::FileCounts;
use crate::store::file_rows::{FILE_COLUMNS, FileRow, FileState, file_id, file_key, stored_bytes};
use crate::store::rows::key;
use crate::store::sql::{query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// The name of the number of bytes that all files count.
const TOTAL: &str = "file_bytes";

/// The files that are in no message. The second condition is that of the index, word by word, without
/// which `SQLite` reads all rows.
macro_rules! unattached {
    () => {
        "state < 3 and state <> 3"
    };
}

/// A file whose bytes are to come.
pub(crate) struct NewFileRow<'a> {
    pub id: FileId,
    pub room: RoomId,
    pub person: i64,
    pub name: &'a str,
    /// How many bytes it counts for the limits.
    pub reserved: u64,
}

/// What is known of a file by its bytes.
pub(crate) struct FileBytes<'a> {
    pub kind: &'a str,
    pub size: u64,
    pub sha256: &'a str,
}

/// The bytes that files count for the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileUsage {
    pub room: u64,
    pub server: u64,
}

/// What the files of a room, and those of all rooms, count.
pub(crate) async fn load_usage(from: &mut impl Reader, room: RoomId) -> Result<FileUsage, Error> {
    let sql =
        "select (select cast(coalesce(sum(reserved), 0) as bigint) from file where room = $1),
                 coalesce((select value from meta where name = $2), 0)";
    let (room, server): (i64, i64) = query_as(sql)
        .bind(key(room))
        .bind(TOTAL)
        .fetch_one(from.connection())
        .await?;
    Ok(FileUsage {
        room: room.unsigned_abs(),
        server: server.unsigned_abs(),
    })
}

/// Counts what all files count again.
pub(crate) async fn recount(tx: &mut WriteTransaction) -> Result<(), Error> {
    let sql = "insert into meta (name, value)
               select $1, cast(coalesce(sum(reserved), 0) as bigint) from file where true
               on conflict (name) do update set value = excluded.value";
    query(sql).bind(TOTAL).execute(tx.connection()).await?;
    Ok(())
}

pub(super) async fn add_to_total(tx: &mut WriteTransaction, bytes: i64) -> Result<(), Error> {
    query("update meta set value = value + $2 where name = $1")
        .bind(TOTAL)
        .bind(bytes)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Inserts a file whose bytes are to come.
pub(crate) async fn insert_file(
    tx: &mut WriteTransaction,
    now: Time,
    new: &NewFileRow<'_>,
) -> Result<(), Error> {
    let sql = "insert into file (id, room, person, name, reserved, created_at, changed_at)
               values ($1, $2, $3, $4, $5, $6, $6)";
    query(sql)
        .bind(file_key(new.id))
        .bind(key(new.room))
        .bind(new.person)
        .bind(new.name)
        .bind(stored_bytes(new.reserved))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    add_to_total(tx, stored_bytes(new.reserved)).await
}

/// Notes that bytes of a file have arrived, and how many it counts from now on.
pub(crate) async fn reserve(
    tx: &mut WriteTransaction,
    now: Time,
    id: FileId,
    before: u64,
    reserved: u64,
) -> Result<(), Error> {
    let sql = "update file set reserved = $2, changed_at = $3 where id = $1 and state = 0";
    let changed = query(sql)
        .bind(file_key(id))
        .bind(stored_bytes(reserved))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    if changed == 0 {
        return Ok(());
    }
    add_to_total(tx, stored_bytes(reserved) - stored_bytes(before)).await
}

/// Notes that all bytes of a file are durable, or durable in the file store. It counts its size from
/// now on. Returns whether the file was in the state before.
pub(crate) async fn advance(
    tx: &mut WriteTransaction,
    now: Time,
    id: FileId,
    state: FileState,
    bytes: &FileBytes<'_>,
) -> Result<bool, Error> {
    let from = state as i64 - 1;
    let sql = "select reserved from file where id = $1 and state = $2";
    let reserved: Option<i64> = query_as(sql)
        .bind(file_key(id))
        .bind(from)
        .fetch_optional(tx.connection())
        .await?;
    let Some(reserved) = reserved else {
        return Ok(false);
    };
    let sql = "update file set state = $2, type = $3, size = $4, reserved = $4, sha256 = $5,
                 changed_at = $6 where id = $1";
    query(sql)
        .bind(file_key(id))
        .bind(state as i64)
        .bind(bytes.kind)
        .bind(stored_bytes(bytes.size))
        .bind(bytes.sha256)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    add_to_total(tx, stored_bytes(bytes.size) - reserved).await?;
    Ok(true)
}

/// The file with this ID.
pub(crate) async fn find(from: &mut impl Reader, id: FileId) -> Result<Option<FileRow>, Error> {
    let sql = AssertSqlSafe(format!("select {FILE_COLUMNS} from file where id = $1"));
    Ok(query_as(sql)
        .bind(file_key(id))
        .fetch_optional(from.connection())
        .await?)
}

/// The files in this state, the one that changed first at the beginning, at most `limit`.
pub(crate) async fn list_in_state(
    store: &Store,
    state: FileState,
    limit: i64,
) -> Result<Vec<FileRow>, Error> {
    let sql = AssertSqlSafe(format!(
        "select {FILE_COLUMNS} from file where state = $1 and state <> 3
         order by changed_at limit $2"
    ));
    Ok(query_as(sql)
        .bind(state as i64)
        .bind(limit)
        .fetch_all(store.read())
        .await?)
}

/// The files in the messages of a room after this one, in the order of their IDs, at most `limit`.
pub(crate) async fn list_attached(
    store: &Store,
    room: RoomId,
    after: Option<FileId>,
    limit: i64,
) -> Result<Vec<FileRow>, Error> {
    let sql = AssertSqlSafe(format!(
        "select {FILE_COLUMNS} from file where room = $1 and state = 3 and id > $2
         order by id limit $3"
    ));
    Ok(query_as(sql)
        .bind(key(room))
        .bind(after.map_or(i64::MIN, file_key))
        .bind(limit)
        .fetch_all(store.read())
        .await?)
}

/// Counts the bytes of all files, and the files that no message has.
pub(crate) async fn count_by_state(store: &Store) -> Result<FileCounts, Error> {
    let sql = "select coalesce((select value from meta where name = $1), 0),
                 count(*) filter (where state = 0), count(*) filter (where state = 1),
                 count(*) filter (where state = 2), count(*) filter (where state = 4)
               from file where state <> 3";
    let (bytes, receiving, received, ready, deleting) =
        query_as(sql).bind(TOTAL).fetch_one(store.read()).await?;
    Ok(FileCounts {
        bytes,
        receiving,
        received,
        ready,
        deleting,
    })
}

/// Whether a room has any file.
pub(crate) async fn has_files(store: &Store, room: RoomId) -> Result<bool, Error> {
    let sql = "select exists (select 1 from file where room = $1)";
    Ok(query_as(sql)
        .bind(key(room))
        .fetch_one(store.read())
        .await?)
}

/// Those of these files that have a row.
pub(crate) async fn list_known(store: &Store, ids: &[FileId]) -> Result<Vec<FileId>, Error> {
    let list = ids.iter().map(|id| file_key(*id).to_string());
    let list = list.collect::<Vec<_>>().join(", ");
    let sql = AssertSqlSafe(format!("select id from file where id in ({list})"));
    let known: Vec<i64> = query_as(sql).fetch_all(store.read()).await?;
    Ok(known.into_iter().map(file_id).collect())
}

/// Gives a file up that is in no message. Returns whether it was in none.
pub(crate) async fn give_up(
    tx: &mut WriteTransaction,
    now: Time,
    id: FileId,
) -> Result<bool, Error> {
    let sql = "update file set state = 4, changed_at = $2 where id = $1 and state < 3";
    let changed = query(sql)
        .bind(file_key(id))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(changed > 0)
}

/// Gives all files up whose bytes were arriving, but not uploads that can be resumed: no process
/// receives them any more.
pub(crate) async fn give_up_receiving(tx: &mut WriteTransaction, now: Time) -> Result<(), Error> {
    let sql = "update file set state = 4, changed_at = $1
               where state = 0 and state <> 3 and upload_length is null";
    query(sql)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives the files up that are in no message and have not changed since a time. Returns how many.
pub(crate) async fn give_up_left_behind(
    tx: &mut WriteTransaction,
    now: Time,
    since: Time,
) -> Result<u64, Error> {
    let sql = concat!(
        "update file set state = 4, changed_at = $1 where changed_at <= $2 and ",
        unattached!()
    );
    Ok(query(sql)
        .bind(now.millis())
        .bind(since.millis())
        .execute(tx.connection())
        .await?)
}

/// Gives the files up whose message or room a server of an earlier version has deleted. Returns how
/// many.
pub(crate) async fn give_up_orphans(tx: &mut WriteTransaction, now: Time) -> Result<u64, Error> {
    let sql = "update file set state = 4, changed_at = $1 where state = 3 and not exists (
                 select 1 from message where deleted_at is null and files is not null
                   and key = ((select number from room where room.id = file.room) << 32 | file.message))";
    let attached = query(sql)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    let sql = concat!(
        "update file set state = 4, changed_at = $1
         where not exists (select 1 from room where room.id = file.room) and ",
        unattached!()
    );
    let unattached = query(sql)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(attached + unattached)
}

/// Gives all files of a room up, whose end has passed its archive.
pub(crate) async fn give_up_room(
    tx: &mut WriteTransaction,
    now: Time,
    room: RoomId,
) -> Result<(), Error> {
    query("update file set state = 4, changed_at = $2 where room = $1")
        .bind(key(room))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives the files of a person up that are in no message.
pub(crate) async fn give_up_unattached_of(
    tx: &mut WriteTransaction,
    now: Time,
    person: i64,
) -> Result<(), Error> {
    let sql = concat!(
        "update file set state = 4, changed_at = $2 where person = $1 and ",
        unattached!()
    );
    query(sql)
        .bind(person)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives the files of a person that are in no message to another one.
pub(crate) async fn move_unattached(
    tx: &mut WriteTransaction,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let sql = concat!(
        "update file set person = $2 where person = $1 and ",
        unattached!()
    );
    query(sql)
        .bind(from)
        .bind(to)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Deletes the row of a file whose bytes are gone. It counts nothing any more.
pub(crate) async fn delete_row(tx: &mut WriteTransaction, id: FileId) -> Result<(), Error> {
    let sql = "delete from file where id = $1 and state = 4 returning reserved";
    let reserved: Option<i64> = query_as(sql)
        .bind(file_key(id))
        .fetch_optional(tx.connection())
        .await?;
    add_to_total(tx, -reserved.unwrap_or(0)).await
}

/// Deletes the rows of a room's files, whose bytes are gone.
pub(crate) async fn delete_rows_of_room(
    tx: &mut WriteTransaction,
    room: RoomId,
) -> Result<(), Error> {
    let sql = "select cast(coalesce(sum(reserved), 0) as bigint) from file where room = $1";
    let reserved: i64 = query_as(sql)
        .bind(key(room))
        .fetch_one(tx.connection())
        .await?;
    query("delete from file where room = $1")
        .bind(key(room))
        .execute(tx.connection())
        .await?;
    add_to_total(tx, -reserved).await
}
