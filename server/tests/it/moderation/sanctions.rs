//! Bans, removals and operators.

use serde_json::{Value, json};

use crate::harness::{EventReader, TestServer, TestSocket, TestUser, expect_json, expect_problem};
use crate::moderation::{ends_with_removed, join_by_invitation, send_json};

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
        assert!(ends_with_removed(one).await && ends_with_removed(several).await);
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
            assert!(ends_with_removed(stream).await);
            expect_problem(
                mallory
                    .get(&format!("/rooms/{room}/"), "application/json")
                    .await,
                404,
            )
            .await;
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
    let config = chat::Config::new(server.dir.path());
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
