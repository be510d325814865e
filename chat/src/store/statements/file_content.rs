//! What the rows of files say of their content: that it is published, its preview, its details.

use protocol::{FileId, Time};

use crate::Error;
use crate::store::WriteTransaction;
use crate::store::file_details::FileDetails;
use crate::store::file_rows::{FileState, StoredFile, file_key, stored_bytes};
use crate::store::sql::{query, query_as};
use crate::store::statements::files::add_to_total;

/// Stores what is known of a file beside its bytes.
pub(crate) async fn set_details(
    tx: &mut WriteTransaction,
    id: FileId,
    details: &FileDetails,
) -> Result<(), Error> {
    query("update file set details = $2 where id = $1")
        .bind(file_key(id))
        .bind(details.encode())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Notes that a received file, and its preview, are durable in the file store. It counts the size of
/// both from now on. Returns whether the file was received.
pub(crate) async fn publish(
    tx: &mut WriteTransaction,
    now: Time,
    file: &StoredFile,
) -> Result<bool, Error> {
    change_content(tx, now, FileState::Received, file).await
}

/// Notes that the preview of a ready file is durable in the file store. Returns whether the file was
/// ready.
pub(crate) async fn add_preview(
    tx: &mut WriteTransaction,
    now: Time,
    file: &StoredFile,
) -> Result<bool, Error> {
    change_content(tx, now, FileState::Ready, file).await
}

/// Stores the content of a file in a state, which is ready then. Returns whether it was in that state.
async fn change_content(
    tx: &mut WriteTransaction,
    now: Time,
    state: FileState,
    file: &StoredFile,
) -> Result<bool, Error> {
    let sql = "select reserved from file where id = $1 and state = $2";
    let before: Option<i64> = query_as(sql)
        .bind(file_key(file.id))
        .bind(state as i64)
        .fetch_optional(tx.connection())
        .await?;
    let Some(before) = before else {
        return Ok(false);
    };
    let reserved = stored_bytes(file.size.saturating_add(file.details.extra_size()));
    let sql = "update file set state = 2, type = $2, size = $3, reserved = $4, sha256 = $5,
                 details = $6, changed_at = $7 where id = $1";
    query(sql)
        .bind(file_key(file.id))
        .bind(file.kind.as_str())
        .bind(stored_bytes(file.size))
        .bind(reserved)
        .bind(file.sha256.as_str())
        .bind(file.details.encode())
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    add_to_total(tx, reserved - before).await?;
    Ok(true)
}
