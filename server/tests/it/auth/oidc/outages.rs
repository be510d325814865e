//! Providers that do not answer as they should.

use std::time::Duration;

use axum::http::header;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use reqwest::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::auth::oidc::provider::{CLIENT_ID, ProviderKey, TestProvider, discovery_document};
use crate::auth::oidc::{get_page_with_cookie, sign_in_with};
use crate::harness::{TestServer, expect_problem};

#[tokio::test]
async fn unreachable_provider_blocks_no_other_sign_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let issuer = format!("http://{address}");
    let server = TestServer::with(
        &["--oidc-issuer", &issuer, "--oidc-client-id", CLIENT_ID],
        |_| {},
    )
    .await;
    let ada = server.account("ada").await;
    for _ in 0..2 {
        let response =
            get_page_with_cookie(&server.visitor("grace"), "/login/openid/?next=/rooms/", "").await;
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (StatusCode::SERVICE_UNAVAILABLE, &"10".parse().unwrap())
        );
        let page = response.text().await.unwrap();
        assert!(
            page.contains("127.0.0.1 does not answer at the moment"),
            "{page}"
        );
        assert!(page.contains("href=\"/login?next=%2Frooms%2F\""), "{page}");
    }
    let problem = expect_problem(
        server
            .visitor("grace")
            .get("/login/openid/", "application/json")
            .await,
        503,
    )
    .await;
    assert_eq!(problem.title, "Sign-in not available");
    ada.create_room().await;
    // Once the provider is up, sign-in works after the retry delay.
    let key = ProviderKey::new("1");
    let provider = TestProvider::on(TcpListener::bind(address).await.unwrap(), &key);
    assert_eq!(
        get_page_with_cookie(&server.visitor("grace"), "/login/openid/", "")
            .await
            .status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    server.clock.advance(Duration::from_secs(10));
    sign_in_with(&server, &provider, &key, "grace").await;
}

#[tokio::test]
async fn oversized_or_redirected_discovery_document_is_rejected() {
    // Each document is correct but for its size or a redirect.
    for (blanks, is_elsewhere, status) in [
        (200 * 1024, false, 303),
        (300 * 1024, false, 503),
        (0, true, 503),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let text = " ".repeat(blanks) + &discovery_document(&issuer).to_string();
        let there = get(async move || ([(header::CONTENT_TYPE, "application/json")], text));
        let here = if is_elsewhere {
            get(async || Redirect::temporary("/elsewhere"))
        } else {
            there.clone()
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", here)
            .route("/elsewhere", there)
            .route("/keys", get(async || Json(json!({"keys": []}))));
        tokio::spawn(async { axum::serve(listener, router).await });
        let server = TestServer::with(
            &["--oidc-issuer", &issuer, "--oidc-client-id", CLIENT_ID],
            |_| {},
        )
        .await;
        let response = get_page_with_cookie(&server.visitor("ada"), "/login/openid/", "").await;
        assert_eq!(
            response.status().as_u16(),
            status,
            "{blanks} {is_elsewhere}"
        );
    }
}
