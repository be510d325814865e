//! A disk that is almost full, and a room that is.

use reqwest::{Client, StatusCode};
use serde_json::json;

use crate::harness::{ServerProcess, TEST_TIMEOUT, TestServer, expect_problem, run_health_check};

async fn status_of(request: reqwest::RequestBuilder) -> StatusCode {
    request.timeout(TEST_TIMEOUT).send().await.unwrap().status()
}

#[tokio::test]
async fn almost_full_disk_refuses_new_data_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(dir.path(), &[]);
    let room = server.create_room().await;
    let message = server.post(&room, "ada", "hello").await.unwrap();
    drop(server);
    let server = ServerProcess::start(dir.path(), &["--free-space", "1000PB"]);
    let http = Client::new();
    let url = |path: &str| format!("{}{path}", server.url);
    let wish = json!({"name": "Ada", "username": "ada", "password": "secret"});
    for (path, body) in [
        (
            format!("/rooms/{room}/messages/"),
            json!({"username": "ada", "body": "more"}),
        ),
        ("/rooms/".to_owned(), json!({})),
        ("/register".to_owned(), wish),
        ("/join?id=ada".to_owned(), json!({})),
    ] {
        let status = status_of(http.post(url(&path)).json(&body)).await;
        assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{path}");
    }
    assert_eq!(server.history(&room).await, [message]);
    assert!(!server.is_ready().await);
    let listen = server.url.trim_start_matches("http://");
    assert_eq!(run_health_check(listen).0, Some(1));
    drop(server);
    let server = ServerProcess::start(dir.path(), &["--free-space", "0B"]);
    assert!(server.post(&room, "ada", "again").await.is_some());
}

#[tokio::test]
async fn full_room_refuses_text_until_some_is_deleted() {
    let change = |config: &mut chat::Config| config.room_messages = 10_000;
    let server = TestServer::with(&["--rate-limit", "off"], change).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let text = "x".repeat(4_000);
    let first = ada.post(&room, &text).await.id;
    ada.post(&room, &text).await;
    expect_problem(ada.try_post(&room, &text).await, 507).await;
    ada.post(&room, "short").await;
    let path = format!("/rooms/{room}/messages/{first}/");
    let deleted = ada.request(reqwest::Method::DELETE, &path).send().await;
    assert_eq!(deleted.unwrap().status(), 200);
    ada.post(&room, &text).await;
}
