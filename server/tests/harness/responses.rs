//! Checks of responses that many tests share.

use protocol::Problem;
use reqwest::Response;
use serde_json::{Value, json};

use super::{Event, TestUser};

/// Checks that a response is a complete problem document with this status.
pub async fn expect_problem(response: Response, status: u16) -> Problem {
    assert_eq!(response.status(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
    problem
}

/// Checks that the last event of a room says what its address answers to a user.
pub async fn assert_says_why(user: &TestUser, room: &str, last: &Event, status: u16) {
    let path = format!("/rooms/{room}/");
    let problem = expect_problem(user.get(&path, "application/json").await, status).await;
    let data: Value = serde_json::from_str(&last.data).unwrap();
    assert_eq!(data, json!({"room": room, "problem": problem}));
}

pub async fn expect_json(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Checks that a response of accounts and direct chats is an envelope with this status.
pub async fn expect_envelope(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["code"], status.to_string());
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["code", "content", "message"]);
    body
}
