//! What the rows of files say of uploads that can be resumed.

use protocol::{FileId, RoomId, Time};
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::file_rows::{FileState, file_id, file_key, stored_bytes};
use crate::store::files::{NewFileRow, insert_file};
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// An upload as it is stored.
pub(crate) struct UploadRow {
    pub room: RoomId,
    pub person: i64,
    pub name: String,
    pub state: FileState,
    /// How many bytes the client sends.
    pub length: u64,
    pub metadata: String,
    pub changed_at: Time,
}

impl FromRow for UploadRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let (room, length): (i64, i64) = (row.try_get("room")?, row.try_get("upload_length")?);
        Ok(Self {
            room: RoomId::from_bytes(room.to_be_bytes()),
            person: row.try_get("person")?,
            name: row.try_get("name")?,
            state: FileState::from_row(row.try_get("state")?),
            length: length.unsigned_abs(),
            metadata: row.try_get("upload_metadata")?,
            changed_at: Time::from_millis(row.try_get("changed_at")?),
        })
    }
}

/// Inserts a file whose bytes are to come with several requests, all that it counts for the limits.
pub(crate) async fn insert_upload(
    tx: &mut WriteTransaction,
    now: Time,
    new: &NewFileRow<'_>,
    metadata: &str,
) -> Result<(), Error> {
    insert_file(tx, now, new).await?;
    query("update file set upload_length = $2, upload_metadata = $3 where id = $1")
        .bind(file_key(new.id))
        .bind(stored_bytes(new.reserved))
        .bind(metadata)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// How many uploads of a person are not complete.
pub(crate) async fn count_open(from: &mut impl Reader, person: i64) -> Result<i64, Error> {
    let sql = "select count(*) from file
               where state = 0 and state <> 3 and person = $1 and upload_length is not null";
    Ok(query_as(sql)
        .bind(person)
        .fetch_one(from.connection())
        .await?)
}

/// The upload of the file with this ID, if it can be resumed.
pub(crate) async fn find_upload(
    from: &mut impl Reader,
    id: FileId,
) -> Result<Option<UploadRow>, Error> {
    let sql = "select room, person, name, state, upload_length, upload_metadata, changed_at
               from file where id = $1 and upload_length is not null";
    Ok(query_as(sql)
        .bind(file_key(id))
        .fetch_optional(from.connection())
        .await?)
}

/// Notes that bytes of an upload have arrived. Returns whether it takes them.
pub(crate) async fn touch(tx: &mut WriteTransaction, now: Time, id: FileId) -> Result<bool, Error> {
    let sql = "update file set changed_at = $2 where id = $1 and state = 0";
    let changed = query(sql)
        .bind(file_key(id))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(changed > 0)
}

/// Gives a file up whose bytes were arriving, unless its upload can be resumed.
pub(crate) async fn give_up_cut(
    tx: &mut WriteTransaction,
    now: Time,
    id: FileId,
) -> Result<(), Error> {
    let sql = "update file set state = 4, changed_at = $2
               where id = $1 and state = 0 and upload_length is null";
    query(sql)
        .bind(file_key(id))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Those of these files whose pieces are needed.
pub(crate) async fn list_incomplete(store: &Store, ids: &[FileId]) -> Result<Vec<FileId>, Error> {
    let list = ids.iter().map(|id| file_key(*id).to_string());
    let list = list.collect::<Vec<_>>().join(", ");
    let sql = AssertSqlSafe(format!(
        "select id from file where id in ({list}) and state < 2 and upload_length is not null"
    ));
    let found: Vec<i64> = query_as(sql).fetch_all(store.read()).await?;
    Ok(found.into_iter().map(file_id).collect())
}
