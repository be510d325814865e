//! Requests whose head arrives before their sender loses the right to act, and whose body arrives
//! after.

use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, config_of, expect_json};
use crate::http::RawConnection;
use crate::moderation::{join_by_invitation, member_id_with_role, send_json};

/// A request whose handler waits for its body.
struct HeldRequest {
    connection: RawConnection,
    body: String,
}

impl HeldRequest {
    /// Sends the head. When this returns, the server has authenticated the sender.
    async fn begin(server: &TestServer, user: &TestUser, target: &str, body: &Value) -> Self {
        let mut connection = RawConnection::open(server).await;
        let token = user.token.as_ref().unwrap();
        let body = body.to_string();
        let head = format!(
            "{target} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\n\
             accept: application/json\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        connection.send(&head).await;
        let answer = connection.read_until("\r\n\r\n").await;
        assert!(answer.contains(" 100 "), "{target}: {answer}");
        Self { connection, body }
    }

    /// Sends the body, and returns the status.
    async fn finish(mut self) -> String {
        self.connection.send(&self.body).await;
        let head = self.connection.read_until("\r\n\r\n").await;
        head.split(' ').nth(1).unwrap().to_owned()
    }
}

/// A room with an owner, who has an account, a message of the owner, and a member.
struct Setting {
    room: String,
    owner: TestUser,
    member: String,
}

impl Setting {
    async fn new(server: &TestServer, username: &str) -> Self {
        let owner = server.account(username).await;
        let room = owner.create_room().await;
        owner.post(&room, "hello").await;
        let friend = server.guest("friend").await;
        join_by_invitation(&owner, &room, &friend, "member").await;
        let member = member_id_with_role(&owner, &room, "member").await;
        Self {
            room,
            owner,
            member,
        }
    }

    /// The requests with a body that the owner may send.
    fn requests(&self) -> Vec<(String, Value)> {
        let Self {
            room,
            owner,
            member,
        } = self;
        let username = &owner.name;
        let message = json!({"username": username, "body": "late"});
        let sanction = json!({"person": member, "kind": "mute"});
        [
            ("POST", format!("/rooms/{room}/messages/"), message),
            (
                "PATCH",
                format!("/rooms/{room}/messages/1/"),
                json!({"body": "late"}),
            ),
            (
                "POST",
                format!("/rooms/{room}/typing/"),
                json!({"username": username}),
            ),
            ("POST", format!("/rooms/{room}/seen/"), json!({"seen": 1})),
            (
                "PUT",
                format!("/rooms/{room}/notifications/"),
                json!({"level": "all"}),
            ),
            (
                "PUT",
                format!("/rooms/{room}/listing/"),
                json!({"listed": true}),
            ),
            ("PUT", "/profile/notifications/".to_owned(), json!({})),
            (
                "POST",
                format!("/rooms/{room}/invitations/"),
                json!({"uses": 1}),
            ),
            ("POST", format!("/rooms/{room}/sanctions/"), sanction),
            ("PATCH", format!("/rooms/{room}/"), json!({"name": "late"})),
            (
                "PATCH",
                format!("/rooms/{room}/members/{member}/"),
                json!({"role": "reader"}),
            ),
            ("POST", "/rooms/".to_owned(), json!({"name": "late"})),
            ("POST", "/profile/".to_owned(), json!({"name": "late"})),
            (
                "POST",
                "/profile/password/".to_owned(),
                json!({"old": "secret", "new": "secret2"}),
            ),
            (
                "POST",
                "/profile/delete/".to_owned(),
                json!({"password": "secret"}),
            ),
        ]
        .map(|(method, path, body)| (format!("{method} {path}"), body))
        .into()
    }
}

#[tokio::test]
async fn request_held_until_its_session_has_ended_changes_nothing() {
    let server = TestServer::new().await;
    let setting = Setting::new(&server, "ada").await;
    let mut held = Vec::new();
    for (target, body) in setting.requests() {
        let request = HeldRequest::begin(&server, &setting.owner, &target, &body).await;
        held.push((target, request));
    }
    let signed_out = setting
        .owner
        .post_json("/profile/sign-out/", json!({}))
        .await;
    assert!(signed_out.status().is_success());
    for (target, request) in held {
        assert_eq!(request.finish().await, "401", "{target}");
    }
    let visitor = server.visitor("eve");
    let texts = visitor.history(&setting.room, "").await;
    let texts: Vec<&str> = texts.iter().map(|message| message.body()).collect();
    assert_eq!(texts, ["hello"]);
}

#[tokio::test]
async fn request_held_until_its_sender_is_banned_changes_nothing() {
    let server = TestServer::new().await;
    let setting = Setting::new(&server, "ada").await;
    let room = &setting.room;
    let eve = server.account("eve").await;
    join_by_invitation(&setting.owner, room, &eve, "moderator").await;
    let said = eve.post(room, "hi").await.id;
    let mut held = Vec::new();
    for (target, mut body) in setting.requests() {
        if !target.contains(room.as_str()) {
            continue;
        }
        if body.get("username").is_some() {
            body["username"] = json!("eve");
        }
        let target = target.replace("/messages/1/", &format!("/messages/{said}/"));
        let request = HeldRequest::begin(&server, &eve, &target, &body).await;
        held.push((target, request));
    }
    let ban = json!({"person": "eve", "kind": "ban"});
    let path = format!("/rooms/{room}/sanctions/");
    expect_json(send_json(&setting.owner, "POST", &path, ban).await).await;
    for (target, request) in held {
        assert_eq!(request.finish().await, "403", "{target}");
    }
}

#[tokio::test]
async fn request_held_until_its_sender_is_no_operator_any_more_changes_nothing() {
    let server = TestServer::new().await;
    let setting = Setting::new(&server, "ada").await;
    let boss = server.account("boss").await;
    let config = config_of(server.dir.path());
    chat::set_operator(&config, "boss", true).await.unwrap();
    let target = format!("PATCH /rooms/{}/", setting.room);
    let body = json!({"name": "late"});
    let [first, second] = [
        HeldRequest::begin(&server, &boss, &target, &body).await,
        HeldRequest::begin(&server, &boss, &target, &body).await,
    ];
    assert_eq!(first.finish().await, "200");
    chat::set_operator(&config, "boss", false).await.unwrap();
    assert_eq!(second.finish().await, "403");
}
