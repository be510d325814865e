//! Pages without a script, and the headers that every response carries.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn every_response_carries_the_security_headers() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let pages = [
        "/".to_owned(),
        format!("/rooms/{room}/"),
        "/nowhere/".to_owned(),
        "/rooms/0123456789abcdef/".to_owned(),
    ];
    let data = [
        "/rooms/",
        "/openapi.json",
        "/docs/",
        "/healthz",
        "/readyz",
        "/rooms",
        "/nowhere",
        "/favicon.svg",
    ];
    let data = data
        .iter()
        .map(|path| (*path).to_owned())
        .chain([format!("/rooms/{room}/messages/")]);
    for (path, accept) in pages
        .iter()
        .map(|p| (p.clone(), "text/html"))
        .chain(data.map(|p| (p, "*/*")))
    {
        let response = ada.get(&path, accept).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        for part in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:"] {
            assert!(!policy.contains(part), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn page_is_not_cached_and_its_script_nonce_changes() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let response = ada.get("/", "text/html").await;
        assert_eq!(
            response.headers()["cache-control"],
            "private, no-cache, no-transform"
        );
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap()
            .to_owned();
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains(&format!("nonce=\"{nonce}\""))
        );
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn room_page_shows_escaped_messages_without_a_script() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada
        .create_room_with(json!({"name": "<b>Tea</b>"}))
        .await
        .id
        .to_string();
    ada.post(&room, "<script>alert(1)</script>").await;
    let page = ada
        .get(&format!("/rooms/{room}/"), "text/html")
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!page.contains("<script>alert(1)") && !page.contains("<b>Tea"));
    assert!(page.contains(&format!("action=\"/rooms/{room}/files/\"")));
}

#[tokio::test]
async fn problem_is_a_page_for_html_clients() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let form = [("username", "ada"), ("body", " ")];
    let post = ada
        .request(Method::POST, &format!("/rooms/{room}/messages/"))
        .header("accept", "text/html")
        .form(&form);
    let response = post.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(response.text().await.unwrap().contains("4000"));
    for path in ["/rooms/0123456789abcdef/", "/nowhere/"] {
        let response = ada.get(path, "text/html").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
    }
}

#[tokio::test]
async fn pasted_room_link_redirects_to_its_room() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let response = ada
        .get(
            &format!("/?room=http%3A%2F%2Fx%2Frooms%2F{room}%2F"),
            "text/html",
        )
        .await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        response.headers()["location"].to_str().unwrap(),
        format!("/rooms/{room}/")
    );
    for wrong in ["0123456789abcdef", "nonsense"] {
        let response = ada.get(&format!("/?room={wrong}"), "text/html").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response
                .text()
                .await
                .unwrap()
                .contains(&format!("value=\"{wrong}\""))
        );
    }
}
