//! Reads the body of a request.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use protocol::Refusal;
use serde_json::{Map, Value};

use crate::extract::payload::fields::{decode_form, decode_json};

/// The largest body that is read: the longest message with every character escaped takes 48,000
/// bytes.
pub(crate) const BODY_MAX: usize = 64 * 1024;

/// How much of a body that is too large is read and discarded, so that the client receives the
/// answer instead of a broken connection.
const DISCARDED_MAX: usize = 64 * 1024 * 1024;

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// What some programs write at the beginning of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The type of a body.
enum ContentType {
    Json,
    Form,
    Other,
    None,
}

/// Reads the fields of a request's body.
///
/// # Errors
/// [`Refusal::RequestTimeout`], [`Refusal::ContentTooLarge`], [`Refusal::UnsupportedMediaType`],
/// [`Refusal::JsonSentAsForm`], or [`Refusal::Malformed`].
pub(super) async fn read_fields(request: Request) -> Result<Map<String, Value>, Refusal> {
    let content_type = content_type(request.headers());
    let bytes = tokio::time::timeout(BODY_TIMEOUT, collect(request.into_body()));
    let bytes = bytes.await.map_err(|_| Refusal::RequestTimeout)??;
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    match content_type {
        // Some clients name a type for an empty body.
        _ if bytes.is_empty() => Ok(Map::new()),
        ContentType::Json => decode_json(bytes),
        ContentType::Form => match std::str::from_utf8(bytes) {
            Ok(text) if text.trim_start().starts_with(['{', '[']) => Err(Refusal::JsonSentAsForm),
            Ok(text) => decode_form(text),
            Err(_) => Err(Refusal::Malformed("The fields are not UTF-8.".to_owned())),
        },
        ContentType::None | ContentType::Other => Err(Refusal::UnsupportedMediaType),
    }
}

fn content_type(headers: &HeaderMap) -> ContentType {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return ContentType::None;
    };
    let value = value.to_str().unwrap_or_default();
    let name = value.split(';').next().unwrap_or_default().trim();
    match name.to_ascii_lowercase().as_str() {
        "application/json" => ContentType::Json,
        "application/x-www-form-urlencoded" => ContentType::Form,
        name if name.starts_with("application/") && name.ends_with("+json") => ContentType::Json,
        _ => ContentType::Other,
    }
}

async fn collect(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::Malformed("The body broke off.".to_owned()))?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        size += data.len();
        if size > DISCARDED_MAX {
            break;
        }
        if size <= BODY_MAX {
            bytes.extend_from_slice(data);
        }
    }
    if size > BODY_MAX {
        Err(Refusal::ContentTooLarge(BODY_MAX))
    } else {
        Ok(bytes)
    }
}
