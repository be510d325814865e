//! Downloads of files: their headers, ranges and conditions.

use reqwest::{Method, StatusCode};

use super::files::{download, send, upload};
use crate::harness::{TestServer, expect_problem};

#[tokio::test]
async fn markup_and_documents_are_saved_and_never_shown() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    for (name, bytes) in [
        (
            "a.svg",
            &b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"[..],
        ),
        ("a.html", b"<!-- x --><script>alert(1)</script>"),
        ("a.png", b"<html><script>alert(1)</script>"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.txt", b"hello"),
        ("empty", b""),
    ] {
        let file = upload(&ada, &room, name, bytes).await;
        let answer = download(&ada, &file.url, &[]).await;
        assert_eq!(
            answer.headers()["content-type"],
            "application/octet-stream",
            "{name}"
        );
        let disposition = answer.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; "), "{disposition}");
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn hostile_name_is_one_safe_header_and_one_part_of_the_address() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let long = "\u{e9}".repeat(4_000);
    for name in [
        "\"\r\nX: y",
        "a\u{202e}gnp.exe",
        "CON",
        &long,
        "../../x",
        "%2e%2e",
        " ",
    ] {
        let file = upload(&ada, &room, name, b"x").await;
        assert!(file.name.len() <= 255 && !file.name.contains(['/', '\\', '\u{202e}', '\n']));
        assert_eq!(file.url.matches('/').count(), 5, "{}", file.url);
        let answer = download(&ada, &file.url, &[]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert!(answer.headers().get("x").is_none());
        let all: Vec<_> = answer
            .headers()
            .get_all("content-disposition")
            .iter()
            .collect();
        assert_eq!(all.len(), 1);
        assert!(all[0].as_bytes().is_ascii());
    }
    let missing = ada
        .request(Method::POST, &format!("/rooms/{room}/files/"))
        .body("x")
        .send();
    let problem = expect_problem(missing.await.unwrap(), 422).await;
    assert_eq!(problem.field.as_deref(), Some("name"));
}

#[tokio::test]
async fn range_and_conditions_answer_as_their_standard_says() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let file = send(&ada, &room, "a.bin", &bytes).await;
    let etag = format!("\"sha256-{}\"", file.sha256);
    let many = format!("bytes={}", vec!["0-0"; 1_000].join(","));
    for (range, expected) in [
        ("bytes=0-0", Some(0..1)),
        ("bytes=-1", Some(299_999..300_000)),
        ("bytes=150000-", Some(150_000..300_000)),
        ("bytes=0-18446744073709551615", Some(0..300_000)),
        ("bytes=9-5", None),
        ("bytes=a-b", None),
        (&many, None),
    ] {
        let answer = download(&ada, &file.url, &[("range", range)]).await;
        let Some(part) = expected else {
            assert_eq!(answer.status(), StatusCode::OK, "{range}");
            assert_eq!(answer.bytes().await.unwrap(), bytes);
            continue;
        };
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        let content_range = format!("bytes {}-{}/300000", part.start, part.end - 1);
        assert_eq!(answer.headers()["content-range"], content_range);
        assert_eq!(answer.headers()["content-length"], part.len().to_string());
        assert_eq!(answer.bytes().await.unwrap(), bytes[part]);
    }
    let beyond = download(&ada, &file.url, &[("range", "bytes=300000-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers()["content-range"], "bytes */300000");
    for (headers, status) in [
        (
            &[("range", "bytes=0-0"), ("if-range", etag.as_str())][..],
            206,
        ),
        (&[("range", "bytes=0-0"), ("if-range", "\"stale\"")], 200),
        (&[("if-none-match", etag.as_str())], 304),
        (&[("if-none-match", "\"a\", *")], 304),
        (&[("if-none-match", "\"stale\"")], 200),
    ] {
        let answer = download(&ada, &file.url, headers).await;
        assert_eq!(answer.status(), status, "{headers:?}");
    }
}
