//! Requests from pages of other sites.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{TestServer, TestUser, expect_problem, username_of_cookie};
use crate::moderation::forms::{
    HTML_ACCEPT, assert_redirects_to, assert_refused, get_json, submit_form,
};

#[tokio::test]
async fn cross_site_post_changes_nothing() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let room = ada.create_room().await;
    let body = json!({"username": "ada", "body": "hello", "password": "secret", "name": "Eve"});
    let messages = format!("/rooms/{room}/messages/");
    for path in [
        "/rooms/",
        &messages,
        "/login",
        "/register",
        "/logout",
        "/profile/",
        "/profile/sign-out/",
        "/guests/",
    ] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let response = ada
                .request(Method::POST, path)
                .header(name, value)
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path} {value}");
        }
    }
    assert!(ada.history(&room, "").await.is_empty());
    assert_eq!(
        ada.get("/profile/", "application/json")
            .await
            .json::<Value>()
            .await
            .unwrap()["name"],
        "ADA"
    );
}

#[tokio::test]
async fn default_port_is_the_same_as_none() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for (host, origin, is_same) in [
        ("chat.example:443", "https://chat.example", true),
        ("chat.example", "https://chat.example:443", true),
        ("Chat.Example:80", "http://chat.example", true),
        ("[::1]:443", "https://[::1]", true),
        ("chat.example:443", "http://chat.example", false),
        ("chat.example:80", "https://chat.example", false),
        ("chat.example:8443", "https://chat.example", false),
        ("chat.example", "https://chat.example.", false),
    ] {
        let posted = ada
            .request(Method::POST, "/guests/")
            .header("host", host)
            .header("origin", origin);
        let status = posted.send().await.unwrap().status();
        assert_eq!(status == StatusCode::CREATED, is_same, "{host} {origin}");
        for path in [
            format!("/rooms/{room}/socket"),
            "/stream?list=on".to_owned(),
        ] {
            let mut request = format!("{}{path}", server.url.replace("http", "ws"))
                .into_client_request()
                .unwrap();
            let headers = request.headers_mut();
            headers.insert("host", host.parse().unwrap());
            headers.insert("origin", origin.parse().unwrap());
            let opened = connect_async(request).await;
            assert_eq!(opened.is_ok(), is_same, "{path} {host} {origin}");
        }
    }
}

#[tokio::test]
async fn cross_site_form_or_script_cannot_act_for_a_signed_in_account() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let room = ada
        .create_room_with(json!({"name": "Tea"}))
        .await
        .id
        .to_string();
    let said = ada.post(&room, "hello").await.id;
    // Only the cookie authenticates, as in a browser.
    let browser = TestUser {
        token: None,
        ..ada.clone()
    };
    let cookie = server.cookie("session", ada.token.as_deref().unwrap());
    let addresses = [
        ("POST", format!("/rooms/{room}/messages/")),
        ("POST", format!("/rooms/{room}/typing/")),
        ("POST", format!("/rooms/{room}/invitations/")),
        ("POST", format!("/rooms/{room}/sanctions/")),
        ("PATCH", format!("/rooms/{room}/")),
        ("DELETE", format!("/rooms/{room}/")),
        ("DELETE", format!("/rooms/{room}/messages/{said}/")),
        ("POST", "/profile/delete/".to_owned()),
        ("POST", "/profile/password/".to_owned()),
        ("POST", "/login".to_owned()),
        ("POST", "/join?id=ada".to_owned()),
        ("POST", "/send?id=ada&message=hi".to_owned()),
    ];
    for (method, path) in &addresses {
        check_cross_site_request(&browser, &cookie, method, path).await;
        check_preflight(&browser, method, path).await;
    }
    check_links(&browser, &cookie).await;
    assert_eq!(ada.history(&room, "").await.len(), 1);
    assert_eq!(
        username_of_cookie(&browser, &cookie).await.as_deref(),
        Some("ada")
    );
}

async fn check_cross_site_request(browser: &TestUser, cookie: &str, method: &str, path: &str) {
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data",
        "application/json",
    ] {
        let request = browser
            .request(method.parse().unwrap(), path)
            .header("cookie", cookie)
            .header("content-type", kind)
            .header("origin", "https://evil.example")
            .body("username=ada&body=hi&password=secret&old=secret&new=secret2");
        let status = request.send().await.unwrap().status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {kind}");
    }
}

/// A CORS preflight is never granted.
async fn check_preflight(browser: &TestUser, method: &str, path: &str) {
    let request = browser
        .request(Method::OPTIONS, path)
        .header("origin", "https://evil.example")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type");
    let response = request.send().await.unwrap();
    let mut names = response.headers().keys();
    assert!(
        !names.any(|name| name.as_str().starts_with("access-control-")),
        "{path}"
    );
}

/// GET requests change nothing, so links on other sites are harmless.
async fn check_links(browser: &TestUser, cookie: &str) {
    for path in [
        "/logout",
        "/profile/delete/",
        "/profile/sign-out/",
        "/send?id=ada&message=hi",
        "/join?id=ada",
    ] {
        let request = browser
            .request(Method::GET, path)
            .header("cookie", cookie)
            .header("accept", "application/json");
        let status = request.send().await.unwrap().status();
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn cross_site_page_cannot_open_a_socket_with_a_session_cookie() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let _bob = server.account("bob").await;
    let room = ada.create_room().await;
    let cookie = server.cookie("session", ada.token.as_deref().unwrap());
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
        "/chats/bob".to_owned(),
    ] {
        for (name, value, fine) in [
            ("origin", server.url.as_str(), true),
            ("origin", "https://evil.example", false),
            ("origin", "null", false),
            ("sec-fetch-site", "cross-site", false),
        ] {
            let mut request = format!("{}{path}", server.url.replace("http", "ws"))
                .into_client_request()
                .unwrap();
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
            request.headers_mut().insert(name, value.parse().unwrap());
            match tokio_tungstenite::connect_async(request).await {
                Ok(_) => assert!(fine, "{path} {value}"),
                Err(Error::Http(response)) => assert!(
                    !fine && response.status() == 403,
                    "{path} {value}: {response:?}"
                ),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn cross_site_page_gets_no_socket_on_any_route() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let listens = "/stream?list=on".to_owned();
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
        listens.clone(),
    ] {
        for (origin, fine) in [
            (server.url.as_str(), true),
            ("https://evil.example", false),
            ("null", false),
        ] {
            let mut request = format!("{}{path}", server.url.replace("http", "ws"))
                .into_client_request()
                .unwrap();
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
            match connect_async(request).await {
                Ok(_) => assert!(fine, "{origin}"),
                Err(Error::Http(response)) => {
                    assert!(!fine && response.status() == 403, "{origin}: {response:?}")
                }
                Err(other) => panic!("{other}"),
            }
        }
        if path != listens {
            expect_problem(ada.request(Method::GET, &path).send().await.unwrap(), 426).await;
        }
    }
    expect_problem(ada.get("/room?room=tea", "*/*").await, 422).await;
    expect_problem(ada.get("/room?username=ada", "*/*").await, 422).await;
    expect_problem(ada.get("/rooms/0123456789abcdef/socket", "*/*").await, 404).await;
}

#[tokio::test]
async fn cross_site_form_with_a_method_override_changes_nothing() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let room = owner.create_room().await;
    for action in [
        "?method=DELETE",
        "?method=PATCH",
        "members/x/?method=DELETE",
        "invitations/",
        "sanctions/",
    ] {
        let path = format!("/rooms/{room}/{action}");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let request = owner
                .request(Method::POST, &path)
                .header("accept", HTML_ACCEPT)
                .header(name, value);
            let response = request.form(&[("name", "evil")]).send().await.unwrap();
            assert_refused(response, 403, "Pages of another site").await;
        }
    }
    // Only forms may override the method.
    let response = owner
        .request(Method::POST, &format!("/rooms/{room}/?method=DELETE"))
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(response.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    let text = owner
        .request(Method::POST, &format!("/rooms/{room}/?method=DELETE"))
        .body("a=b")
        .send()
        .await;
    assert_eq!(text.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        get_json(&owner, &format!("/rooms/{room}/")).await["name"],
        Value::Null
    );
    // The next page is never on another site.
    let away = submit_form(
        &owner,
        &format!("/rooms/{room}/?method=PATCH"),
        &[("next", "//evil.example/"), ("name", "a")],
    )
    .await;
    assert_redirects_to(&away, "/");
}
