//! Clients that are slow on purpose, as [slowhttptest](https://github.com/shekyan/slowhttptest) does it: many connections
//! that send a head or a body byte by byte, or do not read. The server's clock is turned until it has had enough.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::error::Elapsed;
use tokio::time::timeout;

use crate::house::{House, PATIENCE, Person};
use crate::tls::patience::within;

const CONNECTIONS: usize = 50;

/// Many slow clients, who would go on for longer than the test lasts.
struct Attack(Child);

impl Attack {
    fn begin(house: &House, kind: &[&str], path: &str) -> Self {
        let count = CONNECTIONS.to_string();
        let mut command = Command::new("slowhttptest");
        command
            .args([
                "-c", &count, "-r", &count, "-l", "240", "-i", "1", "-p", "20",
            ])
            .args(kind);
        let command = command
            .args(["-u", &format!("{}{path}", house.url)])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(
            command
                .spawn()
                .expect("this test needs slowhttptest, which make test installs"),
        )
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many connections the server has, as the system counts; without those that it has closed.
fn connections(house: &House) -> usize {
    let port = house
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

/// Whoever is slow in this way is waited for so long, cut off soon after, and costs nobody else anything.
async fn borne(house: &House, ada: &Person, kind: &[&str], path: &str, patience: u32) {
    let room = ada.room().await;
    let _attack = Attack::begin(house, kind, path);
    until(|| connections(house) >= CONNECTIONS)
        .await
        .expect("they do not come");
    ada.post(&room, "while they are slow").await;
    assert!(
        within(patience - 3, std::future::pending::<()>())
            .await
            .is_none()
    );
    assert!(connections(house) >= CONNECTIONS, "some take their time");
    assert!(within(6, std::future::pending::<()>()).await.is_none());
    // Those who look on have connections, too.
    until(|| connections(house) < 5)
        .await
        .expect("somebody is still waited for");
    ada.post(&room, "and after").await;
    assert_eq!(ada.history(&room, "").await.len(), 2);
}

/// Waits until it is so.
async fn until(so: impl Fn() -> bool) -> Result<(), Elapsed> {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await
}

#[tokio::test]
async fn slow_heads_are_cut_off() {
    let house = House::new().await;
    borne(&house, &house.person("ada"), &["-H"], "/", 30).await;
}

#[tokio::test]
async fn slow_bodies_are_cut_off() {
    let house = House::new().await;
    let ada = house.person("ada");
    let messages = format!("/rooms/{}/messages/", ada.room().await);
    borne(
        &house,
        &ada,
        &["-B", "-s", "8192", "-f", "application/json"],
        &messages,
        20,
    )
    .await;
}

#[tokio::test]
async fn slow_readers_are_cut_off() {
    let house = House::new().await;
    let ada = house.person("ada");
    let (room, text) = (ada.room().await, "x".repeat(4_000));
    for _ in 0..2_000 {
        ada.post(&room, &text).await;
    }
    // They take five bytes a second, of some that have been sent already.
    let kind = [
        "-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "5", "-k", "3",
    ];
    borne(
        &house,
        &ada,
        &kind,
        &format!("/rooms/{room}/transcript.txt"),
        30,
    )
    .await;
}
