//! Uploads that the server refuses, and hostile descriptions of files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;

use super::uploads::{BYTES, attach, begin, create, header, patch, send};
use crate::harness::{TestServer, expect_problem};
use crate::moderation::{join_by_invitation, member_id_with_role};

#[tokio::test]
async fn request_without_the_version_is_refused() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let path = begin(&ada, &room, 10).await;
    for (method, path) in [
        ("POST", &format!("/rooms/{room}/uploads/")),
        ("HEAD", &path),
        ("PATCH", &path),
        ("DELETE", &path),
    ] {
        for version in [None, Some("0.2.2"), Some("1.0.0, 1.0.0")] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let mut request = ada.request(method.clone(), path);
            if let Some(version) = version {
                request = request.header("tus-resumable", version);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 412, "{method} {version:?}");
            assert_eq!(header(&answer, "tus-version"), "1.0.0");
        }
    }
}

#[tokio::test]
async fn malformed_header_is_refused_and_named() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let long = format!("a {}", "A".repeat(4_096));
    for (name, value) in [
        ("upload-length", ""),
        ("upload-length", "-1"),
        ("upload-length", "+1"),
        ("upload-length", "1e3"),
        ("upload-length", "18446744073709551616"),
        ("upload-defer-length", "1"),
        ("upload-concat", "partial"),
        ("upload-metadata", "filename !"),
        ("upload-metadata", "filename /w=="),
        ("upload-metadata", "a YQ==,a YQ=="),
        ("upload-metadata", ",,"),
        ("upload-metadata", &long),
    ] {
        let mut headers = vec![(name, value)];
        if name != "upload-length" {
            headers.push(("upload-length", "10"));
        }
        let problem = expect_problem(create(&ada, &room, &headers).await, 400).await;
        assert!(problem.detail.contains(name), "{name}: {value}");
    }
    expect_problem(create(&ada, &room, &[]).await, 400).await;
    let twice = [("upload-length", "1"), ("upload-length", "2")];
    expect_problem(create(&ada, &room, &twice).await, 400).await;
    let huge = create(&ada, &room, &[("upload-length", "18446744073709551615")]).await;
    expect_problem(huge, 413).await;
    let path = begin(&ada, &room, 10).await;
    for (headers, status) in [
        (&[BYTES][..], 400),
        (&[("upload-offset", "0")], 415),
        (
            &[
                ("content-type", "application/octet-stream"),
                ("upload-offset", "0"),
            ],
            415,
        ),
        (&[BYTES, ("upload-offset", "x")], 400),
        (&[BYTES, ("upload-offset", "18446744073709551615")], 409),
        (
            &[
                BYTES,
                ("upload-offset", "0"),
                ("upload-checksum", "md5 AAAA"),
            ],
            400,
        ),
        (
            &[BYTES, ("upload-offset", "0"), ("upload-checksum", "sha1")],
            400,
        ),
        (
            &[
                BYTES,
                ("upload-offset", "0"),
                ("upload-checksum", "sha1 AAAA"),
            ],
            400,
        ),
    ] {
        let answer = send(&ada, "PATCH", &path, headers, "0123").await;
        expect_problem(answer, status).await;
    }
    let answer = send(&ada, "HEAD", &path, &[], "").await;
    assert_eq!(header(&answer, "upload-offset"), "0");
}

#[tokio::test]
async fn hostile_filename_is_one_safe_name() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let long = "n".repeat(2_000);
    for (name, cleaned) in [
        ("\"\r\nX: y", "\"X y"),
        ("../../x", "x"),
        ("CON", "_CON"),
        ("\u{202e}gpj.exe", "gpj.exe"),
        ("", "file"),
        (&long, &long[..255]),
    ] {
        let metadata = format!("filename {}", STANDARD.encode(name));
        let headers = [
            ("upload-length", "0"),
            ("upload-metadata", metadata.as_str()),
        ];
        let answer = create(&ada, &room, &headers).await;
        let (found, _) = attach(&ada, &room, &header(&answer, "location")).await;
        assert_eq!(found, cleaned);
    }
}

#[tokio::test]
async fn member_who_is_removed_and_a_room_that_ends_stop_an_upload() {
    let server = TestServer::new().await;
    let [ada, eve] = [server.guest("ada").await, server.guest("eve").await];
    let room = ada
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    join_by_invitation(&ada, &room, &eve, "member").await;
    let path = begin(&eve, &room, 10).await;
    assert_eq!(patch(&eve, &path, 0, b"01234").await.status(), 204);
    let member = member_id_with_role(&ada, &room, "member").await;
    let member = format!("/rooms/{room}/members/{member}/");
    let removed = ada.request(Method::DELETE, &member).send().await.unwrap();
    assert!(removed.status().is_success(), "{}", removed.status());
    expect_problem(patch(&eve, &path, 5, b"56789").await, 404).await;
    let own = begin(&ada, &room, 10).await;
    let closed = ada
        .request(Method::DELETE, &format!("/rooms/{room}/"))
        .send()
        .await
        .unwrap();
    assert!(closed.status().is_success());
    expect_problem(patch(&ada, &own, 0, b"01234").await, 410).await;
}

#[tokio::test]
async fn full_disk_and_a_server_without_files_refuse_uploads() {
    let disk = rustix::fs::statvfs(std::env::temp_dir()).unwrap();
    let kept = disk.f_bavail * disk.f_frsize * 2;
    let change = |config: &mut chat::Config| config.free_space = kept;
    let server = TestServer::with(&["--rate-limit", "off"], change).await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let refused = create(&ada, &room, &[("upload-length", "1")]).await;
    assert_eq!(refused.headers()["retry-after"], "60");
    expect_problem(refused, 507).await;
    ada.post(&room, "goes on").await;
    let off = TestServer::with(&["--rate-limit", "off"], |config| config.files = false).await;
    let eve = off.guest("eve").await;
    let room = eve.create_room().await;
    expect_problem(create(&eve, &room, &[("upload-length", "1")]).await, 403).await;
}
