//! Roles and sanctions: what each role may do in a room, by the API and by forms.

pub mod forms;
mod held_requests;
mod invitations;
mod permissions;
mod person;
mod sanctions;
mod settings;

use reqwest::Response;
use serde_json::{Value, json};

use crate::harness::{Event, EventReader, TEST_TIMEOUT, TestUser, expect_json};

pub async fn send_json(user: &TestUser, method: &str, path: &str, body: Value) -> Response {
    let request = user
        .request(method.parse().unwrap(), path)
        .header("accept", "application/json");
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    request.send().await.unwrap()
}

/// The ID of the last member with this role in the member list.
pub async fn member_id_with_role(owner: &TestUser, room: &str, role: &str) -> String {
    let members = expect_json(
        send_json(
            owner,
            "GET",
            &format!("/rooms/{room}/members/"),
            Value::Null,
        )
        .await,
    )
    .await;
    let found = members
        .as_array()
        .unwrap()
        .iter()
        .rfind(|member| member["role"] == role)
        .unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// Lets a user join a room by an invitation, and sets their role.
pub async fn join_by_invitation(owner: &TestUser, room: &str, user: &TestUser, role: &str) {
    let invitation = expect_json(
        send_json(
            owner,
            "POST",
            &format!("/rooms/{room}/invitations/"),
            json!({}),
        )
        .await,
    )
    .await;
    let path = format!("/invitations/{}/", invitation["code"].as_str().unwrap());
    expect_json(send_json(user, "POST", &path, Value::Null).await).await;
    if role != "member" {
        let id = member_id_with_role(owner, room, "member").await;
        expect_json(
            send_json(
                owner,
                "PATCH",
                &format!("/rooms/{room}/members/{id}/"),
                json!({"role": role}),
            )
            .await,
        )
        .await;
    }
}

pub async fn ends_with_removed(stream: EventReader) -> bool {
    let events = read_to_end(stream).await;
    events.iter().any(|event| event.name == "removed")
}

/// The events of a stream that ends in time.
pub async fn read_to_end(stream: EventReader) -> Vec<Event> {
    let end = tokio::time::timeout(TEST_TIMEOUT, stream.rest());
    end.await.expect("the stream goes on")
}
