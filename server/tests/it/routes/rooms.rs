//! Rooms: creating, listing, and the representations of one.

use protocol::Room;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{TestServer, expect_json, expect_problem};
use crate::moderation::forms::{get_json, submit_form};

#[tokio::test]
async fn room_is_created_from_json_form_or_empty_body() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let named = ada
        .create_room_with(json!({"name": " Tea ", "public": true, "timeout": "30m"}))
        .await;
    assert_eq!(
        (named.name.as_deref(), named.public, named.message_count),
        (Some("Tea"), true, 0)
    );
    assert_eq!(named.expires_at.since(named.created_at).as_secs(), 1_800);

    let form = ada
        .request(Method::POST, "/rooms/")
        .form(&[("name", "Tea"), ("public", "on")])
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), StatusCode::CREATED);
    let location = form.headers()["location"].to_str().unwrap().to_owned();
    let room: Room = form.json().await.unwrap();
    assert_eq!(
        (location, room.public),
        (format!("/rooms/{}/", room.id), true)
    );

    // Some clients send a type with an empty body.
    let typed = ada
        .request(Method::POST, "/rooms/")
        .header("content-type", "text/plain;charset=UTF-8")
        .body("");
    assert_eq!(typed.send().await.unwrap().status(), StatusCode::CREATED);

    let bare = ada.request(Method::POST, "/rooms/").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::CREATED);
    let bare: Value = bare.json().await.unwrap();
    assert_eq!(
        (&bare["name"], &bare["public"], &bare["message_count"]),
        (&Value::Null, &json!(false), &json!(0))
    );
    let fields: Vec<&String> = bare.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "created_at",
            "expires_at",
            "id",
            "last_active_at",
            "message_count",
            "name",
            "public"
        ]
    );
}

#[tokio::test]
async fn html_form_client_is_redirected_to_its_room() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let form = [
        ("name", ""),
        ("public", "on"),
        ("timeout", ""),
        ("username", "ada"),
    ];
    let request = ada
        .request(Method::POST, "/rooms/")
        .header("accept", "text/html,*/*;q=0.8")
        .form(&form);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with(&server.cookie("name", "ada;"))
    );
    let place = response.headers()["location"].to_str().unwrap().to_owned();
    let form = [("username", "ada"), ("body", "a\r\nb")];
    let request = ada
        .request(Method::POST, &format!("{place}messages/"))
        .header("accept", "text/html")
        .form(&form);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"].to_str().unwrap(), place);
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with(&server.cookie("name", "ada;"))
    );
    let room = place
        .trim_matches('/')
        .split('/')
        .next_back()
        .unwrap()
        .to_owned();
    assert_eq!(ada.history(&room, "").await[0].body(), "a\nb");
}

#[tokio::test]
async fn access_choice_of_the_form_sets_public_and_private() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    for (choice, public, private) in [
        ("link", false, false),
        ("public", true, false),
        ("private", false, true),
    ] {
        let response = submit_form(
            &owner,
            "/rooms/",
            &[("name", ""), ("timeout", ""), ("access", choice)],
        )
        .await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let room = get_json(&owner, response.headers()["location"].to_str().unwrap()).await;
        assert_eq!(
            (&room["public"], room["private"] == true),
            (&json!(public), private),
            "{choice}"
        );
    }
    assert_eq!(
        submit_form(&owner, "/rooms/", &[("access", "nobody")])
            .await
            .status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn private_room_without_an_owner_is_refused() {
    let server = TestServer::new().await;
    expect_problem(
        server
            .visitor("ada")
            .post_json("/rooms/", json!({"private": true}))
            .await,
        401,
    )
    .await;
    let form = server
        .guest("ada")
        .await
        .request(Method::POST, "/rooms/")
        .form(&[("private", "on")])
        .send()
        .await
        .unwrap();
    assert_eq!(expect_json(form).await["private"], true);
}

#[tokio::test]
async fn public_rooms_are_listed_most_recently_active_first_in_pages() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(
            ada.create_room_with(json!({"name": format!("{n}"), "public": true}))
                .await
                .id
                .to_string(),
        );
    }
    ada.create_room().await;
    server.clock.advance(std::time::Duration::from_millis(5));
    ada.post(&ids[1], "hello").await;
    let mut listed: Vec<Room> = Vec::new();
    let mut next = Some("/rooms/?limit=2".to_owned());
    while let Some(path) = next {
        let response = ada.get(&path, "application/json").await;
        let link = response
            .headers()
            .get("link")
            .map(|link| link.to_str().unwrap().to_owned());
        next = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
        listed.extend(response.json::<Vec<Room>>().await.unwrap());
    }
    assert_eq!(listed.len(), 5);
    assert_eq!(
        (listed[0].id.to_string(), listed[0].message_count),
        (ids[1].clone(), 1)
    );
    assert!(
        listed
            .windows(2)
            .all(|two| two[0].last_active_at >= two[1].last_active_at)
    );
    let mut unique: Vec<_> = listed.iter().map(|room| room.id).collect();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 5);
}

#[tokio::test]
async fn accept_header_selects_html_json_or_event_stream() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    ada.post(&room, "hello").await;
    let cases = [
        (format!("/rooms/{room}/"), "text/html", "text/html"),
        (format!("/rooms/{room}/"), "*/*", "text/html"),
        (
            format!("/rooms/{room}/"),
            "application/json",
            "application/json",
        ),
        (
            format!("/rooms/{room}/"),
            "application/json, text/html;q=0.9",
            "application/json",
        ),
        (
            format!("/rooms/{room}/messages/"),
            "*/*",
            "text/event-stream",
        ),
        (
            format!("/rooms/{room}/messages/"),
            "text/html",
            "text/event-stream",
        ),
        (
            format!("/rooms/{room}/messages/"),
            "application/json",
            "application/json",
        ),
        ("/rooms/".to_owned(), "*/*", "application/json"),
        (
            "/rooms/".to_owned(),
            "text/event-stream",
            "text/event-stream",
        ),
        ("/".to_owned(), "*/*", "text/html"),
    ];
    for (path, accept, expected) in cases {
        let response = ada.get(&path, accept).await;
        assert_eq!(response.status(), StatusCode::OK, "{path} {accept}");
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with(expected), "{path} {accept}: {kind}");
        let vary = response
            .headers()
            .get_all("vary")
            .iter()
            .any(|v| v.to_str().unwrap().to_lowercase().contains("accept"));
        assert!(vary, "{path} {accept}");
    }
}

#[tokio::test]
async fn path_without_trailing_slash_redirects_with_308() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for path in [
        "/rooms".to_owned(),
        format!("/rooms/{room}"),
        format!("/rooms/{room}/messages"),
        "/docs".to_owned(),
    ] {
        for method in [Method::GET, Method::POST] {
            let response = ada
                .request(method, &format!("{path}?a=b"))
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(
                response.headers()["location"].to_str().unwrap(),
                format!("{path}/?a=b")
            );
        }
    }
}

#[tokio::test]
async fn archive_and_transcript_contain_every_message() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada
        .create_room_with(json!({"name": "Tea"}))
        .await
        .id
        .to_string();
    ada.post(&room, "one").await;
    ada.post(&room, "two\nlines").await;
    let archive = ada
        .get(&format!("/rooms/{room}/archive.jsonl"), "*/*")
        .await
        .text()
        .await
        .unwrap();
    let lines: Vec<Value> = archive
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[0]["name"], &lines[2]["body"]),
        (4, &json!("Tea"), &json!("two\nlines"))
    );
    let digest = <sha2::Sha256 as sha2::Digest>::digest(
        &archive[..archive.trim_end().rfind('\n').unwrap() + 1],
    );
    let digest = protocol::hexadecimal(&digest);
    assert_eq!(
        lines[3],
        json!({"count": 2, "files": 0, "file_bytes": 0, "sha256": digest})
    );
    let transcript = ada
        .get(&format!("/rooms/{room}/transcript.txt"), "*/*")
        .await
        .text()
        .await
        .unwrap();
    assert!(transcript.starts_with(&format!("Tea ({room})\n")));
    assert!(
        transcript.contains("] ada: two\n    lines\n"),
        "{transcript}"
    );
}
