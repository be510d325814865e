//! Signing in, and the callback that ends it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::auth::oidc::provider::{CLIENT_ID, ProviderKey, TestProvider};
use crate::auth::oidc::{
    finish_sign_in, get_page_with_cookie, id_token_claims, profile_of_cookie, session_cookie,
    start_sign_in,
};
use crate::harness::{TestServer, expect_problem, set_cookie_headers, submit_form_with_cookie};

#[tokio::test]
async fn first_sign_in_creates_an_account_and_later_ones_find_it() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider
        .start_server(&["--oidc-client-secret", "hush"])
        .await;
    let ada = server.visitor("ada");
    // The room of the guest becomes the account's.
    let guest = server.guest("ada").await;
    let room = guest.create_room().await;
    let as_guest = server.cookie("guest", guest.token.as_ref().unwrap());
    let authorization = start_sign_in(&ada, &as_guest, "next=/rooms/%3Fa=b").await;
    assert_eq!(authorization.to.path(), "/auth");
    assert_eq!(
        (
            authorization.parameter("client_id"),
            authorization.parameter("response_type")
        ),
        (CLIENT_ID.to_owned(), "code".to_owned())
    );
    assert_eq!(
        (
            authorization.parameter("scope"),
            authorization.parameter("code_challenge_method")
        ),
        ("openid profile email".into(), "S256".into())
    );
    assert_eq!(
        authorization.parameter("redirect_uri"),
        format!("{}/login/openid/callback", server.url)
    );
    let mut claims = id_token_claims(&server, &provider, &authorization, "7");
    claims["preferred_username"] = Value::Null;
    claims["email"] = json!("Ada.L@example.org");
    claims["name"] = json!("Ada L.");
    let response = finish_sign_in(
        &ada,
        &provider,
        &authorization,
        key.sign(&claims),
        &as_guest,
    )
    .await;
    assert_eq!(
        (response.status(), &response.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/rooms/?a=b".parse().unwrap())
    );
    let over = set_cookie_headers(&response)
        .into_iter()
        .find(|cookie| cookie.starts_with(&server.cookie("openid", "")))
        .unwrap();
    assert!(
        over.starts_with(&server.cookie("openid", "; "))
            && over.ends_with("; Path=/login/openid/; Max-Age=0"),
        "{over}"
    );
    let signed_in = session_cookie(&response).unwrap();
    let profile = profile_of_cookie(&ada, &signed_in).await;
    assert_eq!(
        [&profile["name"], &profile["username"]],
        ["Ada L.", "ada-l"]
    );
    let asked = provider.state.lock().unwrap().token_request.clone();
    assert_eq!(
        BASE64.encode(Sha256::digest(&asked["code_verifier"])),
        authorization.parameter("code_challenge")
    );
    assert_eq!(
        asked["redirect_uri"],
        authorization.parameter("redirect_uri")
    );
    let room = ada
        .request(Method::GET, &format!("/rooms/{room}/"))
        .header("cookie", &signed_in);
    let room: Value = room
        .header("accept", "application/json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(room["role"], "owner");
    // The same subject is the same account, also under another username and in another browser.
    let phone = server.visitor("phone");
    let authorization = start_sign_in(&phone, "", "next=//evil.example").await;
    let response = finish_sign_in(
        &phone,
        &provider,
        &authorization,
        key.sign(&id_token_claims(&server, &provider, &authorization, "7")),
        "",
    )
    .await;
    assert_eq!(response.headers()["location"], "/");
    assert_eq!(
        profile_of_cookie(&phone, &session_cookie(&response).unwrap()).await["username"],
        "ada-l"
    );
    // A signed-in account is redirected at once.
    let response = get_page_with_cookie(&ada, "/login/openid/?next=/rooms/", &signed_in).await;
    assert_eq!(response.headers()["location"], "/rooms/");
    assert_eq!(provider.key_requests.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn userinfo_is_requested_when_the_id_token_has_no_username() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let cases = [("7", "7", "ada"), ("8", "somebody-else", "person")];
    for (subject, about, username) in cases {
        provider.state.lock().unwrap().userinfo =
            json!({"sub": about, "preferred_username": "ada", "name": "Ada"});
        let ada = server.visitor("ada");
        let authorization = start_sign_in(&ada, "", "").await;
        let mut claims = id_token_claims(&server, &provider, &authorization, subject);
        claims.as_object_mut().unwrap().remove("preferred_username");
        let response = finish_sign_in(&ada, &provider, &authorization, key.sign(&claims), "").await;
        assert_eq!(
            profile_of_cookie(&ada, &session_cookie(&response).unwrap()).await["username"],
            username
        );
    }
}

#[tokio::test]
async fn callback_is_accepted_once_and_only_from_the_browser_that_started() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let ada = server.visitor("ada");
    let authorization = start_sign_in(&ada, "", "next=/rooms/").await;
    let other = start_sign_in(&ada, "", "").await.parameter("state");
    let state = authorization.parameter("state");
    let iss = "iss=https://other.example";
    let cases = [
        (String::new(), authorization.cookie.clone(), 400, "is over"),
        (
            format!("code=good&state={state}"),
            String::new(),
            400,
            "is over",
        ),
        (
            format!("code=good&state={state}"),
            format!("{}x", authorization.cookie),
            400,
            "is over",
        ),
        (
            format!("code=good&state={other}"),
            authorization.cookie.clone(),
            400,
            "is over",
        ),
        (
            format!("code=good&state={state}&{iss}"),
            authorization.cookie.clone(),
            400,
            "is over",
        ),
        (
            format!("state={state}"),
            authorization.cookie.clone(),
            400,
            "is over",
        ),
        (
            format!("code=used&state={state}"),
            authorization.cookie.clone(),
            400,
            "used before",
        ),
        (
            format!("error=access_denied&error_description=a+detail&state={state}"),
            authorization.cookie.clone(),
            403,
            "You did not allow it",
        ),
        (
            format!("error=server_error&error_description=a+detail&state={state}"),
            authorization.cookie.clone(),
            503,
            "Ours cannot sign you in",
        ),
        // A forged state cannot pretend that the user denied access.
        (
            format!("error=access_denied&state={other}"),
            authorization.cookie.clone(),
            400,
            "is over",
        ),
    ];
    for (query, cookie, status, words) in cases {
        let response =
            get_page_with_cookie(&ada, &format!("/login/openid/callback?{query}"), &cookie).await;
        assert_eq!(
            (response.status().as_u16(), session_cookie(&response)),
            (status, None),
            "{query}"
        );
        assert!(
            set_cookie_headers(&response)
                .iter()
                .any(|cookie| cookie.starts_with(&server.cookie("openid", ";"))),
            "{query}"
        );
        let page = response.text().await.unwrap();
        assert!(
            page.contains(words) && !page.contains("a detail"),
            "{query}: {page}"
        );
        let again = if cookie == authorization.cookie {
            "href=\"/login/openid/?next=%2Frooms%2F\""
        } else {
            "href=\"/login/openid/?next=%2F\""
        };
        assert!(page.contains(again), "{query}: {page}");
    }
    let plain = ada
        .request(Method::GET, "/login/openid/callback?code=good")
        .header("accept", "application/json");
    expect_problem(plain.send().await.unwrap(), 400).await;
    server.clock.advance(Duration::from_secs(600));
    let response = finish_sign_in(
        &ada,
        &provider,
        &authorization,
        key.sign(&id_token_claims(&server, &provider, &authorization, "ada")),
        "",
    )
    .await;
    assert_eq!(
        (response.status(), session_cookie(&response)),
        (StatusCode::BAD_REQUEST, None)
    );
}

#[tokio::test]
async fn repeated_callbacks_are_rate_limited() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&["--rate-limit", "on"]).await;
    let eve = server.visitor("eve");
    let authorization = start_sign_in(&eve, "", "").await;
    let mut refused = None;
    for _ in 0..60 {
        let response =
            finish_sign_in(&eve, &provider, &authorization, "a.b.c".to_owned(), "").await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(response);
            break;
        }
    }
    assert!(refused.unwrap().headers().contains_key("retry-after"));
}

#[tokio::test]
async fn redirect_uri_follows_public_url_or_the_request_host() {
    let provider = TestProvider::start(&ProviderKey::new("1")).await;
    let server = provider
        .start_server(&["--public-url", "https://chat.example/"])
        .await;
    let authorization = start_sign_in(&server.visitor("ada"), "", "").await;
    assert_eq!(
        authorization.parameter("redirect_uri"),
        "https://chat.example/login/openid/callback"
    );
    let server = provider
        .start_server(&["--trusted-proxies", "127.0.0.1"])
        .await;
    let request = server
        .visitor("ada")
        .request(Method::GET, "/login/openid/")
        .header("host", "chat.example");
    let request = request
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-forwarded-proto", "https");
    let response = request.send().await.unwrap();
    let to: Url = response.headers()["location"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let back = to
        .query_pairs()
        .find(|(key, _)| key == "redirect_uri")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(back, "https://chat.example/login/openid/callback");
    assert!(set_cookie_headers(&response)[0].ends_with("; Secure"));
}

#[tokio::test]
async fn cookie_of_a_sign_in_is_cleared_whatever_the_outcome_and_the_format() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let ada = server.visitor("ada");
    for accept in ["application/json", "*/*", "text/html"] {
        let authorization = start_sign_in(&ada, "", "next=/").await;
        let state = authorization.parameter("state");
        for query in [
            "state=other&code=1".to_owned(),
            format!("state={state}&error=access_denied"),
            format!("state={state}&code=unknown"),
            format!("state={state}"),
            "code=%ff".to_owned(),
        ] {
            let request = ada
                .request(Method::GET, &format!("/login/openid/callback?{query}"))
                .header("accept", accept)
                .header("cookie", &authorization.cookie);
            let response = request.send().await.unwrap();
            assert!(response.status().as_u16() >= 400, "{accept} {query}");
            let cleared = server.cookie("openid", "; ");
            let set = set_cookie_headers(&response);
            assert!(
                set.iter().any(|cookie| cookie.starts_with(&cleared)),
                "{accept} {query}: {set:?}"
            );
        }
    }
}

#[tokio::test]
async fn oidc_routes_answer_404_without_a_provider() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let cookie = server.cookie("session", ada.token.as_ref().unwrap());
    let nobody = server.visitor("nobody");
    for path in ["/login/openid/", "/login/openid/callback"] {
        expect_problem(nobody.get(path, "application/json").await, 404).await;
    }
    assert_eq!(
        submit_form_with_cookie(&nobody, "/profile/unlink/", &cookie, &[])
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
    for (path, cookie) in [
        ("/login", ""),
        ("/register", ""),
        ("/profile/", &cookie[..]),
    ] {
        assert!(
            !get_page_with_cookie(&nobody, path, cookie)
                .await
                .text()
                .await
                .unwrap()
                .contains("openid"),
            "{path}"
        );
    }
}
