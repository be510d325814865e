//! The file `.env` in the working directory, whose variables are added to the environment.
//!
//! # Guarantees
//! - The variables come from the user who runs the process, or from root: a file of another user,
//!   or one that other users can change, stops the program at start. The user's private group, whose
//!   ID is the user's own, is no other user.
//! - Root reads the file of a user in a directory of that user, as in a container, and is warned.
//! - Variables that are set already keep their values.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;

use crate::config::parse::Exit;

const NAME: &str = ".env";

/// The permission of a file's group to write.
const GROUP_WRITABLE: u32 = 0o020;

/// The permission of all users to write.
const WORLD_WRITABLE: u32 = 0o002;

/// The user and the group of a process.
#[derive(Clone, Copy, Debug)]
struct Process {
    user: u32,
    group: u32,
}

/// What decides who can have written a file.
#[derive(Clone, Copy, Debug)]
struct Access {
    owner: u32,
    group: u32,
    mode: u32,
    /// The owner of the directory.
    directory_owner: u32,
}

/// Adds the variables of the file to the environment, if there is one.
///
/// # Errors
/// One line with the reason why the file is not read.
pub fn load() -> Result<(), Exit> {
    let refuse = |reason: String| Exit {
        text: format!("error: .env {reason}\n"),
        code: 2,
    };
    let Some(mut file) = open().map_err(refuse)? else {
        return Ok(());
    };
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|error| refuse(format!("cannot be read: {error}")))?;
    dotenvy::from_read(text.as_bytes()).map_err(|error| refuse(describe(&text, &error)))
}

/// The reason why the text of the file cannot be used. It has no value, which may be a secret.
fn describe(text: &str, error: &dotenvy::Error) -> String {
    let dotenvy::Error::LineParse(part, _) = error else {
        return format!("cannot be read: {error}");
    };
    let line = text.lines().position(|line| line.contains(part.trim_end()));
    let place = line.map_or(String::new(), |line| format!(" in line {}", line + 1));
    format!("is not NAME=VALUE{place}; put a value with spaces or signs into single quotes")
}

/// Opens the file, if there is one; the error completes a sentence about it.
fn open() -> Result<Option<File>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    match std::fs::metadata(NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        // To open a pipe would wait for its writer.
        Ok(found) if !found.is_file() => return Err("is not a regular file".to_owned()),
        Ok(_) => {}
    }
    let file = File::open(NAME).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    let process = Process {
        user: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
    };
    let access = Access {
        owner: found.uid(),
        group: found.gid(),
        mode: found.mode(),
        directory_owner: std::fs::metadata(".").map_err(unreadable)?.uid(),
    };
    check_access(access, process)?;
    if access.owner != process.user && access.owner != 0 {
        warn_of_owner(access.owner);
    }
    Ok(Some(file))
}

/// Warns root, before there is a log, of the user who configures webchat.
fn warn_of_owner(owner: u32) {
    let text = format!("warning: .env belongs to the user with the ID {owner}\n");
    // There is no other place for a warning that cannot be written.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Checks that only the user of the process and root can have written a file, or for root the user
/// whose directory it is.
fn check_access(access: Access, process: Process) -> Result<(), String> {
    let Access { owner, mode, .. } = access;
    let is_of_its_place = process.user == 0 && owner == access.directory_owner;
    if owner != process.user && owner != 0 && !is_of_its_place {
        return Err(format!(
            "belongs to another user (ID {owner}), who could configure webchat by it: \
             start webchat in another directory, or change the owner of the file"
        ));
    }
    let is_private_group = access.group == process.group && access.group == process.user;
    let is_group_writable = mode & GROUP_WRITABLE != 0 && !is_private_group;
    if is_group_writable || mode & WORLD_WRITABLE != 0 {
        return Err(format!(
            "can be changed by other users (mode {:04o}), who could configure webchat by it: \
             run chmod go-w .env",
            mode & 0o7777
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Process = Process {
        user: 1000,
        group: 1000,
    };

    const ROOT: Process = Process { user: 0, group: 0 };

    /// A file of Ada in her own directory.
    const OWN: Access = Access {
        owner: 1000,
        group: 1000,
        mode: 0o100_644,
        directory_owner: 1000,
    };

    fn is_read(access: Access, process: Process) -> bool {
        check_access(access, process).is_ok()
    }

    #[test]
    fn only_a_file_of_the_user_or_of_root_that_no_one_else_can_change_is_read() {
        for (owner, mode, expected) in [
            (1000, 0o100_644, true),
            (1000, 0o100_600, true),
            (0, 0o100_644, true),
            (1001, 0o100_644, false),
            (1000, 0o100_646, false),
            (1000, 0o100_666, false),
            (0, 0o100_666, false),
        ] {
            let access = Access { owner, mode, ..OWN };
            assert_eq!(is_read(access, ADA), expected, "{access:?}");
        }
        // Also if the other user has the directory, or shares it.
        for directory_owner in [0, 1000, 1001] {
            let owner = 1001;
            let access = Access {
                owner,
                directory_owner,
                ..OWN
            };
            assert!(!is_read(access, ADA), "{access:?}");
        }
    }

    #[test]
    fn group_may_write_only_if_it_is_the_private_group_of_the_user() {
        let mode = 0o100_664;
        assert!(is_read(Access { mode, ..OWN }, ADA));
        let users = Process { group: 100, ..ADA };
        for (group, process) in [(100, ADA), (100, users), (1000, users), (0, ADA)] {
            let access = Access { group, mode, ..OWN };
            assert!(!is_read(access, process), "{access:?} {process:?}");
        }
        let mode = 0o100_666;
        assert!(!is_read(Access { mode, ..OWN }, ADA));
    }

    #[test]
    fn root_reads_the_file_of_a_user_only_in_the_directory_of_that_user() {
        assert!(is_read(OWN, ROOT));
        for (directory_owner, mode) in [
            (0, 0o100_644),
            (1001, 0o100_644),
            (1000, 0o100_664),
            (1000, 0o100_646),
        ] {
            let access = Access {
                directory_owner,
                mode,
                ..OWN
            };
            assert!(!is_read(access, ROOT), "{access:?}");
        }
    }
}
