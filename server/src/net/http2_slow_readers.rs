//! Detects slow readers and idle clients of one HTTP/2 connection.
//!
//! HTTP/1.1 has one response on a connection at a time, so a write timeout of the socket is enough.
//! Over HTTP/2 a client may read one response and not another.
//!
//! # Guarantees
//! A response that its client does not read is reset, and the others continue. A connection without
//! requests is detected as idle.
//!
//! # Not here
//! The end of an idle connection (`tls_connection`).

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use crate::net::timeouts::{HEAD_TIMEOUT, READ_TIMEOUT};

tokio::task_local! {
    /// The reader of the response that this task produces.
    static READER: Reader;
}

/// The running requests of one connection, each a task.
#[derive(Clone, Default)]
pub(crate) struct Requests {
    open: TaskTracker,
    /// How many requests the connection has had.
    count: Arc<AtomicUsize>,
}

impl Requests {
    /// Whether the connection has had no request yet.
    pub fn are_none_yet(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Returns when the connection has had no request for [`HEAD_TIMEOUT`]; checked so seldom that
    /// it may take twice as long.
    pub async fn wait_until_idle(&self) {
        let mut previous = None;
        loop {
            let count = Some(self.count.load(Ordering::Relaxed));
            if previous == count && self.open.is_empty() {
                return;
            }
            previous = count;
            sleep(HEAD_TIMEOUT).await;
        }
    }
}

impl<F> Executor<F> for Requests
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let reader = Reader::default();
        let request = READER.scope(reader.clone(), request);
        self.open.spawn(async move {
            tokio::select! {
                biased;
                _ = request => {}
                // The HTTP/2 stream is dropped with the request, and thereby reset.
                () = reader.wait_until_stalled() => tracing::debug!("a response was not read"),
            }
        });
    }
}

/// The reader of one response: since when a piece of the body waits for it, if one does.
#[derive(Clone, Default)]
struct Reader(Arc<Mutex<Option<Instant>>>);

impl Reader {
    fn waiting_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a piece has waited for longer than [`READ_TIMEOUT`].
    async fn wait_until_stalled(&self) {
        while self
            .waiting_since()
            .is_none_or(|since| since.elapsed() < READ_TIMEOUT)
        {
            sleep(READ_TIMEOUT).await;
        }
    }
}

/// The body of an HTTP/2 response, which records whether its reader takes the pieces: hyper polls
/// the body again only when it has passed on the previous piece.
pub(crate) fn watch_reader(body: Body) -> Body {
    match READER.try_get() {
        Ok(reader) => Body::new(WatchedBody { body, reader }),
        Err(_) => body,
    }
}

struct WatchedBody {
    body: Body,
    reader: Reader,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let has_piece = matches!(polled, Poll::Ready(Some(_)));
        *self.reader.waiting_since() = has_piece.then(Instant::now);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reader_is_stalled_only_while_a_piece_waits_for_it() {
        let source = stream::iter([Ok::<_, Infallible>("there")]).chain(stream::pending());
        let reader = Reader::default();
        let mut body =
            READER.sync_scope(reader.clone(), || watch_reader(Body::from_stream(source)));
        body.frame().await.unwrap().unwrap();
        assert!(
            timeout(READ_TIMEOUT * 2, reader.wait_until_stalled())
                .await
                .is_ok(),
            "a piece waits for the reader"
        );
        assert!(timeout(Duration::ZERO, body.frame()).await.is_err());
        assert!(
            timeout(READ_TIMEOUT * 10, reader.wait_until_stalled())
                .await
                .is_err(),
            "no piece waits for the reader"
        );
    }
}
