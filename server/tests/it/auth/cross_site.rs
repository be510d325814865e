//! How a request relates to the site of the page that sends it: the scheme of its origin, what
//! browsers say of it, and whether a person follows a link or a page loads a part of itself.

use reqwest::{Method, RequestBuilder, StatusCode, Version};

use crate::harness::{TestCertificate, TestServer, TestUser};

/// Whether a post and the opening of a WebSocket are both accepted with these headers.
async fn accepts(user: &TestUser, room: &str, headers: &[(&'static str, &str)]) -> [bool; 2] {
    let with = |mut request: RequestBuilder| {
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send()
    };
    let posted = with(user.request(Method::POST, "/guests/")).await.unwrap();
    let path = format!("/rooms/{room}/socket");
    let upgrade = user.request(Method::GET, &path).headers(
        [
            ("upgrade", "websocket"),
            ("connection", "upgrade"),
            ("sec-websocket-version", "13"),
        ]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect(),
    );
    let upgrade = upgrade.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let opened = with(upgrade).await.unwrap();
    for response in [&posted, &opened] {
        let status = response.status().as_u16();
        assert!([101, 201, 403].contains(&status), "{status} {headers:?}");
    }
    [posted.status() == 201, opened.status() == 101]
}

#[tokio::test]
async fn origin_with_another_scheme_is_another_site() {
    let cert = TestCertificate::new();
    let secure = cert.start_server(None).await;
    let ada = cert.client("ada", &secure.url, Version::HTTP_11);
    let room = ada.create_room().await;
    for (scheme, is_own) in [("https", true), ("http", false), ("ftp", false)] {
        let origin = secure.url.replace("https", scheme);
        let accepted = accepts(&ada, &room, &[("origin", &origin)]).await;
        assert_eq!(accepted, [is_own; 2], "{origin}");
    }
    let flags = ["--rate-limit", "off", "--trusted-proxies", "127.0.0.1"];
    let plain = TestServer::with(&flags, |_| {}).await;
    let ada = plain.visitor("ada");
    let room = ada.create_room().await;
    for (forwarded, scheme, is_own) in [
        ("https", "https", true),
        ("HTTPS, http", "https", true),
        ("https", "http", false),
        ("http", "http", true),
        ("http", "https", false),
        ("", "https", true),
        ("", "http", true),
        ("", "ftp", false),
    ] {
        let origin = plain.url.replace("http", scheme);
        let headers = [
            ("origin", origin.as_str()),
            ("x-forwarded-for", "192.0.2.1:5678"),
            ("x-forwarded-proto", forwarded),
        ];
        let accepted = accepts(&ada, &room, &headers).await;
        assert_eq!(accepted, [is_own; 2], "{forwarded} {origin}");
    }
}

#[tokio::test]
async fn page_of_another_site_is_refused_whatever_its_origin_header_says() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let origin = server.url.clone();
    for (site, is_own) in [
        ("same-origin", true),
        ("none", true),
        ("same-site", false),
        ("cross-site", false),
    ] {
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", site)];
        assert_eq!(accepts(&ada, &room, &headers).await, [is_own; 2], "{site}");
    }
}

#[tokio::test]
async fn part_of_another_site_page_creates_nothing_and_a_link_may() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.account("ada").await;
    let _bob = server.account("bob").await;
    let image = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let link = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let request = async |path: &str, kind: &[(&str, &str)]| {
        let mut request = ada.request(Method::GET, path).header("accept", "*/*");
        for (name, value) in kind {
            request = request.header(*name, *value);
        }
        request
            .header("sec-fetch-site", "cross-site")
            .send()
            .await
            .unwrap()
    };
    // Without the refusal, these would use up the visitor's share of new rooms.
    for number in 0..100 {
        let path = format!("/chat?room=x{number}");
        for kind in [&image, &frame] {
            assert_eq!(
                request(&path, kind).await.status(),
                StatusCode::FORBIDDEN,
                "{path}"
            );
        }
    }
    for path in ["/chats/bob", "/messages?id=C"] {
        for kind in [&image, &frame] {
            assert_eq!(
                request(path, kind).await.status(),
                StatusCode::FORBIDDEN,
                "{path}"
            );
        }
    }
    assert_eq!(
        request("/chat?room=tea", &link).await.status(),
        StatusCode::OK
    );
    assert_eq!(request("/chats/bob", &link).await.status(), StatusCode::OK);
    assert_eq!(
        ada.get("/chat?room=cake", "*/*").await.status(),
        StatusCode::OK
    );
}
