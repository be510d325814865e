//! What ends when the sessions of an account end.

use serde_json::{Value, json};

use crate::harness::{
    EventReader, TestServer, TestSocket, TestUser, expect_json, expect_problem,
    next_event_advancing_clock, submit_form_with_cookie, username_of_cookie,
};
use crate::moderation::ends_with_removed;

/// One connection of each kind by which an account receives events.
struct OpenConnections {
    streams: Vec<EventReader>,
    sockets: Vec<TestSocket>,
    poll: tokio::task::JoinHandle<reqwest::Response>,
}

impl OpenConnections {
    async fn open(server: &TestServer, ada: &TestUser, room: &str) -> Self {
        let paths = [
            format!("/rooms/{room}/messages/?username=ada"),
            format!("/stream?rooms={room}&username=ada"),
            "/stream?list=on".to_owned(),
            "/stream?overview=on".to_owned(),
            "/overview/".to_owned(),
        ];
        let mut streams = Vec::new();
        for path in paths {
            streams.push(EventReader::new(ada.get(&path, "text/event-stream").await));
        }
        let mut sockets = Vec::new();
        for path in [
            format!("/rooms/{room}/socket?username=ada"),
            "/chats/bob".to_owned(),
        ] {
            sockets.push(TestSocket::open_as(ada, &path).await.unwrap());
        }
        // The poll has a room of its own, whose presence shows that it waits.
        let elsewhere = ada.create_room().await;
        let mut seen = server.visitor("anyone").follow(&elsewhere, "").await;
        let poll = tokio::spawn({
            let ada = ada.clone();
            let path = format!("/rooms/{elsewhere}/messages/?after=0&wait=60&username=ada");
            async move { ada.get(&path, "application/json").await }
        });
        while !next_event_advancing_clock(server, &mut seen)
            .await
            .data
            .contains("\"ada\"")
        {}
        Self {
            streams,
            sockets,
            poll,
        }
    }

    /// Checks that all connections end; `why` is the last event of each stream.
    async fn end(self, why: &str) {
        for stream in self.streams {
            assert_eq!(
                stream
                    .rest()
                    .await
                    .last()
                    .map(|event| event.name.clone())
                    .as_deref(),
                Some(why)
            );
        }
        for mut socket in self.sockets {
            assert_eq!(socket.close_code().await, 1008);
        }
        expect_problem(self.poll.await.unwrap(), 401).await;
    }
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_open_connection() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let bob = server.account("bob").await;
    let room = bob.create_room().await;
    let mut others = bob.follow(&room, "").await;
    let guests = server.guest("ada's phone").await;
    let mut guests = guests.follow(&room, "").await;
    let connections = OpenConnections::open(&server, &ada, &room).await;
    assert_eq!(
        ada.post_json("/profile/sign-out/", json!({}))
            .await
            .status(),
        204
    );
    connections.end("signed-out").await;
    expect_problem(ada.get(&format!("/stream?rooms={room}"), "*/*").await, 401).await;

    let ada = sign_in(&ada).await;
    let connections = OpenConnections::open(&server, &ada, &room).await;
    let change = json!({"old": "secret", "new": "secret"});
    let key: Value = ada
        .post_json("/profile/password/", change)
        .await
        .json()
        .await
        .unwrap();
    connections.end("signed-out").await;

    // The new session continues, and ends with the account.
    let ada = TestUser {
        token: Some(key["token"].as_str().unwrap().to_owned()),
        ..ada
    };
    let connections = OpenConnections::open(&server, &ada, &room).await;
    assert_eq!(
        ada.post_json("/profile/delete/", json!({"password": "secret"}))
            .await
            .status(),
        204
    );
    connections.end("signed-out").await;
    bob.post(&room, "and we go on").await;
    for reader in [&mut others, &mut guests] {
        while reader.next().await.unwrap().name != "message" {}
    }
}

/// A further session of the account `ada`.
async fn sign_in(ada: &TestUser) -> TestUser {
    let known = json!({"username": "ada", "password": "secret"});
    let response = ada.post_json("/login", known).await;
    let response: Value = response.json().await.unwrap();
    TestUser {
        token: Some(response["content"]["token"].as_str().unwrap().to_owned()),
        ..ada.clone()
    }
}

#[tokio::test]
async fn signing_out_revokes_the_session_with_its_connections_and_no_other() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    server.account("bob").await;
    let other = sign_in(&ada).await;
    let room = other.create_room().await;
    let others = OpenConnections::open(&server, &other, &room).await;

    // A script, by its token.
    let script = sign_in(&ada).await;
    let connections = OpenConnections::open(&server, &script, &room).await;
    let response = script.post_json("/logout", json!({})).await;
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["clear-site-data"], "\"cache\"");
    connections.end("signed-out").await;
    expect_problem(script.get("/profile/", "application/json").await, 401).await;
    let again = script.post_json("/logout", json!({})).await;
    assert_eq!(again.status(), 204);

    // A browser, by its cookie: a copy of the cookie is refused, too.
    let session = sign_in(&ada).await.token.unwrap();
    let copy = TestUser {
        token: Some(session.clone()),
        ..ada.clone()
    };
    let browser = server.visitor("browser");
    let cookie = server.cookie("session", &session);
    let response = submit_form_with_cookie(&browser, "/logout", &cookie, &[]).await;
    assert_eq!(response.status(), 303);
    expect_problem(copy.get("/profile/", "application/json").await, 401).await;
    assert_eq!(username_of_cookie(&browser, &cookie).await, None);

    for session in [&ada, &other] {
        let profile = session.get("/profile/", "application/json").await;
        assert_eq!(profile.status(), 200);
    }
    assert_eq!(other.post_json("/logout", json!({})).await.status(), 204);
    others.end("signed-out").await;
}

#[tokio::test]
async fn deleting_an_account_ends_its_stream_and_socket() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    server.account("bob").await;
    let room = expect_json(ada.get("/chats/bob", "application/json").await).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let stream = ada.follow(&room, "").await;
    let mut socket = TestSocket::open_as(&ada, "/chats/bob").await.unwrap();
    expect_json(
        ada.post_json("/profile/delete/", json!({"password": "secret"}))
            .await,
    )
    .await;
    assert!(ends_with_removed(stream).await);
    assert_eq!(socket.close_code().await, 1008);
}
