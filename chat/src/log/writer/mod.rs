//! The writer: one task that commits all write requests, in batches.
//!
//! It commits all waiting requests as one transaction: one `fdatasync` for many posts under load,
//! and no delay for a single post. It runs on its own thread with its own `SQLite` connection,
//! because the way through the pool's thread would cost several times as much as a statement.
//!
//! # Guarantees
//! - A request is published and answered only after its commit.
//! - A request in the queue is committed even if its client no longer waits for the answer.
//!
//! # Not here
//! - The decision about a request: `decide`. Other writes to the database, with which the writer
//!   shares the write lock: `store`.

#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod name_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use protocol::{Message, Refusal};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::log::command::WriteRequest;
use crate::log::decide::{Appended, LogTransaction};
use crate::log::entry::Entry;
use crate::room::name_claims::{RegistrationCounter, UnregisteredNames};
use crate::store::{DatabaseLocation, PendingErasure, Store, WriteLock};
use crate::{Clock, Error};

/// The most requests in one transaction, and the capacity of the queue. When the queue is full,
/// senders wait.
const MAX_BATCH: usize = 512;

/// The sending end of the writer's queue.
#[derive(Clone, Debug)]
pub(crate) struct WriteQueue(mpsc::Sender<QueuedRequest>);

/// A request, and where its answer goes.
#[derive(Debug)]
struct QueuedRequest {
    request: WriteRequest,
    reply: oneshot::Sender<Answer>,
}

type Answer = Result<Message, Error>;

/// The outcome of a committed request.
pub(crate) type Outcome = Result<Appended, Refusal>;

impl WriteQueue {
    /// Queues a request and waits for its answer. An answered message is durable.
    pub async fn append(&self, request: WriteRequest) -> Answer {
        let (reply, answer) = oneshot::channel();
        let queued = QueuedRequest { request, reply };
        self.0.send(queued).await.map_err(|_| Refusal::Draining)?;
        answer.await.map_err(|_| Error::from(Refusal::Draining))?
    }
}

/// Receives the outcomes of a committed batch, before the next batch may begin.
type Publish = Box<dyn Fn(&[Outcome]) + Send>;

/// The state of the writer's thread.
pub(crate) struct Writer {
    connection: Connection,
    write_lock: WriteLock,
    pending_erasure: PendingErasure,
    clock: Clock,
    unregistered_names: UnregisteredNames,
    publish: Publish,
}

impl Writer {
    /// Starts the thread. It ends when all clones of the [`WriteQueue`] are dropped and all queued
    /// requests are committed.
    pub fn start(
        location: &DatabaseLocation,
        store: &Store,
        clock: Clock,
        registrations: RegistrationCounter,
        publish: impl Fn(&[Outcome]) + Send + 'static,
    ) -> Result<(WriteQueue, JoinHandle<()>), Error> {
        let writer = Self {
            connection: location.connect()?,
            write_lock: store.write_lock(),
            pending_erasure: store.pending_erasure().clone(),
            clock,
            unregistered_names: UnregisteredNames::new(registrations),
            publish: Box::new(publish),
        };
        let (sender, receiver) = mpsc::channel(MAX_BATCH);
        let thread = spawn_blocking(move || writer.run(receiver));
        Ok((WriteQueue(sender), thread))
    }

    fn run(mut self, mut queue: mpsc::Receiver<QueuedRequest>) {
        let mut batch = Vec::new();
        while queue.blocking_recv_many(&mut batch, MAX_BATCH) > 0 {
            self.process_batch(&mut batch);
        }
    }

    /// Commits a batch, publishes it and then answers it.
    fn process_batch(&mut self, batch: &mut Vec<QueuedRequest>) {
        // Held until the batch is published, so that no room ends before its followers have
        // received its last messages.
        let write_lock = self.write_lock.clone().blocking_lock_owned();
        let answers: Vec<Answer> = match self.commit_batch(batch) {
            Ok(outcomes) => {
                (self.publish)(&outcomes);
                outcomes
                    .into_iter()
                    .map(|outcome| Ok(outcome?.into_message()))
                    .collect()
            }
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        };
        drop(write_lock);
        for (queued, answer) in batch.drain(..).zip(answers) {
            // A client that no longer waits has its message in the log all the same.
            let _ = queued.reply.send(answer);
        }
    }

    fn commit_batch(&mut self, batch: &[QueuedRequest]) -> Result<Vec<Outcome>, Error> {
        let mut log = LogTransaction {
            tx: self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?,
            now: self.clock.now().millis(),
            rooms: HashMap::new(),
            unregistered_names: &mut self.unregistered_names,
        };
        let outcomes: Vec<Outcome> = batch
            .iter()
            .map(|queued| log.append(&queued.request))
            .collect::<Result<_, _>>()?;
        log.commit()?;
        let has_changes = outcomes
            .iter()
            .flatten()
            .any(|appended| matches!(appended.entry, Entry::Change(_)));
        if has_changes {
            self.pending_erasure.mark();
        }
        Ok(outcomes)
    }
}
