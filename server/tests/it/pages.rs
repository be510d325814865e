//! Pages, the site's files, and the headers that every answer carries.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::house::House;

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
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
        let answer = ada.get(&path, accept).await;
        let headers = answer.headers();
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
async fn a_page_is_fresh_and_its_script_is_known_by_a_nonce() {
    let house = House::new().await;
    let ada = house.person("ada");
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let answer = ada.get("/", "text/html").await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let policy = answer.headers()["content-security-policy"]
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
            answer
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
async fn a_room_can_be_read_without_a_script() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada
        .create(json!({"name": "<b>Tea</b>"}))
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
    assert!(page.contains(&format!("action=\"/rooms/{room}/messages/\"")));
}

#[tokio::test]
async fn problems_are_pages_for_those_who_ask_for_pages() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let form = [("username", "ada"), ("body", " ")];
    let post = ada
        .request(Method::POST, &format!("/rooms/{room}/messages/"))
        .header("accept", "text/html")
        .form(&form);
    let answer = post.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(answer.text().await.unwrap().contains("4000"));
    for path in ["/rooms/0123456789abcdef/", "/nowhere/"] {
        let answer = ada.get(path, "text/html").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
    }
}

#[tokio::test]
async fn a_pasted_link_leads_to_its_room_without_a_script() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let answer = ada
        .get(
            &format!("/?room=http%3A%2F%2Fx%2Frooms%2F{room}%2F"),
            "text/html",
        )
        .await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        answer.headers()["location"].to_str().unwrap(),
        format!("/rooms/{room}/")
    );
    for wrong in ["0123456789abcdef", "nonsense"] {
        let answer = ada.get(&format!("/?room={wrong}"), "text/html").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(
            answer
                .text()
                .await
                .unwrap()
                .contains(&format!("value=\"{wrong}\""))
        );
    }
}

#[tokio::test]
async fn the_api_is_explained_on_a_page() {
    let house = House::new().await;
    let page = house
        .person("ada")
        .get("/docs/", "text/html")
        .await
        .text()
        .await
        .unwrap();
    for part in [
        "/rooms/{id}/messages/",
        "Idempotency-Key",
        "problem-410",
        "at most the server's own limit",
        "<code>closed</code>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains('`'));
    let page = page.replace("<!>", "");
    let document: Value = house
        .person("ada")
        .get("/openapi.json", "*/*")
        .await
        .json()
        .await
        .unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            assert!(
                page.contains(&format!("<b>{}</b> {path}<", method.to_uppercase())),
                "{method} {path}"
            );
        }
    }
}
