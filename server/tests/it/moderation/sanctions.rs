//! Bans, removals and operators.

use serde_json::{Value, json};

use crate::harness::{
    EventReader, TestServer, TestSocket, TestUser, assert_says_why, config_of, expect_json,
    expect_problem,
};
use crate::moderation::forms::HTML_ACCEPT;
use crate::moderation::{join_by_invitation, read_to_end, send_json};

#[tokio::test]
async fn removed_or_banned_user_hears_nothing_more_under_any_name() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let friend = server.account("friend").await;
    for private in [true, false] {
        let room = owner
            .create_room_with(json!({"private": private}))
            .await
            .id
            .to_string();
        let mallory = server.guest("mallory").await;
        join_by_invitation(&owner, &room, &friend, "member").await;
        join_by_invitation(&owner, &room, &mallory, "member").await;
        let said = mallory.post(&room, "hello").await;
        let mut friends = friend.follow(&room, "").await;
        friends.next_message().await;
        let one = mallory.follow(&room, "").await;
        let several = EventReader::new(
            mallory
                .get(&format!("/stream?rooms={room}"), "text/event-stream")
                .await,
        );
        let mut socket =
            TestSocket::open_as(&mallory, &format!("/rooms/{room}/socket?after=latest"))
                .await
                .unwrap();
        let ban = json!({"message": said.id, "kind": "ban", "timeout": "1h"});
        let banned =
            expect_json(send_json(&owner, "POST", &format!("/rooms/{room}/sanctions/"), ban).await)
                .await;
        for stream in [one, several] {
            let events = read_to_end(stream).await;
            let last = events.last().unwrap();
            assert_eq!(last.name, "removed");
            assert_says_why(&mallory, &room, last, 403).await;
        }
        assert_eq!(socket.close_code().await, 1008);
        owner.post(&room, "order").await;
        assert_eq!(friends.next_message().await.body(), "order");
        for name in ["mallory", "somebody else"] {
            let again = TestUser {
                name: name.to_owned(),
                ..mallory.clone()
            };
            expect_problem(again.try_post(&room, "back").await, 403).await;
        }
        expect_problem(
            mallory
                .get(&format!("/rooms/{room}/messages/"), "text/event-stream")
                .await,
            403,
        )
        .await;
        // A ban ends after its time, or when it is lifted.
        if private {
            server.clock.advance(std::time::Duration::from_secs(3_600));
        } else {
            let path = format!(
                "/rooms/{room}/sanctions/{}/",
                banned["id"].as_str().unwrap()
            );
            expect_json(send_json(&owner, "DELETE", &path, Value::Null).await).await;
        }
        mallory.post(&room, "sorry").await;
        // A removed member no longer finds the private room.
        let stream = mallory.follow(&room, "").await;
        let path = format!("/rooms/{room}/members/{}/", banned["id"].as_str().unwrap());
        expect_json(send_json(&owner, "DELETE", &path, Value::Null).await).await;
        if private {
            let events = read_to_end(stream).await;
            assert_says_why(&mallory, &room, events.last().unwrap(), 404).await;
        }
    }
}

#[tokio::test]
async fn operator_moderates_open_rooms_but_not_private_ones() {
    let server = TestServer::new().await;
    let boss = server.account("boss").await;
    let guest = server.guest("guest").await;
    let open = guest.create_room().await;
    let private = guest
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    expect_problem(
        send_json(
            &boss,
            "PATCH",
            &format!("/rooms/{open}/"),
            json!({"read_only": true}),
        )
        .await,
        403,
    )
    .await;
    let config = config_of(server.dir.path());
    assert!(chat::set_operator(&config, "nobody", true).await.is_err());
    chat::set_operator(&config, "Boss", true).await.unwrap();
    expect_json(
        send_json(
            &boss,
            "PATCH",
            &format!("/rooms/{open}/"),
            json!({"read_only": true}),
        )
        .await,
    )
    .await;
    boss.post(&open, "order").await;
    expect_problem(
        boss.get(&format!("/rooms/{private}/"), "application/json")
            .await,
        404,
    )
    .await;
    chat::set_operator(&config, "boss", false).await.unwrap();
    expect_problem(boss.try_post(&open, "order").await, 403).await;
}

#[tokio::test]
async fn banned_browser_gets_a_page_that_says_so_on_every_route_of_the_room() {
    let server = TestServer::new().await;
    let boss = server.account("boss").await;
    let config = config_of(server.dir.path());
    chat::set_operator(&config, "boss", true).await.unwrap();
    let mallory = server.guest("mallory").await;
    let named = "/chat?room=tea";
    let room = expect_json(mallory.get(named, "application/json").await).await;
    let room = room["id"].as_str().unwrap();
    let said = mallory.post(room, "hello").await;
    let ban = json!({"message": said.id, "kind": "ban"});
    expect_json(send_json(&boss, "POST", &format!("/rooms/{room}/sanctions/"), ban).await).await;
    let inside = [
        "",
        "messages/",
        "socket",
        "settings/",
        "members/",
        "invitations/",
        "audit/",
        "archive.jsonl",
        "transcript.txt",
        "code.svg",
    ];
    let inside = inside.map(|path| format!("/rooms/{room}/{path}"));
    for path in inside.iter().map(String::as_str).chain([named]) {
        let page = mallory.get(path, HTML_ACCEPT).await;
        assert_eq!(page.status(), 403, "{path}");
        let kind = page.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/html"), "{path} {kind}");
        assert!(page.text().await.unwrap().contains("banned"), "{path}");
    }
    expect_problem(mallory.get(named, "application/json").await, 403).await;
    let again = TestSocket::open_as(&mallory, "/room?room=tea&username=mallory").await;
    assert!(again.is_err());
}

#[tokio::test]
async fn sanctioned_user_reads_until_when() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let bob = server.account("bob").await;
    let room = owner.create_room_with(json!({})).await.id.to_string();
    join_by_invitation(&owner, &room, &bob, "member").await;
    let path = format!("/rooms/{room}/");
    let impose = async |kind: &str, timeout: Value| {
        let sanction = json!({"person": "bob", "kind": kind, "timeout": timeout});
        let sanctions = format!("{path}sanctions/");
        expect_json(send_json(&owner, "POST", &sanctions, sanction).await).await
    };
    for timeout in [json!("10m"), Value::Null] {
        let mute = impose("mute", timeout.clone()).await;
        let found = expect_json(bob.get(&path, "application/json").await).await;
        assert_eq!(found["muted"], true);
        assert_eq!(found["muted_until"], mute["until"]);
        let overview = expect_json(bob.get("/overview/", "application/json").await).await;
        assert_eq!(overview["rooms"][0]["muted"], true);
        assert_eq!(overview["rooms"][0]["muted_until"], mute["until"]);
        let problem = expect_problem(bob.try_post(&room, "hello").await, 403).await;
        let detail = &problem.detail;
        assert!(detail.starts_with("You are muted in this room"), "{detail}");
        assert_eq!(json!(problem.until), mute["until"]);
        assert_eq!(detail.contains(" UTC"), timeout.is_string(), "{detail}");
    }
    let ban = impose("ban", json!("1day")).await;
    let problem = expect_problem(bob.get(&path, "application/json").await, 403).await;
    let detail = &problem.detail;
    assert!(
        detail.starts_with("You are banned from this room until "),
        "{detail}"
    );
    assert_eq!(json!(problem.until), ban["until"]);
    // Others hear nothing of a sanction, and a mute that is lifted is over.
    impose("mute", Value::Null).await;
    let lift = format!("{path}sanctions/bob/");
    expect_json(send_json(&owner, "DELETE", &lift, Value::Null).await).await;
    for user in [&owner, &bob] {
        let found = expect_json(user.get(&path, "application/json").await).await;
        assert_eq!(found["muted"], Value::Null);
    }
}

#[tokio::test]
async fn overview_follows_a_mute_and_its_end() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let bob = server.account("bob").await;
    let room = owner.create_room_with(json!({})).await.id.to_string();
    join_by_invitation(&owner, &room, &bob, "member").await;
    let stream = bob.get("/stream?overview=on", "text/event-stream").await;
    let mut stream = EventReader::new(stream);
    let mut expect_muted = async |muted: Value| {
        while let Some(event) = stream.next().await {
            if event.name == "overview" {
                let overview: Value = serde_json::from_str(&event.data).unwrap();
                if overview["rooms"][0]["muted"] == muted {
                    return;
                }
            }
        }
        panic!("the stream has ended");
    };
    let sanctions = format!("/rooms/{room}/sanctions/");
    let mute = json!({"person": "bob", "kind": "mute", "timeout": "10m"});
    expect_json(send_json(&owner, "POST", &sanctions, mute).await).await;
    expect_muted(json!(true)).await;
    let lift = format!("{sanctions}bob/");
    expect_json(send_json(&owner, "DELETE", &lift, Value::Null).await).await;
    expect_muted(Value::Null).await;
}

#[tokio::test]
async fn closed_room_says_who_closed_it() {
    let server = TestServer::new().await;
    let boss = server.account("boss").await;
    let config = config_of(server.dir.path());
    chat::set_operator(&config, "boss", true).await.unwrap();
    let owner = server.guest("owner").await;
    for (closer, who) in [(&owner, "its owner"), (&boss, "an operator")] {
        let room = owner.create_room_with(json!({})).await.id.to_string();
        let path = format!("/rooms/{room}/");
        let closed = send_json(closer, "DELETE", &path, Value::Null).await;
        assert_eq!(closed.status(), 202);
        for refused in [
            owner.get(&path, "application/json").await,
            owner.try_post(&room, "hello").await,
        ] {
            let problem = expect_problem(refused, 410).await;
            assert!(problem.detail.contains(who), "{}", problem.detail);
        }
    }
    let room = owner.create_room_with(json!({"timeout": "1s"})).await.id;
    server.clock.advance(std::time::Duration::from_secs(2));
    let path = format!("/rooms/{room}/");
    let refused = loop {
        let answer = owner.get(&path, "application/json").await;
        if answer.status() == 410 {
            break expect_problem(answer, 410).await;
        }
    };
    assert!(
        refused.detail.contains("no one wrote"),
        "{}",
        refused.detail
    );
}
