//! The pages of invitations, and QR codes of links.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::TestServer;
use crate::moderation::forms::{
    HTML_ACCEPT, assert_redirects_to, assert_refused, first_invitation_link, get_page,
    join_by_forms, submit_form,
};

#[tokio::test]
async fn browser_with_an_invitation_link_joins_the_room() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let room = owner
        .create_room_with(json!({"private": true, "name": "The <den>"}))
        .await
        .id
        .to_string();
    let invitations = format!("/rooms/{room}/invitations/");
    for (input, words) in [
        ([("uses", "0")], "uses-error"),
        ([("timeout", "soon")], "role=\"alert\""),
    ] {
        assert_refused(submit_form(&owner, &invitations, &input).await, 422, words).await;
    }
    assert_redirects_to(
        &submit_form(
            &owner,
            &invitations,
            &[("role", "reader"), ("timeout", "1h"), ("uses", "1")],
        )
        .await,
        &invitations,
    );
    let html = get_page(&owner, &invitations, 200).await;
    let link = first_invitation_link(&owner, &room).await;
    assert!(
        html.contains(&format!("value=\"{}{link}\"", server.url)),
        "{html}"
    );
    // A visitor gets a guest key with the page, and joins with it.
    let browser = server.visitor("browser");
    let response = browser.get(&link, HTML_ACCEPT).await;
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let html = response.text().await.unwrap();
    assert!(
        cookie.starts_with(&server.cookie("guest", ""))
            && html.contains("The &lt;den&gt;")
            && html.contains("may read there"),
        "{html}"
    );
    let with_cookie = |method: Method, path: &str| {
        browser
            .request(method, path)
            .header("accept", HTML_ACCEPT)
            .header("cookie", &cookie)
            .header("origin", &server.url)
    };
    assert!(
        with_cookie(Method::GET, &link)
            .send()
            .await
            .unwrap()
            .headers()
            .get("set-cookie")
            .is_none()
    );
    let none: [(&str, &str); 0] = [];
    assert_redirects_to(
        &with_cookie(Method::POST, &link)
            .form(&none)
            .send()
            .await
            .unwrap(),
        &format!("/rooms/{room}/"),
    );
    let seen = with_cookie(Method::GET, &format!("/rooms/{room}/"))
        .send()
        .await
        .unwrap();
    assert_eq!(seen.status(), StatusCode::OK);
    // The invitation was for one use.
    assert!(get_page(&browser, &link, 404).await.contains("not valid"));
    assert_refused(
        submit_form(&server.guest("late").await, &link, &[]).await,
        404,
        "Ask the person who sent it",
    )
    .await;
    assert_refused(
        submit_form(&browser, "/invitations/nonsense/", &[]).await,
        404,
        "not valid",
    )
    .await;
    // A revoked invitation is not found.
    assert_redirects_to(
        &submit_form(
            &owner,
            &invitations,
            &[("role", "member"), ("timeout", ""), ("uses", "")],
        )
        .await,
        &invitations,
    );
    let second = first_invitation_link(&owner, &room).await;
    let code = second.trim_end_matches('/').rsplit('/').next().unwrap();
    assert_redirects_to(
        &submit_form(&owner, &format!("{invitations}{code}/?method=DELETE"), &[]).await,
        &invitations,
    );
    get_page(&browser, &second, 404).await;
    assert_refused(
        submit_form(&owner, &format!("{invitations}{code}/?method=DELETE"), &[]).await,
        404,
        "no such invitation",
    )
    .await;
}

#[tokio::test]
async fn qr_code_is_served_only_to_users_who_may_know_the_link() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let guest = server.guest("guest").await;
    let room = owner
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    let path = format!("/rooms/{room}/code.svg");
    let response = owner.get(&path, "image/*").await;
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"image/svg+xml".parse().unwrap())
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    let here = response.text().await.unwrap();
    let id = room.parse().ok();
    assert_eq!(
        Some(&here),
        app::qr_code(&format!("{}/rooms/{room}/", server.url), id).as_ref()
    );
    assert_eq!(
        guest.get(&path, "image/*").await.status(),
        StatusCode::NOT_FOUND
    );
    let named = owner
        .request(Method::GET, &path)
        .header("host", "chat.example")
        .send()
        .await
        .unwrap();
    assert_eq!(
        Some(named.text().await.unwrap()),
        app::qr_code(&format!("http://chat.example/rooms/{room}/"), id)
    );
    for wrong in ["a b", "\"><script>", &"x".repeat(4_000)] {
        let response = owner
            .request(Method::GET, &path)
            .header("host", wrong)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    join_by_forms(&owner, &room, &guest).await;
    assert_eq!(
        guest.get(&path, "image/*").await.text().await.unwrap(),
        here
    );
    let link = first_invitation_link(&owner, &room).await;
    let svg = server
        .visitor("anyone")
        .get(&format!("{link}code.svg"), "image/*")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(
        Some(svg),
        app::qr_code(&format!("{}{link}", server.url), None)
    );
    assert_eq!(
        guest
            .get("/invitations/nonsense/code.svg", "image/*")
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
}
