//! `/rooms/{id}/files/{file}/preview`: the small picture of a file.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use futures_util::TryStreamExt;
use protocol::{File, Refusal};

use crate::error::Error;
use crate::extract::body_pieces::pieces;
use crate::extract::caller::Caller;
use crate::extract::file_path::FilePath;
use crate::limit::Action;
use crate::openapi::responses::{FilesRefused, RoomRefused, UploadRefused};
use crate::routes::files::{FileBytes, send_download};
use crate::state::AppState;

/// Downloads the preview of a file.
///
/// It is a JPEG or WebP of at most 100 kB without metadata, and comes with the headers of files.
#[utoipa::path(get, path = "/rooms/{id}/files/{file}/preview", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
        ("Range" = Option<String>, Header, nullable = false, description = "A part of the bytes"),
        ("If-Range" = Option<String>, Header, nullable = false,
            description = "The entity tag of the bytes that the part belongs to"),
        ("If-None-Match" = Option<String>, Header, nullable = false,
            description = "The entity tags of what the client has"),
    ),
    responses(
        (status = 200, description = "The picture",
            content((FileBytes = "image/jpeg"), (FileBytes = "image/webp"))),
        (status = 206, description = "A part of the picture",
            content((FileBytes = "image/jpeg"), (FileBytes = "image/webp"))),
        (status = 304, description = "The client has the picture"),
        (status = 416, description = "The picture has no such part"),
        RoomRefused,
    ))]
pub(crate) async fn download_preview(
    State(state): State<AppState>,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let download = state.chat.open_preview(&by, &room, file).await?;
    send_download(download, &method, &headers).await
}

/// Sends a preview of a file.
///
/// The sender of a file can send one while the file is in no message and its `preview` is `null`: for
/// what the server does not draw. The body is a JPEG or WebP of at most 100 kB; its metadata is
/// removed.
#[utoipa::path(put, path = "/rooms/{id}/files/{file}/preview", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
    ),
    request_body(content((FileBytes = "image/jpeg"), (FileBytes = "image/webp"))),
    responses(
        (status = 200, description = "The file with its preview, durable", body = File),
        UploadRefused,
        RoomRefused,
        FilesRefused,
    ))]
pub(crate) async fn send_preview(
    State(state): State<AppState>,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
    request: Request,
) -> Result<Json<File>, Error> {
    state
        .limits
        .check_caller(Action::Messages, &by, Some(room))?;
    let mut bytes = Vec::new();
    let mut pieces = std::pin::pin!(pieces(request.into_body()));
    while let Some(piece) = pieces.try_next().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > chat::PREVIEW_MAX {
            return Err(Refusal::ContentTooLarge(chat::PREVIEW_MAX).into());
        }
    }
    Ok(Json(
        state.chat.add_preview(&by, &room, file, &bytes).await?,
    ))
}
