//! The log: without a reader it costs lines of the log and nothing else, and it has no content of
//! requests.

use std::process::{Command, Stdio};

use reqwest::{Method, Version};
use serde_json::json;

use crate::harness::{
    LogReader, ServerProcess, TestCertificate, TestSocket, TestUser, expect_json, file_in,
};

/// How many requests fill more of the log than the pipe and the server hold: each is two lines of
/// more than 150 bytes, and the server holds 1 MiB.
const MANY_REQUESTS: usize = 5_000;

/// Posts, lets a room expire before a follower's eyes, and stops the server.
async fn use_server(mut process: ServerProcess, case: &str) {
    let room = process.create_room().await;
    let stream = reqwest::get(format!("{}/rooms/{room}/messages/", process.url)).await;
    for number in 0..50 {
        let posted = process.post(&room, "ada", &number.to_string()).await;
        assert!(posted.is_some(), "{case}: message {number} is refused");
    }
    let events = stream.unwrap().text().await.unwrap();
    assert!(events.contains("event: closed"), "{case}: {events}");
    assert!(process.is_ready().await, "{case}");
    process.signal("-TERM");
    let status = tokio::task::block_in_place(|| process.wait_for_exit());
    assert_eq!(status.code(), Some(0), "{case}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_works_and_stops_without_a_reader_of_its_log() {
    for reader in [LogReader::Leaves, LogReader::Stops] {
        for format in ["text", "json"] {
            for level in ["error", "info", "trace"] {
                let dir = tempfile::tempdir().unwrap();
                let flags = ["--log-format", format, "--log", level, "--timeout", "1s"];
                // The line that names the address has the level `info`.
                let listening = [flags[0], flags[1], "--log", "error,webchat=info"];
                let flags = if level == "error" {
                    [&listening[..], &flags[4..]].concat()
                } else {
                    flags.to_vec()
                };
                let process =
                    ServerProcess::start_with_log("127.0.0.1:0", dir.path(), &flags, reader);
                use_server(process, &format!("{reader:?} {format} {level}")).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_lines_are_counted_once_the_log_is_read_again() {
    for format in ["text", "json"] {
        let dir = tempfile::tempdir().unwrap();
        let flags = ["--log", "trace", "--log-format", format];
        let mut process =
            ServerProcess::start_with_log("127.0.0.1:0", dir.path(), &flags, LogReader::Stops);
        let url = format!("{}/healthz", process.url);
        let http = reqwest::Client::new();
        for _ in 0..MANY_REQUESTS {
            assert_eq!(http.get(&url).send().await.unwrap().status(), 200);
        }
        process.read_log();
        let line = tokio::task::block_in_place(|| process.wait_for_log("log lines were lost"));
        assert!(line.contains("lost"), "{line}");
        process.signal("-TERM");
        tokio::task::block_in_place(|| process.wait_for_log("stopped"));
    }
}

/// Sends a secret by every way in which requests carry texts, codes, tokens and passwords.
async fn send_secrets(user: &TestUser, room: &str) -> Vec<String> {
    let signed_up = json!({"name": "Ada", "username": "ada", "password": "secret-password"});
    let session = expect_json(user.post_json("/register", signed_up).await).await;
    let token = session["content"]["token"].as_str().unwrap().to_owned();
    let signed_in = json!({"username": "ada", "password": "secret-password"});
    assert_eq!(user.post_json("/login", signed_in).await.status(), 200);
    let ada = TestUser {
        token: Some(token.clone()),
        ..user.clone()
    };
    let private = ada.create_room_with(json!({"private": true})).await.id;
    let path = format!("/rooms/{private}/invitations/");
    let invitation = expect_json(ada.post_json(&path, json!({})).await).await;
    let code = invitation["code"].as_str().unwrap().to_owned();
    for path in [
        format!("/invitations/{code}/"),
        format!("/invitations/{code}/code.svg"),
    ] {
        assert_eq!(user.get(&path, "*/*").await.status(), 200, "{path}");
    }
    assert_eq!(
        user.get("/invitations/secret-guess/", "*/*").await.status(),
        404
    );
    assert_eq!(
        user.get("/secret-path/secret-path", "text/html")
            .await
            .status(),
        404
    );
    for path in ["/join?id=C", "/send?id=C&message=secret-line"] {
        assert_eq!(
            user.post_json(path, json!({})).await.status(),
            200,
            "{path}"
        );
    }
    assert_eq!(
        user.get("/chat?room=secret-room", "text/html")
            .await
            .status(),
        200
    );
    ada.post(room, "secret-json").await;
    let message = ada.post(room, "to be edited").await.id;
    let path = format!("/rooms/{room}/messages/{message}/");
    let edited = ada
        .request(Method::PATCH, &path)
        .json(&json!({"body": "secret-edit"}));
    assert_eq!(edited.send().await.unwrap().status(), 200);
    let form = [("username", "eve"), ("body", "secret-form")];
    let path = format!("/rooms/{room}/messages/");
    let posted = user
        .request(Method::POST, &path)
        .form(&form)
        .header("x-note", "secret-header");
    assert!(posted.send().await.unwrap().status().is_success());
    let malformed = user
        .request(Method::POST, &path)
        .header("content-type", "application/json");
    let malformed = malformed
        .body(r#"{"username": "ada", "body": "secret-broken"#)
        .send();
    assert_eq!(malformed.await.unwrap().status(), 400);
    let cookie = user
        .request(Method::GET, "/")
        .header("cookie", "session=secret-cookie");
    assert_eq!(cookie.send().await.unwrap().status(), 200);
    let secrets = ["secret-", &token, &code];
    secrets.map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_has_no_content_of_requests_at_any_level() {
    let cert = TestCertificate::new();
    let files = tempfile::tempdir().unwrap();
    cert.write(files.path());
    let [cert_file, key_file] =
        ["cert.pem", "key.pem"].map(|name| files.path().join(name).to_str().unwrap().to_owned());
    let tls = ["--tls-cert", &cert_file, "--tls-key", &key_file];
    for (flags, filter) in [
        (&[][..], "trace"),
        (&tls[..], "trace,h2=trace,rustls=trace"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let flags = [flags, &["--log", filter]].concat();
        let process = ServerProcess::start(dir.path(), &flags);
        let user = cert.client("ada", &process.url, Version::HTTP_2);
        let room = user.create_room().await;
        let secrets = send_secrets(&user, &room).await;
        if process.url.starts_with("http:") {
            let path = format!("/rooms/{room}/socket?username=eve&after=latest");
            let mut socket = TestSocket::open_at(&process.url, &path).await;
            socket.send_text("secret-frame").await;
            assert_eq!(socket.next_message().await.body(), "secret-frame");
        }
        process.signal("-TERM");
        let log = tokio::task::block_in_place(|| process.read_rest_of_log());
        assert!(log.contains("/invitations/{code}/"), "{log}");
        for secret in secrets {
            let found = log.lines().find(|line| line.contains(&secret));
            assert_eq!(found, None, "{secret}");
        }
    }
}

#[test]
fn commands_end_as_usual_with_closed_outputs() {
    let dir = tempfile::tempdir().unwrap();
    drop(ServerProcess::start(
        dir.path(),
        &["--database", &file_in(dir.path())],
    ));
    let data_dir = dir.path().to_str().unwrap();
    let backup = dir.path().join("backup.db");
    let cases: [(&[&str], i32); 5] = [
        (&["--help"], 0),
        (&["--version"], 0),
        (&["--timeout", "soon"], 2),
        (
            &["--data-dir", data_dir, "backup", backup.to_str().unwrap()],
            0,
        ),
        (&["--listen", "127.0.0.1:1", "health"], 1),
    ];
    for (args, code) in cases {
        let mut child = Command::new(env!("CARGO_BIN_EXE_webchat"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{args:?}");
    }
}
