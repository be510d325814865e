//! Who can read the files of the data: their owner, and no other user.
//!
//! # Guarantees
//! - After [`restrict`], other users can neither read nor change the database, the archives and the
//!   keys of an earlier run. What was open to them is logged with its mode.
//! - A data directory with entries that webchat does not create may be shared, and so may one that
//!   all users can write to, like `/tmp`: it keeps its mode. No parent of it changes, and no target of
//!   a symbolic link, also if the link replaces a file meanwhile.
//!
//! # Not here
//! - The mode of new files, which the process decides by its file mode creation mask.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;

/// The permissions of other users.
const OTHERS: u32 = 0o077;

/// The permission of all users to write, and the sticky bit of a directory that many write to.
const SHARED: u32 = 0o1002;

/// The bits of a mode that can be changed.
const MODE: u32 = 0o7777;

/// The folders that webchat creates in the data directory.
const FOLDERS: [&str; 4] = ["archive", "acme", "files", "uploads"];

/// The files that webchat creates in the data directory, besides the database.
const FILES: [&str; 3] = ["webchat.lock", "jwt.key", "jwt.new"];

/// What `SQLite` and a restore append to the name of a database for the files beside it.
const SUFFIXES: [&str; 5] = ["", "-wal", "-shm", "-journal", ".tmp"];

/// How many digits the ID of a room or a file has, with which the names in `archive`, `files` and
/// `uploads` begin.
const ID_DIGITS: usize = 16;

/// Takes the permissions of other users from the database and from what webchat has created in the
/// data directory. What cannot be changed is logged.
pub(crate) fn restrict(data_dir: &Path, database: Option<&Path>) -> io::Result<()> {
    let files = own_files(data_dir, database);
    for file in &files {
        restrict_entry(file);
    }
    let [archive, acme, published, uploads] = FOLDERS.map(|name| data_dir.join(name));
    restrict_folder(&acme, is_of_acme);
    for folder in [archive, published, uploads] {
        restrict_folder(&folder, begins_with_an_id);
    }
    if is_shared(data_dir, &files)? {
        warn_of_access(data_dir);
    } else {
        restrict_entry(data_dir);
    }
    Ok(())
}

/// The existing files that webchat has created, outside of folders.
fn own_files(data_dir: &Path, database: Option<&Path>) -> Vec<PathBuf> {
    let mut files = FILES.map(|name| data_dir.join(name)).to_vec();
    for database in [data_dir.join("webchat.db").as_path()]
        .into_iter()
        .chain(database)
    {
        files.extend(SUFFIXES.map(|suffix| with_suffix(database, suffix)));
    }
    files.retain(|file| file.symlink_metadata().is_ok());
    files
}

/// Whether others may use the data directory: all users can write to it, or it has other entries than
/// these files and the folders of webchat.
fn is_shared(data_dir: &Path, files: &[PathBuf]) -> io::Result<bool> {
    if fs::metadata(data_dir)?.mode() & SHARED != 0 {
        return Ok(true);
    }
    // The paths may be relative in different ways.
    let files: Vec<_> = files.iter().flat_map(|file| file.canonicalize()).collect();
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let is_folder = FOLDERS.iter().any(|name| entry.file_name() == *name);
        let is_own = |path| files.contains(&path);
        if !is_folder && !entry.path().canonicalize().is_ok_and(is_own) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether a name in `archive`, `files` or `uploads` is one that webchat gives.
fn begins_with_an_id(name: &str) -> bool {
    let digits = name.bytes().take_while(u8::is_ascii_hexdigit);
    digits.count() >= ID_DIGITS
}

/// Whether a name in `acme` is one that webchat gives.
fn is_of_acme(name: &str) -> bool {
    name.starts_with("account-") || name.starts_with("certificate-")
}

/// Restricts a folder of the data directory and its content, if it exists. The content
/// of a folder that is restricted already is out of reach.
fn restrict_folder(path: &Path, is_own_name: fn(&str) -> bool) {
    let Ok(folder) = File::open(path) else {
        return;
    };
    let is_open = |found: fs::Metadata| found.is_dir() && found.mode() & OTHERS != 0;
    let Some(names) = folder
        .metadata()
        .is_ok_and(is_open)
        .then(|| names_in(&folder))
    else {
        return;
    };
    let mut open = 0;
    let mut is_shared = false;
    for name in names.into_iter().flatten() {
        let name = OsStr::from_bytes(&name);
        if name.to_str().is_some_and(is_own_name) {
            let restricted = restrict_tree(&folder, &path.join(name));
            open += usize::from(!matches!(restricted, Ok(None)));
        } else {
            is_shared = true;
        }
    }
    if open > 0 {
        let path = path.display();
        tracing::warn!(%path, entries = open, "other users had access to entries of this folder");
    }
    if is_shared {
        warn_of_access(path);
    } else {
        restrict_entry(path);
    }
}

/// The names in a directory.
fn names_in(directory: &File) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Restricts a file or a directory, and logs what was open.
fn restrict_entry(path: &Path) {
    let shown = path.display();
    match restrict_one(path) {
        Ok(None) => {}
        Ok(Some(mode)) => tracing::warn!(
            path = %shown,
            mode = %format!("{mode:04o}"),
            "other users had access; now only the owner has"
        ),
        Err(error) => tracing::warn!(
            path = %shown,
            %error,
            "cannot take the access of other users away"
        ),
    }
}

/// Restricts an entry of an open directory, which `path` names, after its content. Returns its mode
/// if that was open.
fn restrict_tree(parent: &File, path: &Path) -> io::Result<Option<u32>> {
    let name = path.file_name().unwrap_or_default();
    let Some(found) = open_unless_link(parent, name)? else {
        warn_of_access(path);
        return Ok(None);
    };
    if found.metadata()?.is_dir() {
        for name in names_in(&found)? {
            restrict_tree(&found, &path.join(OsStr::from_bytes(&name)))?;
        }
    }
    restrict_open(&found)
}

/// Restricts a file or a directory. Returns its mode if that was open.
fn restrict_one(path: &Path) -> io::Result<Option<u32>> {
    let Some(found) = open_unless_link(CWD, path.as_os_str())? else {
        warn_of_access(path);
        return Ok(None);
    };
    restrict_open(&found)
}

/// Opens an entry of a directory, unless it is a symbolic link. Another user who can write to the
/// directory could replace the entry by a link at any time, so that its mode is read and changed only
/// by what is open.
fn open_unless_link(directory: impl AsFd, name: &OsStr) -> io::Result<Option<File>> {
    // To open a pipe would wait for its writer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(directory, name, flags, Mode::empty()) {
        Ok(found) => Ok(Some(found.into())),
        Err(Errno::LOOP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Restricts an open file or directory. Returns its mode if that was open to others.
fn restrict_open(found: &File) -> io::Result<Option<u32>> {
    let mode = found.metadata()?.mode() & MODE;
    if mode & OTHERS == 0 {
        return Ok(None);
    }
    found.set_permissions(fs::Permissions::from_mode(mode & !OTHERS))?;
    Ok(Some(mode))
}

/// Logs that other users have access to a place that keeps its mode.
fn warn_of_access(path: &Path) {
    let mode = fs::metadata(path).map_or(0, |found| found.mode() & MODE);
    if mode & OTHERS != 0 {
        tracing::warn!(
            path = %path.display(),
            mode = %format!("{mode:04o}"),
            "other users have access, and may share this place, so its mode is not changed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & MODE
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A data directory as an older version left it, with these further entries.
    fn old_data_dir(further: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let inside = |name: &str| dir.path().join(name);
        fs::create_dir_all(inside("archive/0123456789abcdef")).unwrap();
        let files = [
            "webchat.db",
            "webchat.db-wal",
            "webchat.lock",
            "jwt.key",
            "archive/0123456789abcdef.jsonl",
            "archive/0123456789abcdef/a.txt",
        ];
        for name in files.iter().chain(further) {
            fs::write(inside(name), "").unwrap();
            set_mode(&inside(name), 0o666);
        }
        set_mode(&inside("archive/0123456789abcdef"), 0o755);
        set_mode(&inside("archive"), 0o777);
        set_mode(dir.path(), 0o2755);
        dir
    }

    #[test]
    fn data_of_an_older_version_is_restricted_to_its_owner() {
        let dir = old_data_dir(&[]);
        restrict(dir.path(), Some(&dir.path().join("webchat.db"))).unwrap();
        for (name, expected) in [
            ("", 0o2700),
            ("webchat.db", 0o600),
            ("webchat.db-wal", 0o600),
            ("webchat.lock", 0o600),
            ("jwt.key", 0o600),
            ("archive", 0o700),
            ("archive/0123456789abcdef.jsonl", 0o600),
            ("archive/0123456789abcdef", 0o700),
            ("archive/0123456789abcdef/a.txt", 0o600),
        ] {
            let found = mode(&dir.path().join(name));
            assert_eq!(found, expected, "{name}: {found:o}");
        }
    }

    #[test]
    fn shared_data_directory_keeps_its_mode_and_the_files_of_others() {
        let dir = old_data_dir(&["notes.txt"]);
        let target = tempfile::NamedTempFile::new().unwrap();
        set_mode(target.path(), 0o644);
        std::os::unix::fs::symlink(target.path(), dir.path().join("webchat.db-shm")).unwrap();
        restrict(dir.path(), Some(&dir.path().join("webchat.db"))).unwrap();
        assert_eq!(mode(dir.path()), 0o2755);
        assert_eq!(mode(&dir.path().join("notes.txt")), 0o666);
        assert_eq!(mode(target.path()), 0o644);
        assert_eq!(mode(&dir.path().join("webchat.db")), 0o600);
        assert_eq!(mode(&dir.path().join("archive")), 0o700);
    }

    #[test]
    fn data_directory_that_all_users_can_write_to_keeps_its_mode() {
        for place in [0o1777, 0o777, 0o1755] {
            let dir = old_data_dir(&[]);
            set_mode(dir.path(), place);
            restrict(dir.path(), Some(&dir.path().join("webchat.db"))).unwrap();
            assert_eq!(mode(dir.path()), place);
            assert_eq!(mode(&dir.path().join("webchat.db")), 0o600);
            assert_eq!(mode(&dir.path().join("archive")), 0o700);
        }
    }

    #[test]
    fn link_that_replaces_an_open_file_or_folder_leads_to_no_other_mode() {
        let target_dir = tempfile::tempdir().unwrap();
        let target = target_dir.path();
        fs::write(target.join("secret"), "").unwrap();
        set_mode(&target.join("secret"), 0o644);
        set_mode(target, 0o755);
        let dir = tempfile::tempdir().unwrap();
        let [file, folder] = ["file", "folder"].map(|name| dir.path().join(name));
        fs::write(&file, "").unwrap();
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("secret"), "").unwrap();
        for path in [&file, &folder, &folder.join("secret")] {
            set_mode(path, 0o777);
        }
        let opened = |path: &Path| open_unless_link(CWD, path.as_os_str()).unwrap().unwrap();
        let [open_file, open_folder] = [&file, &folder].map(|path| opened(path));
        for (path, inside) in [(&file, "secret"), (&folder, "")] {
            fs::rename(path, path.with_extension("moved")).unwrap();
            std::os::unix::fs::symlink(target.join(inside), path).unwrap();
            assert!(open_unless_link(CWD, path.as_os_str()).unwrap().is_none());
        }
        assert_eq!(restrict_open(&open_file).unwrap(), Some(0o777));
        restrict_tree(&open_folder, &folder.join("secret")).unwrap();
        assert_eq!(mode(&file.with_extension("moved")), 0o700);
        let inside = folder.with_extension("moved").join("secret");
        assert_eq!(mode(&inside), 0o700);
        assert_eq!(mode(&target.join("secret")), 0o644);
        assert_eq!(mode(target), 0o755);
    }

    #[test]
    fn folder_with_files_of_others_keeps_its_mode() {
        let dir = old_data_dir(&["archive/notes.txt"]);
        restrict(dir.path(), Some(&dir.path().join("webchat.db"))).unwrap();
        for (name, expected) in [
            ("archive", 0o777),
            ("archive/notes.txt", 0o666),
            ("archive/0123456789abcdef.jsonl", 0o600),
        ] {
            let found = mode(&dir.path().join(name));
            assert_eq!(found, expected, "{name}: {found:o}");
        }
    }

    #[test]
    fn database_elsewhere_is_restricted_and_its_directory_is_not() {
        let dir = old_data_dir(&[]);
        let elsewhere = old_data_dir(&["chat.db", "chat.db-wal"]);
        restrict(dir.path(), Some(&elsewhere.path().join("chat.db"))).unwrap();
        for name in ["chat.db", "chat.db-wal"] {
            assert_eq!(mode(&elsewhere.path().join(name)), 0o600, "{name}");
        }
        assert_eq!(mode(elsewhere.path()), 0o2755);
        assert_eq!(mode(&elsewhere.path().join("jwt.key")), 0o666);
        let inside = old_data_dir(&["chat.db", "chat.db-wal"]);
        restrict(inside.path(), Some(&inside.path().join("chat.db"))).unwrap();
        assert_eq!(mode(inside.path()), 0o2700);
    }
}
