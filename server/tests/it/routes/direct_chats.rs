//! Direct chats of two accounts.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{TestServer, TestSocket, expect_envelope, expect_problem};

#[tokio::test]
async fn direct_message_reaches_all_devices_of_both_and_nobody_else() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let bob = server.account("bob").await;
    let eve = server.account("eve").await;
    let mut phone = TestSocket::open_as(&ada, "/chats/bob").await.unwrap();
    let mut laptop = TestSocket::open_as(&ada, "/chats/bob").await.unwrap();
    let mut elsewhere = TestSocket::open_as(&ada, "/chats/eve").await.unwrap();
    phone.send_text("hello").await;
    for device in [&mut phone, &mut laptop] {
        let heard: Value = serde_json::from_str(device.next().await.to_text().unwrap()).unwrap();
        assert_eq!(
            (&heard["from"], &heard["body"]),
            (&json!("ada"), &json!("hello"))
        );
        assert!(heard["sent_at"].as_i64().unwrap() > 1_600_000_000);
        assert_eq!(heard.as_object().unwrap().len(), 3);
    }
    // Bob was away. He gets the message once, when he connects.
    let mut theirs = TestSocket::open_as(&bob, "/chats/ada").await.unwrap();
    assert!(
        theirs
            .next()
            .await
            .to_text()
            .unwrap()
            .contains(r#""body":"hello""#)
    );
    theirs.send_text("hi").await;
    for device in [&mut theirs, &mut phone, &mut laptop] {
        assert!(
            device
                .next()
                .await
                .to_text()
                .unwrap()
                .contains(r#""from":"bob""#)
        );
    }
    elsewhere.send_text("for eve").await;
    assert!(
        elsewhere
            .next()
            .await
            .to_text()
            .unwrap()
            .contains("for eve")
    );
    let conversations: Value = eve
        .get("/chats/", "application/json")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (
            conversations.as_array().unwrap().len(),
            &conversations[0]["unread"]
        ),
        (1, &json!(1))
    );
}

#[tokio::test]
async fn delivered_direct_message_is_not_repeated_unless_requested() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let bob = server.account("bob").await;
    let mut sender = TestSocket::open_as(&ada, "/chats/bob").await.unwrap();
    sender.send_text("one").await;
    let mut theirs = TestSocket::open_as(&bob, "/chats/ada").await.unwrap();
    assert!(theirs.next().await.to_text().unwrap().contains("one"));
    // The client sends its pong when it reads the next frame.
    sender.send_text("two").await;
    assert!(theirs.next().await.to_text().unwrap().contains("two"));
    let chat = async || {
        let list: Value = bob
            .get("/chats/", "application/json")
            .await
            .json()
            .await
            .unwrap();
        list[0].clone()
    };
    let unread = async || chat().await["unread"].as_u64().unwrap();
    while unread().await > 1 {
        tokio::task::yield_now().await;
    }
    let seen = format!("/rooms/{}/seen/", chat().await["room"].as_str().unwrap());
    assert_eq!(
        bob.post_json(&seen, json!({"seen": 2})).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(unread().await, 0);
    sender.send_text("three").await;
    let mut again = TestSocket::open_as(&bob, "/chats/ada").await.unwrap();
    assert!(again.next().await.to_text().unwrap().contains("three"));
    let mut all = TestSocket::open_as(&bob, "/chats/ada?after=0")
        .await
        .unwrap();
    assert!(all.next().await.to_text().unwrap().contains("one"));
}

#[tokio::test]
async fn direct_chat_is_hidden_from_others_on_every_route() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let _bob = server.account("bob").await;
    let eve = server.account("eve").await;
    let room = ada
        .get("/chats/bob", "application/json")
        .await
        .json::<Value>()
        .await
        .unwrap();
    let room = room["id"].as_str().unwrap();
    ada.post(room, "secret").await;
    for stranger in [eve, server.guest("eve").await, server.visitor("eve")] {
        for path in [
            "",
            "messages/",
            "messages/?after=0&wait=1",
            "archive.jsonl",
            "transcript.txt",
        ] {
            let response = stranger
                .get(&format!("/rooms/{room}/{path}"), "application/json")
                .await;
            assert!(
                !expect_problem(response, 404)
                    .await
                    .detail
                    .contains("secret"),
                "{path}"
            );
        }
        expect_problem(
            stranger
                .get(&format!("/rooms/{room}/messages/"), "text/event-stream")
                .await,
            404,
        )
        .await;
        expect_problem(
            stranger
                .get(&format!("/stream?rooms={room}"), "text/event-stream")
                .await,
            404,
        )
        .await;
        expect_problem(stranger.try_post(room, "hello").await, 404).await;
        expect_problem(
            stranger
                .post_json(
                    &format!("/rooms/{room}/typing/"),
                    json!({"username": "eve"}),
                )
                .await,
            404,
        )
        .await;
        let page = stranger.get(&format!("/rooms/{room}/"), "text/html").await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert!(!page.text().await.unwrap().contains("secret"));
        let Err(error) = TestSocket::open_as(&stranger, &format!("/rooms/{room}/socket")).await
        else {
            panic!("the socket opens")
        };
        assert!(matches!(*error, Error::Http(response) if response.status() == 404));
    }
    expect_envelope(ada.get("/chats/nobody", "application/json").await, 404).await;
    for (user, path, status) in [
        (&ada, "/chats/nobody", 404),
        (&server.visitor("eve"), "/chats/ada", 401),
    ] {
        expect_envelope(user.get(path, "*/*").await, status).await;
        let Err(error) = TestSocket::open_as(user, path).await else {
            panic!("the socket opens")
        };
        let Error::Http(response) = *error else {
            panic!("{error}")
        };
        assert_eq!(response.status(), status);
        let body: Value = serde_json::from_slice(response.body().as_deref().unwrap()).unwrap();
        assert_eq!(body["code"], status.to_string());
    }
    assert_eq!(ada.history(room, "").await.len(), 1);
}
