//! `/rooms/{id}/uploads/`: files that arrive with several requests, by the tus protocol ([tus
//! 1.0.0](https://tus.io/protocols/resumable-upload)).

use std::time::{Duration, SystemTime};

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chat::{Checksum, NewUpload, UploadTurn};
use futures_util::{Stream, StreamExt};
use protocol::Refusal;
use texts::refusal;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::body_pieces::pieces;
use crate::extract::caller::Caller;
use crate::extract::client_address::ClientAddress;
use crate::extract::file_path::FilePath;
use crate::extract::room_path::RoomPath;
use crate::extract::tus::{self, TusCreation, TusRequest};
use crate::limit::Action;
use crate::limit::upload_places::UploadPlace;
use crate::openapi::responses::{
    FilesRefused, RoomRefused, UploadBytesRefused, UploadChanged, UploadVersionRefused,
};
use crate::respond::negotiated;
use crate::state::AppState;

const EXTENSIONS: &str = "creation,creation-with-upload,expiration,termination,checksum";

const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// The bytes of a part of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes the body")]
struct PartBytes(Vec<u8>);

/// Says which parts of the tus protocol the server speaks.
#[utoipa::path(options, path = "/rooms/{id}/uploads/", tag = "files",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 204, description = "The versions, extensions and limits", headers(
            ("Tus-Version" = String, description = "The versions of the protocol"),
            ("Tus-Extension" = String, description = "Its extensions"),
            ("Tus-Max-Size" = u64, description = "The most bytes of a file"),
            ("Tus-Checksum-Algorithm" = String, description = "The algorithms of `Upload-Checksum`"),
        )),
        (status = 403, description = "The server takes no files"),
        (status = 404, description = "The ID is no room's"),
    ))]
pub(crate) async fn describe_uploads(
    State(state): State<AppState>,
    _: RoomPath,
) -> Result<Response, Error> {
    let limits = state.chat.file_limits();
    let limits = limits.ok_or(Refusal::Forbidden(refusal::NO_FILES_HERE))?;
    let headers = [
        (TUS_VERSION, HeaderValue::from_static(tus::VERSION)),
        (TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS)),
        (TUS_MAX_SIZE, limits.file.into()),
        (
            TUS_CHECKSUM_ALGORITHM,
            header(&Checksum::ALGORITHMS.join(",")),
        ),
    ];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}

/// Begins an upload.
///
/// `Upload-Metadata` may have a `filename`; other keys are kept and returned. A body of the type
/// `application/offset+octet-stream` has the first bytes. The last part of the upload's URL is the ID of
/// the file, which a message can name in its `files` as soon as all bytes have arrived.
#[utoipa::path(post, path = "/rooms/{id}/uploads/", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "`1.0.0`"),
        ("Upload-Length" = u64, Header, description = "How many bytes the file has"),
        ("Upload-Metadata" = Option<String>, Header, nullable = false,
            max_length = 4096, pattern = "^[A-Za-z]+ [A-Za-z0-9+/]{4}(,[A-Za-z]+)?$",
            description = "Pairs of a key and a value in Base64, with commas; at most 4096 bytes"),
        ("Upload-Checksum" = Option<String>, Header, nullable = false,
            pattern = "^(sha1 [A-Za-z0-9+/]{27}=|sha256 [A-Za-z0-9+/]{43}=)$",
            description = "`sha1` or `sha256`, a space, and the digest of the body in Base64"),
    ),
    request_body(content((PartBytes = "application/offset+octet-stream")), description = "The first bytes"),
    responses(
        (status = 201, description = "The upload has begun", headers(
            ("Location" = String, description = "The upload's URL"),
            ("Upload-Offset" = u64, description = "How many bytes have arrived"),
            ("Upload-Expires" = String,
                description = "When the upload is deleted if no byte arrives; not if it is complete"),
        )),
        UploadBytesRefused,
        UploadVersionRefused,
        RoomRefused,
        FilesRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create_upload(
    State(state): State<AppState>,
    _: TusRequest,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Error> {
    let headers = request.headers();
    let creation = TusCreation::of(headers)?;
    let first = tus::first_bytes_of(headers, request.body().is_end_stream())?;
    let limits = &state.limits;
    limits.check_caller(Action::Messages, &by, Some(room))?;
    let place = state.uploads.enter(address, &by)?;
    let new = NewUpload {
        name: creation.name,
        length: creation.length,
        metadata: creation.metadata,
    };
    let first = first.map(|part| (part, body_in_place(request, place)));
    let upload = state.chat.create_upload(&by, &room, new, first).await?;
    let location = header(&format!("/rooms/{room}/uploads/{}", upload.id()));
    let mut headers = progress_of(&upload);
    headers.insert(LOCATION, location);
    Ok((StatusCode::CREATED, headers).into_response())
}

/// Says how far an upload is.
///
/// An older request that still sends bytes to the upload ends.
#[utoipa::path(head, path = "/rooms/{id}/uploads/{file}", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "`1.0.0`"),
    ),
    responses(
        (status = 200, description = "How far the upload is", headers(
            ("Upload-Offset" = u64, description = "How many bytes have arrived"),
            ("Upload-Length" = u64, description = "How many bytes the file has"),
            ("Upload-Metadata" = String, description = "As the client sent it"),
            ("Upload-Expires" = String,
                description = "When the upload is deleted if no byte arrives; not if it is complete"),
        )),
        UploadVersionRefused,
        RoomRefused,
        FilesRefused,
    ))]
pub(crate) async fn show_upload(
    State(state): State<AppState>,
    _: TusRequest,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
) -> Result<Response, Error> {
    let upload = state.chat.take_upload(&by, &room, file, None).await?;
    let upload = upload.recover().await?;
    let mut headers = progress_of(&upload);
    headers.insert(tus::LENGTH, upload.length().into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !upload.metadata().is_empty() {
        headers.insert(tus::METADATA, header(upload.metadata()));
    }
    Ok(headers.into_response())
}

/// Adds bytes to an upload.
///
/// What arrived before the connection was cut is kept, unless the request has a checksum. Of two requests
/// at once one goes on. With the last byte the file is complete.
#[utoipa::path(patch, path = "/rooms/{id}/uploads/{file}", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "`1.0.0`"),
        ("Upload-Offset" = u64, Header, description = "How many bytes have arrived before"),
        ("Upload-Checksum" = Option<String>, Header, nullable = false,
            pattern = "^(sha1 [A-Za-z0-9+/]{27}=|sha256 [A-Za-z0-9+/]{43}=)$",
            description = "`sha1` or `sha256`, a space, and the digest of the body in Base64"),
    ),
    request_body(content((PartBytes = "application/offset+octet-stream"))),
    responses(
        (status = 204, description = "The bytes have arrived", headers(
            ("Upload-Offset" = u64, description = "How many bytes have arrived"),
            ("Upload-Expires" = String,
                description = "When the upload is deleted if no byte arrives; not if it is complete"),
        )),
        UploadChanged,
        UploadBytesRefused,
        UploadVersionRefused,
        RoomRefused,
        FilesRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn continue_upload(
    State(state): State<AppState>,
    _: TusRequest,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Error> {
    let part = tus::part_of(request.headers())?;
    let limits = &state.limits;
    limits.check_caller(Action::Messages, &by, Some(room))?;
    let upload = state
        .chat
        .take_upload(&by, &room, file, Some(part.offset))
        .await?;
    // Here, because the older request to this upload has left its place.
    let place = state.uploads.enter(address, &by)?;
    let upload = upload.receive(part, body_in_place(request, place)).await?;
    Ok((StatusCode::NO_CONTENT, progress_of(&upload)).into_response())
}

/// Deletes an upload, and its file if that is in no message.
#[utoipa::path(delete, path = "/rooms/{id}/uploads/{file}", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("file" = String, Path, description = "The file's ID", pattern = "^[0-9a-f]{16}$"),
        ("Tus-Resumable" = String, Header, pattern = r"^1\.0\.0$", description = "`1.0.0`"),
    ),
    responses(
        (status = 204, description = "The upload is deleted"),
        UploadVersionRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn delete_upload(
    State(state): State<AppState>,
    _: TusRequest,
    Caller(by): Caller,
    FilePath { room, file }: FilePath,
) -> Result<Response, Error> {
    let limits = &state.limits;
    limits.check_caller(Action::Messages, &by, Some(room))?;
    let upload = state.chat.take_upload(&by, &room, file, None).await?;
    upload.terminate().await?;
    Ok(negotiated::no_content())
}

/// Adds the version of the protocol to an answer.
pub(crate) async fn name_version(mut answer: Response) -> Response {
    let version = HeaderValue::from_static(tus::VERSION);
    answer.headers_mut().insert(tus::RESUMABLE, version);
    answer
}

/// The bytes of a request, which takes a place among the uploads until they end.
fn body_in_place(
    request: Request,
    place: UploadPlace,
) -> impl Stream<Item = Result<Bytes, Refusal>> + Send + 'static {
    let body: Body = request.into_body();
    pieces(body).inspect(move |_| {
        let _held = &place;
    })
}

/// How far an upload is, and how long it is kept.
fn progress_of(upload: &UploadTurn) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(tus::OFFSET, upload.offset().into());
    if let Some(at) = upload.expires_at() {
        let millis = u64::try_from(at.millis()).unwrap_or_default();
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        headers.insert(EXPIRES, header(&httpdate::fmt_http_date(at)));
    }
    headers
}

/// A value that is printable ASCII, as all values here are.
fn header(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
}
