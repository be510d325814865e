//! The descriptors of the process: as many as the system allows, some of them kept for files.

/// The descriptors that are kept for the database, its files and the log.
const RESERVE: usize = 64;

/// Raises the limit of open descriptors to the greatest that the process may have. Returns how many
/// connections they allow.
pub fn raise_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of open files");
            current
        }
    };
    connections_within(limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    }))
}

/// How many connections so many descriptors allow.
fn connections_within(descriptors: usize) -> usize {
    descriptors - RESERVE.min(descriptors / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_for_files() {
        assert_eq!(connections_within(256), 192);
        assert_eq!(connections_within(100), 75);
        assert_eq!(connections_within(1_048_576), 1_048_512);
    }
}
