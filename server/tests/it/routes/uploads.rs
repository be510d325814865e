//! Uploads by the tus protocol, as clients send them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Body, Method, Response, StatusCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::{TestServer, TestUser, expect_problem};
use crate::http::RawConnection;

pub const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");

pub async fn send(
    user: &TestUser,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Response {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = user.request(method, path).header("tus-resumable", "1.0.0");
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(body).send().await.unwrap()
}

pub async fn create(user: &TestUser, room: &str, headers: &[(&str, &str)]) -> Response {
    send(
        user,
        "POST",
        &format!("/rooms/{room}/uploads/"),
        headers,
        "",
    )
    .await
}

/// The path of a new upload of this length.
pub async fn begin(user: &TestUser, room: &str, length: usize) -> String {
    let answer = create(user, room, &[("upload-length", &length.to_string())]).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "upload-offset"), "0");
    header(&answer, "location")
}

pub async fn patch(user: &TestUser, path: &str, offset: usize, bytes: &[u8]) -> Response {
    let offset = offset.to_string();
    let headers = [BYTES, ("upload-offset", offset.as_str())];
    send(user, "PATCH", path, &headers, bytes.to_vec()).await
}

pub fn header(answer: &Response, name: &str) -> String {
    assert_eq!(answer.headers()["tus-resumable"], "1.0.0");
    let value = answer.headers().get(name);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

fn id_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The name of the file of a complete upload, and its bytes.
pub async fn attach(user: &TestUser, room: &str, path: &str) -> (String, Vec<u8>) {
    let message = json!({"username": user.name, "files": [id_of(path)]});
    let answer = user
        .post_json(&format!("/rooms/{room}/messages/"), message)
        .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let message: protocol::Message = answer.json().await.unwrap();
    let file = message.files()[0].clone();
    let answer = user.get(&file.url, "*/*").await;
    (file.name, answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn upload_says_how_far_it_is_and_becomes_a_file() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let metadata = format!(
        "filename {},filetype dGV4dA==,is_x",
        STANDARD.encode("a b.txt")
    );
    let answer = create(
        &ada,
        &room,
        &[("upload-length", "10"), ("upload-metadata", &metadata)],
    )
    .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let path = header(&answer, "location");
    let expires = header(&answer, "upload-expires");
    let expires = httpdate::parse_http_date(&expires).unwrap();
    let left = expires
        .duration_since(std::time::SystemTime::now())
        .unwrap();
    assert!((23 * 3_600..=24 * 3_600).contains(&left.as_secs()));
    let answer = patch(&ada, &path, 0, b"01234").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&answer, "upload-offset"), "5");
    assert!(!header(&answer, "upload-expires").is_empty());
    let answer = send(&ada, "HEAD", &path, &[], "").await;
    for (name, value) in [
        ("upload-offset", "5"),
        ("upload-length", "10"),
        ("upload-metadata", &metadata),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    expect_problem(patch(&ada, &path, 4, b"4").await, 409).await;
    expect_problem(patch(&ada, &path, 5, b"567890").await, 413).await;
    let answer = patch(&ada, &path, 5, b"56789").await;
    assert_eq!(header(&answer, "upload-offset"), "10");
    assert_eq!(header(&answer, "upload-expires"), "");
    let answer = send(&ada, "HEAD", &path, &[], "").await;
    assert_eq!(header(&answer, "upload-offset"), "10");
    let file = attach(&ada, &room, &path).await;
    assert_eq!(file, ("a b.txt".to_owned(), b"0123456789".to_vec()));
    let missing = send(&ada, "HEAD", &path, &[], "").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn first_bytes_come_with_the_creation_or_end_it() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let all = format!("/rooms/{room}/uploads/");
    let length = ("upload-length", "10");
    let answer = send(&ada, "POST", &all, &[BYTES, length], "01234").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "upload-offset"), "5");
    let answer = send(&ada, "POST", &all, &[BYTES, length], "0123456789").await;
    assert_eq!(header(&answer, "upload-offset"), "10");
    let path = header(&answer, "location");
    assert_eq!(attach(&ada, &room, &path).await.1, b"0123456789");
    let answer = create(&ada, &room, &[("upload-length", "0")]).await;
    assert_eq!(
        attach(&ada, &room, &header(&answer, "location")).await.1,
        b""
    );
    let other = ("content-type", "text/plain");
    expect_problem(
        send(&ada, "POST", &all, &[other, length], "0123").await,
        415,
    )
    .await;
    expect_problem(
        send(&ada, "POST", &all, &[BYTES, length], "0123456789a").await,
        413,
    )
    .await;
    let wrong = format!("sha1 {}", STANDARD.encode([0; 20]));
    let headers = [BYTES, length, ("upload-checksum", &wrong)];
    expect_problem(send(&ada, "POST", &all, &headers, "01234").await, 460).await;
}

#[tokio::test]
async fn server_describes_its_uploads() {
    let server = TestServer::with(&["--rate-limit", "off"], |config| config.file_max = 1_000).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/uploads/");
    let answer = ada.request(Method::OPTIONS, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    for (name, value) in [
        ("tus-version", "1.0.0"),
        (
            "tus-extension",
            "creation,creation-with-upload,expiration,termination,checksum",
        ),
        ("tus-max-size", "1000"),
        ("tus-checksum-algorithm", "sha1,sha256"),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    let refused = create(&ada, &room, &[("upload-length", "1001")]).await;
    assert!(expect_problem(refused, 413).await.detail.contains("1000"));
}

#[tokio::test]
async fn bytes_with_a_checksum_are_kept_only_with_the_right_one() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let path = begin(&ada, &room, 10).await;
    let wrong = format!("sha256 {}", STANDARD.encode(Sha256::digest(b"other")));
    let right = format!("sha256 {}", STANDARD.encode(Sha256::digest(b"01234")));
    // The SHA-1 of "56789".
    let next = "sha1 8iMdKHHmkKKZVwT3ope9e8ZL5yA=";
    for (offset, bytes, checksum, status) in [
        ("0", "01234", wrong.as_str(), 460),
        ("0", "01234", &right, 204),
        ("5", "01234", next, 460),
        ("5", "56789", next, 204),
    ] {
        let headers = [
            BYTES,
            ("upload-offset", offset),
            ("upload-checksum", checksum),
        ];
        let answer = send(&ada, "PATCH", &path, &headers, bytes).await;
        assert_eq!(answer.status(), status, "{bytes} {checksum}");
    }
    assert_eq!(attach(&ada, &room, &path).await.1, b"0123456789");
}

#[tokio::test]
async fn upload_is_for_its_sender_alone_and_ends_when_it_is_deleted() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.guest("eve").await];
    let [room, other] = [ada.create_room().await, ada.create_room().await];
    let path = begin(&ada, &room, 10).await;
    assert_eq!(patch(&ada, &path, 0, b"01234").await.status(), 204);
    let elsewhere = format!("/rooms/{other}/uploads/{}", id_of(&path));
    for (user, path) in [(&eve, &path), (&ada, &elsewhere)] {
        expect_problem(patch(user, path, 5, b"x").await, 404).await;
        expect_problem(send(user, "DELETE", path, &[], "").await, 404).await;
        let head = send(user, "HEAD", path, &[], "").await;
        assert_eq!(head.status(), StatusCode::NOT_FOUND);
    }
    for status in [204, 404] {
        let answer = send(&ada, "DELETE", &path, &[], "").await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["tus-resumable"], "1.0.0");
    }
    expect_problem(patch(&ada, &path, 5, b"x").await, 404).await;
    // A complete one goes, too, but not out of a message.
    let [first, second] = [begin(&ada, &room, 1).await, begin(&ada, &room, 1).await];
    for path in [&first, &second] {
        assert_eq!(patch(&ada, path, 0, b"x").await.status(), 204);
    }
    assert_eq!(send(&ada, "DELETE", &first, &[], "").await.status(), 204);
    attach(&ada, &room, &second).await;
    expect_problem(send(&ada, "DELETE", &second, &[], "").await, 404).await;
}

#[tokio::test]
async fn method_can_be_named_in_a_header() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let path = begin(&ada, &room, 5).await;
    let patch = ("x-http-method-override", "PATCH");
    let headers = [BYTES, ("upload-offset", "0"), patch];
    let answer = send(&ada, "POST", &path, &headers, "01234").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let delete = ("x-http-method-override", "DELETE");
    let answer = send(&ada, "POST", &path, &[delete], "").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    expect_problem(send(&ada, "POST", &path, &[], "").await, 405).await;
}

#[tokio::test]
async fn fourth_request_with_bytes_at_once_is_refused_and_the_newer_one_takes_a_place() {
    let server = TestServer::with(&["--rate-limit", "on"], |_| {}).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let mut paths = Vec::new();
    for _ in 0..4 {
        paths.push(begin(&ada, &room, 10).await);
    }
    let fourth = paths.pop().unwrap();
    let mut open = Vec::new();
    for path in paths {
        let token = ada.token.as_ref().unwrap();
        let mut connection = RawConnection::open(&server).await;
        let head = format!(
            "PATCH {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\n\
             tus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-length: 10\r\n\
             content-type: application/offset+octet-stream\r\nexpect: 100-continue\r\n\r\n"
        );
        connection.send(&head).await;
        // The server wants the bytes, so the request has its place.
        let answer = connection.read_until("\r\n\r\n").await;
        assert!(answer.contains(" 100 "), "{answer}");
        connection.send("012").await;
        open.push((path, connection));
    }
    expect_problem(patch(&ada, &fourth, 0, b"").await, 429).await;
    // The connection of the older request is as good as dead: the person goes on from where it is.
    let (path, mut older) = open.remove(0);
    let head = send(&ada, "HEAD", &path, &[], "").await;
    let at: usize = header(&head, "upload-offset").parse().unwrap();
    let rest = patch(&ada, &path, at, &b"0123456789"[at..]).await;
    assert_eq!(rest.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&rest, "upload-offset"), "10");
    let answer = older.read_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 409 "), "{answer}");
}
