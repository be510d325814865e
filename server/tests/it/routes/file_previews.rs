//! Previews of files, originals, and a room with its files as a ZIP file.

use protocol::{File, Message};
use reqwest::{Method, Response, StatusCode};

use super::files::{download, encode_form, send, upload};
use crate::harness::{TestServer, TestUser, expect_json, expect_problem};

/// A GIF of one pixel with a comment.
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x21\xfe\x05place\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

/// A lossless WebP of one pixel.
const WEBP: &[u8] =
    b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0";

async fn put_preview(user: &TestUser, url: &str, bytes: &[u8]) -> Response {
    let request = user.request(Method::PUT, url).body(bytes.to_vec());
    request.send().await.unwrap()
}

fn preview_url(room: &str, file: &File) -> String {
    format!("/rooms/{room}/files/{}/preview", file.id)
}

#[tokio::test]
async fn picture_has_a_preview_with_the_headers_of_files() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.visitor("eve")];
    let room = ada.create_room().await;
    let file = send(&ada, &room, "a.gif", GIF).await;
    assert_eq!((file.width, file.height), (Some(1), Some(1)));
    let preview = file.preview.clone().unwrap();
    assert_eq!(preview.url, preview_url(&room, &file));
    let answer = download(&eve, &preview.url, &[]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let headers = answer.headers().clone();
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, max-age=31536000, immutable"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    let kind = headers["content-type"].to_str().unwrap();
    assert!(["image/webp", "image/jpeg"].contains(&kind), "{kind}");
    let disposition = headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("inline; "), "{disposition}");
    let bytes = answer.bytes().await.unwrap();
    assert!(!bytes.is_empty() && bytes.len() <= 100_000);
    let tag = headers["etag"].to_str().unwrap();
    let known = download(&eve, &preview.url, &[("if-none-match", tag)]).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let part = download(&eve, &preview.url, &[("range", "bytes=1-2")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await.unwrap(), bytes[1..3]);
    let text = send(&ada, &room, "a.txt", b"text").await;
    assert_eq!(text.preview, None);
    expect_problem(download(&ada, &preview_url(&room, &text), &[]).await, 404).await;
}

#[tokio::test]
async fn sender_adds_a_preview_before_the_message() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.guest("eve").await];
    let room = ada.create_room().await;
    let file = upload(&ada, &room, "a.heic", b"\0\0\0\x18ftypheic").await;
    let url = preview_url(&room, &file);
    expect_problem(put_preview(&eve, &url, WEBP).await, 404).await;
    let refused = expect_problem(put_preview(&ada, &url, b"text").await, 422).await;
    assert_eq!(refused.field.as_deref(), Some("preview"));
    let long = expect_problem(put_preview(&ada, &url, &[0; 100_001]).await, 413).await;
    assert!(long.detail.contains("100000"), "{}", long.detail);
    let added: File =
        serde_json::from_value(expect_json(put_preview(&ada, &url, WEBP).await).await).unwrap();
    let preview = added.preview.unwrap();
    assert_eq!(
        (preview.width, preview.height, preview.url),
        (1, 1, url.clone())
    );
    let answer = download(&ada, &url, &[]).await;
    assert_eq!(answer.headers()["content-type"], "image/webp");
    assert_eq!(answer.bytes().await.unwrap(), WEBP);
    expect_problem(put_preview(&ada, &url, WEBP).await, 403).await;
    let sent = send(&ada, &room, "b", b"b").await;
    let late = put_preview(&ada, &preview_url(&room, &sent), WEBP).await;
    expect_problem(late, 403).await;
}

#[tokio::test]
async fn file_with_the_name_preview_is_downloaded_at_its_address() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let file = send(&ada, &room, "preview", b"bytes").await;
    let answer = download(&ada, &file.url, &[]).await;
    let disposition = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(
        disposition.contains("filename=\"preview\""),
        "{disposition}"
    );
    assert_eq!(answer.bytes().await.unwrap(), b"bytes"[..]);
}

#[tokio::test]
async fn original_keeps_its_bytes_and_says_so() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let send = async |flag: &str| {
        let path = format!("/rooms/{room}/files/?name=a.gif{flag}");
        let request = ada.request(Method::POST, &path).body(GIF);
        request.send().await.unwrap()
    };
    for (flag, is_original) in [
        ("", false),
        ("&original=1", true),
        ("&original=false", false),
    ] {
        let json = expect_json(send(flag).await).await;
        assert_eq!(json.get("metadata").is_some(), is_original, "{json}");
        let file: File = serde_json::from_value(json).unwrap();
        let bytes = download(&ada, &file.url, &[]).await.bytes().await.unwrap();
        assert_eq!(bytes == GIF, is_original, "{flag}");
    }
    let refused = expect_problem(send("&original=maybe").await, 422).await;
    assert_eq!(refused.field.as_deref(), Some("original"));
    let form = async |value: &[u8]| {
        let body = encode_form(&[
            ("username", None, b"ada"),
            ("original", None, value),
            ("file", Some("a.gif"), GIF),
        ]);
        let request = ada.request(Method::POST, &format!("/rooms/{room}/files/"));
        let kind = "multipart/form-data; boundary=----a-boundary";
        let request = request.header("content-type", kind).body(body);
        request.send().await.unwrap()
    };
    let message: Message = form(b"on").await.json().await.unwrap();
    assert!(message.files()[0].metadata);
    expect_problem(form(b"maybe").await, 422).await;
}

#[tokio::test]
async fn room_with_its_files_is_a_zip_file_for_its_readers() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.guest("eve").await];
    let private = serde_json::json!({"private": true});
    let room = ada.create_room_with(private).await.id.to_string();
    let file = send(&ada, &room, "a.txt", b"the bytes of a file").await;
    let path = format!("/rooms/{room}/archive.zip");
    expect_problem(eve.get(&path, "*/*").await, 404).await;
    let answer = ada.get(&path, "*/*").await;
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let disposition = format!("attachment; filename=\"{room}.zip\"");
    assert_eq!(answer.headers()["content-disposition"], disposition);
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.starts_with(b"PK\x03\x04"));
    let contains = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(contains(b"the bytes of a file"));
    assert!(contains(format!("{room}/{}/a.txt", file.id).as_bytes()));
}
