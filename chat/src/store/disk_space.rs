//! The free space of the disks that have the data.
//!
//! # Guarantees
//! - The disk is asked at most once in [`INTERVAL`], however many requests ask.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::sync::lock;

/// How long an answer of the disk counts.
const INTERVAL: Duration = Duration::from_millis(250);

/// What of the free space is kept for messages when files are refused already, as a divisor.
const MESSAGES_SHARE: u64 = 10;

/// The free space of the disks of the data and the database. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct DiskSpace(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    places: Vec<PathBuf>,
    /// Below this many free bytes files are refused.
    kept_free: u64,
    /// Below this many free bytes messages are refused.
    floor: u64,
    latest: Mutex<Option<Answer>>,
}

/// An answer of the disk.
#[derive(Clone, Copy, Debug)]
struct Answer {
    at: Instant,
    is_enough: bool,
}

impl DiskSpace {
    /// The disks of these paths, of which so many bytes stay free.
    pub fn new(places: Vec<PathBuf>, kept_free: u64) -> Self {
        Self(Arc::new(Watched {
            places,
            kept_free,
            floor: kept_free / MESSAGES_SHARE,
            latest: Mutex::default(),
        }))
    }

    /// Whether there is room for so many bytes of files. A disk that does not say is taken to have
    /// room.
    pub fn has_space_for(&self, bytes: u64) -> bool {
        let wanted = self.0.kept_free.saturating_add(bytes);
        let has_space = |place: &PathBuf| free_bytes(place).is_none_or(|free| free >= wanted);
        self.0.places.iter().all(has_space)
    }

    /// The free bytes of the fullest disk; `None` if no disk says it.
    pub fn free_space(&self) -> Option<u64> {
        let places = self.0.places.iter();
        places.filter_map(|place| free_bytes(place)).min()
    }

    /// Whether there is room for messages, rooms and accounts. A disk that does not say is taken to
    /// have room: the database notices a full one.
    pub fn is_enough(&self) -> bool {
        let mut latest = lock(&self.0.latest);
        if let Some(answer) = latest.filter(|answer| answer.at.elapsed() < INTERVAL) {
            return answer.is_enough;
        }
        let has_space = |place: &PathBuf| free_bytes(place).is_none_or(|free| free >= self.0.floor);
        let is_enough = self.0.places.iter().all(has_space);
        if latest.is_some_and(|answer| answer.is_enough) && !is_enough {
            tracing::error!("the disk is almost full: messages are refused");
        }
        let at = Instant::now();
        *latest = Some(Answer { at, is_enough });
        is_enough
    }
}

/// The free bytes of a path's disk that the process may use.
fn free_bytes(path: &std::path::Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_has_enough_space_only_above_a_tenth_of_what_is_kept_free() {
        let dir = tempfile::tempdir().unwrap();
        let free = free_bytes(dir.path()).unwrap();
        let is_enough = |kept| {
            let places = vec![dir.path().to_owned(); 2];
            DiskSpace::new(places, kept).is_enough()
        };
        assert!(is_enough(0));
        assert!(is_enough(free));
        assert!(!is_enough(free.saturating_mul(20)));
    }

    #[test]
    fn disk_has_space_for_files_only_above_what_is_kept_free() {
        let dir = tempfile::tempdir().unwrap();
        let free = free_bytes(dir.path()).unwrap();
        let has_space_for =
            |kept, bytes| DiskSpace::new(vec![dir.path().to_owned()], kept).has_space_for(bytes);
        assert!(has_space_for(0, 1));
        assert!(has_space_for(free / 4, free / 4));
        assert!(!has_space_for(free.saturating_mul(2), 0));
        assert!(!has_space_for(free / 2, free));
    }
}
