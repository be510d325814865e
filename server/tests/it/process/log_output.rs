//! A log without a reader costs lines of the log and nothing else.

use std::process::{Command, Stdio};

use crate::harness::{LogReader, ServerProcess};

/// How many requests of `LONG_QUERY` characters fill more of the log than the pipe and the server
/// hold: each is two lines, and the server holds 1 MiB.
const MANY_REQUESTS: usize = 300;
const LONG_QUERY: usize = 4_000;

/// Posts, lets a room expire before a follower's eyes, and stops the server.
async fn use_server(mut process: ServerProcess, case: &str) {
    let room = process.create_room().await;
    let stream = reqwest::get(format!("{}/rooms/{room}/messages/", process.url)).await;
    for number in 0..50 {
        let posted = process.post(&room, "ada", &number.to_string()).await;
        assert!(posted.is_some(), "{case}: message {number} is refused");
    }
    let events = stream.unwrap().text().await.unwrap();
    assert!(events.contains("event: closed"), "{case}: {events}");
    assert!(process.is_ready().await, "{case}");
    process.signal("-TERM");
    let status = tokio::task::block_in_place(|| process.wait_for_exit());
    assert_eq!(status.code(), Some(0), "{case}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_works_and_stops_without_a_reader_of_its_log() {
    for reader in [LogReader::Leaves, LogReader::Stops] {
        for format in ["text", "json"] {
            for level in ["error", "info", "trace"] {
                let dir = tempfile::tempdir().unwrap();
                let flags = ["--log-format", format, "--log", level, "--timeout", "1s"];
                // The line that names the address has the level `info`.
                let listening = [flags[0], flags[1], "--log", "error,webchat=info"];
                let flags = if level == "error" {
                    [&listening[..], &flags[4..]].concat()
                } else {
                    flags.to_vec()
                };
                let process =
                    ServerProcess::start_with_log("127.0.0.1:0", dir.path(), &flags, reader);
                use_server(process, &format!("{reader:?} {format} {level}")).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_lines_are_counted_once_the_log_is_read_again() {
    for format in ["text", "json"] {
        let dir = tempfile::tempdir().unwrap();
        let flags = ["--log", "trace", "--log-format", format];
        let mut process =
            ServerProcess::start_with_log("127.0.0.1:0", dir.path(), &flags, LogReader::Stops);
        let url = format!("{}/healthz?{}", process.url, "q".repeat(LONG_QUERY));
        for _ in 0..MANY_REQUESTS {
            assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
        }
        process.read_log();
        let line = tokio::task::block_in_place(|| process.wait_for_log("log lines were lost"));
        assert!(line.contains("lost"), "{line}");
        process.signal("-TERM");
        tokio::task::block_in_place(|| process.wait_for_log("stopped"));
    }
}

#[test]
fn commands_end_as_usual_with_closed_outputs() {
    let dir = tempfile::tempdir().unwrap();
    drop(ServerProcess::start(dir.path(), &[]));
    let data_dir = dir.path().to_str().unwrap();
    let backup = dir.path().join("backup.db");
    let cases: [(&[&str], i32); 5] = [
        (&["--help"], 0),
        (&["--version"], 0),
        (&["--timeout", "soon"], 2),
        (
            &["--data-dir", data_dir, "backup", backup.to_str().unwrap()],
            0,
        ),
        (&["--listen", "127.0.0.1:1", "health"], 1),
    ];
    for (args, code) in cases {
        let mut child = Command::new(env!("CARGO_BIN_EXE_webchat"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{args:?}");
    }
}
