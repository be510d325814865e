//! Accounts with a linked identity, and those without a password.

use reqwest::StatusCode;
use serde_json::json;

use crate::auth::oidc::provider::{ProviderKey, TestProvider};
use crate::auth::oidc::{
    Authorization, finish_sign_in, get_page_with_cookie, id_token_claims, profile_of_cookie,
    session_cookie, sign_in_with,
};
use crate::harness::{TestUser, set_cookie_headers, submit_form_with_cookie};

#[tokio::test]
async fn account_is_linked_only_from_its_own_profile_page() {
    let key = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider.start_server(&[]).await;
    let ada = server.account("ada").await;
    let eve = server.account("eve").await;
    let browser = server.visitor("browser");
    let cookie = |user: &TestUser| server.cookie("session", user.token.as_ref().unwrap());
    let link_of = async |cookie: &str| {
        let page = get_page_with_cookie(&browser, "/profile/?next=/rooms/", cookie)
            .await
            .text()
            .await
            .unwrap();
        let link = page
            .split("href=\"/login/openid/?")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&amp;", "&");
        format!("/login/openid/?{link}")
    };
    let ada = cookie(&ada);
    let eve = cookie(&eve);
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
