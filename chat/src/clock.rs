//! The clock of all deadlines, and the time that is shown, both of which tests can set.
//!
//! The machine's clock can be wrong and be corrected. Deadlines count the time that has really
//! passed, which no correction changes: if the machine's clock is two days ahead for five seconds,
//! five seconds pass. The servers of one database agree on the time of the database's machine.
//!
//! # Guarantees
//! - [`Clock::now`] shows the machine's time at the start of the process, and then what has really
//!   passed, also while the machine is suspended. It follows corrections of less than [`JUMP`],
//!   such as those of a time server.
//! - [`Clock::wall_time`] always shows the machine's time.
//! - After [`Clock::follow_database`] both show the database's time, whatever the machine's clock
//!   does.
//! - [`Clock::now`] and [`Clock::sleep_until`] agree, also after a test advances the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Time;
use tokio::sync::watch;

/// The longest single sleep, and so the longest delay until a sleeper notices that the machine was
/// suspended.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The smallest correction of the machine's clock, in milliseconds, that deadlines do not follow.
const JUMP: i64 = 10_000;

/// The machine's clocks plus the time by which a test has changed them.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    changes: watch::Sender<Changes>,
    /// What the clock shows minus the time since the machine was started, in milliseconds.
    offset: AtomicI64,
    follows_database: AtomicBool,
}

/// A moment that no correction of a clock changes: the time since the machine was started, in
/// milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(i64);

impl Moment {
    pub fn now() -> Self {
        Self(millis(since_boot()))
    }

    /// The moment in the middle of two, and the time between them.
    pub fn between(self, later: Self) -> (Self, Duration) {
        let passed = later.0.saturating_sub(self.0);
        let moment = Self(self.0 + passed / 2);
        (moment, Duration::from_millis(passed.unsigned_abs()))
    }
}

/// How far a test has changed the clocks.
#[derive(Clone, Copy, Debug, Default)]
struct Changes {
    /// By how much it has advanced both.
    advanced: Duration,
    /// By how much it has corrected the machine's clock, in milliseconds.
    corrected: i64,
}

impl Default for Clock {
    fn default() -> Self {
        let changes = Changes::default();
        let offset = wall_millis(changes) - millis_since_boot(changes);
        Self(Arc::new(Inner {
            changes: watch::Sender::new(changes),
            offset: AtomicI64::new(offset),
            follows_database: AtomicBool::new(false),
        }))
    }
}

impl Clock {
    /// The present moment of deadlines.
    pub fn now(&self) -> Time {
        let changes = *self.0.changes.borrow();
        let since_boot = millis_since_boot(changes);
        let offset = wall_millis(changes) - since_boot;
        let is_close = offset.abs_diff(self.0.offset.load(Ordering::Relaxed)) < JUMP.unsigned_abs();
        if is_close && !self.follows_database() {
            self.0.offset.store(offset, Ordering::Relaxed);
        }
        Time::from_millis(since_boot + self.0.offset.load(Ordering::Relaxed))
    }

    /// Sets the clock to the time that the database showed at this moment, and from now on follows no
    /// other clock. Returns by how many milliseconds that changes the time.
    pub(crate) fn follow_database(&self, time: Time, at: Moment) -> i64 {
        let offset = time.millis() - at.0;
        let before = self.0.offset.swap(offset, Ordering::Relaxed);
        self.0.follows_database.store(true, Ordering::Release);
        offset - before
    }

    fn follows_database(&self) -> bool {
        self.0.follows_database.load(Ordering::Acquire)
    }

    /// The time of the machine, for what people read. It may jump.
    pub fn wall_time(&self) -> Time {
        if self.follows_database() {
            return self.now();
        }
        Time::from_millis(wall_millis(*self.0.changes.borrow()))
    }

    /// The time to show for what happens at this moment, as [`Clock::now`] returned it: the same
    /// time to the millisecond, unless the machine's clock was corrected.
    pub(crate) fn shown_time(&self, now: Time) -> Time {
        let wall_time = self.wall_time();
        if are_close(now, wall_time) {
            now
        } else {
            wall_time
        }
    }

    /// By how much the machine's clock was corrected, in milliseconds: its time minus
    /// [`Clock::now`], or 0 while they are close.
    pub(crate) fn correction(&self) -> i64 {
        let (now, wall_time) = (self.now(), self.wall_time());
        if are_close(now, wall_time) {
            return 0;
        }
        wall_time.millis() - now.millis()
    }

    /// Advances the clock and wakes all sleepers.
    pub fn advance(&self, by: Duration) {
        self.0.changes.send_modify(|changes| changes.advanced += by);
    }

    /// Corrects the machine's time by this many milliseconds, while no time passes.
    pub fn correct_wall_time(&self, millis: i64) {
        self.0
            .changes
            .send_modify(|changes| changes.corrected += millis);
    }

    /// Returns when the clock shows `due` or a later time.
    pub async fn sleep_until(&self, due: Time) {
        let mut changes = self.0.changes.subscribe();
        loop {
            let wait = due.since(self.now());
            if wait.is_zero() {
                return;
            }
            // After a timeout and after a change the loop reads the clock again.
            let _ = tokio::time::timeout(wait.min(LONGEST_SLEEP), changes.changed()).await;
        }
    }
}

/// Whether two times differ by less than a correction that deadlines do not follow.
fn are_close(one: Time, other: Time) -> bool {
    one.millis().abs_diff(other.millis()) < JUMP.unsigned_abs()
}

/// The machine's time in milliseconds since the Unix epoch.
fn wall_millis(changes: Changes) -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let wall = Time::from_millis(0).after(since.unwrap_or_default());
    wall.after(changes.advanced)
        .millis()
        .saturating_add(changes.corrected)
}

/// The time since the machine was started, in milliseconds, including the time in which it was
/// suspended.
fn millis_since_boot(changes: Changes) -> i64 {
    millis(since_boot().saturating_add(changes.advanced))
}

fn millis(duration: Duration) -> i64 {
    Time::from_millis(0).after(duration).millis()
}

#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// Other systems count from the first call, and some of them not while they are suspended.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const DAY_MILLIS: i64 = 86_400_000;

    /// Whether two times differ by no more than a test takes.
    fn is_about(one: Time, other: Time) -> bool {
        one.millis().abs_diff(other.millis()) < 5_000
    }

    #[tokio::test]
    async fn sleeper_wakes_when_the_clock_is_advanced() {
        let clock = Clock::default();
        let due = clock.now().after(DAY);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(due).await }
        });
        clock.advance(DAY);
        sleeper.await.unwrap();
        assert!(clock.now() >= due);
    }

    #[test]
    fn jump_of_the_machine_changes_the_shown_time_and_no_deadline() {
        for jump in [2 * DAY_MILLIS, -2 * DAY_MILLIS] {
            let clock = Clock::default();
            let start = clock.now();
            assert_eq!(clock.correction(), 0);
            clock.correct_wall_time(jump);
            assert!(is_about(clock.now(), start));
            assert!(is_about(
                clock.wall_time(),
                Time::from_millis(start.millis() + jump)
            ));
            assert!(clock.correction().abs_diff(jump) < 5_000);
            clock.advance(DAY);
            assert!(is_about(clock.now(), start.after(DAY)));
            clock.correct_wall_time(-jump);
            assert!(is_about(clock.now(), start.after(DAY)));
            assert_eq!(clock.correction(), 0);
        }
    }

    #[test]
    fn time_of_the_database_hides_a_wrong_clock_of_the_machine() {
        let right = Clock::default().now();
        let clock = Clock::default();
        clock.correct_wall_time(3_600_000);
        clock.follow_database(right, Moment::now());
        clock.correct_wall_time(9_000);
        clock.advance(DAY);
        for time in [clock.now(), clock.wall_time()] {
            assert!(is_about(time, right.after(DAY)));
        }
        assert_eq!(clock.correction(), 0);
    }

    #[test]
    fn small_corrections_are_followed() {
        let clock = Clock::default();
        let start = clock.now();
        for _ in 0..10 {
            clock.correct_wall_time(9_000);
            clock.now();
        }
        assert!(is_about(
            clock.now(),
            Time::from_millis(start.millis() + 90_000)
        ));
        assert_eq!(clock.correction(), 0);
    }
}
