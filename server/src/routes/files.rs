//! `/rooms/{id}/files/`: sending, downloading and deleting files.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat::FileDownload;
use futures_util::TryStreamExt;
use protocol::{File, Message, text};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::body_pieces::pieces;
use crate::extract::caller::Caller;
use crate::extract::client_address::ClientAddress;
use crate::extract::file_path::FilePath;
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::limit::Action;
use crate::openapi::responses::{
    FilesRefused, NameRefused, RoomRefused, UncheckedRefused, UploadRefused,
};
use crate::respond::byte_range::{self, ByteRange};
use crate::respond::content_disposition::content_disposition;
use crate::respond::negotiated::{self, Format};
use crate::routes::file_form::{self, FileForm, Sender};
use crate::routes::messages::idempotency_key;
use crate::state::AppState;

/// What a browser may do with a file: nothing.
const POLICY: &str = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'";

/// How long a browser keeps a file, whose bytes never change.
const CACHED: &str = "private, max-age=31536000, immutable";

/// The bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes the body")]
pub(super) struct FileBytes(Vec<u8>);

/// What was sent: a file, or a message with its files.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the answer")]
enum Sent {
    /// A file.
    File(File),
    /// A message.
    Message(Message),
}

/// Sends a file, or a message with files.
///
/// With the bytes of a file as the body and `?name=`, the answer is the file, which a message can name
/// in its `files`; it is deleted if none does within a day. A `multipart/form-data` with the fields
/// `file` (up to ten), `username` and `body` sends a message with its files, with an `Idempotency-Key`
/// as for other messages.
#[utoipa::path(post, path = "/rooms/{id}/files/", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("name" = Option<String>, Query,
            description = "The file's name; required unless the body is a form"),
        ("original" = Option<bool>, Query, nullable = false,
            description = "Whether a picture stays as it is, with its metadata; a form has a field for it"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false,
            min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]*[!-~])?$",
            description = "For a form: a text of at most 64 characters, a new one for each message"),
    ),
    request_body(content(
        (FileBytes = "application/octet-stream"),
        (FileForm = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "The file, or the message with its files, durable", body = Sent),
        (status = 303, description = "Back to the room, for a form of a client that prefers pages"),
        NameRefused,
        UploadRefused,
        RoomRefused,
        FilesRefused,
        UncheckedRefused,
    ))]
pub(crate) async fn send_files(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    ClientAddress(address): ClientAddress,
    format: Format,
    query: Query,
    request: Request,
) -> Result<Response, Error> {
    let key = idempotency_key(request.headers())?;
    key.map(text::check_idempotency_key).transpose()?;
    let sender = Sender {
        state: &state,
        by,
        room,
        address,
    };
    if let Some(boundary) = file_form::boundary(request.headers())? {
        return file_form::send_message(&sender, format, boundary, request).await;
    }
    let name = query.required("name")?;
    let is_original = query.flag("original")?;
    let caller = &sender.by;
    state
        .limits
        .check_caller(Action::Messages, caller, Some(room))?;
    let _place = state.uploads.enter(address, caller)?;
    let size = content_length(request.headers());
    let mut upload = state.chat.begin_upload(caller, &room, name, size).await?;
    if is_original {
        upload.keep_original().await?;
    }
    let mut pieces = std::pin::pin!(pieces(request.into_body()));
    while let Some(piece) = pieces.try_next().await? {
        upload.write(&piece).await?;
    }
    let file = upload.finish().await?;
    Ok((StatusCode::CREATED, Json(file)).into_response())
}

/// The length of a body, if the client says it.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

/// Downloads a file.
///
/// `name` may be anything; the file is saved under the name that it has. Pictures, sounds and videos
/// of a few kinds are shown in a page, all other files are saved. One range is answered with `206`,
/// several with everything.
#[utoipa::path(get, path = "/rooms/{id}/files/{file}/{name}", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
        ("name" = String, Path, description = "A name"),
        ("Range" = Option<String>, Header, nullable = false, description = "A part of the bytes"),
        ("If-Range" = Option<String>, Header, nullable = false,
            description = "The entity tag of the bytes that the part belongs to"),
        ("If-None-Match" = Option<String>, Header, nullable = false,
            description = "The entity tags of what the client has"),
    ),
    responses(
        (status = 200, description = "The bytes",
            content(
                (FileBytes = "application/octet-stream"),
                (FileBytes = "image/*"),
                (FileBytes = "audio/*"),
                (FileBytes = "video/*"),
            )),
        (status = 206, description = "A part of the bytes",
            content(
                (FileBytes = "application/octet-stream"),
                (FileBytes = "image/*"),
                (FileBytes = "audio/*"),
                (FileBytes = "video/*"),
            )),
        (status = 304, description = "The client has the bytes"),
        (status = 416, description = "The bytes have no such part"),
        RoomRefused,
    ))]
pub(crate) async fn download_file(
    State(state): State<AppState>,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let download = state.chat.open_file(&by, &room, file).await?;
    send_download(download, &method, &headers).await
}

/// Sends a file or a preview.
pub(super) async fn send_download(
    download: FileDownload,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Error> {
    let etag = format!("\"sha256-{}\"", download.sha256());
    let mut answer = file_headers(&download, &etag);
    if has_already(headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, answer).into_response());
    }
    let size = download.size();
    // A range means something to GET alone (RFC 9110, section 14.2).
    let range = match *method {
        Method::GET => byte_range::of(headers, size, &etag),
        _ => ByteRange::Whole,
    };
    let (status, part) = match range {
        ByteRange::Whole => (StatusCode::OK, 0..size),
        ByteRange::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        ByteRange::Unsatisfiable => {
            insert(
                &mut answer,
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, answer).into_response());
        }
    };
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        insert(&mut answer, header::CONTENT_RANGE, &range);
    }
    let length = part.end - part.start;
    insert(&mut answer, header::CONTENT_LENGTH, &length.to_string());
    let body = match *method {
        Method::HEAD => Body::empty(),
        // A fault in the middle breaks the transfer off.
        _ => Body::from_stream(download.read(part).await?),
    };
    Ok((status, answer, body).into_response())
}

/// The headers of every answer with a file.
fn file_headers(download: &FileDownload, etag: &str) -> HeaderMap {
    let kind = match download.is_inline() {
        true => download.kind(),
        false => "application/octet-stream",
    };
    let disposition = content_disposition(download.is_inline(), download.name());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, &disposition),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, CACHED),
        (header::ETAG, etag),
        (header::ACCEPT_RANGES, "bytes"),
    ] {
        insert(&mut headers, name, value);
    }
    headers
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Whether the client has the bytes already.
fn has_already(headers: &HeaderMap, etag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

/// Deletes a file; its sender and moderators can.
///
/// The message that has it says so: followers receive the event `change` of the kind `edit`, with the
/// message without the file, or of the kind `deletion` if the message says nothing without it.
#[utoipa::path(delete, path = "/rooms/{id}/files/{file}", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
    ),
    responses(
        (status = 204, description = "The file is deleted"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn delete_file(
    State(state): State<AppState>,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
) -> Result<Response, Error> {
    state
        .limits
        .check_caller(Action::Messages, &by, Some(room))?;
    state.chat.delete_file(&by, &room, file).await?;
    Ok(negotiated::no_content())
}

/// What this server limits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerLimits {
    /// The limits of files; `null` if this server takes none.
    files: Option<FileLimits>,
}

/// How large files may be, in bytes.
#[derive(Debug, Serialize, ToSchema)]
struct FileLimits {
    /// One file.
    file: u64,
    /// The files of one room together.
    room: u64,
    /// The files of all rooms together.
    server: u64,
    /// How many files a message may have.
    per_message: usize,
}

/// Says what this server limits.
#[utoipa::path(get, path = "/limits/", tag = "files",
    responses((status = 200, description = "The limits", body = ServerLimits)))]
pub(crate) async fn show_limits(State(state): State<AppState>) -> Response {
    let limits = state.chat.file_limits().map(|limits| FileLimits {
        file: limits.file,
        room: limits.room,
        server: limits.server,
        per_message: protocol::FILES_MAX,
    });
    negotiated::json(ServerLimits { files: limits })
}
