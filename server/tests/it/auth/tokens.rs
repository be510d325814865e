//! Tokens and cookies that must not be accepted.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{
    TestServer, TestUser, expect_problem, set_cookie_pairs, submit_form_with_cookie,
    username_of_cookie,
};

#[tokio::test]
async fn forged_expired_or_revoked_token_is_rejected() {
    let server = TestServer::new().await;
    let elsewhere = TestServer::new().await;
    let ada = server.account("ada").await;
    let theirs = elsewhere.account("ada").await;
    let token = ada.token.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let forged = [
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        theirs.token.unwrap(),
        token[..token.len() - 2].to_owned(),
    ];
    let refused = async |token: &str| {
        let with = TestUser {
            token: Some(token.to_owned()),
            ..ada.clone()
        };
        expect_problem(with.get("/profile/", "application/json").await, 401).await;
        let browser = TestUser {
            token: None,
            ..ada.clone()
        };
        assert_eq!(
            username_of_cookie(&browser, &server.cookie("session", token)).await,
            None
        );
    };
    for token in &forged {
        refused(token).await;
    }
    let revoked = server.account("grace").await;
    assert!(
        revoked
            .post_json("/profile/sign-out/", json!({}))
            .await
            .status()
            .is_success()
    );
    refused(&revoked.token.unwrap()).await;
    assert_eq!(
        ada.get("/profile/", "application/json").await.status(),
        StatusCode::OK
    );
    server.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    refused(&token).await;
}

#[tokio::test]
async fn planted_session_or_guest_key_does_not_survive_sign_in() {
    let server = TestServer::new().await;
    let mallory = server.account("mallory").await;
    let key = server.guest("mallory").await;
    let [session, guest] = [&mallory, &key].map(|user| user.token.clone().unwrap());
    let session_cookie = server.cookie("session", &session);
    let guest_cookie = server.cookie("guest", &guest);
    let planted = format!("{session_cookie}; {guest_cookie}");
    let victim = server.visitor("ada");
    let forms: [(&str, &[(&str, &str)]); 2] = [
        (
            "/register",
            &[("name", "Ada"), ("username", "ada"), ("password", "secret")],
        ),
        ("/login", &[("username", "ada"), ("password", "secret")]),
    ];
    for (path, form) in forms {
        let response = submit_form_with_cookie(&victim, path, &planted, form).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        let fresh = set_cookie_pairs(&response)
            .into_iter()
            .find(|cookie| cookie.starts_with("session-"))
            .unwrap();
        assert!(!fresh.contains(&session), "{path}");
        assert_eq!(
            username_of_cookie(&victim, &fresh).await.as_deref(),
            Some("ada")
        );
        assert_eq!(
            username_of_cookie(&victim, &session_cookie)
                .await
                .as_deref(),
            Some("mallory")
        );
        assert_eq!(username_of_cookie(&victim, &guest_cookie).await, None);
    }
    let room = victim.create_room().await;
    let pretender = TestUser {
        name: "ada".to_owned(),
        ..key
    };
    expect_problem(pretender.try_post(&room, "I am ada").await, 409).await;
}
