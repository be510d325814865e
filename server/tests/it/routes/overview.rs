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
    let overview = async |who: &TestUser, query: &str| -> Value {
        who.get(&format!("/overview/?{query}"), "application/json")
            .await
            .json()
            .await
            .unwrap()
    };
    assert_eq!(overview(&grace, "").await["rooms"][0]["name"], "Den");
    let theirs = overview(&server.visitor("eve"), &format!("also={den},{open}")).await;
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
        loop {
            let event = stream.next().await.unwrap();
            let overview_event: Value = serde_json::from_str(&event.data).unwrap();
            let rooms = overview_event["rooms"].as_array().unwrap();
            if rooms.iter().any(|room| {
                room["name"] == "Den" && room["unread"] == 1 && room["role"] == "member"
            }) {
                assert_eq!(
                    (event.name.as_str(), event.id),
                    ("overview", None),
                    "the event has no cursor"
                );
                break;
            }
        }
    }
    let seen = ada
        .post_json(&format!("/rooms/{den}/seen/"), json!({"seen": 1}))
        .await;
    assert_eq!(seen.status(), StatusCode::NO_CONTENT);
    assert!(!overview(&ada, "").await.to_string().contains("unread\":1"));
    for wrong in [
        "also=x",
        "also=0,1",
        &format!("also={}", vec![open.as_str(); 17].join(",")),
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
    expect_problem(
        server
            .visitor("eve")
            .post_json(&format!("/rooms/{den}/seen/"), json!({"seen": 1}))
            .await,
        404,
    )
    .await;
}
