//! The overview of one's own rooms and direct chats.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{EventReader, TestServer, TestUser, expect_problem};

#[tokio::test]
async fn overview_follows_changes_of_own_rooms_and_chats() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let grace = server.guest("grace").await;
    let den = grace
        .create_room_with(json!({"name": "Den", "private": true}))
        .await
        .id;
    let open = ada.create_room().await;
    assert_eq!(read_overview(&grace, "").await["rooms"][0]["name"], "Den");
    let theirs = read_overview(&server.visitor("eve"), &format!("also={den},{open}")).await;
    assert_eq!(
        (
            theirs["rooms"].as_array().unwrap().len(),
            &theirs["rooms"][0]["id"]
        ),
        (1, &json!(open))
    );
    let invitation = grace
        .post_json(&format!("/rooms/{den}/invitations/"), json!({}))
        .await;
    let code = invitation.json::<Value>().await.unwrap()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let paths = [
        format!("/stream?overview=on&also={open}"),
        "/overview/".to_owned(),
    ];
    let mut streams = Vec::new();
    for path in &paths {
        streams.push(EventReader::new(ada.get(path, "text/event-stream").await));
    }
    for stream in &mut streams {
        assert_eq!(stream.next().await.unwrap().name, "overview");
    }
    assert_eq!(
        ada.post_json(&format!("/invitations/{code}/"), json!({}))
            .await
            .status(),
        StatusCode::OK
    );
    grace.post(&den.to_string(), "welcome").await;
    for stream in &mut streams {
        wait_for_unread_message(stream).await;
    }
    let seen = ada
        .post_json(&format!("/rooms/{den}/seen/"), json!({"seen": 1}))
        .await;
    assert_eq!(seen.status(), StatusCode::NO_CONTENT);
    assert!(
        !read_overview(&ada, "")
            .await
            .to_string()
            .contains("unread\":1")
    );
    check_invalid_queries(&ada, &open).await;
    expect_problem(
        server
            .visitor("eve")
            .post_json(&format!("/rooms/{den}/seen/"), json!({"seen": 1}))
            .await,
        404,
    )
    .await;
}

async fn read_overview(user: &TestUser, query: &str) -> Value {
    let path = format!("/overview/?{query}");
    let response = user.get(&path, "application/json").await;
    response.json().await.unwrap()
}

/// Reads overviews up to one in which the user is a member of the den with one unread message.
async fn wait_for_unread_message(stream: &mut EventReader) {
    loop {
        let event = stream.next().await.unwrap();
        let overview: Value = serde_json::from_str(&event.data).unwrap();
        let mut rooms = overview["rooms"].as_array().unwrap().iter();
        if rooms
            .any(|room| room["name"] == "Den" && room["unread"] == 1 && room["role"] == "member")
        {
            assert_eq!(event.name, "overview");
            assert_eq!(event.id, None, "the event has no cursor");
            return;
        }
    }
}

async fn check_invalid_queries(ada: &TestUser, open: &str) {
    for wrong in [
        "also=x",
        "also=0,1",
        &format!("also={}", vec![open; 17].join(",")),
    ] {
        expect_problem(
            ada.get(&format!("/overview/?{wrong}"), "application/json")
                .await,
            422,
        )
        .await;
        expect_problem(
            ada.get(&format!("/stream?overview=on&{wrong}"), "text/event-stream")
                .await,
            422,
        )
        .await;
    }
}
