//! The writer: one task that commits all write requests, in batches.
//!
//! It commits all waiting requests as one transaction: one `fdatasync` for many posts under load,
//! and no delay for a single post. It runs on its own thread.
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

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use protocol::Refusal;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};

#[cfg(test)]
use crate::faults::Faults;
use crate::log::command::WriteRequest;
use crate::log::decide::{AppendedMessage, Committed, Outcome, decide};
use crate::log::entry::Entry;
use crate::log::load::{WriterMemory, apply_decisions, find_renamed_moderators, load_state};
use crate::log::suggest::suggest_names;
use crate::store::{
    DatabaseLocation, LogConnection, PendingErasure, Store, WriteHealth, WriteLock,
};
use crate::sync::lock;
use crate::{Clock, Error, Metrics, Supervisor};

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

type Answer = Result<AppendedMessage, Error>;

impl WriteQueue {
    /// Queues a request and waits for its answer. An answered message is durable.
    pub async fn append(&self, request: WriteRequest) -> Answer {
        let (reply, answer) = oneshot::channel();
        let queued = QueuedRequest { request, reply };
        self.0.send(queued).await.map_err(|_| Refusal::Draining)?;
        answer.await.map_err(|_| Error::from(Refusal::Draining))?
    }
}

/// The answer to a committed request.
fn answer(outcome: Outcome) -> Answer {
    let message = outcome?.into_message();
    message.ok_or_else(|| Error::fault("the writer appended an unknown entry"))
}

/// Receives a committed batch, before the next batch may begin.
type Publish = Arc<dyn Fn(&Committed) + Send + Sync>;

/// The state of the writer's thread.
pub(crate) struct Writer {
    connection: Box<dyn LogConnection>,
    write_lock: WriteLock,
    write_health: WriteHealth,
    pending_erasure: PendingErasure,
    clock: Clock,
    metrics: Metrics,
    memory: WriterMemory,
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
        metrics: Metrics,
        memory: WriterMemory,
        supervisor: &Supervisor,
        publish: impl Fn(&Committed) + Send + Sync + 'static,
    ) -> Result<(WriteQueue, JoinHandle<()>), Error> {
        let (location, store) = (location.clone(), store.clone());
        let publish: Publish = Arc::new(publish);
        let open = move || -> Result<Self, Error> {
            Ok(Self {
                connection: location.connect_log()?,
                write_lock: store.write_lock(),
                write_health: store.write_health().clone(),
                pending_erasure: store.pending_erasure().clone(),
                clock: clock.clone(),
                metrics: metrics.clone(),
                memory: memory.clone(),
                publish: publish.clone(),
                #[cfg(test)]
                faults: store.faults().clone(),
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
        let begun = Instant::now();
        let outcome = self.commit_batch(batch);
        self.measure(begun, batch.len(), outcome.is_ok());
        #[cfg(test)]
        self.faults.panic_if_asked("writer after a commit");
        self.write_health.record(&outcome);
        let answers: Vec<Answer> = match outcome {
            Ok(committed) => {
                (self.publish)(&committed);
                committed.outcomes.into_iter().map(answer).collect()
            }
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        };
        drop(write_lock);
        for (queued, answer) in batch.drain(..).zip(answers) {
            // A client that no longer waits has its message in the log all the same.
            let _ = queued.reply.send(answer);
        }
    }

    fn measure(&self, begun: Instant, size: usize, is_committed: bool) {
        if !is_committed {
            self.metrics.failed_commits.inc();
            return;
        }
        let seconds = begun.elapsed().as_secs_f64();
        self.metrics.commit_seconds.observe(seconds);
        self.metrics.commit_size.observe(size as f64);
    }

    /// Loads what the batch refers to, decides about it and applies the decisions, in one
    /// transaction.
    fn commit_batch(&mut self, batch: &[QueuedRequest]) -> Result<Committed, Error> {
        let requests = || batch.iter().map(|queued| &queued.request);
        let now = self.clock.now();
        // Clients compare the time of a message with the last activity of its room.
        let wall_time = self.clock.shown_time(now).millis();
        let mut tx = self.connection.begin()?;
        let (now, memory) = (now.millis(), &mut self.memory);
        let mut state = load_state(&mut *tx, memory, now, wall_time, requests())?;
        let mut decisions = decide(&mut state, requests());
        apply_decisions(&mut *tx, &self.memory, &state, requests(), &decisions)?;
        suggest_names(&mut *tx, requests(), &mut decisions.outcomes)?;
        let renamed_moderators = find_renamed_moderators(&*tx, &decisions.row_changes)?;
        tx.commit()?;
        self.note_commit(batch, &decisions.outcomes);
        Ok(Committed {
            has_removed_files: decisions.remove_files(),
            outcomes: decisions.outcomes,
            renamed_moderators,
        })
    }

    /// Notes what the next transactions need not find out again.
    fn note_commit(&mut self, batch: &[QueuedRequest], outcomes: &[Outcome]) {
        for (queued, outcome) in batch.iter().zip(outcomes) {
            let Ok(appended) = outcome else { continue };
            match appended.entry {
                Entry::Message(_) if appended.lifetime.is_some() => {
                    self.metrics.posts.inc();
                    self.memory.note_author(&queued.request);
                }
                Entry::Message(_) | Entry::Unknown { .. } => {}
                Entry::Change(_) => {
                    self.metrics.changes.inc();
                    self.pending_erasure.mark();
                }
            }
        }
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
