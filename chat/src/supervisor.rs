//! The supervisor: runs background tasks, and starts a task again after a panic.
//!
//! # Guarantees
//! - A panic of a task is logged, and the task is started again after a pause that doubles with
//!   each panic.
//! - A task that panics [`MOST_PANICS`] times within [`WINDOW`] is given up. The supervisor reports
//!   that, so that the process can end in order instead of serving without the task.
//!
//! # Not here
//! - What the tasks do, and what a task must leave intact when it panics.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Metrics;
#[cfg(test)]
use crate::faults::Faults;
use crate::sync::lock;

/// How many panics of one task within [`WINDOW`] are too many.
const MOST_PANICS: usize = 5;

/// The time in which the panics of a task are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// The pause before a task is started again after its first panic.
const FIRST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 100 });

/// The handle to all supervised tasks of a process. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The times of the latest panics, by task.
    panics: Mutex<HashMap<&'static str, Vec<Instant>>>,
    /// The tasks that have panicked and do not run again yet.
    stopped: Mutex<HashSet<&'static str>>,
    /// The first task that was given up.
    given_up: watch::Sender<Option<&'static str>>,
    metrics: Metrics,
    #[cfg(test)]
    faults: Faults,
}

impl Supervisor {
    /// A supervisor that counts the panics.
    #[cfg(not(test))]
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            metrics: metrics.clone(),
            ..Inner::default()
        }))
    }

    /// A supervisor whose tasks panic when a test asks for it.
    #[cfg(test)]
    pub(crate) fn with_faults(metrics: &Metrics, faults: Faults) -> Self {
        Self(Arc::new(Inner {
            metrics: metrics.clone(),
            faults,
            ..Inner::default()
        }))
    }

    /// Runs the future that `start` returns, and another one after each panic. The task ends when
    /// such a future completes, when the task is aborted, and when it is given up.
    pub fn spawn<F>(
        &self,
        name: &'static str,
        start: impl FnMut() -> F + Send + 'static,
    ) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        tokio::spawn(self.clone().supervise(name, start))
    }

    /// The name of a task that does not run because it has panicked, if there is one.
    pub fn stopped_task(&self) -> Option<&'static str> {
        lock(&self.0.stopped).iter().next().copied()
    }

    /// The name of the task that was given up, if there is one.
    pub fn given_up_task(&self) -> Option<&'static str> {
        *self.0.given_up.borrow()
    }

    /// Completes when a task is given up. Returns its name.
    pub async fn wait_for_failure(&self) -> &'static str {
        let mut given_up = self.0.given_up.subscribe();
        loop {
            let name = *given_up.borrow_and_update();
            if let Some(name) = name {
                return name;
            }
            // The sender is in `self`, so there is always a next change.
            let _ = given_up.changed().await;
        }
    }

    async fn supervise<F>(self, name: &'static str, mut start: impl FnMut() -> F + Send)
    where
        F: Future<Output = ()> + Send,
    {
        loop {
            let run = async {
                let task = start();
                lock(&self.0.stopped).remove(name);
                self.run(name, task).await;
            };
            let Err(panic) = AssertUnwindSafe(run).catch_unwind().await else {
                return;
            };
            let Some(pause) = self.record_panic(name, &*panic) else {
                return;
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Runs a task. In tests, it panics at its next await once that is asked for.
    async fn run(&self, name: &'static str, task: impl Future<Output = ()>) {
        #[cfg(test)]
        tokio::select! {
            () = task => {}
            () = self.0.faults.panic_when_asked(name) => {}
        }
        #[cfg(not(test))]
        {
            let _ = name;
            task.await;
        }
    }

    /// Logs and counts a panic. Returns how long to pause before the task is started again; `None`
    /// if it is given up.
    fn record_panic(&self, name: &'static str, panic: &(dyn Any + Send)) -> Option<Duration> {
        let panic = describe(panic);
        self.0.metrics.task_panics.inc();
        lock(&self.0.stopped).insert(name);
        let count = self.count_panic(name, Instant::now());
        if count >= MOST_PANICS {
            tracing::error!(task = name, panic, "a background task panics repeatedly");
            self.0.given_up.send_if_modified(|given_up| {
                given_up.get_or_insert(name);
                true
            });
            return None;
        }
        tracing::error!(
            task = name,
            panic,
            "a background task panicked; it is started again"
        );
        let doublings = u32::try_from(count).unwrap_or(u32::MAX).saturating_sub(1);
        Some(FIRST_PAUSE * 2_u32.saturating_pow(doublings))
    }

    /// Counts a panic. Returns how often the task has panicked within [`WINDOW`].
    fn count_panic(&self, name: &'static str, now: Instant) -> usize {
        let mut panics = lock(&self.0.panics);
        let times = panics.entry(name).or_default();
        times.retain(|time| now.duration_since(*time) < WINDOW);
        times.push(now);
        times.len()
    }
}

/// The message of a panic.
fn describe(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a value without a text")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use protocol::{NewRoom, Start};

    use super::*;
    use crate::testing::{TestChat, new_guest};
    use crate::{FollowEvent, Person};

    /// Panics in each of these tasks, and waits until they run again.
    async fn panic_in(test: &TestChat, tasks: &[&'static str]) {
        let supervisor = test.chat.supervisor();
        for task in tasks {
            test.config.faults.panic_in(task);
            while !lock(&supervisor.0.panics).contains_key(task) {
                tokio::task::yield_now().await;
            }
        }
        while supervisor.stopped_task().is_some() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn room_expires_and_is_erased_after_panics_in_both_tasks() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        panic_in(&test, &["expiry", "eraser"]).await;
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap();
        test.config.clock.advance(test.config.timeout);
        while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
    }

    #[tokio::test]
    async fn presence_and_public_rooms_are_updated_after_panics_in_their_tasks() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let mut rooms = test.chat.watch_public_rooms();
        rooms.next().await.unwrap();
        panic_in(&test, &["presence", "public rooms"]).await;
        let mut follower = test
            .chat
            .follow_room(&Person::Anonymous, &room, Start::Latest)
            .await
            .unwrap()
            .with_username(Some("ada"))
            .await
            .unwrap();
        while !matches!(follower.next().await.unwrap(), FollowEvent::Ephemeral(_)) {}
        let public = NewRoom {
            public: Some(true),
            ..NewRoom::default()
        };
        test.chat.create_room(&new_guest(), &public).await.unwrap();
        assert!(rooms.next().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn rooms_and_accounts_are_found_after_panics_in_both_lookups() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let ada = test.register("ada").await;
        panic_in(&test, &["room lookups", "account lookups"]).await;
        test.chat.find_room(&ada, &room).await.unwrap();
        test.chat.watch_session(&ada).await.unwrap();
    }

    #[tokio::test]
    async fn deleted_text_leaves_the_log_after_a_panic_in_the_maintenance() {
        let test = TestChat::in_file(|_| {}).await;
        let log = test.config.data_dir.join("webchat.db-wal");
        panic_in(&test, &["maintenance"]).await;
        test.chat.0.store.pending_erasure().mark();
        while std::fs::metadata(&log).unwrap().len() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn task_that_panics_is_started_again() {
        let supervisor = Supervisor::default();
        let starts = Arc::new(AtomicUsize::new(0));
        let task = supervisor.spawn("fragile", {
            let starts = starts.clone();
            move || {
                let start = starts.fetch_add(1, Ordering::Relaxed);
                async move { assert!(start >= 2, "start {start} panics") }
            }
        });
        task.await.unwrap();
        assert_eq!(starts.load(Ordering::Relaxed), 3);
        assert_eq!(supervisor.stopped_task(), None);
        assert_eq!(supervisor.given_up_task(), None);
    }

    #[tokio::test]
    async fn task_that_panics_repeatedly_is_given_up_and_reported() {
        let supervisor = Supervisor::default();
        supervisor.spawn("steady", std::future::pending);
        let task = supervisor.spawn("broken", || async { panic!("as always") });
        assert_eq!(supervisor.wait_for_failure().await, "broken");
        task.await.unwrap();
        assert_eq!(supervisor.stopped_task(), Some("broken"));
        assert_eq!(supervisor.given_up_task(), Some("broken"));
    }

    #[tokio::test]
    async fn rare_panics_never_add_up() {
        let supervisor = Supervisor::default();
        let now = Instant::now();
        for number in 0..3 * u32::try_from(MOST_PANICS).unwrap() {
            let count = supervisor.count_panic("rare", now + number * WINDOW / 2);
            assert!(count <= 2, "{count}");
        }
    }
}
