//! Signals: those that stop the server, and those that must not.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::ServerProcess;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_signals_leave_the_server_running_and_a_line_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = ServerProcess::start(dir.path(), &[]);
    let room = process.create_room().await;
    for (signal, words) in [
        ("-HUP", "SIGHUP reloads only certificates"),
        ("-USR1", "SIGUSR1 is ignored"),
        ("-USR2", "SIGUSR2 is ignored"),
        ("-ALRM", "SIGALRM is ignored"),
        ("-IO", "SIGIO is ignored"),
        ("-XCPU", "SIGXCPU is ignored"),
        ("-XFSZ", "SIGXFSZ is ignored"),
    ] {
        process.signal(signal);
        tokio::task::block_in_place(|| process.wait_for_log(words));
        assert!(process.post(&room, "ada", signal).await.is_some());
    }
    process.signal("-PIPE");
    assert!(process.post(&room, "ada", "-PIPE").await.is_some());
    process.signal("-TERM");
    let status = tokio::task::block_in_place(|| process.wait_for_exit());
    assert_eq!(status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_signal_ends_the_wait_for_running_requests() {
    for signals in [["-INT", "-INT"], ["-TERM", "-QUIT"]] {
        let dir = tempfile::tempdir().unwrap();
        let mut process = ServerProcess::start(dir.path(), &["--drain", "1h"]);
        let room = process.create_room().await;
        let address = process.url.trim_start_matches("http://");
        let mut slow = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: 9\r\nexpect: 100-continue\r\n\r\n"
        );
        slow.write_all(head.as_bytes()).await.unwrap();
        // The server has asked for the body, so the request has begun.
        slow.read_u8().await.unwrap();
        process.signal(signals[0]);
        tokio::task::block_in_place(|| process.wait_for_log("stopping after"));
        process.signal(signals[1]);
        let status = tokio::task::block_in_place(|| process.wait_for_exit());
        assert_eq!(status.code(), Some(0), "{signals:?}");
    }
}
