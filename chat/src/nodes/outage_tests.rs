//! A test of a node whose database is away for a while. Without a database on a server there is nothing
//! to test.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::captured_log::CapturedLog;
use crate::testing::{TestChat, soon_true};

/// How many connections fail before the database comes back.
const FAILURES: u32 = 60;

/// The tasks that try again within seconds. Others try again when their turn comes.
const FREQUENT: [&str; 8] = [
    "freeze the rooms that are due",
    "hear the other nodes",
    "join the other servers",
    "notify the other nodes",
    "read the database",
    "read the history of the database",
    "read the public rooms",
    "renew the lease of this node",
];

/// How often each task has logged that it fails, and that it succeeds again.
fn count_lines(log: &CapturedLog) -> BTreeMap<String, (usize, usize)> {
    let mut tasks: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for line in log.lines() {
        let begin = line.strip_prefix("cannot ");
        let begin = begin.and_then(|line| line.strip_suffix("; it is tried again"));
        let end = line.strip_prefix("can ");
        let end = end.and_then(|line| line.strip_suffix(" again"));
        if let Some(task) = begin.or(end) {
            let counts = tasks.entry(task.to_owned()).or_default();
            counts.0 += usize::from(begin.is_some());
            counts.1 += usize::from(end.is_some());
        }
    }
    tasks
}

#[tokio::test]
async fn tasks_log_the_begin_and_the_end_of_an_outage_once_and_do_not_spin() {
    let (log, _guard) = CapturedLog::start();
    let test = TestChat::new(|_| {}).await;
    if !test.chat.0.store.is_shared() {
        return;
    }
    let mut rooms = test.chat.watch_public_rooms();
    rooms.next().await.unwrap();
    let faults = &test.config.faults;
    let began = Instant::now();
    faults.arm(1, 0);
    faults.end_connections();
    let bell = test.chat.0.listeners.bell.as_ref().unwrap();
    bell.test();
    test.chat.0.listeners.public_rooms.mark_changed();
    soon_true("enough failures", async || faults.happened() >= FAILURES).await;
    assert!(began.elapsed() > Duration::from_secs(1));
    for _ in 0..2 {
        assert!(test.chat.check_readiness().await.is_err());
    }
    faults.arm(0, 0);
    let is_over = async || {
        let is_ready = test.chat.check_readiness().await.is_ok();
        let tasks = count_lines(&log);
        let has_ended = |task: &str| tasks.get(task).is_some_and(|counts| counts.1 > 0);
        is_ready && FREQUENT.into_iter().all(has_ended)
    };
    soon_true("the end of the outage", is_over).await;
    for (task, counts) in count_lines(&log) {
        let is_frequent = FREQUENT.contains(&task.as_str());
        let is_once = counts == (1, 1) || (!is_frequent && counts == (1, 0));
        assert!(is_once, "{task}: {counts:?}");
    }
}
