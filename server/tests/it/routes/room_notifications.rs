//! Which messages of a room notify a person: as JSON, as a form, and in the overview.

use protocol::NotificationLevel;
use serde_json::{Value, json};

use crate::harness::{EventReader, TestServer, TestUser, expect_json, expect_problem};
use crate::moderation::forms::{
    assert_redirects_to, assert_refused, get_json, get_page, submit_form,
};
use crate::moderation::send_json;

async fn set_level(user: &TestUser, room: &str, level: &str) {
    let path = format!("/rooms/{room}/notifications/");
    let wish = json!({"level": level});
    let answer = expect_json(send_json(user, "PUT", &path, wish.clone()).await).await;
    assert_eq!(answer, wish);
}

#[tokio::test]
async fn level_is_mentions_until_an_account_or_a_guest_sets_another() {
    let server = TestServer::new().await;
    let room = server.visitor("eve").create_room().await;
    let path = format!("/rooms/{room}/notifications/");
    for user in [server.account("ada").await, server.guest("grace").await] {
        let level = get_json(&user, &path).await;
        assert_eq!(level, json!({"level": "mentions"}));
        for level in NotificationLevel::ALL {
            set_level(&user, &room, level.name()).await;
            let stored = get_json(&user, &path).await;
            assert_eq!(stored, json!({"level": level.name()}));
        }
    }
    let visitor = server.visitor("eve");
    assert_eq!(get_json(&visitor, &path).await["level"], "mentions");
    let refused = send_json(&visitor, "PUT", &path, json!({"level": "all"})).await;
    expect_problem(refused, 401).await;
}

#[tokio::test]
async fn level_of_another_word_or_type_is_refused_by_its_field() {
    let server = TestServer::new().await;
    let guest = server.guest("grace").await;
    let room = guest.create_room().await;
    let path = format!("/rooms/{room}/notifications/");
    for wish in [json!({}), json!({"level": "loud"}), json!({"level": 1})] {
        let refused = send_json(&guest, "PUT", &path, wish).await;
        let problem = expect_problem(refused, 422).await;
        assert_eq!(problem.field.as_deref(), Some("level"));
    }
}

#[tokio::test]
async fn form_sets_the_level_and_shows_it() {
    let server = TestServer::new().await;
    let guest = server.guest("grace").await;
    let room = guest.create_room().await;
    let path = format!("/rooms/{room}/notifications/");
    let html = get_page(&guest, &path, 200).await;
    assert!(html.contains("when someone mentions you"), "{html}");
    let put = format!("{path}?method=PUT");
    let answer = submit_form(&guest, &put, &[("level", "none")]).await;
    assert_redirects_to(&answer, &path);
    let html = get_page(&guest, &path, 200).await;
    assert!(html.contains("This room is muted"), "{html}");
    let refused = submit_form(&guest, &put, &[("level", "loud")]).await;
    assert_refused(refused, 422, "Level must be mentions, all or none").await;
    let unsigned = submit_form(&server.visitor("eve"), &put, &[("level", "all")]).await;
    assert_eq!(unsigned.status(), 401);
}

#[tokio::test]
async fn level_and_pause_reach_every_open_overview() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let room = ada.create_room().await;
    let mut streams = Vec::new();
    for path in ["/overview/", "/stream?overview=on"] {
        let mut stream = EventReader::new(ada.get(path, "text/event-stream").await);
        let first = next_overview(&mut stream).await;
        assert_eq!(first["username"], "ada");
        assert_eq!(first["rooms"][0].get("level"), None, "the default");
        assert_eq!(first["notifications"]["pause_until"], Value::Null);
        streams.push(stream);
    }
    set_level(&ada, &room, "none").await;
    for stream in &mut streams {
        let next = next_overview(stream).await;
        assert_eq!(next["rooms"][0]["level"], "none");
    }
    let pause = ada
        .post_json("/profile/notifications/", json!({"pause": "hour"}))
        .await;
    let until = expect_json(pause).await["pause_until"].clone();
    for stream in &mut streams {
        let next = next_overview(stream).await;
        assert_eq!(next["notifications"]["pause_until"], until);
        assert!(until.is_string());
    }
}

async fn next_overview(stream: &mut EventReader) -> Value {
    let event = stream.next().await.unwrap();
    serde_json::from_str(&event.data).unwrap()
}
