//! The server's time by the device's two clocks: the one that can be set, and the steady one, which
//! may stop while the device sleeps.
//!
//! # Guarantees
//! - A correction of the device's clock moves nothing for longer than the server needs to answer.
//! - After a sleep the time is right at once.
//! - Without an answer of the server, the time is never before the device's.

use protocol::Time;

/// A difference between two clocks up to this many milliseconds is taken for the time that the page
/// or an answer took to arrive.
const TRANSFER_TIME: i64 = 5_000;
/// If one clock goes further than the other by more than this many milliseconds, the device has
/// slept or its clock was set.
const JUMP: i64 = 2_000;

/// The server's clock.
#[derive(Clone, Copy, Debug)]
pub struct ServerClock {
    /// The last readings of the device's clocks.
    wall: i64,
    steady: i64,
    /// The server's time at the steady clock's zero.
    start: i64,
    is_doubtful: bool,
}

impl ServerClock {
    /// Begins with the device's time.
    pub fn new(wall: i64, steady: i64) -> Self {
        Self {
            wall,
            steady,
            start: wall - steady,
            is_doubtful: false,
        }
    }

    /// Takes a reading of the device's clocks.
    pub fn read(&mut self, wall: i64, steady: i64) {
        let jump = (wall - self.wall) - (steady - self.steady);
        self.wall = wall;
        self.steady = steady;
        if jump.abs() > JUMP {
            self.is_doubtful = true;
            // A sleep is more frequent than a correction, and goes forward.
            self.start += jump.max(0);
        }
    }

    /// The time at the last reading.
    pub fn now(&self) -> Time {
        Time::from_millis(self.steady + self.start)
    }

    /// Whether the server must be asked.
    pub fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Takes the time at which the server drew the page, which may be an old one from a cache.
    pub fn compare(&mut self, server_time: Time) {
        self.is_doubtful = self.correct(server_time);
    }

    /// Takes the server's time, or that there was no answer.
    pub fn resolve(&mut self, server_time: Option<Time>) {
        match server_time {
            Some(server_time) => {
                self.correct(server_time);
                self.is_doubtful = false;
            }
            None => self.start = self.start.max(self.wall - self.steady),
        }
    }

    /// Returns whether the difference was too large for a transfer.
    fn correct(&mut self, server_time: Time) -> bool {
        let server_time = server_time.millis();
        let differs = (server_time - self.now().millis()).abs() >= TRANSFER_TIME;
        if differs {
            self.start = server_time - self.steady;
        }
        differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    /// When the page was opened.
    const OPENED: i64 = 20_000 * DAY;

    /// The device's clocks: it can sleep, and be set.
    struct Device {
        wall: i64,
        steady: i64,
        clock: ServerClock,
    }

    impl Device {
        /// A device whose clock is ahead of the server's.
        fn ahead(by: i64) -> Self {
            let mut clock = ServerClock::new(OPENED + by, 700);
            clock.compare(Time::from_millis(OPENED));
            Self {
                wall: OPENED + by,
                steady: 700,
                clock,
            }
        }

        fn pass(&mut self, wall: i64, steady: i64) -> i64 {
            self.wall += wall;
            self.steady += steady;
            self.clock.read(self.wall, self.steady);
            self.clock.now().millis() - OPENED
        }
    }

    fn server(at: i64) -> Option<Time> {
        Some(Time::from_millis(OPENED + at))
    }

    #[test]
    fn correction_of_the_devices_clock_changes_nothing_once_the_server_has_answered() {
        for jump in [-3 * DAY, -DAY, -600_000, 600_000, DAY, 3 * DAY] {
            let mut device = Device::ahead(-jump);
            device.clock.resolve(server(0));
            assert!(!device.clock.is_doubtful());
            device.pass(jump + 1_000, 1_000);
            assert!(device.clock.is_doubtful(), "{jump}");
            device.clock.resolve(server(1_000));
            assert!(!device.clock.is_doubtful());
            assert_eq!(device.pass(1_000, 1_000), 2_000, "{jump}");
        }
    }

    #[test]
    fn backward_correction_never_moves_the_time() {
        let mut device = Device::ahead(0);
        assert_eq!(device.pass(1_000 - DAY, 1_000), 1_000);
        device.clock.resolve(None);
        assert_eq!(device.pass(1_000, 1_000), 2_000);
    }

    #[test]
    fn sleep_passes_at_once_and_also_without_an_answer() {
        let mut device = Device::ahead(0);
        assert_eq!(device.pass(DAY, 1_000), DAY);
        device.clock.resolve(None);
        assert!(device.clock.is_doubtful(), "so the server is asked again");
        assert_eq!(device.pass(1_000, 1_000), DAY + 1_000);
    }

    #[test]
    fn page_from_a_cache_shows_the_devices_time_when_the_server_does_not_answer() {
        let mut device = Device::ahead(5 * DAY);
        assert!(device.clock.is_doubtful());
        assert_eq!(device.pass(0, 0), 0);
        device.clock.resolve(None);
        assert_eq!(device.pass(1_000, 1_000), 5 * DAY + 1_000);
        device.clock.resolve(server(5 * DAY + 1_000));
        assert!(!device.clock.is_doubtful());
    }

    #[test]
    fn time_of_transfer_is_no_difference() {
        let mut device = Device::ahead(4_000);
        assert!(!device.clock.is_doubtful());
        assert_eq!(device.pass(1_000, 1_000), 5_000);
    }
}
