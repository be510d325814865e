//! Accounts with a linked identity, and those without a password.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::auth::oidc::provider::{ProviderKey, TestProvider};
use crate::auth::oidc::{
    Authorization, finish_sign_in, get_page_with_cookie, id_token_claims, profile_of_cookie,
    session_cookie, sign_in_with, start_sign_in,
};
use crate::harness::{
    TestUser, expect_json, expect_problem, set_cookie_headers, submit_form_with_cookie,
};

/// Confirms by a password that an account may be linked. Returns where the browser does that, unless
/// it is refused.
async fn confirm_link(browser: &TestUser, cookie: &str, password: &str) -> Option<String> {
    let form = [("current", password), ("next", "/rooms/")];
    let response = submit_form_with_cookie(browser, "/profile/link/", cookie, &form).await;
    let status = response.status();
    let page = response.text().await.unwrap();
    let link = page.split("href=\"/login/openid/?").nth(1);
    assert_eq!(status == 200, link.is_some(), "{status} {page}");
    let link = link?.split('"').next().unwrap().replace("&amp;", "&");
    Some(format!("/login/openid/?{link}"))
}

#[tokio::test]
async fn account_is_linked_only_after_its_own_confirmation() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let ada = server.account("ada").await;
    let eve = server.account("eve").await;
    let browser = server.visitor("browser");
    let cookie = |user: &TestUser| server.cookie("session", user.token.as_ref().unwrap());
    let link_of = async |cookie: &str| confirm_link(&browser, cookie, "secret").await.unwrap();
    let ada = cookie(&ada);
    let eve = cookie(&eve);
    // A session does not suffice.
    for wrong in ["", "wrong!", "ada"] {
        assert_eq!(confirm_link(&browser, &ada, wrong).await, None, "{wrong}");
    }
    let link = link_of(&ada).await;
    for (path, cookie, status) in [
        (&link[..], &eve[..], 400),
        (&link, "", 401),
        ("/login/openid/?link=a.b.c", &ada, 400),
    ] {
        let response = get_page_with_cookie(&browser, path, cookie).await;
        assert_eq!(
            (
                response.status().as_u16(),
                set_cookie_headers(&response).len()
            ),
            (status, 0),
            "{path}"
        );
    }
    // An account that signed out in between, or another one, is not linked.
    let authorization = Authorization::new(&get_page_with_cookie(&browser, &link, &ada).await);
    for cookie in [&eve[..], ""] {
        let token = key.sign(&id_token_claims(&server, &provider, &authorization, "7"));
        assert_eq!(
            finish_sign_in(&browser, &provider, &authorization, token, cookie)
                .await
                .status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let response = finish_sign_in(
        &browser,
        &provider,
        &authorization,
        key.sign(&id_token_claims(&server, &provider, &authorization, "7")),
        &ada,
    )
    .await;
    assert_eq!(
        (&response.headers()["location"], session_cookie(&response)),
        (
            &"/profile/?changed=linked&next=%2Frooms%2F".parse().unwrap(),
            None
        )
    );
    assert_eq!(
        profile_of_cookie(&browser, &sign_in_with(&server, &provider, &key, "7").await).await["username"],
        "ada"
    );
    // The identity cannot be linked to a second account.
    let authorization =
        Authorization::new(&get_page_with_cookie(&browser, &link_of(&eve).await, &eve).await);
    let response = finish_sign_in(
        &browser,
        &provider,
        &authorization,
        key.sign(&id_token_claims(&server, &provider, &authorization, "7")),
        &eve,
    )
    .await;
    assert_eq!(response.status(), StatusCode::CONFLICT);
    assert!(response.text().await.unwrap().contains("Not linked"));
    let response =
        submit_form_with_cookie(&browser, "/profile/unlink/", &ada, &[("next", "/rooms/")]).await;
    assert_eq!(
        response.headers()["location"],
        "/profile/?changed=unlinked&next=%2Frooms%2F"
    );
    assert_eq!(
        profile_of_cookie(&browser, &sign_in_with(&server, &provider, &key, "7").await).await["username"],
        "person"
    );
}

#[tokio::test]
async fn account_without_password_sets_one_or_is_deleted_without() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let user = server.visitor("ada");
    let ada = sign_in_with(&server, &provider, &key, "ada").await;
    let grace = sign_in_with(&server, &provider, &key, "grace").await;
    let [none, unknown] =
        ["ada", "nobody"].map(|username| json!({"username": username, "password": ""}));
    let none = user.post_json("/login", none).await;
    let unknown = user.post_json("/login", unknown).await;
    assert_eq!(
        (none.status(), unknown.status()),
        (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST)
    );
    assert_eq!(none.text().await.unwrap(), unknown.text().await.unwrap());
    assert_eq!(
        submit_form_with_cookie(&user, "/profile/unlink/", &ada, &[])
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    let wrong = submit_form_with_cookie(&user, "/profile/password/", &ada, &[("new", "x")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().await.unwrap().contains("Set password"));
    let response =
        submit_form_with_cookie(&user, "/profile/password/", &ada, &[("new", "secret")]).await;
    let fresh = session_cookie(&response).unwrap();
    assert_eq!(profile_of_cookie(&user, &ada).await["status"], 401);
    assert_eq!(
        submit_form_with_cookie(&user, "/profile/password/", &fresh, &[("new", "secret2")])
            .await
            .status(),
        422
    );
    let login = user
        .post_json("/login", json!({"username": "ada", "password": "secret"}))
        .await;
    assert_eq!(login.status(), StatusCode::OK);
    // Without a password, deletion asks for the username.
    let response =
        submit_form_with_cookie(&user, "/profile/delete/", &grace, &[("username", "ada")]).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(response.text().await.unwrap().contains("Your username"));
    assert_eq!(
        submit_form_with_cookie(&user, "/profile/delete/", &grace, &[("username", "Grace")])
            .await
            .status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(profile_of_cookie(&user, &grace).await["status"], 401);
    let again = sign_in_with(&server, &provider, &key, "grace").await;
    assert_eq!(
        submit_form_with_cookie(&user, "/profile/sign-out/", &again, &[])
            .await
            .status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(profile_of_cookie(&user, &again).await["status"], 401);
}

#[tokio::test]
async fn confirmed_link_ends_after_five_minutes_and_scripts_get_one_too() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let ada = server.account("ada").await;
    let cookie = server.cookie("session", ada.token.as_ref().unwrap());
    let refused = ada
        .post_json("/profile/link/", json!({"current": "wrong!"}))
        .await;
    expect_problem(refused, 400).await;
    let confirmed = ada
        .post_json("/profile/link/", json!({"current": "secret"}))
        .await;
    let path = expect_json(confirmed).await["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let browser = server.visitor("browser");
    let link = async || {
        get_page_with_cookie(&browser, &path, &cookie)
            .await
            .status()
    };
    assert_eq!(link().await, StatusCode::SEE_OTHER);
    server.clock.advance(Duration::from_secs(5 * 60));
    assert_eq!(link().await, StatusCode::BAD_REQUEST);
}

/// The ways to sign in that an account's profile lists.
async fn sign_in_methods(user: &TestUser, cookie: &str) -> Vec<Value> {
    let profile = profile_of_cookie(user, cookie).await;
    let methods = profile["sign_in_methods"].as_array().unwrap().clone();
    assert!(methods.iter().all(|method| method["added_at"].is_string()));
    methods
}

#[tokio::test]
async fn sign_in_that_the_provider_answers_without_asking_sets_no_first_password() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let browser = server.visitor("browser");
    let old = sign_in_with(&server, &provider, &key, "ada").await;
    server.clock.advance(Duration::from_secs(5 * 60));
    submit_form_with_cookie(&browser, "/logout", &old, &[]).await;
    // The provider still knows the browser of the account, or of a person who has none yet.
    for (subject, age) in [("ada", Some(6 * 60)), ("ada", None), ("eve", Some(6 * 60))] {
        let authorization = start_sign_in(&browser, "", "").await;
        let mut claims = id_token_claims(&server, &provider, &authorization, subject);
        let issued_at = claims["iat"].as_i64().unwrap();
        claims["auth_time"] = json!(age.map(|age| issued_at - age));
        let token = key.sign(&claims);
        let response = finish_sign_in(&browser, &provider, &authorization, token, "").await;
        let cookie = session_cookie(&response).unwrap();
        for path in ["/profile/password/", "/profile/link/"] {
            let form = [("new", "secret"), ("current", "")];
            let response = submit_form_with_cookie(&browser, path, &cookie, &form).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{subject} {path}");
        }
        // The profile leads to the sign-in for which the provider asks.
        let page = get_page_with_cookie(&browser, "/profile/", &cookie).await;
        let page = page.text().await.unwrap();
        assert!(page.contains("/login/openid/?again=true"), "{page}");
    }
}

#[tokio::test]
async fn stolen_session_adds_no_way_in_and_a_new_password_ends_the_linked_ones() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let browser = server.visitor("browser");
    // An account without a password: its session is older than five minutes.
    let old = sign_in_with(&server, &provider, &key, "ada").await;
    server.clock.advance(Duration::from_secs(5 * 60));
    for path in ["/profile/password/", "/profile/link/"] {
        let form = [("new", "secret"), ("current", "")];
        let response = submit_form_with_cookie(&browser, path, &old, &form).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(response.text().await.unwrap().contains("Sign in again"));
    }
    // Another person's identity is no fresh sign-in to the account; the owner's is one.
    let again = "again=true&next=/profile/";
    let authorization = start_sign_in(&browser, &old, again).await;
    assert_eq!(authorization.parameter("prompt"), "login");
    let claims = id_token_claims(&server, &provider, &authorization, "eve");
    let token = key.sign(&claims);
    let response = finish_sign_in(&browser, &provider, &authorization, token, &old).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(session_cookie(&response), None);
    let mut claims = id_token_claims(&server, &provider, &authorization, "ada");
    claims["auth_time"] = json!(claims["iat"].as_i64().unwrap() - 6 * 60);
    let token = key.sign(&claims);
    let response = finish_sign_in(&browser, &provider, &authorization, token, &old).await;
    assert_eq!(
        response.status(),
        StatusCode::BAD_REQUEST,
        "signed in there earlier"
    );
    // A provider that does not say when has to, because of `max_age`.
    claims.as_object_mut().unwrap().remove("auth_time");
    let token = key.sign(&claims);
    let response = finish_sign_in(&browser, &provider, &authorization, token, &old).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    claims["auth_time"] = claims["iat"].clone();
    let token = key.sign(&claims);
    let response = finish_sign_in(&browser, &provider, &authorization, token, &old).await;
    let fresh = session_cookie(&response).unwrap();
    let form = [("new", "secret")];
    let response = submit_form_with_cookie(&browser, "/profile/password/", &fresh, &form).await;
    let cookie = session_cookie(&response).unwrap();
    let methods = sign_in_methods(&browser, &cookie).await;
    let kinds: Vec<_> = methods.iter().map(|method| &method["kind"]).collect();
    assert_eq!(kinds, ["password", "provider"]);
    assert_eq!(methods[1]["issuer"], provider.issuer());
    // The new password ends the identity as a way in.
    let form = [("old", "secret"), ("new", "secret2"), ("unlink", "true")];
    let response = submit_form_with_cookie(&browser, "/profile/password/", &cookie, &form).await;
    let cookie = session_cookie(&response).unwrap();
    assert_eq!(sign_in_methods(&browser, &cookie).await.len(), 1);
    let other = sign_in_with(&server, &provider, &key, "ada").await;
    assert_ne!(profile_of_cookie(&browser, &other).await["username"], "ada");
}
