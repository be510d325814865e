//! Editing and deleting messages, as every kind of reader sees it.

use serde_json::{Value, json};

use crate::harness::{EventReader, TestServer, TestSocket, expect_json, expect_problem};
use crate::moderation::send_json;

#[tokio::test]
async fn edits_and_deletions_reach_every_kind_of_reader() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let grace = server.visitor("grace");
    let room = grace.create_room().await;
    ada.post(&room, "helo").await;
    ada.post(&room, "oops").await;
    let mut live = grace.follow(&room, "").await;
    let mut several = EventReader::new(
        grace
            .get(&format!("/stream?rooms={room}"), "text/event-stream")
            .await,
    );
    let mut socket = TestSocket::open(&server, &format!("/rooms/{room}/socket")).await;
    for _ in 0..2 {
        live.next_message().await;
        several.next_message().await;
        socket.next_message().await;
    }
    let path = format!("/rooms/{room}/messages/");
    let edited = expect_json(
        send_json(
            &ada,
            "PATCH",
            &format!("{path}1/"),
            json!({"body": "hello"}),
        )
        .await,
    )
    .await;
    assert_eq!(edited["body"], "hello");
    let gone =
        expect_json(send_json(&ada, "DELETE", &format!("{path}2/"), Value::Null).await).await;
    assert_eq!(
        (&gone["deleted"], &gone["body"]),
        (&json!(true), &json!(""))
    );
    expect_problem(
        send_json(&grace, "PATCH", &format!("{path}1/"), json!({"body": "no"})).await,
        403,
    )
    .await;
    expect_problem(
        send_json(&ada, "PATCH", &format!("{path}x/"), json!({"body": "no"})).await,
        404,
    )
    .await;
    for (kind, id, message) in [("edit", 3, &edited), ("deletion", 4, &gone)] {
        let target = &message["id"];
        let mut expected =
            json!({"kind": kind, "id": id, "room": room, "target": target, "message": message});
        for reader in [&mut live, &mut several] {
            let event = reader.next().await.unwrap();
            assert_eq!(
                (
                    event.name.as_str(),
                    serde_json::from_str::<Value>(&event.data).unwrap()
                ),
                ("change", expected.clone())
            );
            assert!(event.id.unwrap().ends_with(&format!(".{id}")));
        }
        expected["event"] = json!("change");
        assert_eq!(
            serde_json::from_str::<Value>(socket.next().await.to_text().unwrap()).unwrap(),
            expected
        );
    }
    // A later reader sees the current state. A change has a cursor like a message.
    let mut late = grace.follow(&room, "").await;
    assert_eq!(
        (
            late.next_message().await.body(),
            late.next_message().await.is_deleted()
        ),
        ("hello", true)
    );
    let last = (late.next().await.unwrap(), late.next().await.unwrap()).1;
    ada.post(&room, "again").await;
    let mut resumed = grace
        .follow(&room, &format!("last_event_id={}", last.id.unwrap()))
        .await;
    assert_eq!(resumed.next_message().await.id, 5);
    let page: Vec<u64> = grace
        .history(&room, "")
        .await
        .iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(page, [1, 2, 5]);
    // A poll waits for messages and not for changes.
    let poll = tokio::spawn({
        let grace = grace.clone();
        let path = format!("{path}?after=5&wait=30");
        async move { expect_json(grace.get(&path, "application/json").await).await }
    });
    expect_json(
        send_json(
            &ada,
            "PATCH",
            &format!("{path}5/"),
            json!({"body": "once more"}),
        )
        .await,
    )
    .await;
    ada.post(&room, "last").await;
    assert_eq!(poll.await.unwrap()[0]["body"], "last");
}
