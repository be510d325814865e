//! Messages as a JSON array, however long.

use axum::Extension;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chat::MessagesReader;
use futures_util::{StreamExt, stream};
use protocol::Message;

use crate::error::Error;
use crate::respond::negotiated::{self, Uncompressed};

/// A page of history as a JSON array. A page that is too long for one piece is written while it is
/// read from the store, so the memory is one piece, however slowly the client reads.
pub(crate) async fn messages(mut messages: MessagesReader) -> Result<Response, Error> {
    let first = messages.next().await?;
    if messages.is_at_end() {
        return Ok(negotiated::json(first));
    }
    let start = encode_piece("[", &first)?;
    let pieces = stream::try_unfold(Some(messages), |messages| async move {
        let Some(mut messages) = messages else {
            return Ok(None);
        };
        let piece = encode_piece(",", &messages.next().await?)?;
        Ok::<_, chat::Error>(match messages.is_at_end() {
            true => Some(([&piece[..], b"]"].concat(), None)),
            false => Some((piece, Some(messages))),
        })
    });
    // A fault in the middle breaks the transfer off.
    let pieces = stream::iter([Ok(start)]).chain(pieces);
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::VARY, "Accept"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Extension(Uncompressed), Body::from_stream(pieces)).into_response())
}

/// Messages as a part of a JSON array: the elements, and `before` in front of the first one.
fn encode_piece(before: &str, messages: &[Message]) -> Result<Vec<u8>, chat::Error> {
    let mut piece = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let separator = if index == 0 { before } else { "," };
        piece.extend_from_slice(separator.as_bytes());
        serde_json::to_writer(&mut piece, message).map_err(chat::Error::fault)?;
    }
    Ok(piece)
}
