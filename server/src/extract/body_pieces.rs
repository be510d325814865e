//! The body of a request, piece by piece, however long.
//!
//! # Guarantees
//! - A client that sends nothing for [`IDLE`] is given up.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http_body_util::BodyExt;
use protocol::Refusal;
use tokio::time::timeout;

/// How long the next piece of a body may take to arrive.
const IDLE: Duration = Duration::from_secs(30);

/// The pieces of a body.
///
/// # Errors
/// [`Refusal::RequestTimeout`] or [`Refusal::Malformed`] instead of a piece; nothing follows it.
pub(crate) fn pieces(body: Body) -> impl Stream<Item = Result<Bytes, Refusal>> + Send + 'static {
    stream::try_unfold(body, |mut body| async move {
        loop {
            let frame = timeout(IDLE, body.frame()).await;
            match frame.map_err(|_| Refusal::RequestTimeout)? {
                None => return Ok(None),
                Some(Err(_)) => {
                    return Err(Refusal::Malformed("The body broke off.".to_owned()));
                }
                Some(Ok(frame)) => {
                    // Trailers say nothing.
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some((piece, body)));
                    }
                }
            }
        }
    })
}
