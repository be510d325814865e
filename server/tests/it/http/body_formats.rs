//! How bodies may be written: byte order marks, content encodings, and JSON that is sent as a form.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

use crate::harness::{TestServer, TestUser};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A request to each operation of the OpenAPI document that takes a body of this kind, if one is given.
async fn requests_with_body(user: &TestUser, kind: Option<&str>) -> Vec<(String, RequestBuilder)> {
    let room = user.create_room().await;
    let document: Value = user.get("/openapi.json", "*/*").await.json().await.unwrap();
    let mut requests = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = &operation["requestBody"]["content"];
            let takes_kind = kind.is_none_or(|kind| !content[kind].is_null());
            if content.is_null() || !takes_kind {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", &room).replace(['{', '}'], "");
            requests.push((format!("{method} {path}"), user.request(method, &path)));
        }
    }
    assert!(requests.len() > 10, "{requests:?}");
    requests
}

#[tokio::test]
async fn byte_order_mark_before_a_body_is_passed_over() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    for (kind, body) in [
        (JSON, "\u{feff}{\"username\":\"ada\",\"body\":\"hello\"}"),
        (FORM, "\u{feff}username=ada&body=hello"),
    ] {
        let path = format!("/rooms/{room}/messages/");
        let request = ada
            .request(Method::POST, &path)
            .header("content-type", kind);
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED, "{kind}");
    }
    let request = ada
        .request(Method::POST, "/rooms/")
        .header("content-type", JSON);
    let response = request.body("\u{feff}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED, "an empty body");
}

#[tokio::test]
async fn encoded_body_is_refused_with_the_encodings_that_are_accepted() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    for (what, request) in requests_with_body(&ada, None).await {
        for encoding in ["gzip", "br", "deflate, identity"] {
            for accept in ["*/*", "text/html"] {
                let request = request.try_clone().unwrap();
                let request = request
                    .header("content-encoding", encoding)
                    .header("content-type", JSON)
                    .header("accept", accept);
                let response = request.body("{}").send().await.unwrap();
                assert_eq!(response.status(), 415, "{what} {encoding}");
                assert_eq!(response.headers()["accept-encoding"], "identity", "{what}");
            }
        }
    }
    let plain = ada
        .request(Method::POST, "/rooms/")
        .header("content-encoding", "identity")
        .header("content-type", JSON);
    let response = plain.body("{}").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn json_sent_as_a_form_is_refused_with_the_header_to_add() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    for (what, request) in requests_with_body(&ada, Some(JSON)).await {
        for body in ["{\"username\":\"ada\"}", " \n[1]", "\u{feff}{}"] {
            let request = request.try_clone().unwrap().header("content-type", FORM);
            let response = request.body(body).send().await.unwrap();
            assert_eq!(response.status(), 415, "{what} {body}");
            assert!(!response.headers().contains_key("accept-encoding"));
            let text = response.text().await.unwrap();
            assert!(
                text.contains("-H 'Content-Type: application/json'"),
                "{what}: {text}"
            );
        }
    }
}
