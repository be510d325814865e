//! The permission table of `docs/roles.md`: every operation, in every kind of room, by every role.

use std::collections::BTreeMap;
use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;

use crate::harness::{TestServer, TestSocket, TestUser, config_of, expect_json};
use crate::moderation::{join_by_invitation, member_id_with_role, send_json};

/// The relation of a user to a room, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Banned,
    Anyone,
    Guest,
    Account,
    Reader,
    Member,
    Moderator,
    Owner,
    /// An operator of the server.
    Operator,
    /// The author of the message: no one of the participants.
    Author,
}

use Standing::{Account, Anyone, Banned, Guest, Moderator, Operator, Owner, Reader};

const STANDINGS: [Standing; 9] = [
    Banned,
    Anyone,
    Guest,
    Account,
    Reader,
    Standing::Member,
    Moderator,
    Owner,
    Operator,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Private,
    /// A direct chat of the member with a friend.
    Direct,
}

/// Every operation on a room, with its body and the least standing that may do it in an open and in
/// a private room. `PERSON` is a member, `CODE` an invitation.
fn operations() -> Vec<(&'static str, &'static str, Value, Standing, Standing)> {
    let nothing = Value::Null;
    let member = Standing::Member;
    vec![
        ("GET", "/rooms/ID/", nothing.clone(), Anyone, Reader),
        ("PATCH", "/rooms/ID/", json!({"name": "new"}), Owner, Owner),
        ("DELETE", "/rooms/ID/", nothing.clone(), Owner, Owner),
        (
            "GET",
            "/rooms/ID/messages/",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "POST",
            "/rooms/ID/messages/",
            json!({"username": "mallory", "body": "hi"}),
            Anyone,
            member,
        ),
        (
            "PATCH",
            "/rooms/ID/messages/SEQ/",
            json!({"body": "edited"}),
            Standing::Author,
            Standing::Author,
        ),
        (
            "DELETE",
            "/rooms/ID/messages/SEQ/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        ("GET", "/rooms/ID/files/", nothing.clone(), Anyone, Reader),
        (
            "POST",
            "/rooms/ID/files/?name=a",
            json!("bytes"),
            Anyone,
            member,
        ),
        (
            "GET",
            "/rooms/ID/files/FILE/a",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/files/FILE/preview",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        // Of a file of another person no one changes it.
        (
            "PUT",
            "/rooms/ID/files/FILE/preview",
            json!("bytes"),
            Standing::Author,
            Standing::Author,
        ),
        (
            "DELETE",
            "/rooms/ID/files/FILE",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "POST",
            "/rooms/ID/typing/",
            json!({"username": "mallory"}),
            Anyone,
            member,
        ),
        (
            "POST",
            "/rooms/ID/seen/",
            json!({"seen": 1}),
            Anyone,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/notifications/",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "PUT",
            "/rooms/ID/notifications/",
            json!({"level": "all"}),
            Guest,
            Reader,
        ),
        ("GET", "/rooms/ID/listing/", nothing.clone(), Anyone, Reader),
        (
            "PUT",
            "/rooms/ID/listing/",
            json!({"listed": true}),
            Guest,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/archive.jsonl",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/archive.zip",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        ("GET", "/rooms/ID/code.svg", nothing.clone(), Anyone, Reader),
        (
            "GET",
            "/rooms/ID/settings/",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/transcript.txt",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        ("GET", "/rooms/ID/socket", nothing.clone(), Anyone, Reader),
        (
            "GET",
            "/rooms/ID/members/",
            nothing.clone(),
            Moderator,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/person/?message=SEQ",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "PATCH",
            "/rooms/ID/members/PERSON/",
            json!({"role": "reader"}),
            Owner,
            Owner,
        ),
        (
            "DELETE",
            "/rooms/ID/members/PERSON/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "GET",
            "/rooms/ID/invitations/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "POST",
            "/rooms/ID/invitations/",
            json!({"uses": 1}),
            Moderator,
            Moderator,
        ),
        (
            "DELETE",
            "/rooms/ID/invitations/CODE/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "GET",
            "/rooms/ID/sanctions/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "POST",
            "/rooms/ID/sanctions/",
            json!({"person": "PERSON", "kind": "mute"}),
            Moderator,
            Moderator,
        ),
        (
            "DELETE",
            "/rooms/ID/sanctions/MUTED/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        ("GET", "/rooms/ID/audit/", nothing, Moderator, Moderator),
    ]
}

/// One user of each standing, and the users whom operations act on.
struct Participants {
    people: BTreeMap<Standing, TestUser>,
    muted: TestUser,
    friend: TestUser,
}

impl Participants {
    async fn gather(server: &TestServer) -> Self {
        let mut people = BTreeMap::new();
        for standing in STANDINGS {
            let name = format!("{standing:?}").to_lowercase();
            let user = match standing {
                Anyone => server.visitor("anyone"),
                Guest | Banned | Moderator | Owner => server.guest(&name).await,
                _ => server.account(&name).await,
            };
            people.insert(standing, user);
        }
        chat::set_operator(&config_of(server.dir.path()), "operator", true)
            .await
            .unwrap();
        Self {
            people,
            muted: server.guest("muted").await,
            friend: server.account("friend").await,
        }
    }

    /// A direct chat of the member and the friend. The others have no access.
    async fn direct(&self) -> BTreeMap<&'static str, String> {
        let chat = expect_json(
            send_json(
                &self.people[&Standing::Member],
                "GET",
                "/chats/friend",
                Value::Null,
            )
            .await,
        )
        .await;
        let room = chat["id"].as_str().unwrap().to_owned();
        let said = self.friend.post(&room, "hello").await.id.to_string();
        let file = send_file(&self.friend, &room).await;
        let user = "friend".to_owned();
        let code = "0".repeat(32);
        BTreeMap::from([
            ("ID", room),
            ("PERSON", user.clone()),
            ("MUTED", user),
            ("CODE", code),
            ("SEQ", said),
            ("FILE", file),
        ])
    }

    /// A room in which each participant has their standing.
    async fn room(&self, kind: Kind) -> BTreeMap<&'static str, String> {
        let private = match kind {
            Kind::Direct => return self.direct().await,
            kind => kind == Kind::Private,
        };
        let owner = &self.people[&Owner];
        let room =
            expect_json(send_json(owner, "POST", "/rooms/", json!({"private": private})).await)
                .await;
        assert_eq!(room["role"], "owner");
        let room = room["id"].as_str().unwrap().to_owned();
        join_by_invitation(owner, &room, &self.people[&Moderator], "moderator").await;
        join_by_invitation(owner, &room, &self.people[&Reader], "reader").await;
        join_by_invitation(owner, &room, &self.people[&Banned], "member").await;
        let banned =
            json!({"person": member_id_with_role(owner, &room, "member").await, "kind": "ban"});
        expect_json(send_json(owner, "POST", &format!("/rooms/{room}/sanctions/"), banned).await)
            .await;
        let bad = format!(
            "/rooms/{room}/members/{}/",
            member_id_with_role(owner, &room, "member").await
        );
        expect_json(send_json(owner, "PATCH", &bad, json!({"role": "reader"})).await).await;
        join_by_invitation(owner, &room, &self.muted, "member").await;
        let said = self.muted.post(&room, "hello").await.id.to_string();
        let file = send_file(&self.muted, &room).await;
        let muted = member_id_with_role(owner, &room, "member").await;
        expect_json(
            send_json(
                owner,
                "POST",
                &format!("/rooms/{room}/sanctions/"),
                json!({"person": muted, "kind": "mute"}),
            )
            .await,
        )
        .await;
        join_by_invitation(owner, &room, &self.people[&Standing::Member], "member").await;
        let code = expect_json(
            send_json(
                owner,
                "POST",
                &format!("/rooms/{room}/invitations/"),
                json!({}),
            )
            .await,
        )
        .await;
        let code = code["code"].as_str().unwrap().to_owned();
        BTreeMap::from([
            ("ID", room),
            ("PERSON", muted.clone()),
            ("MUTED", muted),
            ("CODE", code),
            ("SEQ", said),
            ("FILE", file),
        ])
    }
}

/// A GIF of one pixel.
const PICTURE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

/// Sends a message with a picture. Returns the ID of the file.
async fn send_file(user: &TestUser, room: &str) -> String {
    let request = user.request(Method::POST, &format!("/rooms/{room}/files/?name=a"));
    let file = expect_json(request.body(PICTURE).send().await.unwrap()).await;
    let file = file["id"].as_str().unwrap().to_owned();
    let message = json!({"username": user.name, "files": [file]});
    expect_json(
        user.post_json(&format!("/rooms/{room}/messages/"), message)
            .await,
    )
    .await;
    file
}

fn fill_placeholders(text: &str, names: &BTreeMap<&str, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// The statuses that a response may have.
fn expected_statuses(standing: Standing, kind: Kind, least: Standing) -> &'static [u16] {
    let hidden = match kind {
        Kind::Open => false,
        Kind::Private => (Anyone..Reader).contains(&standing) || standing == Operator,
        Kind::Direct => standing != Standing::Member,
    };
    match standing {
        _ if hidden => &[404],
        Banned => &[403],
        Reader if least < Reader => &[200, 201, 204, 426],
        standing if standing >= least => &[200, 201, 202, 204, 426],
        // What is stored for a person needs someone to store it for.
        Anyone if least == Guest => &[401],
        _ => &[403],
    }
}

/// The responses make the table of `docs/roles.md`.
#[tokio::test]
async fn every_role_may_do_exactly_what_the_permission_table_says() {
    let server = TestServer::new().await;
    let participants = Participants::gather(&server).await;
    let standings = STANDINGS.map(|standing| format!("{standing:?}").to_lowercase());
    let mut table = format!(
        "| operation | room | {} |\n| --- | --- |{}\n",
        standings.join(" | "),
        " --- |".repeat(standings.len())
    );
    for (method, path, body, open, private) in operations() {
        // Both members of a direct chat see its member list.
        let direct = if path.ends_with("/members/") {
            Moderator
        } else {
            private
        };
        for (kind, least) in [
            (Kind::Open, open),
            (Kind::Private, private),
            (Kind::Direct, direct),
        ] {
            let mut row = Vec::new();
            for standing in STANDINGS {
                let names = participants.room(kind).await;
                let user = &participants.people[&standing];
                let mut body: Value =
                    serde_json::from_str(&fill_placeholders(&body.to_string(), &names)).unwrap();
                if user.token.is_some() && body.get("username").is_some() {
                    body["username"] = json!(user.name);
                }
                let status = send_json(user, method, &fill_placeholders(path, &names), body)
                    .await
                    .status()
                    .as_u16();
                // In an open room visitors may post and type, but a reader may not.
                let paths = ["/messages/", "/typing/", "/files/?"];
                let is_writing = paths.iter().any(|part| path.contains(part));
                let only_reads = standing == Reader && is_writing && method == "POST";
                let expected = if only_reads && kind != Kind::Direct {
                    &[403]
                } else {
                    expected_statuses(standing, kind, least)
                };
                assert!(
                    expected.contains(&status),
                    "{method} {path} {kind:?} {standing:?}: {status}"
                );
                row.push(status.to_string());
            }
            let kind = format!("{kind:?}").to_lowercase();
            writeln!(
                table,
                "| `{method} {path}` | {kind} | {} |",
                row.join(" | ")
            )
            .unwrap();
        }
    }
    let roles = include_str!("../../../../docs/roles.md");
    assert!(
        roles.contains(&table),
        "docs/roles.md needs this table:\n{table}"
    );
}

#[tokio::test]
async fn permission_table_covers_every_room_operation() {
    let server = TestServer::new().await;
    let document: Value = server
        .visitor("ada")
        .get("/openapi.json", "*/*")
        .await
        .json()
        .await
        .unwrap();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if let Some(rest) = path.strip_prefix("/rooms/{id}/") {
            let shape = rest
                .replace("{person}", "*")
                .replace("{code}", "*")
                .replace("{seq}", "*")
                .replace("{file}", "*")
                .replace("{name}", "a");
            described.extend(
                item.as_object()
                    .unwrap()
                    .keys()
                    .map(|method| format!("{} {shape}", method.to_uppercase())),
            );
        }
    }
    let walked: Vec<String> = operations()
        .into_iter()
        .map(|(method, path, ..)| {
            let rest = path.strip_prefix("/rooms/ID/").unwrap();
            let rest = rest.split('?').next().unwrap();
            format!(
                "{method} {}",
                ["PERSON", "MUTED", "CODE", "SEQ", "FILE"]
                    .iter()
                    .fold(rest.to_owned(), |rest, name| rest.replace(name, "*"))
            )
        })
        .collect();
    // An upload is written by those who may send a file, and is for its sender alone: the tests of
    // uploads check both.
    described.retain(|operation| !walked.contains(operation) && !operation.contains(" uploads/"));
    assert!(described.is_empty(), "{described:?}");
}

/// Sends a message over the WebSocket of a room. Returns the status that the same request over HTTP
/// would have.
async fn post_over_socket(user: &TestUser, room: &str) -> u16 {
    let path = format!("/rooms/{room}/socket?username={}&after=latest", user.name);
    let mut socket = match TestSocket::open_as(user, &path)
        .await
        .map_err(|error| *error)
    {
        Ok(socket) => socket,
        Err(tungstenite::Error::Http(refused)) => return refused.status().as_u16(),
        Err(error) => panic!("{error}"),
    };
    socket.send_text("hi").await;
    let frame = socket.next().await;
    let answer: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
    match answer["status"].as_u64() {
        Some(status) => u16::try_from(status).unwrap(),
        None => 201,
    }
}

#[tokio::test]
async fn every_role_writes_over_a_socket_as_over_http() {
    let server = TestServer::new().await;
    let participants = Participants::gather(&server).await;
    for kind in [Kind::Open, Kind::Private, Kind::Direct] {
        for standing in STANDINGS {
            let user = &participants.people[&standing];
            let room = &participants.room(kind).await["ID"];
            let over_http = user.try_post(room, "hi").await.status().as_u16();
            let over_socket = post_over_socket(user, room).await;
            assert_eq!(over_socket, over_http, "{kind:?} {standing:?}");
        }
    }
}

#[tokio::test]
async fn no_role_in_an_open_room_has_power_over_an_operator() {
    let server = TestServer::new().await;
    let participants = Participants::gather(&server).await;
    let boss = &participants.people[&Operator];
    for standing in [Moderator, Owner] {
        let room = &participants.room(Kind::Open).await["ID"];
        join_by_invitation(&participants.people[&Owner], room, boss, "member").await;
        let user = &participants.people[&standing];
        for (method, path, body) in [
            (
                "POST",
                "sanctions/",
                json!({"person": "operator", "kind": "ban"}),
            ),
            (
                "POST",
                "sanctions/",
                json!({"person": "operator", "kind": "mute"}),
            ),
            ("PATCH", "members/operator/", json!({"role": "reader"})),
            ("DELETE", "members/operator/", Value::Null),
        ] {
            let path = format!("/rooms/{room}/{path}");
            let status = send_json(user, method, &path, body).await.status();
            assert_eq!(status, 403, "{standing:?} {method} {path}");
        }
        boss.post(room, "still here").await;
    }
}
