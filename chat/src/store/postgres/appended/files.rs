//! The files of messages.

use std::collections::BTreeMap;

use protocol::FileId;
use sqlx::PgConnection;

use crate::store::file_rows::file_key;

/// The place of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttachedFile {
    /// The sequence number of its message.
    pub seq: i64,
    /// Its place among the files of the message.
    pub position: i64,
}

/// Attaches files to their messages, and gives those up that are removed.
pub(super) async fn write_files(
    connection: &mut PgConnection,
    files: BTreeMap<FileId, Option<AttachedFile>>,
    now: i64,
) -> sqlx::Result<()> {
    let sql = "update file
               set state = case when changed.seq is null then 4 else 3 end,
                 message = coalesce(changed.seq, message),
                 position = coalesce(changed.position, file.position), changed_at = $4
               from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as changed (id, seq, position)
               where file.id = changed.id";
    let column = |read: fn(&AttachedFile) -> i64| -> Vec<Option<i64>> {
        let places = files.values();
        places.map(|place| place.as_ref().map(read)).collect()
    };
    sqlx::query(sql)
        .bind(files.keys().map(|id| file_key(*id)).collect::<Vec<_>>())
        .bind(column(|place| place.seq))
        .bind(column(|place| place.position))
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores with messages which files they have.
pub(super) async fn write_message_files(
    connection: &mut PgConnection,
    messages: BTreeMap<i64, Option<String>>,
) -> sqlx::Result<()> {
    let sql = "update message set files = changed.files
               from unnest($1::bigint[], $2::text[]) as changed (key, files)
               where message.key = changed.key";
    let (keys, files): (Vec<i64>, Vec<Option<String>>) = messages.into_iter().unzip();
    sqlx::query(sql)
        .bind(keys)
        .bind(files)
        .execute(connection)
        .await?;
    Ok(())
}
