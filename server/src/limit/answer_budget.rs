//! How much memory the unsent answers to one client may take.
//!
//! A client that asks and does not read makes the server keep the answers. Each client has a budget
//! for them: an answer is begun only when the budget has capacity for it, and its share is free again
//! once it is sent. While other requests of the client wait, an answer that the client does not read
//! is given up.
//!
//! # Guarantees
//! - The answers to a client that are being made or sent take at most [`BUDGET`], except that
//!   single answers may turn out larger than [`EXPECTED`].
//! - The requests of a client that wait are bounded; further ones are refused.
//! - A client that reads waits for no client at another address.
//!
//! # Not here
//! Event streams and WebSockets, which hold one piece each (`net`, `stream`).

mod held_body;

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::header::CONTENT_ENCODING;
use axum::response::Response;
use protocol::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use self::held_body::{HeldAnswer, HeldBody, STALLED};
use crate::config::types::Switch;
use crate::limit::client_of;

/// The unit of the budgets, in bytes.
const UNIT: usize = 1024;

/// The budget of a client, in bytes.
const BUDGET: usize = 16 * 1024 * 1024;

/// The share of an answer that is being made, in bytes.
const EXPECTED: usize = 1024 * 1024;

/// The share of an answer whose size is not known because it is made while it is sent, in bytes.
const STREAMED: usize = 128 * 1024;

/// How many requests of a client may wait for capacity.
const WAITING_MAX: usize = 2_048;

/// How long a request waits for capacity.
const WAIT_MAX: Duration = Duration::from_secs(40);

/// When a client that is refused may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

const REFUSED: Refusal = Refusal::RateLimited(RETRY_AFTER);

/// The budgets of the clients that have unsent answers; `None` without limits.
#[derive(Debug)]
pub(crate) struct AnswerBudgets(Option<Budgets>);

type Budgets = Arc<Mutex<HashMap<IpAddr, Arc<Budget>>>>;

/// The budget of one client.
#[derive(Debug)]
struct Budget {
    capacity: Arc<Semaphore>,
    waiting: Semaphore,
    /// The answers that are being sent.
    held: Mutex<Vec<Arc<HeldAnswer>>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            capacity: Arc::new(Semaphore::new(BUDGET / UNIT)),
            waiting: Semaphore::new(WAITING_MAX),
            held: Mutex::default(),
        }
    }
}

impl AnswerBudgets {
    /// With the switch off, nothing is limited.
    pub fn new(switch: Switch) -> Self {
        Self((switch == Switch::On).then(Budgets::default))
    }

    /// Reserves a share for an answer that is made next; waits while the client's budget is used up.
    /// Without an address nothing is limited.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] if too many requests of the client wait, or the wait takes too long.
    pub async fn reserve(&self, address: Option<IpAddr>) -> Result<Share, Refusal> {
        let Some(user) = self.enter(address) else {
            return Ok(Share(None));
        };
        let permit = user.budget.acquire(units(EXPECTED)).await?;
        Ok(Share(Some(Reserved { permit, user })))
    }

    /// Reserves the share of an answer that is made already.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] if the client's budget is used up.
    pub fn reserve_made(
        &self,
        address: Option<IpAddr>,
        answer: &Response,
    ) -> Result<Share, Refusal> {
        let Some(user) = self.enter(address) else {
            return Ok(Share(None));
        };
        let units = units(size_of_answer(answer));
        let permit = user.budget.capacity.clone().try_acquire_many_owned(units);
        let permit = permit.map_err(|_| REFUSED)?;
        Ok(Share(Some(Reserved { permit, user })))
    }

    fn enter(&self, address: Option<IpAddr>) -> Option<BudgetUser> {
        let budgets = self.0.as_ref()?;
        let client = client_of(address?);
        Some(BudgetUser {
            budget: lock(budgets).entry(client).or_default().clone(),
            budgets: budgets.clone(),
            client,
        })
    }
}

impl Budget {
    async fn acquire(&self, units: u32) -> Result<OwnedSemaphorePermit, Refusal> {
        if let Ok(permit) = self.capacity.clone().try_acquire_many_owned(units) {
            return Ok(permit);
        }
        let _place = self.waiting.try_acquire().map_err(|_| REFUSED)?;
        let mut acquired = pin!(self.capacity.clone().acquire_many_owned(units));
        let wait = async {
            loop {
                self.give_up_stalled();
                tokio::select! {
                    biased;
                    permit = &mut acquired => return permit,
                    () = sleep(STALLED) => {}
                }
            }
        };
        let permit = timeout(WAIT_MAX, wait).await.map_err(|_| REFUSED)?;
        permit.map_err(|_| REFUSED)
    }

    /// Drops the answers of which nothing was read for a while.
    fn give_up_stalled(&self) {
        let held = lock(&self.held).clone();
        held.iter().for_each(|answer| answer.give_up_if_stalled());
    }

    fn add(&self, answer: Arc<HeldAnswer>) {
        lock(&self.held).push(answer);
    }

    fn remove(&self, answer: &Arc<HeldAnswer>) {
        lock(&self.held).retain(|held| !Arc::ptr_eq(held, answer));
    }
}

// Held to read or change the value, never across an await.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A use of a client's budget. The budget is forgotten after its last use.
#[derive(Debug)]
struct BudgetUser {
    budget: Arc<Budget>,
    budgets: Budgets,
    client: IpAddr,
}

impl Drop for BudgetUser {
    fn drop(&mut self) {
        let mut budgets = lock(&self.budgets);
        // One is in the map, one is here.
        if Arc::strong_count(&self.budget) <= 2 {
            budgets.remove(&self.client);
        }
    }
}

/// A share of a client's budget, for one answer.
#[derive(Debug)]
pub(crate) struct Share(Option<Reserved>);

#[derive(Debug)]
struct Reserved {
    permit: OwnedSemaphorePermit,
    user: BudgetUser,
}

/// An extension of an answer that has a share already.
#[derive(Clone)]
struct AttachedShare(Arc<Mutex<Option<Share>>>);

impl Share {
    /// The answer with the share, which [`Share::take_from`] takes out again.
    pub fn attach(self, mut answer: Response) -> Response {
        let share = AttachedShare(Arc::new(Mutex::new(Some(self))));
        answer.extensions_mut().insert(share);
        answer
    }

    /// Takes the share out of an answer, if it has one.
    pub fn take_from(answer: &mut Response) -> Option<Self> {
        let AttachedShare(share) = answer.extensions_mut().remove()?;
        lock(&share).take()
    }

    /// The answer, which keeps as much of the share as it needs until it is sent.
    pub fn hold(self, answer: Response) -> Response {
        let Some(mut reserved) = self.0 else {
            return answer;
        };
        reserved.fit(units(size_of_answer(&answer)));
        answer.map(|body| Body::new(HeldBody::new(body, reserved)))
    }
}

impl Reserved {
    /// Returns what is too much. What is missing is taken if there is capacity for it: the answer is
    /// made already.
    fn fit(&mut self, needed: u32) {
        let reserved = u32::try_from(self.permit.num_permits()).unwrap_or(u32::MAX);
        if needed > reserved {
            let more = self.user.budget.capacity.clone();
            if let Ok(more) = more.try_acquire_many_owned(needed - reserved) {
                self.permit.merge(more);
            }
        } else {
            drop(self.permit.split((reserved - needed) as usize));
        }
    }
}

/// How much memory an answer takes, in bytes. One that is compressed while it is sent has the
/// state of its encoder, too.
fn size_of_answer(answer: &Response) -> usize {
    if answer.headers().contains_key(CONTENT_ENCODING) {
        return EXPECTED;
    }
    let size = answer.body().size_hint().exact();
    size.map_or(STREAMED, |size| usize::try_from(size).unwrap_or(BUDGET))
}

/// The units of so many bytes, at most the whole budget.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.min(BUDGET).div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use futures_util::FutureExt;
    use http_body_util::BodyExt;

    use super::*;
    use crate::limit::answer_budget::held_body::PIECE;

    fn client() -> Option<IpAddr> {
        "192.0.2.1".parse().ok()
    }

    fn answer(size: usize) -> Response {
        vec![b'x'; size].into_response()
    }

    async fn held(budgets: &AnswerBudgets, size: usize) -> Response {
        budgets.reserve(client()).await.unwrap().hold(answer(size))
    }

    #[tokio::test]
    async fn client_waits_while_its_answers_are_unsent_and_others_do_not() {
        let budgets = AnswerBudgets::new(Switch::On);
        let mut unsent = Vec::new();
        while let Some(share) = budgets.reserve(client()).now_or_never() {
            unsent.push(share.unwrap().hold(answer(EXPECTED)));
        }
        assert_eq!(unsent.len(), BUDGET / EXPECTED);
        let other = "192.0.2.2".parse().ok();
        assert!(budgets.reserve(other).now_or_never().is_some());
        let waiting = budgets.reserve(client());
        let read = unsent.pop().unwrap().into_body().collect();
        let (share, read) = tokio::join!(waiting, read);
        assert!(share.is_ok());
        assert_eq!(read.unwrap().to_bytes().len(), EXPECTED);
    }

    #[tokio::test]
    async fn answer_keeps_only_what_it_needs() {
        let budgets = AnswerBudgets::new(Switch::On);
        let mut unsent = Vec::new();
        // Each answer is expected to be large while it is made.
        for _ in 0..(BUDGET - EXPECTED) / UNIT {
            unsent.push(held(&budgets, 100).await);
        }
        assert!(budgets.reserve(client()).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn answer_that_is_not_read_is_given_up_for_a_request_that_waits() {
        let budgets = AnswerBudgets::new(Switch::On);
        let mut unsent = Vec::new();
        while let Some(share) = budgets.reserve(client()).now_or_never() {
            unsent.push(share.unwrap().hold(answer(EXPECTED)).into_body());
        }
        let mut read = unsent.pop().unwrap();
        let waiting = budgets.reserve(client());
        let reading = async {
            // This one is read, slowly.
            while read.frame().await.is_some_and(|piece| piece.is_ok()) {
                sleep(STALLED / 2).await;
            }
            read.is_end_stream()
        };
        let (share, is_complete) = tokio::join!(waiting, reading);
        assert!(share.is_ok() && is_complete);
        for mut body in unsent {
            assert!(body.frame().await.unwrap().is_err());
        }
    }

    #[tokio::test]
    async fn nothing_is_limited_with_the_switch_off() {
        let budgets = AnswerBudgets::new(Switch::Off);
        let shares: Vec<_> = (0..10_000)
            .map(|_| budgets.reserve(client()).now_or_never())
            .collect();
        assert!(shares.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn request_is_refused_if_too_many_wait_or_it_waits_too_long() {
        let budgets = AnswerBudgets::new(Switch::On);
        let mut unsent = Vec::new();
        while let Some(share) = budgets.reserve(client()).now_or_never() {
            unsent.push(share.unwrap());
        }
        let waiting = (0..=WAITING_MAX).map(|_| budgets.reserve(client()));
        let results = futures_util::future::join_all(waiting).await;
        assert!(results.iter().all(Result::is_err));
        drop(unsent);
        assert!(budgets.reserve(client()).now_or_never().is_some());
        assert!(lock(budgets.0.as_ref().unwrap()).is_empty());
    }

    #[tokio::test]
    async fn large_body_comes_in_small_pieces_and_complete() {
        let budgets = AnswerBudgets::new(Switch::On);
        for size in [0, 1, PIECE, PIECE + 1, 10 * PIECE + 7] {
            let mut body = held(&budgets, size).await.into_body();
            assert_eq!(body.size_hint().exact(), Some(size as u64));
            let mut read = 0;
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert!(piece.len() <= PIECE);
                read += piece.len();
                assert_eq!(body.size_hint().exact(), Some((size - read) as u64));
            }
            assert_eq!(read, size);
        }
    }
}
