//! The lobby, with the plain commands of its own description.

use reqwest::{Method, StatusCode};

use crate::harness::{EventReader, TestServer, TestUser, expect_problem};

async fn send_command(user: &TestUser, method: Method, path: &str) -> (StatusCode, String) {
    let response = user.request(method, path).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn open_lobby_stream(user: &TestUser, id: &str) -> EventReader {
    EventReader::new(user.get(&format!("/messages?id={id}"), "*/*").await)
}

async fn next_line(reader: &mut EventReader) -> String {
    reader.next().await.expect("the stream has ended").data
}

#[tokio::test]
async fn lobby_members_join_talk_and_leave() {
    let server = TestServer::new().await;
    let curl = server.visitor("curl");
    assert_eq!(
        send_command(&curl, Method::POST, "/join?id=A").await,
        (StatusCode::OK, "A joined the chat".to_owned())
    );
    let mut a = open_lobby_stream(&curl, "A").await;
    assert_eq!(
        send_command(&curl, Method::POST, "/join?id=B").await.1,
        "B joined the chat"
    );
    let mut b = open_lobby_stream(&curl, "B").await;
    assert_eq!(
        send_command(&curl, Method::POST, "/send?id=A&message=Hi+there")
            .await
            .0,
        StatusCode::OK
    );
    for expected in ["A joined the chat", "B joined the chat", "A: Hi there"] {
        assert_eq!(next_line(&mut a).await, expected);
    }
    for expected in ["B joined the chat", "A: Hi there"] {
        assert_eq!(
            next_line(&mut b).await,
            expected,
            "everything since joining, in the same order"
        );
    }
    assert_eq!(
        send_command(&curl, Method::DELETE, "/leave?id=B").await,
        (StatusCode::OK, "B left the chat".to_owned())
    );
    assert_eq!(next_line(&mut b).await, "B left the chat");
    assert_eq!(b.next().await, None, "the stream of a member who left ends");
    assert_eq!(next_line(&mut a).await, "B left the chat");
    assert_eq!(
        send_command(&curl, Method::POST, "/leave?id=A").await.0,
        StatusCode::OK
    );
    assert_eq!(next_line(&mut a).await, "A left the chat");
    assert_eq!(a.next().await, None);
}

#[tokio::test]
async fn invalid_lobby_request_is_refused_with_its_status() {
    let server = TestServer::new().await;
    let curl = server.visitor("curl");
    send_command(&curl, Method::POST, "/join?id=A").await;
    let cases = [
        (Method::POST, "/join?id=A", 409),
        (Method::POST, "/join", 400),
        (Method::POST, "/join?id=", 400),
        (Method::POST, "/join?id=%E2%80%8B", 400),
        (Method::POST, "/join?id=ada:+yes,+eve", 400),
        (Method::POST, "/join?id=ada+joined+the+chat", 400),
        (Method::POST, "/send?id=A&message=%E2%A0%80", 400),
        (Method::GET, "/messages?id=B", 401),
        (Method::POST, "/send?id=B&message=Hi", 401),
        (Method::POST, "/send?id=A&message=", 400),
        (Method::POST, "/send?id=A", 400),
        (Method::POST, "/leave?id=B", 404),
        (Method::DELETE, "/leave?id=B", 404),
        (Method::GET, "/join?id=C", 405),
    ];
    for (method, path, status) in cases {
        expect_problem(curl.request(method, path).send().await.unwrap(), status).await;
    }
}

#[tokio::test]
async fn lobby_name_that_looks_like_a_taken_one_is_refused() {
    let server = TestServer::new().await;
    let curl = server.visitor("curl");
    // The same word in Latin letters, with a Cyrillic one, and in capitals.
    let [latin, cyrillic, capitals] = ["ada", "%D0%B0da", "ADA"];
    let cases = [
        (Method::POST, "/join", latin, 200),
        (Method::POST, "/join", cyrillic, 409),
        (Method::POST, "/join", capitals, 409),
        (Method::POST, "/send?message=Hi", cyrillic, 401),
        (Method::POST, "/leave", cyrillic, 404),
        (Method::POST, "/leave", latin, 200),
        (Method::POST, "/join", cyrillic, 200),
        (Method::POST, "/join", latin, 409),
    ];
    for (method, path, name, status) in cases {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}id={name}");
        let response = curl.request(method, &path).send().await.unwrap();
        match status {
            200 => assert_eq!(response.status(), 200, "{path}"),
            refused => drop(expect_problem(response, refused).await),
        }
    }
}

#[tokio::test]
async fn silent_lobby_stream_ends_after_its_timeout_and_can_be_resumed() {
    let server = TestServer::with(&["--stream-timeout", "500ms"], |_| {}).await;
    let curl = server.visitor("curl");
    send_command(&curl, Method::POST, "/join?id=A").await;
    let mut stream = open_lobby_stream(&curl, "A").await;
    let joined = stream.next().await.unwrap();
    assert_eq!(
        stream.next().await,
        None,
        "no message within the stream timeout"
    );
    send_command(&curl, Method::POST, "/send?id=A&message=two%0Alines").await;
    let request = curl
        .request(Method::GET, "/messages?id=A")
        .header("last-event-id", joined.id.unwrap());
    let mut resumed = EventReader::new(request.send().await.unwrap());
    assert_eq!(resumed.next().await.unwrap().data, "A: two lines");
}

#[tokio::test]
async fn rejoined_member_replays_past_its_own_leaving() {
    let server = TestServer::new().await;
    let curl = server.visitor("curl");
    for (path, line) in [("/join", "joined"), ("/leave", "left"), ("/join", "joined")] {
        let said = send_command(&curl, Method::POST, &format!("{path}?id=A")).await;
        assert_eq!(said, (StatusCode::OK, format!("A {line} the chat")));
    }
    let request = curl
        .request(Method::GET, "/messages?id=A")
        .header("last-event-id", "00000000.1");
    let mut stream = EventReader::new(request.send().await.unwrap());
    assert_eq!(stream.next().await.unwrap().name, "reset");
    for expected in ["A joined the chat", "A left the chat", "A joined the chat"] {
        assert_eq!(next_line(&mut stream).await, expected);
    }
    send_command(&curl, Method::POST, "/leave?id=A").await;
    assert_eq!(next_line(&mut stream).await, "A left the chat");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn very_long_stream_timeout_is_accepted() {
    let server = TestServer::with(&["--stream-timeout", "500000000000years"], |_| {}).await;
    let curl = server.visitor("curl");
    send_command(&curl, Method::POST, "/join?id=A").await;
    let mut stream = open_lobby_stream(&curl, "A").await;
    assert_eq!(next_line(&mut stream).await, "A joined the chat");
}

#[tokio::test]
async fn lobby_refusal_names_the_query_parameter() {
    let server = TestServer::new().await;
    let curl = server.visitor("curl");
    send_command(&curl, Method::POST, "/join?id=A").await;
    let name = "x".repeat(33);
    let message = "x".repeat(4_001);
    for (path, field) in [
        (format!("/join?id={name}"), "id"),
        (format!("/send?id=A&message={message}"), "message"),
    ] {
        let refused =
            expect_problem(curl.request(Method::POST, &path).send().await.unwrap(), 422).await;
        assert_eq!(refused.field.as_deref(), Some(field));
        assert!(refused.detail.starts_with(field), "{}", refused.detail);
    }
}
