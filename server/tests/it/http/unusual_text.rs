//! Text that is unusual: it is stored as it was sent, or refused.

use proptest::prelude::*;
use protocol::text;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{TestServer, expect_problem};

#[tokio::test]
async fn unusual_text_is_delivered_unchanged() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let texts = [
        "<script>alert(1)</script>",
        "\u{202e}drowkcab\u{202c}",
        "zero\u{200b}width\u{feff}",
        "data: x\n\nevent: closed\ndata: {}",
        "id: 1\nretry: 1",
        "Z\u{338}\u{334}a\u{335}l\u{336}g\u{337}o",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "'; drop table message; --",
        "${jndi:ldap://x}",
        "a\u{2028}b\u{2029}c",
    ];
    let mut reader = ada.follow(&room, "").await;
    for text in texts {
        ada.post(&room, text).await;
        assert_eq!(reader.next_message().await.body(), text);
    }
}

#[tokio::test]
async fn text_of_which_nothing_is_drawn_is_refused_as_empty() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let room = ada.create_room().await;
    let message = ada.post(&room, "hello").await.id;
    for blank in [
        "\u{200b}",
        "\u{2800}",
        "\u{3164}",
        "\u{ad}",
        "\u{202e}\u{feff}",
    ] {
        let messages = format!("/rooms/{room}/messages/");
        let edited = format!("{messages}{message}/");
        let own = format!("/rooms/{room}/");
        let cases = [
            (
                Method::POST,
                messages.as_str(),
                json!({"body": blank}),
                "body",
            ),
            (
                Method::PATCH,
                edited.as_str(),
                json!({"body": blank}),
                "body",
            ),
            (Method::POST, "/rooms/", json!({"name": blank}), "name"),
            (Method::PATCH, own.as_str(), json!({"name": blank}), "name"),
            (
                Method::PATCH,
                own.as_str(),
                json!({"description": blank}),
                "description",
            ),
            (Method::POST, "/profile/", json!({"name": blank}), "name"),
        ];
        for (method, path, sent, field) in cases {
            let response = ada.request(method, path).json(&sent).send().await.unwrap();
            let refused = expect_problem(response, 422).await;
            assert_eq!(refused.field.as_deref(), Some(field), "{path} {blank:?}");
            assert!(refused.detail.contains("is empty"), "{}", refused.detail);
        }
        let sent = json!({"username": blank, "body": "hello"});
        let response = server.visitor("").post_json(&messages, sent).await;
        expect_problem(response, 422).await;
    }
}

#[tokio::test]
async fn first_line_of_a_message_keeps_its_indentation() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let posted = ada.post(&room, "\n \n    if x:\n        y\n\n ").await;
    assert_eq!(posted.body(), "    if x:\n        y");
    let path = format!("/rooms/{room}/messages/{}/", posted.id);
    let request = ada
        .request(Method::PATCH, &path)
        .json(&json!({"body": "\n\tz  \n"}));
    let edited: protocol::Message = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(edited.body(), "\tz");
}

#[test]
fn any_text_is_stored_whole_or_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, room) = runtime.block_on(async {
        let server = TestServer::new().await;
        let room = server.visitor("ada").create_room().await;
        (server, room)
    });
    let ada = server.visitor("ada");
    proptest!(|(username in ".{0,40}", body in "(?s).{0,100}")| {
        let sent = json!({"username": username, "body": body});
        let response = runtime.block_on(ada.post_json(&format!("/rooms/{room}/messages/"), sent));
        match response.status() {
            StatusCode::CREATED => {
                let message: protocol::Message = runtime.block_on(response.json()).unwrap();
                prop_assert_eq!(Ok(message.username.clone()), text::parse_username(&username));
                let lines = body.replace("\r\n", "\n").replace('\r', "\n");
                let expected = lines.trim_end().trim_start_matches(char::is_whitespace);
                prop_assert_eq!(message.body().trim_start(), expected);
                prop_assert!(lines.contains(message.body()));
            }
            status => prop_assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY),
        }
    });
}
