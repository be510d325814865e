//! The writer: one task that commits all write requests, in batches.
//!
//! It commits all waiting requests as one transaction: one `fdatasync` for many posts under load,
//! and no delay for a single post. It runs on its own thread with its own `SQLite` connection,
//! because the way through the pool's thread would cost several times as much as a statement.
//!
//! # Guarantees
//! - A request is published and answered only after its commit.
//! - A request in the queue is committed even if its client no longer waits for the answer.
//! - A panic costs one batch, whose clients are asked to try again, and the next batch is committed
//!   on another connection.
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
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use protocol::{Message, Refusal};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

#[cfg(test)]
use crate::faults::Faults;
use crate::log::command::WriteRequest;
use crate::log::decide::{Appended, LogTransaction};
use crate::log::entry::Entry;
use crate::room::name_claims::{RegistrationCounter, UnregisteredNames};
use crate::store::{DatabaseLocation, PendingErasure, Store, WriteHealth, WriteLock};
use crate::sync::lock;
use crate::{Clock, Error, Supervisor};

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
type Publish = Arc<dyn Fn(&[Outcome]) + Send + Sync>;

/// The state of the writer's thread.
pub(crate) struct Writer {
    connection: Connection,
    write_lock: WriteLock,
    write_health: WriteHealth,
    pending_erasure: PendingErasure,
    clock: Clock,
    unregistered_names: UnregisteredNames,
    publish: Publish,
    #[cfg(test)]
    faults: Faults,
}

impl Writer {
    /// Starts the thread, and another one after each panic. It ends when all clones of the
    /// [`WriteQueue`] are dropped and all queued requests are committed.
    pub fn start(
        location: &DatabaseLocation,
        store: &Store,
        clock: Clock,
        registrations: RegistrationCounter,
        supervisor: &Supervisor,
        publish: impl Fn(&[Outcome]) + Send + Sync + 'static,
    ) -> Result<(WriteQueue, JoinHandle<()>), Error> {
        let (location, store) = (location.clone(), store.clone());
        let publish: Publish = Arc::new(publish);
        let open = move || -> Result<Self, Error> {
            Ok(Self {
                connection: location.connect()?,
                write_lock: store.write_lock(),
                write_health: store.write_health().clone(),
                pending_erasure: store.pending_erasure().clone(),
                clock: clock.clone(),
                unregistered_names: UnregisteredNames::new(registrations.clone()),
                publish: publish.clone(),
                #[cfg(test)]
                faults: location.faults().clone(),
            })
        };
        let mut first = Some(open()?);
        let (sender, receiver) = mpsc::channel(MAX_BATCH);
        let queue = Arc::new(Mutex::new(receiver));
        let task = supervisor.spawn("writer", move || {
            let writer = first.take().map_or_else(&open, Ok);
            run_on_thread(writer, queue.clone())
        });
        Ok((WriteQueue(sender), task))
    }

    fn run(mut self, queue: &mut mpsc::Receiver<QueuedRequest>) {
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
        #[cfg(test)]
        self.faults.panic_if_asked("writer before a commit");
        let outcome = self.commit_batch(batch);
        #[cfg(test)]
        self.faults.panic_if_asked("writer after a commit");
        self.write_health.record(&outcome);
        let answers: Vec<Answer> = match outcome {
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
            wall_time: self.clock.wall_time().millis(),
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

/// Runs a writer on a thread of its own. A panic of the thread continues here, and so does the
/// failure to open another connection after a panic.
async fn run_on_thread(
    writer: Result<Writer, Error>,
    queue: Arc<Mutex<mpsc::Receiver<QueuedRequest>>>,
) {
    let thread = spawn_blocking(move || match writer {
        Ok(writer) => writer.run(&mut lock(&queue)),
        Err(error) => panic!("cannot open the database: {error}"),
    });
    if let Err(error) = thread.await
        && error.is_panic()
    {
        resume_unwind(error.into_panic());
    }
}
