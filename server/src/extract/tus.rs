//! The headers of the tus protocol ([tus 1.0.0](https://tus.io/protocols/resumable-upload)).
//!
//! # Guarantees
//! - A header that is not exactly as the protocol says is refused, and the refusal names it.

use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chat::{Checksum, UploadPart};
use protocol::Refusal;

use crate::error::Error;

/// The version of the protocol.
pub(crate) const VERSION: &str = "1.0.0";

/// The media type of the bytes of an upload.
pub(crate) const BYTES: &str = "application/offset+octet-stream";

pub(crate) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(crate) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(crate) const LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(crate) const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const CONCAT: HeaderName = HeaderName::from_static("upload-concat");

/// The longest description of a file, in bytes.
const METADATA_MAX: usize = 4_096;

/// A request that speaks the protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TusRequest;

impl<S: Sync> FromRequestParts<S> for TusRequest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let version = parts.headers.get(RESUMABLE);
        if version.is_some_and(|version| version == VERSION) {
            Ok(Self)
        } else {
            Err(Refusal::UploadVersion.into())
        }
    }
}

/// An upload as a client begins it.
#[derive(Debug)]
pub(crate) struct TusCreation {
    /// How many bytes the file has.
    pub length: u64,
    /// The description, as the client sent it.
    pub metadata: String,
    /// The name in the description; empty without one.
    pub name: String,
}

impl TusCreation {
    /// The upload that these headers begin.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        for (name, what) in [
            (DEFER_LENGTH, "a length that is said later"),
            (CONCAT, "uploads of several parts at once"),
        ] {
            if headers.contains_key(&name) {
                let text = format!("This server does not support {what} ({name}).");
                return Err(Refusal::Malformed(text));
            }
        }
        let metadata = match text(headers, &METADATA)? {
            Some(metadata) if metadata.len() > METADATA_MAX => {
                return Err(malformed(&METADATA, "is longer than 4096 bytes"));
            }
            metadata => metadata.unwrap_or_default(),
        };
        Ok(Self {
            length: required_number(headers, &LENGTH)?,
            metadata: metadata.to_owned(),
            name: filename(metadata)?,
        })
    }
}

/// The bytes that follow these headers of a `PATCH`.
///
/// # Errors
/// [`Refusal::UploadMediaType`] or [`Refusal::Malformed`].
pub(crate) fn part_of(headers: &HeaderMap) -> Result<UploadPart, Refusal> {
    require_bytes(headers)?;
    Ok(UploadPart {
        offset: required_number(headers, &OFFSET)?,
        ..first_part_of(headers)?
    })
}

/// The first bytes of an upload, which follow these headers of a `POST`; `None` without any.
///
/// # Errors
/// [`Refusal::UploadMediaType`] or [`Refusal::Malformed`].
pub(crate) fn first_bytes_of(
    headers: &HeaderMap,
    is_empty: bool,
) -> Result<Option<UploadPart>, Refusal> {
    if is_empty {
        return Ok(None);
    }
    require_bytes(headers)?;
    first_part_of(headers).map(Some)
}

fn first_part_of(headers: &HeaderMap) -> Result<UploadPart, Refusal> {
    Ok(UploadPart {
        offset: 0,
        size: number(headers, &CONTENT_LENGTH)?,
        checksum: checksum(headers)?,
    })
}

fn require_bytes(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(CONTENT_TYPE);
    let is_bytes = kind.is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(BYTES.as_bytes()));
    is_bytes.then_some(()).ok_or(Refusal::UploadMediaType)
}

fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Refusal> {
    let Some(value) = text(headers, &CHECKSUM)? else {
        return Ok(None);
    };
    let (algorithm, digest) = value.split_once(' ').unwrap_or((value, ""));
    let digest = STANDARD.decode(digest).ok();
    let checksum = digest.and_then(|digest| Checksum::new(algorithm, &digest));
    let known = Checksum::ALGORITHMS.join(" or ");
    checksum
        .map(Some)
        .ok_or_else(|| malformed(&CHECKSUM, &format!("is no checksum by {known} in Base64")))
}

/// The name of the file in a description: pairs of a key and a value in Base64, with commas.
fn filename(metadata: &str) -> Result<String, Refusal> {
    let mut keys = Vec::new();
    let mut name = String::new();
    if metadata.trim().is_empty() {
        return Ok(name);
    }
    for pair in metadata.split(',') {
        let pair = pair.trim();
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let is_new = !key.is_empty() && !keys.contains(&key);
        let value = STANDARD.decode(value).ok().filter(|_| is_new);
        let value = value.ok_or_else(|| {
            malformed(&METADATA, "has a key twice, or a value that is not Base64")
        })?;
        if key == "filename" {
            name = String::from_utf8(value)
                .map_err(|_| malformed(&METADATA, "has a filename that is not UTF-8"))?;
        }
        keys.push(key);
    }
    Ok(name)
}

fn required_number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Refusal> {
    number(headers, name)?.ok_or_else(|| malformed(name, "is missing"))
}

/// A header that is a number of bytes, if it is there.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Refusal> {
    let Some(value) = text(headers, name)? else {
        return Ok(None);
    };
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| digits);
    number
        .map(Some)
        .ok_or_else(|| malformed(name, "is not a number of bytes"))
}

/// The text of a header, if it is there, and there once.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let value = value.to_str().ok().filter(|_| values.next().is_none());
    value
        .map(Some)
        .ok_or_else(|| malformed(name, "is there twice, or is not ASCII"))
}

fn malformed(name: &HeaderName, fault: &str) -> Refusal {
    Refusal::Malformed(format!("The header {name} {fault}."))
}
