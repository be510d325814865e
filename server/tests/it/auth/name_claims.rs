//! Names: which belong to accounts, which to guest keys, and what a new account keeps.

use protocol::Author;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, expect_json, expect_problem};

#[tokio::test]
async fn name_belongs_to_an_account_then_to_a_guest_key() {
    let server = TestServer::new().await;
    let plain = server.visitor("grace");
    let member = server.account("ada").await;
    let eve = server.guest("grace").await;
    let room = plain.create_room().await;
    assert_eq!(plain.post(&room, "nobody in particular").await.author, None);
    assert_eq!(eve.post(&room, "hello").await.author, Some(Author::Guest));
    assert_eq!(
        member.post(&room, "hello").await.author,
        Some(Author::Account)
    );
    let taken = expect_problem(plain.try_post(&room, "me again").await, 409).await;
    assert_eq!(taken.free.as_deref(), Some("grace2"));
    for name in ["ada", "Ada", "аda"] {
        let other = TestUser {
            name: name.to_owned(),
            ..eve.clone()
        };
        expect_problem(other.try_post(&room, "I am ada").await, 409).await;
    }
    // In another room the name is free. An account needs no username in the request.
    let other = plain.create_room().await;
    assert_eq!(plain.post(&other, "hello").await.username, "grace");
    let response = member
        .post_json(
            &format!("/rooms/{other}/messages/"),
            json!({"body": "hello"}),
        )
        .await;
    assert_eq!(response.json::<Value>().await.unwrap()["username"], "ada");
}

#[tokio::test]
async fn name_that_is_drawn_like_an_account_is_refused() {
    let server = TestServer::new().await;
    let nora = server.account("nora").await;
    let room = nora.create_room().await;
    for name in [
        "\u{202e}aron",
        "n\u{202e}aro",
        "\u{2066}\u{202e}aron\u{2069}",
        "nora\u{2800}",
        "no\u{200a}ra",
    ] {
        for visitor in [server.visitor(name), server.guest(name).await] {
            let refused = expect_problem(visitor.try_post(&room, "I am nora").await, 422).await;
            assert_eq!(refused.field.as_deref(), Some("username"), "{name:?}");
        }
    }
    for name in ["nora", "NORA", "nοra", "n\u{43e}ra"] {
        let refused = server.visitor(name).try_post(&room, "I am nora").await;
        expect_problem(refused, 409).await;
    }
}

#[tokio::test]
async fn presence_under_a_claimed_name_is_refused() {
    let server = TestServer::new().await;
    let eve = server.visitor("ada");
    let ada = server.account("ada").await;
    let room = ada.create_room().await;
    expect_problem(
        eve.get(
            &format!("/rooms/{room}/messages/?username=ada"),
            "text/event-stream",
        )
        .await,
        409,
    )
    .await;
    expect_problem(
        eve.post_json(
            &format!("/rooms/{room}/typing/"),
            json!({"username": "ada"}),
        )
        .await,
        409,
    )
    .await;
    // A stream of several rooms opens all the same, without the name.
    let response = eve
        .get(
            &format!("/stream?rooms={room}&username=ada"),
            "text/event-stream",
        )
        .await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = ada.follow(&room, "username=ada").await;
    let here: Value = serde_json::from_str(&stream.next().await.unwrap().data).unwrap();
    assert_eq!(
        (&here["here"], &here["count"]),
        (&json!(["ada"]), &json!(1))
    );
}

#[tokio::test]
async fn guest_who_registers_keeps_their_rooms() {
    let server = TestServer::new().await;
    let guest = server.guest("guest").await;
    let account = server.account("account").await;
    let room = guest
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    let key = guest.token.clone().unwrap();
    for wrong in ["nonsense", account.token.as_ref().unwrap()] {
        expect_problem(
            account
                .post_json("/profile/claim/", json!({"guest": wrong}))
                .await,
            401,
        )
        .await;
    }
    expect_problem(
        guest
            .post_json("/profile/claim/", json!({"guest": key}))
            .await,
        401,
    )
    .await;
    expect_json(
        account
            .post_json("/profile/claim/", json!({"guest": key}))
            .await,
    )
    .await;
    let seen = expect_json(
        account
            .get(&format!("/rooms/{room}/"), "application/json")
            .await,
    )
    .await;
    assert_eq!(seen["role"], "owner");
    expect_problem(
        guest
            .get(&format!("/rooms/{room}/"), "application/json")
            .await,
        404,
    )
    .await;
    // In a browser, registering does the same.
    let another = server.guest("another").await;
    let room = another
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    let input = json!({"name": "Another", "username": "another", "password": "secret"});
    let cookie = server.cookie("guest", &another.token.unwrap());
    let request = server
        .visitor("")
        .request(Method::POST, "/register")
        .header("cookie", cookie)
        .json(&input);
    let token = expect_json(request.send().await.unwrap()).await["content"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let another = TestUser {
        token: Some(token),
        ..server.visitor("another")
    };
    assert_eq!(
        expect_json(
            another
                .get(&format!("/rooms/{room}/"), "application/json")
                .await
        )
        .await["role"],
        "owner"
    );
}
