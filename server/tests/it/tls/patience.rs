//! Whom the server waits for over TLS, and for how long; tokio's clock is turned.

use std::time::Duration;

use reqwest::{StatusCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Cert, connect, follow, shake, until};
use crate::house::PATIENCE;

/// Waits for so many seconds at most, in a moment. The sockets are looked at in each of these seconds.
pub async fn within<T>(seconds: u32, wanted: impl Future<Output = T>) -> Option<T> {
    tokio::time::pause();
    let fly = async {
        for _ in 0..seconds {
            tokio::time::advance(Duration::from_secs(1)).await;
            for _ in 0..500 {
                tokio::task::yield_now().await;
            }
        }
    };
    let came = tokio::select! {
        biased;
        came = wanted => Some(came),
        () = fly => None,
    };
    tokio::time::resume();
    came
}

/// Ends when the server hangs up, whether it says so or not.
pub async fn hung_up(socket: &mut (impl AsyncReadExt + Unpin)) -> usize {
    let (mut buffer, mut total) = (vec![0; 64 * 1024], 0);
    while let Ok(read @ 1..) = socket.read(&mut buffer).await {
        total += read;
    }
    total
}

#[tokio::test]
async fn a_quiet_stream_is_heard() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let room = cert.person("ada", &house.url, Version::HTTP_2).room().await;
    let (mut client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let mut stream = follow(&mut client, &house, &room, "").await;
    // For longer than a silent client is waited for.
    for _ in 0..6 {
        within(17, until(&mut stream, ": heartbeat\n\n"))
            .await
            .expect("it is silent");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_reset_and_the_others_go_on() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let ada = cert.person("ada", &house.url, Version::HTTP_11);
    let (busy, quiet) = (ada.room().await, ada.room().await);
    let (mut client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let mut read = follow(&mut client, &house, &quiet, "").await;
    let mut stuck = follow(&mut client, &house, &busy, "").await;
    for _ in 0..40 {
        ada.post(&busy, &"x".repeat(4_000)).await;
    }
    let mut taken = 0;
    let reset = async {
        loop {
            match stuck.data().await.expect("it ended in order") {
                Ok(chunk) => taken += chunk.len(),
                Err(reset) => return reset,
            }
        }
    };
    let reset = within(70, reset).await.expect("it is still there");
    assert_eq!(
        (reset.reason(), reset.is_remote()),
        (Some(h2::Reason::CANCEL), true),
        "{reset}"
    );
    assert!(taken <= 65_535, "{taken}");
    ada.post(&quiet, "all is well").await;
    until(&mut read, "all is well").await;
}

#[tokio::test]
async fn a_connection_that_is_not_read_is_cut_and_costs_the_others_nothing() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let ada = cert.person("ada", &house.url, Version::HTTP_11);
    let room = ada.room().await;
    let mut stuck = cert.connect(&house.url, b"http/1.1").await;
    let get = format!("GET /rooms/{room}/messages/ HTTP/1.1\r\nhost: x\r\n\r\n");
    stuck.write_all(get.as_bytes()).await.unwrap();
    let mut listener = ada.follow(&room, "").await;
    let text = "x".repeat(4_000);
    for n in 1..=3_000 {
        ada.post(&room, &text).await;
        assert_eq!(listener.next_message().await.id, n);
    }
    assert!(within(45, std::future::pending::<()>()).await.is_none());
    let taken = timeout(PATIENCE, hung_up(&mut stuck))
        .await
        .expect("it is still there");
    assert!(taken < 3_000 * 4_000, "it was waited for: {taken}");
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_is_cut() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let mut socket = connect(&house.url).await;
    // The beginning of a first message of 512 bytes.
    socket.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
    assert_eq!(
        cert.person("ada", &house.url, Version::HTTP_2)
            .get("/healthz", "*/*")
            .await
            .status(),
        200
    );
    assert_eq!(
        within(8, hung_up(&mut socket)).await,
        None,
        "some take their time"
    );
    assert_eq!(within(4, hung_up(&mut socket)).await, Some(0));
}

#[tokio::test]
async fn who_asks_for_nothing_is_cut() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    for (protocol, patience) in [(&b"h2"[..], 65), (b"http/1.1", 35)] {
        let mut silent = cert.connect(&house.url, protocol).await;
        assert_eq!(within(28, hung_up(&mut silent)).await, None);
        assert!(
            within(patience - 28, hung_up(&mut silent)).await.is_some(),
            "{protocol:?}"
        );
    }
    let (client, connection) = shake(cert.connect(&house.url, b"h2").await).await;
    within(65, connection)
        .await
        .expect("it is still there")
        .unwrap()
        .unwrap();
    drop(client);
}

#[tokio::test]
async fn stopping_waits_for_requests_and_for_nobody_else() {
    let cert = Cert::new();
    let mut house = cert.house(None).await;
    let room = cert.person("ada", &house.url, Version::HTTP_2).room().await;
    let unshaken = connect(&house.url).await;
    let silent = (
        cert.connect(&house.url, b"h2").await,
        cert.connect(&house.url, b"http/1.1").await,
    );
    let (mut client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let post = hyper::Request::post(format!("{}/rooms/{room}/messages/", house.url));
    let post = post
        .header("content-type", "application/json")
        .body(())
        .unwrap();
    let (answer, mut body) = client.send_request(post, false).unwrap();
    // The server has taken in what was sent before this was answered.
    let _answered = follow(&mut client, &house, &room, "").await;
    let stopped = house.stop();
    body.send_data(r#"{"username":"ada","body":"slow"}"#.into(), true)
        .unwrap();
    assert_eq!(
        timeout(PATIENCE, answer).await.unwrap().unwrap().status(),
        StatusCode::CREATED
    );
    timeout(Duration::from_secs(9), stopped)
        .await
        .expect("somebody is waited for")
        .unwrap();
    drop((unshaken, silent));
}
