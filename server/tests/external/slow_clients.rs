//! Clients that are slow on purpose, as [slowhttptest](https://github.com/shekyan/slowhttptest)
//! does it: many connections that send a head or a body byte by byte, or do not read. The server's
//! clock is turned until its timeouts have passed.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::harness::{TEST_TIMEOUT, TestServer, TestUser, within_virtual_seconds};

const CONNECTIONS: usize = 50;

/// Many slow clients, which would continue for longer than the test.
struct SlowHttpTest(Child);

impl SlowHttpTest {
    fn begin(server: &TestServer, options: &[&str], path: &str) -> Self {
        let count = CONNECTIONS.to_string();
        let mut command = Command::new("slowhttptest");
        command
            .args([
                "-c", &count, "-r", &count, "-l", "240", "-i", "1", "-p", "20",
            ])
            .args(options);
        let command = command
            .args(["-u", &format!("{}{path}", server.url)])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("slowhttptest does not start"))
    }
}

impl Drop for SlowHttpTest {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Counts the established connections of the server in the system's table.
fn count_connections(server: &TestServer) -> usize {
    let port = server
        .url
        .rsplit(':')
        .next()
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let open = |line: &&str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[1].ends_with(&format!(":{port:04X}")) && columns[3] == "01"
    };
    table.lines().skip(1).filter(open).count()
}

/// Checks that slow clients keep their connections for a timeout, lose them then, and delay no one
/// else.
async fn assert_slow_clients_are_cut_off(
    server: &TestServer,
    ada: &TestUser,
    options: &[&str],
    path: &str,
    timeout_seconds: u32,
) {
    let room = ada.create_room().await;
    let begin = Instant::now();
    let _slow_clients = SlowHttpTest::begin(server, options, path);
    wait_until(|| count_connections(server) >= CONNECTIONS)
        .await
        .expect("the slow clients do not connect");
    ada.post(&room, "while they are slow").await;
    // The timeouts of the first clients have begun to run in real time.
    let elapsed = u32::try_from(begin.elapsed().as_secs()).unwrap() + 1;
    advance_clock(timeout_seconds.saturating_sub(2 + elapsed)).await;
    assert!(count_connections(server) >= CONNECTIONS, "closed too early");
    // A response is stalled once the socket's buffer is full, which takes the server a moment. The
    // test has connections of its own.
    let begin = Instant::now();
    while count_connections(server) >= 5 {
        assert!(
            begin.elapsed() < TEST_TIMEOUT,
            "slow clients are still connected"
        );
        advance_clock(1).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ada.post(&room, "and after").await;
    assert_eq!(ada.history(&room, "").await.len(), 2);
}

async fn advance_clock(seconds: u32) {
    let nothing = std::future::pending::<()>();
    assert!(within_virtual_seconds(seconds, nothing).await.is_none());
}

/// Polls a condition until it holds.
async fn wait_until(so: impl Fn() -> bool) -> Result<(), Elapsed> {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TEST_TIMEOUT, wait).await
}

pub async fn slow_request_heads_are_cut_off() {
    let server = TestServer::new().await;
    assert_slow_clients_are_cut_off(&server, &server.visitor("ada"), &["-H"], "/", 30).await;
}

pub async fn slow_request_bodies_are_cut_off() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let messages = format!("/rooms/{}/messages/", ada.create_room().await);
    assert_slow_clients_are_cut_off(
        &server,
        &ada,
        &["-B", "-s", "8192", "-f", "application/json"],
        &messages,
        20,
    )
    .await;
}

pub async fn slow_response_readers_are_cut_off() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let text = "x".repeat(4_000);
    for _ in 0..2_000 {
        ada.post(&room, &text).await;
    }
    // They read five bytes a second.
    let options = [
        "-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "5", "-k", "3",
    ];
    assert_slow_clients_are_cut_off(
        &server,
        &ada,
        &options,
        &format!("/rooms/{room}/transcript.txt"),
        30,
    )
    .await;
}
