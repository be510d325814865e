//! Settings, members and invitations as pages: every form as a browser sends it.

mod invitations;
mod members;
mod settings;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::harness::TestUser;

pub const HTML_ACCEPT: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Submits a form as a browser does from a page of this site.
pub async fn submit_form(user: &TestUser, action: &str, fields: &[(&str, &str)]) -> Response {
    let request = user
        .request(Method::POST, action)
        .header("accept", HTML_ACCEPT)
        .header("origin", &user.url);
    request.form(fields).send().await.unwrap()
}

/// Requests a page and checks its status.
pub async fn get_page(user: &TestUser, path: &str, status: u16) -> String {
    let response = user.get(path, HTML_ACCEPT).await;
    assert_eq!(response.status(), status, "{path}");
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html"),
        "{path}"
    );
    response.text().await.unwrap()
}

/// Checks that a form succeeded and redirects to `place`.
pub fn assert_redirects_to(response: &Response, place: &str) {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"].to_str().unwrap(), place);
}

/// Checks that a form was refused with a page that has this status and contains these words.
pub async fn assert_refused(response: Response, status: u16, words: &str) -> String {
    assert_eq!(response.status(), status);
    let html = response.text().await.unwrap();
    assert!(html.contains(words), "{words}: {html}");
    html
}

pub async fn get_json(user: &TestUser, path: &str) -> Value {
    user.get(path, "application/json")
        .await
        .json()
        .await
        .unwrap()
}

/// The first link on the page of a room's invitations.
pub async fn first_invitation_link(owner: &TestUser, room: &str) -> String {
    let html = get_page(owner, &format!("/rooms/{room}/invitations/"), 200).await;
    let code = html
        .split("/invitations/")
        .find(|part| part.len() > 32 && part.as_bytes()[32] == b'/')
        .unwrap();
    format!("/invitations/{}/", &code[..32])
}

/// Lets a user join a room by the forms.
pub async fn join_by_forms(owner: &TestUser, room: &str, user: &TestUser) {
    let path = format!("/rooms/{room}/invitations/");
    assert_redirects_to(
        &submit_form(
            owner,
            &path,
            &[("role", "member"), ("timeout", ""), ("uses", "")],
        )
        .await,
        &path,
    );
    assert_redirects_to(
        &submit_form(user, &first_invitation_link(owner, room).await, &[]).await,
        &format!("/rooms/{room}/"),
    );
}
