//! The body of an answer that holds a share of its client's budget until it is sent.
//!
//! # Not here
//! The budgets (the parent).

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::{BudgetUser, Reserved, lock};

/// An answer of which nothing was read for so long is given up when other requests wait.
pub(super) const STALLED: Duration = Duration::from_secs(1);

/// The largest piece of an answer that the connection takes at once, in bytes.
pub(super) const PIECE: usize = 16 * 1024;

/// The unsent part of an answer; `None` once it is given up.
#[derive(Debug)]
pub(super) struct HeldAnswer(Mutex<Option<Unsent>>);

impl HeldAnswer {
    /// Gives the answer up if nothing of it was read for a while.
    pub fn give_up_if_stalled(&self) {
        let mut unsent = lock(&self.0);
        if unsent.as_ref().is_some_and(Unsent::is_stalled) {
            *unsent = None;
        }
    }
}

#[derive(Debug)]
struct Unsent {
    body: Body,
    /// What is taken out of the body and not passed on.
    rest: Bytes,
    /// When the connection last took a piece.
    progress: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Unsent {
    fn is_stalled(&self) -> bool {
        self.progress.elapsed() >= STALLED
    }

    /// A connection asks for the next piece when it has passed on the previous one. Of a large body
    /// it gets copies of small pieces, because each slice would keep the whole in memory.
    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.progress = Instant::now();
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if data.len() <= PIECE => {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return other,
            }
        }
        let size = self.rest.len().min(PIECE);
        let piece = Bytes::copy_from_slice(&self.rest.split_to(size));
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        let mut whole = SizeHint::new();
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper + rest);
        }
        whole.set_lower(hint.lower() + rest);
        whole
    }
}

/// A body that holds a share until it is sent or given up.
pub(super) struct HeldBody {
    answer: Arc<HeldAnswer>,
    user: BudgetUser,
}

impl HeldBody {
    pub fn new(body: Body, Reserved { permit, user }: Reserved) -> Self {
        let answer = Arc::new(HeldAnswer(Mutex::new(Some(Unsent {
            body,
            rest: Bytes::new(),
            progress: Instant::now(),
            _permit: permit,
        }))));
        user.budget.add(answer.clone());
        Self { answer, user }
    }
}

impl Drop for HeldBody {
    fn drop(&mut self) {
        self.user.budget.remove(&self.answer);
    }
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match lock(&self.answer.0).as_mut() {
            Some(unsent) => unsent.poll_piece(context),
            None => Poll::Ready(Some(Err(axum::Error::new("the client did not read")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        let unsent = lock(&self.answer.0);
        let is_at_end = |unsent: &Unsent| unsent.rest.is_empty() && unsent.body.is_end_stream();
        unsent.as_ref().is_some_and(is_at_end)
    }

    fn size_hint(&self) -> SizeHint {
        let unsent = lock(&self.answer.0);
        unsent.as_ref().map(Unsent::size_hint).unwrap_or_default()
    }
}
