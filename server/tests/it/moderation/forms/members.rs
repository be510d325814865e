//! The page of a room's members.

use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser};
use crate::moderation::forms::{
    HTML_ACCEPT, assert_redirects_to, assert_refused, get_json, get_page, join_by_forms,
    submit_form,
};

/// A private room: bob and eve are its members, a guest is not.
struct PrivateRoom {
    owner: TestUser,
    bob: TestUser,
    eve: TestUser,
    guest: TestUser,
    id: String,
    eve_id: String,
}

impl PrivateRoom {
    async fn create(server: &TestServer) -> Self {
        let owner = server.account("owner").await;
        let bob = server.account("bob").await;
        let eve = server.guest("eve").await;
        let room = owner.create_room_with(json!({"private": true})).await;
        let id = room.id.to_string();
        for user in [&bob, &eve] {
            join_by_forms(&owner, &id, user).await;
            user.post(&id, "hello").await;
        }
        let members = get_json(&owner, &format!("/rooms/{id}/members/")).await;
        let mut members = members.as_array().unwrap().iter();
        let member = members.find(|member| member["username"] == "eve").unwrap();
        let eve_id = member["id"].as_str().unwrap().to_owned();
        Self {
            owner,
            bob,
            eve,
            guest: server.guest("guest").await,
            id,
            eve_id,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/rooms/{}/{rest}", self.id)
    }

    /// Submits a form and checks that it redirects to the page of members.
    async fn expect_done(&self, user: &TestUser, path: &str, fields: &[(&str, &str)]) {
        let response = submit_form(user, &self.path(path), fields).await;
        assert_redirects_to(&response, &self.path("members/"));
    }

    /// Submits a form and checks that it is refused. Returns the page.
    async fn expect_refused(
        &self,
        user: &TestUser,
        path: &str,
        fields: &[(&str, &str)],
        refusal: (u16, &str),
    ) -> String {
        let response = submit_form(user, &self.path(path), fields).await;
        assert_refused(response, refusal.0, refusal.1).await
    }
}

#[tokio::test]
async fn members_are_managed_by_forms_within_each_role() {
    let server = TestServer::new().await;
    let room = PrivateRoom::create(&server).await;
    get_page(&room.guest, &room.path("members/"), 404).await;
    let html = get_page(&room.eve, &room.path("members/"), 200).await;
    assert!(
        html.contains("Leave this room") && !html.contains("Manage") && html.contains("bob"),
        "{html}"
    );
    change_roles(&room).await;
    mute_and_lift(&room).await;
    ban_and_remove(&room).await;
    check_audit_log(&room).await;
    hand_over_and_leave(&room).await;
}

async fn change_roles(room: &PrivateRoom) {
    let patch = "members/bob/?method=PATCH";
    room.expect_done(&room.owner, patch, &[("role", "moderator")])
        .await;
    let refusal = (422, "must be reader");
    room.expect_refused(&room.owner, patch, &[("role", "king")], refusal)
        .await;
    let refusal = (403, "Only moderators");
    room.expect_refused(&room.eve, "members/bob/?method=DELETE", &[], refusal)
        .await;
}

/// A moderator mutes a member and lifts it, but cannot sanction an equal or higher role.
async fn mute_and_lift(room: &PrivateRoom) {
    let mute = [
        ("person", room.eve_id.as_str()),
        ("timeout", "10m"),
        ("kind", "mute"),
    ];
    room.expect_done(&room.bob, "sanctions/", &mute).await;
    let ban = [("person", "owner"), ("timeout", ""), ("kind", "ban")];
    let refusal = (403, "no lesser role");
    let html = room
        .expect_refused(&room.bob, "sanctions/", &ban, refusal)
        .await;
    assert!(
        html.contains("role=\"alert\"") && html.contains("muted for another"),
        "the same page: {html}"
    );
    assert_redirects_to(
        &room.bob.get(&room.path("sanctions/"), HTML_ACCEPT).await,
        &room.path("members/"),
    );
    assert_eq!(room.eve.try_post(&room.id, "psst").await.status(), 403);
    let lift = format!("sanctions/{}/?method=DELETE", room.eve_id);
    room.expect_done(&room.bob, &lift, &[]).await;
    let refusal = (404, "no such sanction");
    room.expect_refused(&room.bob, &lift, &[], refusal).await;
    room.eve.post(&room.id, "thanks").await;
}

/// A ban without a time is permanent.
async fn ban_and_remove(room: &PrivateRoom) {
    let ban = [
        ("person", room.eve_id.as_str()),
        ("timeout", ""),
        ("kind", "ban"),
    ];
    room.expect_done(&room.bob, "sanctions/", &ban).await;
    assert_eq!(
        get_json(&room.bob, &room.path("sanctions/")).await[0]["until"],
        Value::Null
    );
    get_page(&room.eve, &room.path("members/"), 403).await;
    let remove = format!("members/{}/?method=DELETE", room.eve_id);
    room.expect_done(&room.bob, &remove, &[]).await;
}

/// The audit log is in words, with the names that users write under.
async fn check_audit_log(room: &PrivateRoom) {
    let html = get_page(&room.bob, &room.path("members/"), 200).await;
    let text: String = html
        .split('<')
        .filter_map(|tag| tag.split_once('>'))
        .map(|(_, text)| text)
        .collect();
    for words in [
        "bob muted eve · just now",
        "bob banned eve",
        "bob removed eve",
        "owner made bob a moderator",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let html = get_page(&room.bob, &room.path("audit/?before=3"), 200).await;
    assert!(
        html.contains("made an invitation") && !html.contains("banned"),
        "{html}"
    );
    get_page(&room.guest, &room.path("audit/"), 404).await;
}

async fn hand_over_and_leave(room: &PrivateRoom) {
    let patch = "members/bob/?method=PATCH";
    room.expect_done(&room.owner, patch, &[("role", "owner")])
        .await;
    assert_eq!(get_json(&room.bob, &room.path("")).await["role"], "owner");
    let leave = room.path("members/owner/?method=DELETE");
    let response = submit_form(&room.owner, &leave, &[("next", "/")]).await;
    assert_redirects_to(&response, "/");
    get_page(&room.owner, &room.path("members/"), 404).await;
}

#[tokio::test]
async fn member_list_of_an_open_room_is_hidden_from_guests() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let guest = server.guest("guest").await;
    let room = owner.create_room().await;
    let html = get_page(&guest, &format!("/rooms/{room}/members/"), 200).await;
    assert!(
        html.contains("only its moderators see") && !html.contains("Leave"),
        "{html}"
    );
    assert!(
        get_page(&owner, &format!("/rooms/{room}/members/"), 200)
            .await
            .contains("(you)")
    );
    get_page(&guest, &format!("/rooms/{room}/invitations/"), 403).await;
    get_page(&guest, &format!("/rooms/{room}/audit/"), 403).await;
}
