//! The database of `--database`: a `PostgreSQL` server, or a file that outlives the process and can be
//! written.
//!
//! # Guarantees
//! A database that would be lost with the process, or that cannot be written, is refused in one
//! line with the flag, the value and an example.
//!
//! # Not here
//! Damaged databases and those of another version (`chat`).

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// The end of every refusal of a file.
const EXAMPLE: &str = "write it like sqlite:/var/lib/webchat/webchat.db";

/// The end of every refusal of a server.
pub(super) const SERVER_EXAMPLE: &str =
    "write it like postgres://webchat:PASSWORD@localhost/webchat";

/// What a database URL names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DatabaseUrl {
    /// A file with this path.
    File(PathBuf),
    /// A database on a server.
    Server,
}

/// Reads a database URL. Checks its form, and neither the file nor the server.
///
/// # Errors
/// The second half of a sentence that begins with the value and the flag.
pub(super) fn parse_url(text: &str) -> Result<DatabaseUrl, String> {
    if chat::is_postgres(text) {
        return match chat::check_postgres_url(text) {
            Ok(()) => Ok(DatabaseUrl::Server),
            Err(reason) => Err(format!("cannot be read: {reason}; {SERVER_EXAMPLE}")),
        };
    }
    let refuse = |reason: &str| Err(format!("{reason}; {EXAMPLE}"));
    let Some(location) = text.strip_prefix("sqlite:") else {
        return refuse("is not a database that this build supports");
    };
    let location = location.strip_prefix("//").unwrap_or(location);
    let (path, mode) = location.split_once('?').unwrap_or((location, "mode=rwc"));
    let Ok(path) = percent_decode_str(path).decode_utf8() else {
        return refuse("is not UTF-8");
    };
    if mode == "mode=memory" || path.is_empty() || path.starts_with(':') {
        return refuse("is no file, so its content would be lost with the process");
    }
    if mode == "mode=ro" || mode.contains("immutable") {
        return refuse("cannot be written");
    }
    if !["mode=rw", "mode=rwc", ""].contains(&mode) {
        return refuse("has an unknown parameter");
    }
    // SQLite would read it as a URL, whose parameters can name a database in memory.
    if path.starts_with("file:") || path.starts_with("sqlite:") || path.contains('\0') {
        return refuse("has no path of a file");
    }
    Ok(DatabaseUrl::File(PathBuf::from(&*path)))
}

/// Checks a database URL, and the file that it names, if it names one.
///
/// # Errors
/// The second half of a sentence that begins with the value and the flag.
pub(super) fn check(url: &str, data_dir: &Path) -> Result<(), String> {
    match parse_url(url)? {
        DatabaseUrl::File(path) => check_file(&path, data_dir),
        DatabaseUrl::Server => Ok(()),
    }
}

/// Checks the file that a database URL names. The data directory may not exist yet.
///
/// # Errors
/// The second half of a sentence that begins with the value and the flag.
fn check_file(path: &Path, data_dir: &Path) -> Result<(), String> {
    let reason = match fs::metadata(path) {
        Ok(file) if file.is_dir() => Some("is a directory".to_owned()),
        Ok(file) if !file.is_file() => Some("is not a regular file".to_owned()),
        Ok(_) => check_existing(path),
        Err(_) => None,
    };
    match reason.or_else(|| check_directory(path, data_dir)) {
        Some(reason) => Err(format!("{reason}; {EXAMPLE}")),
        None => Ok(()),
    }
}

/// The reason why an existing file cannot be written.
fn check_existing(path: &Path) -> Option<String> {
    let opened = OpenOptions::new().read(true).append(true).open(path);
    opened
        .err()
        .map(|error| format!("cannot be written: {error}"))
}

/// The reason why the directory of a database cannot be written. SQLite creates files in it.
fn check_directory(path: &Path, data_dir: &Path) -> Option<String> {
    if path.file_name().is_none() {
        return Some("has no name of a file".to_owned());
    }
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !directory.exists() && plain(data_dir).starts_with(plain(directory)) {
        // It is created with the data directory.
        return None;
    }
    if !directory.is_dir() {
        return Some(format!(
            "is in {}, which is no directory",
            directory.display()
        ));
    }
    let file = directory.join(format!(".webchat-{}.check", std::process::id()));
    let created = fs::write(&file, "").and_then(|()| fs::remove_file(&file));
    created.err().map(|error| {
        format!(
            "is in {}, which cannot be written: {error}",
            directory.display()
        )
    })
}

/// A relative path without a dot at its beginning.
fn plain(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_that_names_no_lasting_file_is_refused() {
        for url in [
            "",
            "sqlite",
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:%3Amemory%3A",
            "sqlite:%3amemory:",
            "sqlite::memory:?cache=shared",
            "sqlite:?mode=memory",
            "sqlite://?mode=memory",
            "sqlite://?mode=memory&cache=private",
            "sqlite:chat.db?mode=memory",
            "sqlite:chat.db?cache=shared&mode=memory",
            "sqlite:chat.db?mode=ro",
            "sqlite:chat.db?immutable=true",
            "sqlite:chat.db?vfs=memdb",
            "sqlite:file::memory:",
            "sqlite:file:chat.db?mode=memory",
            "sqlite:file:chat.db%3Fmode=memory",
            "sqlite:sqlite::memory:",
            "sqlite://sqlite://:memory:",
            "sqlite:chat%00.db",
            "sqlite:%ff",
            "SQLITE:chat.db",
            "mysql://chat",
            "chat.db",
        ] {
            let reason = parse_url(url).unwrap_err();
            assert!(reason.ends_with(EXAMPLE), "{url}: {reason}");
        }
    }

    #[test]
    fn url_of_a_file_gives_its_path() {
        for (url, path) in [
            ("sqlite:chat.db", "chat.db"),
            ("sqlite:/var/lib/chat.db", "/var/lib/chat.db"),
            ("sqlite:///var/lib/chat.db", "/var/lib/chat.db"),
            ("sqlite:a%20b.db?mode=rwc", "a b.db"),
            ("sqlite:chat.db?mode=rw", "chat.db"),
            ("sqlite:./:memory:", "./:memory:"),
        ] {
            assert_eq!(parse_url(url), Ok(DatabaseUrl::File(path.into())), "{url}");
        }
    }

    #[test]
    fn only_a_regular_file_in_an_existing_directory_is_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let inside = |name: &str| dir.path().join(name);
        fs::create_dir(inside("directory")).unwrap();
        fs::write(inside("file.db"), "").unwrap();
        let data_dir = inside("data/webchat");
        let check = |path: PathBuf| check_file(&path, &data_dir);
        for refused in [
            dir.path().to_owned(),
            inside("directory"),
            inside("directory/"),
            inside("missing/chat.db"),
            inside("file.db/chat.db"),
            PathBuf::from("/dev/null"),
            PathBuf::from("/dev/full"),
            PathBuf::from("/proc/chat.db"),
            PathBuf::from(".."),
        ] {
            let reason = check(refused.clone()).unwrap_err();
            assert!(reason.ends_with(EXAMPLE), "{}: {reason}", refused.display());
        }
        for accepted in [
            inside("file.db"),
            inside("new.db"),
            data_dir.join("chat.db"),
            inside("data/chat.db"),
            PathBuf::from("chat.db"),
        ] {
            assert_eq!(check(accepted.clone()), Ok(()), "{}", accepted.display());
        }
    }
}
