//! Sign-in with an OpenID Connect provider, and the steps of it that a browser takes.

mod accounts;
mod id_tokens;
mod outages;
mod provider;
mod sign_in;

use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};

use crate::auth::oidc::provider::{CLIENT_ID, ProviderKey, TestProvider};
use crate::harness::{TestServer, TestUser, set_cookie_headers};

/// A redirect of a browser to the provider, and the sealed cookie that it keeps meanwhile.
pub struct Authorization {
    pub to: Url,
    pub cookie: String,
}

impl Authorization {
    pub fn new(response: &Response) -> Self {
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let set = set_cookie_headers(response);
        let [cookie] = set.as_slice() else {
            panic!("{set:?}")
        };
        assert!(
            cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/login/openid/; Max-Age=600"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            to: response.headers()["location"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap(),
            cookie,
        }
    }

    pub fn parameter(&self, name: &str) -> String {
        self.to
            .query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    }
}

/// The session cookie that a response sets, if it sets one.
pub fn session_cookie(response: &Response) -> Option<String> {
    let set = set_cookie_headers(response)
        .into_iter()
        .find(|cookie| cookie.starts_with("session-"))?;
    Some(set.split(';').next().unwrap().to_owned())
}

pub async fn get_page_with_cookie(user: &TestUser, path: &str, cookie: &str) -> Response {
    let request = user
        .request(Method::GET, path)
        .header("accept", "text/html")
        .header("cookie", cookie);
    request
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap()
}

pub async fn start_sign_in(user: &TestUser, cookie: &str, query: &str) -> Authorization {
    Authorization::new(
        &get_page_with_cookie(user, &format!("/login/openid/?{query}"), cookie).await,
    )
}

/// Requests the callback; the provider exchanges the code for this token.
pub async fn finish_sign_in(
    user: &TestUser,
    provider: &TestProvider,
    authorization: &Authorization,
    token: String,
    cookie: &str,
) -> Response {
    provider.state.lock().unwrap().token = token;
    let path = format!(
        "/login/openid/callback?code=good&state={}",
        authorization.parameter("state")
    );
    get_page_with_cookie(user, &path, &format!("{}; {cookie}", authorization.cookie)).await
}

pub fn id_token_claims(
    server: &TestServer,
    provider: &TestProvider,
    authorization: &Authorization,
    subject: &str,
) -> Value {
    let now = server.clock.now().millis() / 1_000;
    json!({"iss": provider.issuer(), "aud": CLIENT_ID, "sub": subject, "iat": now, "exp": now + 300,
           "auth_time": now, "nonce": authorization.parameter("nonce"), "preferred_username": subject})
}

pub async fn sign_in_with(
    server: &TestServer,
    provider: &TestProvider,
    key: &ProviderKey,
    subject: &str,
) -> String {
    let user = server.visitor(subject);
    let authorization = start_sign_in(&user, "", "").await;
    let token = key.sign(&id_token_claims(server, provider, &authorization, subject));
    session_cookie(&finish_sign_in(&user, provider, &authorization, token, "").await).unwrap()
}

pub async fn profile_of_cookie(user: &TestUser, cookie: &str) -> Value {
    let request = user
        .request(Method::GET, "/profile/")
        .header("accept", "application/json");
    request
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}
