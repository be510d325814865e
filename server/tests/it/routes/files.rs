//! Sending and deleting files.

use protocol::{File, Message};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, expect_json, expect_problem};

const BOUNDARY: &str = "----a-boundary";

/// A PNG of one pixel, with hostile text after its head.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0<script>alert(1)</script>";

async fn try_upload(user: &TestUser, room: &str, name: &str, bytes: &[u8]) -> Response {
    let path = format!("/rooms/{room}/files/");
    user.request(Method::POST, &path)
        .query(&[("name", name)])
        .body(bytes.to_vec())
        .send()
        .await
        .unwrap()
}

pub async fn upload(user: &TestUser, room: &str, name: &str, bytes: &[u8]) -> File {
    let response = try_upload(user, room, name, bytes).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    response.json().await.unwrap()
}

async fn post_files(user: &TestUser, room: &str, files: Value) -> Response {
    let message = json!({"username": user.name, "files": files});
    user.post_json(&format!("/rooms/{room}/messages/"), message)
        .await
}

/// A message with this file.
pub async fn send(user: &TestUser, room: &str, name: &str, bytes: &[u8]) -> File {
    let file = upload(user, room, name, bytes).await;
    let response = post_files(user, room, json!([file.id])).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    file
}

pub async fn download(user: &TestUser, url: &str, headers: &[(&str, &str)]) -> Response {
    let request = user.request(Method::GET, url);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.unwrap()
}

/// A field of a form: its name, the name of its file, and its content.
pub type Field<'a> = (&'a str, Option<&'a str>, &'a [u8]);

pub fn encode_form(fields: &[Field<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in fields {
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{file}\""));
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"
            )
            .bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body
}

async fn send_form(
    user: &TestUser,
    room: &str,
    headers: &[(&str, &str)],
    fields: &[Field<'_>],
) -> Response {
    let request = user
        .request(Method::POST, &format!("/rooms/{room}/files/"))
        .header(
            "content-type",
            format!("multipart/form-data; boundary={BOUNDARY}"),
        )
        .body(encode_form(fields));
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.unwrap()
}

#[tokio::test]
async fn file_is_sent_with_two_requests_and_read_by_everyone_in_the_room() {
    let server = TestServer::new().await;
    let [ada, grace] = [server.guest("ada").await, server.visitor("grace")];
    let room = ada.create_room().await;
    let mut live = grace.follow(&room, "").await;
    let file = send(&ada, &room, "photo.png", PNG).await;
    assert_eq!(file.kind, "image/png");
    let message = live.next_message().await;
    let files = std::slice::from_ref(&file);
    assert_eq!((message.body(), message.files()), ("", files));
    let answer = download(&grace, &file.url, &[]).await;
    for (name, value) in [
        ("content-type", "image/png"),
        (
            "content-disposition",
            "inline; filename=\"photo.png\"; filename*=UTF-8''photo.png",
        ),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "private, max-age=31536000, immutable"),
        ("accept-ranges", "bytes"),
        ("content-length", &PNG.len().to_string()),
        ("etag", &format!("\"sha256-{}\"", file.sha256)),
    ] {
        assert_eq!(answer.headers()[name], value, "{name}");
    }
    assert_eq!(answer.bytes().await.unwrap(), PNG);
    let head = grace.request(Method::HEAD, &file.url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], PNG.len().to_string());
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn form_sends_one_message_with_its_files_and_a_page_goes_back_to_the_room() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let fields: &[Field<'_>] = &[
        ("file", Some("a.txt"), b"one"),
        ("file", Some("b.txt"), b"two"),
        ("file", Some(""), b""),
        ("other", None, b"ignored"),
        ("username", None, b"ada"),
        ("body", None, b"look"),
    ];
    let answer = send_form(&ada, &room, &[], fields).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let message: Message = answer.json().await.unwrap();
    let names: Vec<&str> = message
        .files()
        .iter()
        .map(|file| file.name.as_str())
        .collect();
    assert_eq!(
        (message.body(), &names[..]),
        ("look", &["a.txt", "b.txt"][..])
    );
    let page = send_form(&ada, &room, &[("accept", "text/html")], fields).await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(page.headers()["location"], format!("/rooms/{room}/"));
    assert_eq!(ada.history(&room, "").await.len(), 2);
    // The same form again is the same message.
    let key = [("idempotency-key", "k")];
    let first: Message = send_form(&ada, &room, &key, fields)
        .await
        .json()
        .await
        .unwrap();
    let again: Message = send_form(&ada, &room, &key, fields)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!((first.id, first.files()), (again.id, again.files()));
    let other = [
        ("file", Some("a.txt"), &b"other"[..]),
        ("username", None, b"ada"),
    ];
    expect_problem(send_form(&ada, &room, &key, &other).await, 422).await;
}

#[tokio::test]
async fn refused_form_leaves_no_file() {
    let server = TestServer::with(&["--rate-limit", "off"], |config| config.room_files = 10).await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let file: Field<'_> = ("file", Some("a.txt"), b"0123456789");
    let nameless = send_form(&ada, &room, &[], &[file]).await;
    let problem = expect_problem(nameless, 422).await;
    assert_eq!(problem.field.as_deref(), Some("username"));
    let name: Field<'_> = ("username", None, b"ada");
    let mut many = vec![("file", Some("a.txt"), &b""[..]); 11];
    many.push(name);
    expect_problem(send_form(&ada, &room, &[], &many).await, 422).await;
    // The space is free again once the bytes are deleted.
    loop {
        let answer = send_form(&ada, &room, &[], &[file, name]).await;
        if answer.status() == StatusCode::CREATED {
            break;
        }
        expect_problem(answer, 413).await;
        tokio::task::yield_now().await;
    }
    for body in [&b"no form"[..], b"", b"------a-boundary\r\n"] {
        let request = ada
            .request(Method::POST, &format!("/rooms/{room}/files/"))
            .header(
                "content-type",
                format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .body(body.to_vec());
        expect_problem(request.send().await.unwrap(), 400).await;
    }
}

#[tokio::test]
async fn limits_are_shown_before_an_upload_and_in_a_refusal() {
    let change = |config: &mut chat::Config| {
        config.file_max = 1_000;
        config.room_files = 1_500;
    };
    let server = TestServer::with(&["--rate-limit", "off"], change).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let limits = expect_json(ada.get("/limits/", "application/json").await).await;
    assert_eq!(
        limits["files"],
        json!({"file": 1_000, "room": 1_500, "server": 20_000_000_000_u64, "per_message": 10})
    );
    let refused = try_upload(&ada, &room, "a", &[0; 1_001]).await;
    assert!(expect_problem(refused, 413).await.detail.contains("1000"));
    send(&ada, &room, "a", &[0; 1_000]).await;
    let refused = try_upload(&ada, &room, "a", &[0; 501]).await;
    assert!(expect_problem(refused, 413).await.detail.contains("1500"));
    let off = TestServer::with(&["--rate-limit", "off"], |config| config.files = false).await;
    let eve = off.guest("eve").await;
    let room = eve.create_room().await;
    expect_problem(try_upload(&eve, &room, "a", b"x").await, 403).await;
    let limits = expect_json(eve.get("/limits/", "application/json").await).await;
    assert_eq!(limits, json!({"files": null}));
}

#[tokio::test]
async fn full_disk_refuses_files_for_a_while_and_takes_messages() {
    let disk = rustix::fs::statvfs(std::env::temp_dir()).unwrap();
    let kept = disk.f_bavail * disk.f_frsize * 2;
    let change = |config: &mut chat::Config| config.free_space = kept;
    let server = TestServer::with(&["--rate-limit", "off"], change).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let refused = try_upload(&ada, &room, "a", b"x").await;
    assert_eq!(refused.headers()["retry-after"], "60");
    expect_problem(refused, 507).await;
    ada.post(&room, "goes on").await;
}

#[tokio::test]
async fn deleted_file_is_gone_and_the_message_says_so() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.guest("eve").await];
    let room = ada.create_room().await;
    let [one, two] = [
        upload(&ada, &room, "1", b"1").await,
        upload(&ada, &room, "2", b"2").await,
    ];
    let sent = post_files(&ada, &room, json!([one.id, two.id])).await;
    assert_eq!(sent.status(), StatusCode::CREATED);
    let mut live = eve.follow(&room, "after=latest").await;
    let path = |file: &File| format!("/rooms/{room}/files/{}", file.id);
    let delete = async |user: &TestUser, file: &File| {
        user.request(Method::DELETE, &path(file))
            .send()
            .await
            .unwrap()
    };
    expect_problem(delete(&eve, &one).await, 403).await;
    assert_eq!(delete(&ada, &one).await.status(), StatusCode::NO_CONTENT);
    expect_problem(delete(&ada, &one).await, 404).await;
    expect_problem(download(&ada, &one.url, &[]).await, 404).await;
    let change = loop {
        let event = live.next().await.unwrap();
        if event.name == "change" {
            break serde_json::from_str::<Value>(&event.data).unwrap();
        }
    };
    assert_eq!(change["message"]["files"], json!([two]));
    assert_eq!(ada.history(&room, "").await[0].files(), [two]);
}

#[tokio::test]
async fn message_takes_files_by_json_and_by_form_and_refuses_those_of_others() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.guest("eve").await];
    let room = ada.create_room().await;
    let file = upload(&ada, &room, "1", b"1").await;
    for files in [
        json!([file.id]),
        json!(["0123456789abcdef"]),
        json!(["x"]),
        json!(1),
    ] {
        let problem = expect_problem(post_files(&eve, &room, files).await, 422).await;
        assert_eq!(problem.field.as_deref(), Some("files"));
    }
    let empty = post_files(&ada, &room, json!([])).await;
    assert_eq!(
        expect_problem(empty, 422).await.field.as_deref(),
        Some("body")
    );
    let path = format!("/rooms/{room}/messages/");
    let fields = [
        ("username", "ada".to_owned()),
        ("files", file.id.to_string()),
    ];
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = ada
        .request(Method::POST, &path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(fields.join("&"));
    let message = expect_json(request.send().await.unwrap()).await;
    assert_eq!(message["files"][0]["id"], json!(file.id));
}

#[tokio::test]
async fn fourth_upload_of_a_person_at_once_is_refused() {
    let server = TestServer::with(&["--rate-limit", "on"], |_| {}).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/files/?name=a");
    let mut ends = Vec::new();
    let mut uploads = Vec::new();
    for _ in 0..3 {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let body = futures_util::stream::once(async move {
            let _ = ended.await;
            Ok::<_, std::io::Error>("x")
        });
        let body = reqwest::Body::wrap_stream(body);
        let sending = ada.request(Method::POST, &path).body(body).send();
        uploads.push(tokio::spawn(sending));
        ends.push(end);
    }
    let staged = server.dir.path().join("uploads");
    while std::fs::read_dir(&staged).unwrap().count() < 3 {
        tokio::task::yield_now().await;
    }
    let refused = try_upload(&ada, &room, "a", b"x").await;
    assert!(refused.headers().contains_key("retry-after"));
    expect_problem(refused, 429).await;
    drop(ends);
    for upload in uploads {
        assert_eq!(upload.await.unwrap().unwrap().status(), StatusCode::CREATED);
    }
    assert_eq!(
        try_upload(&ada, &room, "a", b"x").await.status(),
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn message_says_what_its_files_show() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let [one, two] = [
        upload(&ada, &room, "one.png", PNG).await,
        upload(&ada, &room, "two.png", PNG).await,
    ];
    let long = json!([{"id": one.id, "alt": "x".repeat(501)}]);
    let problem = expect_problem(post_files(&ada, &room, long).await, 422).await;
    assert!(problem.detail.contains("500"), "{}", problem.detail);
    let files = json!([{"id": one.id, "alt": " a cat\n\ton a <keyboard> "}, two.id]);
    let sent: Message = post_files(&ada, &room, files).await.json().await.unwrap();
    let descriptions = |message: &Message| -> Vec<Option<String>> {
        message
            .files()
            .iter()
            .map(|file| file.alt.clone())
            .collect()
    };
    let expected = [Some("a cat on a <keyboard>".to_owned()), None];
    assert_eq!(descriptions(&sent), expected);
    assert_eq!(descriptions(&ada.history(&room, "").await[0]), expected);
    // The rest keeps its descriptions when a file goes.
    let path = format!("/rooms/{room}/files/{}", two.id);
    let deleted = ada.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        descriptions(&ada.history(&room, "").await[0]),
        expected[..1]
    );
}
