//! Messages: posting, paging and refusals.

use protocol::{Change, MarkKind, Message, Room};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{TestServer, TestUser, expect_problem};

#[tokio::test]
async fn posted_messages_are_numbered_and_paged() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let first = ada.post(&room, "hello").await;
    assert_eq!(
        (first.id, first.username.as_str(), first.body()),
        (1, "ada", "hello")
    );
    assert_eq!(first.room.to_string(), room);
    assert_eq!(ada.post(&room, "again").await.id, 2);
    assert_eq!(ada.history(&room, "").await.len(), 2);
    assert_eq!(ada.history(&room, "before=2").await, [first]);
    assert_eq!(ada.history(&room, "after=1&limit=1").await[0].id, 2);
    assert_eq!(ada.history(&room, "around=2&limit=1").await[0].id, 2);
    assert_eq!(ada.history(&room, "around=1&limit=9").await.len(), 2);
    assert!(ada.history(&room, "after=99").await.is_empty());
    let shown: Room = ada
        .get(&format!("/rooms/{room}/"), "application/json")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(shown.message_count, 2);
}

#[tokio::test]
async fn message_has_its_marks_in_answers_and_streams_but_not_in_archives() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let mut stream = ada.follow(&room, "after=0").await;
    let posted = ada.post(&room, "**one**").await;
    let kinds = |message: &Message| {
        message
            .marks()
            .iter()
            .map(|mark| mark.kind)
            .collect::<Vec<_>>()
    };
    let strong = [MarkKind::Strong, MarkKind::Syntax, MarkKind::Syntax];
    assert_eq!(kinds(&posted), strong);
    assert_eq!(kinds(&stream.next_message().await), strong);
    assert_eq!(kinds(&ada.history(&room, "").await[0]), strong);
    let edit = ada.request(Method::PATCH, &format!("/rooms/{room}/messages/1/"));
    let edited = edit.json(&json!({"body": "**two**"})).send().await.unwrap();
    assert_eq!(kinds(&edited.json().await.unwrap()), strong);
    let change = loop {
        let event = stream.next().await.unwrap();
        if event.name == "change" {
            break serde_json::from_str::<Change>(&event.data).unwrap();
        }
    };
    assert_eq!(
        (change.message.body(), kinds(&change.message)),
        ("**two**", strong.to_vec())
    );
    ada.post(&room, "_three_").await;
    for path in ["archive.jsonl", "transcript.txt"] {
        let file = ada.get(&format!("/rooms/{room}/{path}"), "*/*").await;
        let file = file.text().await.unwrap();
        assert!(
            file.contains("_three_") && !file.contains("marks"),
            "{file}"
        );
    }
}

#[tokio::test]
async fn page_around_a_message_has_no_deleted_text_and_nothing_for_strangers() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let eve = server.guest("eve").await;
    let wish = json!({"private": true});
    let room = owner.create_room_with(wish).await.id.to_string();
    for body in ["one", "*two* @ada", "three"] {
        owner.post(&room, body).await;
    }
    let deletion = owner.request(Method::DELETE, &format!("/rooms/{room}/messages/2/"));
    deletion.send().await.unwrap();
    let page = owner.history(&room, "around=2&limit=3").await;
    let shown: Vec<_> = page.iter().map(|m| (m.body(), m.marks().len())).collect();
    assert_eq!(shown, [("one", 0), ("", 0), ("three", 0)]);
    // The deletion has the sequence number 4.
    let page = owner.history(&room, "around=4&limit=2").await;
    assert!(page.iter().map(|m| m.id).eq([2, 3]));
    for around in [1, 2, 3, 4, 1_000_000] {
        let path = format!("/rooms/{room}/messages/?around={around}");
        expect_problem(eve.get(&path, "application/json").await, 404).await;
    }
}

#[tokio::test]
async fn repeated_idempotency_key_returns_the_first_message() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let post = |body: &str, key: String| {
        let request = ada.request(Method::POST, &format!("/rooms/{room}/messages/"));
        request
            .header("idempotency-key", key)
            .json(&json!({"username": "ada", "body": body}))
            .send()
    };
    let first: Message = post("*one*", "k".repeat(64))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(first.marks().len(), 3);
    let again = post("*one*", "k".repeat(64)).await.unwrap();
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(again.json::<Message>().await.unwrap(), first);
    let other = expect_problem(post("two", "k".repeat(64)).await.unwrap(), 422).await;
    assert_eq!(other.field.as_deref(), Some("Idempotency-Key"));
    assert!(other.detail.contains("another text"), "{}", other.detail);
    let long = expect_problem(post("x", "k".repeat(65)).await.unwrap(), 422).await;
    assert_eq!(long.field.as_deref(), Some("Idempotency-Key"));
    assert_eq!(ada.history(&room, "").await, [first]);
}

#[tokio::test]
async fn idempotency_key_of_anonymous_authors_counts_by_address() {
    let server = TestServer::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let post = async |address: &str| -> u64 {
        let request = ada.request(Method::POST, &format!("/rooms/{room}/messages/"));
        let answer = request
            .header("idempotency-key", "k")
            .header("x-forwarded-for", address)
            .json(&json!({"username": "ada", "body": "hello"}))
            .send()
            .await
            .unwrap();
        answer.json::<Message>().await.unwrap().id
    };
    assert_eq!(post("192.0.2.1").await, 1);
    assert_eq!(post("192.0.2.2").await, 2);
    assert_eq!(post("192.0.2.1").await, 1);
    // A client often has all addresses of an IPv6 network.
    assert_eq!(post("2001:db8::1").await, 3);
    assert_eq!(post("2001:db8::2").await, 3);
}

#[tokio::test]
async fn invalid_value_is_refused_with_422_naming_field_and_limit() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/messages/");
    let refused = [
        (json!({"username": "", "body": "x"}), "username", "32"),
        (
            json!({"username": "a".repeat(33), "body": "x"}),
            "username",
            "32",
        ),
        (
            json!({"username": "a\u{7}", "body": "x"}),
            "username",
            "control",
        ),
        (json!({"username": "a", "body": " \n "}), "body", "4000"),
        (
            json!({"username": "a", "body": "x".repeat(4_001)}),
            "body",
            "4000",
        ),
        (
            json!({"username": "a", "body": "a\u{0}b"}),
            "body",
            "control",
        ),
        (json!({"username": "a"}), "body", "missing"),
        (json!({"body": "a"}), "username", "missing"),
        (json!({"username": 5, "body": "a"}), "username", "text"),
    ];
    for (body, field, word) in refused {
        let problem = expect_problem(ada.post_json(&path, body).await, 422).await;
        assert_eq!(problem.field.as_deref(), Some(field));
        assert!(
            problem.detail.contains(field) && problem.detail.contains(word),
            "{}",
            problem.detail
        );
    }
    let taken = [
        ("é".repeat(32), "👍".repeat(4_000)),
        (" ada ".to_owned(), "a\tb\nc".to_owned()),
    ];
    for (username, body) in taken {
        let response = ada
            .post_json(&path, json!({"username": username, "body": body}))
            .await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let message: Message = response.json().await.unwrap();
        assert_eq!(
            (message.username.as_str(), message.body()),
            (username.trim(), body.as_str())
        );
    }
    for input in [
        json!({"name": ""}),
        json!({"name": "n".repeat(81)}),
        json!({"timeout": "25h"}),
        json!({"public": "maybe"}),
    ] {
        let problem = expect_problem(ada.post_json("/rooms/", input.clone()).await, 422).await;
        assert!(input.get(problem.field.as_deref().unwrap()).is_some());
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "before=-1",
        "after=soon",
        "around=0",
        "around=x",
        "around=1&before=2",
        "around=1&after=2",
        "around=1&wait=1",
    ] {
        let response = ada
            .get(&format!("{path}?{query}"), "application/json")
            .await;
        expect_problem(response, 422).await;
    }
}

#[tokio::test]
async fn malformed_unknown_or_misplaced_request_gets_its_4xx_status() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let messages = format!("/rooms/{room}/messages/");
    let send = |kind: &'static str, body: &'static [u8]| {
        ada.request(Method::POST, &messages)
            .header("content-type", kind)
            .body(body)
            .send()
    };
    expect_problem(send("application/json", b"{").await.unwrap(), 400).await;
    expect_problem(send("application/json", b"[]").await.unwrap(), 400).await;
    expect_problem(
        send(
            "application/json",
            b"{\"username\":\"\xff\",\"body\":\"x\"}",
        )
        .await
        .unwrap(),
        400,
    )
    .await;
    expect_problem(
        send("application/x-www-form-urlencoded", b"username=%ff&body=x")
            .await
            .unwrap(),
        400,
    )
    .await;
    expect_problem(send("text/plain", b"hello").await.unwrap(), 415).await;
    expect_problem(
        ada.get("/rooms/0123456789abcdef/", "application/json")
            .await,
        404,
    )
    .await;
    expect_problem(
        ada.get("/rooms/0123456789ABCDEF/", "application/json")
            .await,
        404,
    )
    .await;
    expect_problem(ada.get("/rooms/%ff/", "application/json").await, 404).await;
    expect_problem(
        ada.get("/rooms/0123456789abcdef/messages/", "*/*").await,
        404,
    )
    .await;
    expect_problem(ada.try_post("0123456789abcdef", "x").await, 404).await;
    expect_problem(ada.get("/nowhere", "*/*").await, 404).await;
    let wrong = ada.request(Method::DELETE, "/rooms/").send().await.unwrap();
    let allow = wrong.headers()["allow"].to_str().unwrap().to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    expect_problem(wrong, 405).await;
    let large = "x".repeat(10_000_000);
    expect_problem(ada.try_post(&room, &large).await, 413).await;
    assert!(ada.history(&room, "").await.is_empty());
}

#[tokio::test]
async fn message_is_marked_as_own_for_its_author_alone_under_any_name() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let grace = server.guest("grace").await;
    let anonymous = server.visitor("anonymous");
    let room = ada.create_room().await;
    ada.post(&room, "as ada").await;
    let named = |user: &TestUser, name: &str| TestUser {
        name: name.to_owned(),
        ..user.clone()
    };
    let renamed = named(&ada, "countess");
    renamed.post(&room, "as a countess").await;
    named(&grace, "ada").post(&room, "another ada").await;
    let own = async |reader: &TestUser| -> Vec<bool> {
        let page = reader.history(&room, "").await;
        page.iter().map(|message| message.own).collect()
    };
    assert_eq!(own(&renamed).await, [true, true, false]);
    assert_eq!(own(&grace).await, [false, false, true]);
    assert_eq!(own(&anonymous).await, [false; 3]);
    let mut stream = ada.follow(&room, "").await;
    assert!(
        !stream.next_message().await.own,
        "a stream is the same for all"
    );
}

#[tokio::test]
async fn sender_knows_a_message_by_the_digest_of_its_key_wherever_it_is_read() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    // A room without an owner: an owner's first message has an event of its own.
    let room = server.visitor("grace").create_room().await;
    let path = format!("/rooms/{room}/messages/");
    let post = ada.request(Method::POST, &path);
    let post = post.header("idempotency-key", "abc");
    let post = post.json(&json!({"username": "ada", "body": "hello"}));
    let posted: Message = post.send().await.unwrap().json().await.unwrap();
    let known = Some("ba7816bf8f01cfea414140de5dae2223");
    assert_eq!(posted.client_id.as_deref(), known);
    let mut live = ada.follow(&room, "").await;
    assert_eq!(live.next_message().await.client_id.as_deref(), known);
    ada.post(&room, "without a key").await;
    assert_eq!(live.next_message().await.client_id, None);
    let page = ada.history(&room, "").await;
    assert_eq!(page[0].client_id.as_deref(), known);
    assert_eq!(page[1].client_id, None);
    let deleted = ada.request(Method::DELETE, &format!("{path}1/"));
    let deleted: Message = deleted.send().await.unwrap().json().await.unwrap();
    assert_eq!(deleted.client_id.as_deref(), known);
}
