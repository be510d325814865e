//! Request bodies that no handler has read: a refusal may follow from the head, and some handlers
//! need no body.
//!
//! Over HTTP/1.1 the next request follows the body, and some clients read the response only after
//! they have sent the body.
//!
//! # Guarantees
//! A short rest of a body that arrives soon is read and discarded, and the connection stays open.
//! Otherwise the response announces the end of the connection (`connection: close`).
//!
//! # Not here
//! The bodies that handlers read (`extract::payload`), and HTTP/2, which resets only the request.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::timeout;

use crate::extract::payload::BODY_MAX;

/// How long the rest of a body may take to arrive.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The part of the current request's body that its handler has left unread. Each clone is a handle
/// to the same part.
#[derive(Clone, Default)]
pub(crate) struct UnreadBody(Arc<Mutex<Option<BodyRest>>>);

impl UnreadBody {
    /// The request with a body that comes back here when the handler drops it before its end.
    pub fn watch(&self, request: Request<Incoming>) -> Request<Body> {
        let expects_continue = request.headers().contains_key(header::EXPECT);
        request.map(|body| {
            Body::new(WatchedBody {
                rest: Some(BodyRest {
                    body,
                    expects_continue,
                }),
                unread: self.clone(),
            })
        })
    }

    /// The response to that request, once the rest of the body is discarded; with `connection:
    /// close` if the connection cannot be used again.
    pub async fn settle(&self, mut response: Response) -> Response {
        let Some(rest) = self.lock().take() else {
            return response;
        };
        let is_closing = response
            .headers()
            .get(header::CONNECTION)
            .is_some_and(|value| value == "close");
        if !is_closing && !timeout(DRAIN_TIMEOUT, rest.drain()).await.unwrap_or(false) {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    // Held to set or take the value, never across an await.
    fn lock(&self) -> MutexGuard<'_, Option<BodyRest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a body that has not been read.
struct BodyRest {
    body: Incoming,
    /// Whether the client sends the body only after `100 Continue`, which was not sent yet
    /// ([RFC 9110, section 10.1.1](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1)).
    expects_continue: bool,
}

impl BodyRest {
    /// Reads and discards the rest. Returns whether that was all; a body that the client holds back
    /// is not requested.
    async fn drain(mut self) -> bool {
        let mut allowed = BODY_MAX;
        if self.expects_continue || self.body.size_hint().lower() > allowed as u64 {
            return false;
        }
        while let Some(frame) = self.body.frame().await {
            let Ok(frame) = frame else { return false };
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(left) = allowed.checked_sub(size) else {
                return false;
            };
            allowed = left;
        }
        true
    }
}

/// A body that gives its unread rest to an [`UnreadBody`] when it is dropped.
struct WatchedBody {
    /// `None` after the end.
    rest: Option<BodyRest>,
    unread: UnreadBody,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        // The first poll makes hyper send `100 Continue`.
        rest.expects_continue = false;
        let polled = Pin::new(&mut rest.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.rest = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest
            .as_ref()
            .is_none_or(|rest| rest.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.rest
            .as_ref()
            .map_or(SizeHint::with_exact(0), |rest| rest.body.size_hint())
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if let Some(rest) = self.rest.take().filter(|rest| !rest.body.is_end_stream()) {
            *self.unread.lock() = Some(rest);
        }
    }
}
