//! Who can read the files of the server.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{ServerProcess, file_in};

/// The entries of a directory at any depth, with the directory itself, that other users can use.
fn open_to_others(path: &Path) -> Vec<PathBuf> {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    let entries = fs::read_dir(path).into_iter().flatten();
    let mut open: Vec<PathBuf> = entries
        .flat_map(|entry| open_to_others(&entry.unwrap().path()))
        .collect();
    if mode & 0o077 != 0 {
        open.push(path.to_owned());
    }
    open
}

/// Lets a room expire, so that its archive is written.
async fn archive_a_room(process: &ServerProcess) {
    let room = process.create_room().await;
    assert!(process.post(&room, "ada", "secret").await.is_some());
    let events = reqwest::get(format!("{}/rooms/{room}/messages/", process.url)).await;
    assert!(events.unwrap().text().await.unwrap().contains("closed"));
}

#[tokio::test]
async fn no_other_user_can_read_the_data_whatever_the_umask() {
    for umask in ["000", "022"] {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("new/data");
        let process = ServerProcess::start_restricted(
            &format!("umask {umask}"),
            &data,
            &["--timeout", "1s", "--database", &file_in(&data)],
        );
        archive_a_room(&process).await;
        assert!(data.join("webchat.db-wal").exists() && data.join("archive").exists());
        let backup = dir.path().join("new/backup.db");
        let run = |command: &str| {
            let data_dir = data.to_str().unwrap();
            let line = r#"umask "$1" && exec "$0" --data-dir "$2" "$3" "$4""#;
            let program = env!("CARGO_BIN_EXE_webchat");
            let ended = Command::new("sh")
                .args(["-c", line, program, umask, data_dir, command])
                .arg(&backup)
                .status();
            assert!(ended.unwrap().success(), "{command}");
        };
        run("backup");
        let open = open_to_others(&dir.path().join("new"));
        assert!(open.is_empty(), "{umask}: {open:?}");
        drop(process);
        // The mode of the backup is not that of the restored database.
        fs::set_permissions(&backup, Permissions::from_mode(0o644)).unwrap();
        run("restore");
        let open = open_to_others(&data);
        assert!(open.is_empty(), "{umask}: {open:?}");
    }
}

#[tokio::test]
async fn data_that_was_opened_to_others_is_restricted_at_start_and_logged() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let in_file = ["--database", &file_in(&data)];
    drop(ServerProcess::start(&data, &in_file));
    for name in ["webchat.db", "jwt.key"] {
        fs::set_permissions(data.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let process = ServerProcess::start_restricted("umask 022", &data, &in_file);
    for (name, mode) in [
        ("jwt.key", "0644"),
        ("webchat.db", "0644"),
        ("data", "0755"),
    ] {
        let line = process.wait_for_log("other users");
        assert!(line.contains(name) && line.contains(mode), "{line}");
    }
    assert_eq!(open_to_others(dir.path()), [dir.path()]);
}
