//! A room as a file: the archive, whose integrity can be checked, and a transcript to read.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use chat::{ExportFormat, Person};
use futures_util::stream;
use protocol::RoomId;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::RoomRefused;
use crate::state::AppState;

/// Downloads a room in the format of the archive.
///
/// JSON lines: the room, its messages, and last the number of messages and the SHA-256 of the lines
/// before.
#[utoipa::path(get, path = "/rooms/{id}/archive.jsonl", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The room and its messages",
            body = String, content_type = "application/jsonl"),
        RoomRefused,
    ))]
pub(crate) async fn download_archive(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
) -> Result<Response, Error> {
    download(&state, &by, room, ExportFormat::Archive).await
}

/// Downloads the messages of a room as plain text.
#[utoipa::path(get, path = "/rooms/{id}/transcript.txt", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The messages",
            body = String, content_type = "text/plain; charset=utf-8"),
        RoomRefused,
    ))]
pub(crate) async fn download_transcript(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
) -> Result<Response, Error> {
    download(&state, &by, room, ExportFormat::Transcript).await
}

/// Downloads a room in the format of the archive with its files, as a ZIP file.
///
/// `ROOM.jsonl` has the lines of the archive, and `ROOM/FILE/NAME` the bytes of each file. The entries
/// are not compressed. A file that is deleted meanwhile is left out. The transfer breaks off if the
/// caller loses the access to the room.
#[utoipa::path(get, path = "/rooms/{id}/archive.zip", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The room, its messages and its files",
            body = ZipBytes, content_type = "application/zip"),
        RoomRefused,
    ))]
pub(crate) async fn download_zip(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
) -> Result<Response, Error> {
    let export = state.chat.export_zip(&by, &room).await?;
    let pieces = stream::try_unfold(export, |mut export| async move {
        let piece = export.next().await?;
        Ok::<_, chat::Error>(piece.map(|piece| (piece, export)))
    });
    let headers = download_headers("application/zip", room, "zip");
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// The bytes of a ZIP file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes the body")]
struct ZipBytes(Vec<u8>);

async fn download(
    state: &AppState,
    by: &Person,
    room: RoomId,
    format: ExportFormat,
) -> Result<Response, Error> {
    let headers = match format {
        ExportFormat::Archive => download_headers("application/jsonl", room, "jsonl"),
        ExportFormat::Transcript => download_headers("text/plain; charset=utf-8", room, "txt"),
    };
    let export = state.chat.export_room(by, &room, format).await?;
    // A fault in the middle breaks the transfer off, so that the client does not take a part for
    // the whole.
    let pieces = stream::try_unfold(export, |mut export| async move {
        let piece = export.next().await?;
        Ok::<_, chat::Error>(piece.map(|piece| (piece, export)))
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

fn download_headers(kind: &str, room: RoomId, extension: &str) -> [(HeaderName, String); 3] {
    let disposition = format!("attachment; filename=\"{room}.{extension}\"");
    [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ]
}
