//! The requests of one HTTP/2 connection: which of them get on.
//!
//! HTTP/1.1 has one request on a connection, so a socket that does not take what is written says all. Over HTTP/2 a
//! client may read one answer and leave another. Promises: an answer that its client does not read is reset, and the
//! others go on; a connection without requests is known to rest. Leaves to others: what follows from that (`secured`).

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
    /// The reader of the request that this task is about.
    static READER: Reader;
}

/// The requests under way on one connection, each a task.
#[derive(Clone, Default)]
pub(crate) struct Requests {
    open: TaskTracker,
    begun: Arc<AtomicUsize>,
}

impl Requests {
    /// Whether nothing has been asked for on this connection.
    pub fn are_none_yet(&self) -> bool {
        self.begun.load(Ordering::Relaxed) == 0
    }

    /// Returns when there has been no request for as long as a client may stay silent, or for twice that at most.
    pub async fn rest(&self) {
        let mut before = None;
        loop {
            let begun = Some(self.begun.load(Ordering::Relaxed));
            if before == begun && self.open.is_empty() {
                return;
            }
            before = begun;
            sleep(HEAD_TIMEOUT).await;
        }
    }
}

impl<F> Executor<F> for Requests
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let reader = Reader::default();
        let request = READER.scope(reader.clone(), request);
        self.open.spawn(async move {
            tokio::select! {
                biased;
                _ = request => {}
                // With the request its stream is dropped, and so reset.
                () = reader.left() => tracing::debug!("an answer was not read"),
            }
        });
    }
}

/// Who reads one answer; holds since when it has not taken what is there.
#[derive(Clone, Default)]
struct Reader(Arc<Mutex<Option<Instant>>>);

impl Reader {
    fn waited_for(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when something has been there for too long.
    async fn left(&self) {
        while self
            .waited_for()
            .is_none_or(|since| since.elapsed() < READ_TIMEOUT)
        {
            sleep(READ_TIMEOUT).await;
        }
    }
}

/// The body of an answer over HTTP/2. It is asked for more when what it gave last has found its place.
pub(crate) fn paced(body: Body) -> Body {
    match READER.try_get() {
        Ok(reader) => Body::new(Paced { body, reader }),
        Err(_) => body,
    }
}

struct Paced {
    body: Body,
    reader: Reader,
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let is_given = matches!(polled, Poll::Ready(Some(_)));
        *self.reader.waited_for() = is_given.then(Instant::now);
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
    async fn only_who_does_not_take_what_is_there_is_given_up() {
        let source = stream::iter([Ok::<_, Infallible>("there")]).chain(stream::pending());
        let reader = Reader::default();
        let mut body = READER.sync_scope(reader.clone(), || paced(Body::from_stream(source)));
        body.frame().await.unwrap().unwrap();
        assert!(
            timeout(READ_TIMEOUT * 2, reader.left()).await.is_ok(),
            "there was more to take"
        );
        assert!(timeout(Duration::ZERO, body.frame()).await.is_err());
        assert!(
            timeout(READ_TIMEOUT * 10, reader.left()).await.is_err(),
            "there is nothing to take"
        );
    }
}
