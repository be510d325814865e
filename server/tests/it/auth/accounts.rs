//! Registering, signing in and changing an account by JSON.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, expect_envelope, expect_problem};

#[tokio::test]
async fn account_registers_signs_in_and_lists_users() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let input = json!({"name": "Ada Lovelace", "username": "ada", "password": "secret"});
    let welcome = expect_envelope(ada.post_json("/register", input.clone()).await, 200).await;
    assert_eq!(welcome["message"], "welcome Ada Lovelace");
    let token = welcome["content"]["token"].as_str().unwrap().to_owned();
    assert_eq!(
        expect_envelope(ada.post_json("/register", input).await, 400).await["content"],
        Value::Null
    );
    // A name in the request is ignored.
    let login = json!({"name": "Eve", "username": "ada", "password": "secret"});
    let welcome = expect_envelope(ada.post_json("/login", login).await, 200).await;
    assert_eq!(welcome["message"], "welcome Ada Lovelace");
    for header in [format!("Bearer {token}"), format!("Bearer{token}")] {
        for path in ["/users", "/users/"] {
            let response = ada
                .request(Method::GET, path)
                .header("authorization", &header)
                .send()
                .await
                .unwrap();
            let people = expect_envelope(response, 200).await;
            assert_eq!(
                people["content"],
                json!([{"name": "Ada Lovelace", "username": "ada"}])
            );
        }
    }
    for header in [
        "",
        "Bearer",
        "Bearer abc",
        &format!("Bearer {token}x"),
        &format!("Basic {token}"),
    ] {
        let response = ada
            .request(Method::GET, "/users")
            .header("authorization", header)
            .send()
            .await
            .unwrap();
        expect_envelope(response, 401).await;
    }
    expect_envelope(ada.get("/users", "application/json").await, 401).await;
    // Credentials of another scheme are ignored; a bad bearer token is refused.
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/");
    for (header, status) in [("Basic YTpi", 200), ("Bearer nonsense", 401)] {
        let request = ada
            .request(Method::GET, &path)
            .header("accept", "application/json");
        assert_eq!(
            request
                .header("authorization", header)
                .send()
                .await
                .unwrap()
                .status(),
            status,
            "{header}"
        );
    }
}

#[tokio::test]
async fn malformed_credentials_get_422_and_wrong_ones_400() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let inputs = [
        json!({}),
        json!({"name": "Bob", "username": "bob"}),
        json!({"name": "Bob", "username": "b", "password": "secret"}),
        json!({"name": "Bob", "username": "bob", "password": "short"}),
        json!({"name": "Bob", "username": "bob", "password": "      "}),
        json!({"name": "Bob", "username": "bobby1", "password": "BOBBY1"}),
        json!({"name": "", "username": "bob", "password": "secret"}),
        json!({"name": "Bob", "username": 7, "password": "secret"}),
    ];
    for input in inputs {
        expect_envelope(ada.post_json("/register", input).await, 422).await;
    }
    for path in ["/register", "/login"] {
        let request = ada
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body("{");
        let refused = expect_envelope(request.send().await.unwrap(), 422).await;
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.ends_with('.') && !message.contains(".."),
            "{message}"
        );
    }
    let responses = [
        ada.post_json("/login", json!({"username": "ada", "password": "wrong!"}))
            .await,
        ada.post_json(
            "/login",
            json!({"username": "nobody", "password": "secret"}),
        )
        .await,
    ];
    let [wrong, unknown] = responses.map(|response| async { expect_envelope(response, 400).await });
    assert_eq!(wrong.await, unknown.await);
    expect_envelope(
        ada.post_json("/login", json!({"username": "ada"})).await,
        422,
    )
    .await;
}

#[tokio::test]
async fn all_invalid_fields_are_named_at_once() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let input = json!({"name": " ", "username": "a b", "password": "x"});
    let refused = expect_envelope(ada.post_json("/register", input).await, 422).await;
    let message = refused["message"].as_str().unwrap();
    for field in [
        "name must have 1 to 64",
        "username must have 3 to 32",
        "password must have 6",
    ] {
        assert!(message.contains(field), "{message}");
    }
    let room = ada.create_room().await;
    let change = json!({"name": "x".repeat(81), "description": "x".repeat(501)});
    let request = ada
        .request(Method::PATCH, &format!("/rooms/{room}/"))
        .header("accept", "application/json");
    let refused = request.json(&change).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["field"], "name");
    let errors = problem["errors"].as_array().unwrap();
    let fields: Vec<_> = errors.iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["name", "description"]);
}

#[tokio::test]
async fn username_in_capitals_is_lowered() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let input = json!({"name": "Ada", "username": "ADA_1", "password": "secret"});
    expect_envelope(ada.post_json("/register", input.clone()).await, 200).await;
    expect_envelope(ada.post_json("/login", input).await, 200).await;
    let input = json!({"username": "Ada_1", "password": "secret"});
    let welcome = expect_envelope(ada.post_json("/login", input).await, 200).await;
    let token = welcome["content"]["token"].as_str().unwrap();
    let users = ada.request(Method::GET, "/users").bearer_auth(token);
    let users = expect_envelope(users.send().await.unwrap(), 200).await;
    assert_eq!(users["content"][0]["username"], "ada_1");
}

/// Also refusals that come from middleware.
#[tokio::test]
async fn every_refusal_of_accounts_and_chats_is_an_envelope() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.account("ada").await;
    for (method, path) in [
        (Method::PUT, "/register"),
        (Method::DELETE, "/login"),
        (Method::POST, "/users"),
        (Method::POST, "/chats/ada"),
    ] {
        let response = ada.request(method, path).send().await.unwrap();
        assert!(response.headers().contains_key("allow"), "{path}");
        expect_envelope(response, 405).await;
    }
    // The list of chats is not part of that API.
    expect_problem(
        ada.request(Method::PUT, "/chats/").send().await.unwrap(),
        405,
    )
    .await;
    let stranger = ada
        .request(Method::POST, "/login")
        .header("origin", "https://evil.example");
    expect_envelope(stranger.send().await.unwrap(), 403).await;
    expect_envelope(
        ada.request(Method::POST, "/register")
            .body(vec![b'a'; 70_000])
            .send()
            .await
            .unwrap(),
        413,
    )
    .await;
    let mut flood = ada.request(Method::POST, "/login").send().await.unwrap();
    while flood.status() != 429 {
        expect_envelope(flood, 422).await;
        flood = ada.request(Method::POST, "/login").send().await.unwrap();
    }
    assert!(flood.headers().contains_key("retry-after"));
    expect_envelope(flood, 429).await;
}

#[tokio::test]
async fn repeated_wrong_passwords_delay_only_that_account() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.account("ada").await;
    let guess = json!({"username": "ada", "password": "wrong!"});
    for _ in 0..10 {
        expect_envelope(ada.post_json("/login", guess.clone()).await, 400).await;
    }
    let response = ada.post_json("/login", guess).await;
    assert_eq!(response.headers()["retry-after"], "1");
    expect_envelope(response, 429).await;
    // Other accounts are not delayed.
    let grace = json!({"name": "Grace", "username": "grace", "password": "secret"});
    expect_envelope(ada.post_json("/register", grace.clone()).await, 200).await;
    expect_envelope(ada.post_json("/login", grace).await, 200).await;
}

#[tokio::test]
async fn account_changes_its_name_and_password_and_is_deleted() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    assert_eq!(
        ada.post_json("/profile/", json!({"name": "Countess"}))
            .await
            .status(),
        StatusCode::OK
    );
    let wrong = json!({"old": "wrong!", "new": "secret2"});
    expect_problem(ada.post_json("/profile/password/", wrong).await, 400).await;
    let response = ada
        .post_json(
            "/profile/password/",
            json!({"old": "secret", "new": "secret2"}),
        )
        .await;
    let token = response.json::<Value>().await.unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    expect_problem(ada.get("/profile/", "application/json").await, 401).await;
    let ada = TestUser {
        token: Some(token),
        ..ada
    };
    assert_eq!(
        ada.get("/profile/", "application/json")
            .await
            .json::<Value>()
            .await
            .unwrap()["name"],
        "Countess"
    );
    expect_problem(
        ada.post_json("/profile/delete/", json!({"password": "secret"}))
            .await,
        400,
    )
    .await;
    let response = ada
        .post_json("/profile/delete/", json!({"password": "secret2"}))
        .await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    expect_problem(ada.get("/profile/", "application/json").await, 401).await;
    // No other account gets the username.
    let wish = json!({"name": "Eve", "username": "Ada", "password": "secret"});
    let eve = server.visitor("eve");
    expect_envelope(eve.post_json("/register", wish).await, 400).await;
    expect_envelope(
        ada.post_json("/login", json!({"username": "ada", "password": "secret2"}))
            .await,
        400,
    )
    .await;
}

#[tokio::test]
async fn sign_in_takes_equally_long_for_known_and_unknown_accounts() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    let mut responses = Vec::new();
    for n in 0..15 {
        for (username, times) in [
            ("ada".to_owned(), &mut known),
            (format!("nobody{n}"), &mut unknown),
        ] {
            let begin = Instant::now();
            let response = ada
                .post_json(
                    "/login",
                    json!({"username": username, "password": "wrong!"}),
                )
                .await;
            times.push(begin.elapsed());
            responses.push((response.status(), response.text().await.unwrap()));
        }
    }
    responses.dedup();
    assert_eq!(responses.len(), 1, "one response for all: {responses:?}");
    // Other programs only make an attempt slower, so the fastest of each kind are compared.
    let fastest = |times: &[Duration]| times.iter().min().unwrap().as_secs_f64();
    // Hashing the password takes twenty times as long as everything else.
    let ratio = fastest(&known) / fastest(&unknown);
    assert!((0.5..2.0).contains(&ratio), "{known:?} {unknown:?}");
}
