//! What a request brings and no handler reads: a refusal may be clear from its head, and some handlers need no body.
//!
//! Over HTTP/1.1 the next request comes after it, and who sends it may not have come to reading the answer. Promises: what
//! is little and comes soon is taken in, and the connection goes on; otherwise the answer says that the connection is at
//! its end. Leaves to others: what is read (`fields`), and HTTP/2, which resets such a request alone.

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

/// How long it may take to come.
const SOON: Duration = Duration::from_secs(1);

/// What the handler of a connection's request has left, if it has left something.
#[derive(Clone, Default)]
pub(crate) struct Unread(Arc<Mutex<Option<Sent>>>);

impl Unread {
    /// The request, of which this keeps what its handler leaves.
    pub fn watch(&self, request: Request<Incoming>) -> Request<Body> {
        let is_held_back = request.headers().contains_key(header::EXPECT);
        request.map(|body| {
            Body::new(Watched {
                sent: Some(Sent { body, is_held_back }),
                unread: self.clone(),
            })
        })
    }

    /// The answer to that request, when the connection can go on; or the same with the word that it cannot.
    pub async fn settle(&self, mut response: Response) -> Response {
        let Some(sent) = self.lock().take() else {
            return response;
        };
        let is_last = response
            .headers()
            .get(header::CONNECTION)
            .is_some_and(|value| value == "close");
        if !is_last && !timeout(SOON, sent.take_in()).await.unwrap_or(false) {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    // Held to put something there or to take it, never across an await.
    fn lock(&self) -> MutexGuard<'_, Option<Sent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request, as far as it is not read.
struct Sent {
    body: Incoming,
    /// Whether the client waits to be asked for it ([RFC 9110, section 10.1.1](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1)).
    is_held_back: bool,
}

impl Sent {
    /// Takes it in; whether that is all. Nobody is asked for what is not needed.
    async fn take_in(mut self) -> bool {
        let mut room = BODY_MAX;
        if self.is_held_back || self.body.size_hint().lower() > room as u64 {
            return false;
        }
        while let Some(frame) = self.body.frame().await {
            let Ok(frame) = frame else { return false };
            let Some(left) = room.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
                return false;
            };
            room = left;
        }
        true
    }
}

/// A body that gives what is left of it to [`Unread`].
struct Watched {
    /// `None` once it has ended.
    sent: Option<Sent>,
    unread: Unread,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(sent) = &mut self.sent else {
            return Poll::Ready(None);
        };
        sent.is_held_back = false;
        let polled = Pin::new(&mut sent.body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.sent = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.sent
            .as_ref()
            .is_none_or(|sent| sent.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.sent
            .as_ref()
            .map_or(SizeHint::with_exact(0), |sent| sent.body.size_hint())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(sent) = self.sent.take().filter(|sent| !sent.body.is_end_stream()) {
            *self.unread.lock() = Some(sent);
        }
    }
}
