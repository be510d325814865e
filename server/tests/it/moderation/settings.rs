//! A room's settings, its end and its owner.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, expect_json, expect_problem};
use crate::moderation::{ends_with_removed, join_by_invitation, member_id_with_role, send_json};

#[tokio::test]
async fn owner_changes_settings_and_closes_the_room() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let guest = server.guest("guest").await;
    let room = owner
        .create_room_with(json!({"public": true}))
        .await
        .id
        .to_string();
    let path = format!("/rooms/{room}/");
    let change =
        async |input: Value| expect_json(send_json(&owner, "PATCH", &path, input).await).await;
    let changed =
        change(json!({"name": "Tea", "description": "Talk of tea", "timeout": "30m"})).await;
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Tea"), &json!("Talk of tea"))
    );
    change(json!({"read_only": true})).await;
    expect_problem(guest.try_post(&room, "hello").await, 403).await;
    owner.post(&room, "hello").await;
    change(json!({"read_only": false, "slow_mode": 10})).await;
    guest.post(&room, "one").await;
    let response = guest.try_post(&room, "two").await;
    assert_eq!(response.headers()["retry-after"], "10");
    expect_problem(response, 429).await;
    server.clock.advance(std::time::Duration::from_secs(10));
    guest.post(&room, "two").await;
    let stranger = guest.follow(&room, "after=latest").await;
    let changed = change(json!({"private": true, "slow_mode": 0})).await;
    assert_eq!(
        (&changed["private"], &changed["public"]),
        (&json!(true), &json!(false))
    );
    assert!(ends_with_removed(stranger).await);
    assert_eq!(
        expect_json(guest.get("/rooms/", "application/json").await).await,
        json!([])
    );
    for input in [
        json!({"name": "x".repeat(81)}),
        json!({"slow_mode": 3_601}),
        json!({"timeout": "1000h"}),
    ] {
        expect_problem(send_json(&owner, "PATCH", &path, input).await, 422).await;
    }
    let follow = owner.follow(&room, "after=latest").await;
    assert_eq!(
        send_json(&owner, "DELETE", &path, Value::Null)
            .await
            .status(),
        StatusCode::ACCEPTED
    );
    expect_problem(owner.get(&path, "application/json").await, 410).await;
    assert!(
        follow
            .rest()
            .await
            .iter()
            .any(|event| event.name == "closed")
    );
    expect_problem(owner.get(&path, "application/json").await, 410).await;
    assert!(
        server
            .dir
            .path()
            .join(format!("archive/{room}.jsonl"))
            .exists()
    );
}

#[tokio::test]
async fn ownership_transfer_demotes_the_owner_and_is_audited() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let heir = server.account("heir").await;
    let room = owner.create_room_with(json!({})).await.id.to_string();
    join_by_invitation(&owner, &room, &heir, "member").await;
    expect_json(
        send_json(
            &owner,
            "PATCH",
            &format!("/rooms/{room}/members/heir/"),
            json!({"role": "owner"}),
        )
        .await,
    )
    .await;
    let role = async |who: &TestUser| {
        let room = expect_json(
            who.get(&format!("/rooms/{room}/"), "application/json")
                .await,
        )
        .await;
        room["role"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (role(&owner).await.as_str(), role(&heir).await.as_str()),
        ("moderator", "owner")
    );
    let former = member_id_with_role(&heir, &room, "moderator").await;
    expect_problem(
        send_json(
            &owner,
            "DELETE",
            &format!("/rooms/{room}/members/heir/"),
            Value::Null,
        )
        .await,
        403,
    )
    .await;
    expect_json(
        send_json(
            &owner,
            "DELETE",
            &format!("/rooms/{room}/members/{former}/"),
            Value::Null,
        )
        .await,
    )
    .await;
    let entries = expect_json(
        heir.get(&format!("/rooms/{room}/audit/"), "application/json")
            .await,
    )
    .await;
    let entries: Vec<String> = entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            format!(
                "{} {} {}",
                entry["actor"].as_str().unwrap(),
                entry["deed"].as_str().unwrap(),
                entry["whom"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        format!("{former} left {former}"),
        format!("{former} made owner heir"),
        format!("{former} invited member"),
    ];
    assert_eq!(entries, expected);
}
