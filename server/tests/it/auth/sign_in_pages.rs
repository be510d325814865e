//! Signing in and out by the forms of pages.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    TestServer, cookie_header, expect_envelope, expect_problem, submit_form_with_cookie,
};

#[tokio::test]
async fn session_cookie_is_http_only_and_signing_out_revokes_it() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let form = [
        ("name", "Ada"),
        ("username", "ada"),
        ("password", "secret"),
        ("next", "/rooms/"),
    ];
    let response = submit_form_with_cookie(&ada, "/register", "", &form).await;
    assert_eq!(
        (
            response.status(),
            response.headers()["location"].to_str().unwrap()
        ),
        (StatusCode::SEE_OTHER, "/rooms/")
    );
    let set = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("; HttpOnly") && set.contains("; SameSite=Lax"),
        "{set}"
    );
    let session = cookie_header(&response);
    let profile = async |cookie: &str| {
        let request = ada
            .request(Method::GET, "/profile/")
            .header("accept", "application/json");
        request.header("cookie", cookie).send().await.unwrap()
    };
    let account = profile(&session).await.json::<Value>().await.unwrap();
    assert_eq!(
        (&account["name"], &account["username"]),
        (&json!("Ada"), &json!("ada"))
    );
    let response = submit_form_with_cookie(&ada, "/logout", &session, &[]).await;
    let removed = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        removed.starts_with(&server.cookie("session", "; "))
            && removed.ends_with("; Path=/; Max-Age=0"),
        "{removed}"
    );
    expect_problem(profile(&session).await, 401).await;
    // A revoked session reads open rooms as a visitor does.
    let room = ada.create_room().await;
    let read = ada
        .request(Method::GET, &format!("/rooms/{room}/"))
        .header("cookie", &session);
    assert_eq!(
        read.header("accept", "application/json")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
}

/// Checks that a response is a page with this status.
async fn expect_page(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    response.text().await.unwrap()
}

#[tokio::test]
async fn refused_form_keeps_its_input_but_no_password() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let next = "/rooms/0123456789abcdef/";
    let cases = [
        (
            "/login",
            [("username", "ada"), ("password", "wrong!"), ("name", "")],
            400,
            "password",
        ),
        (
            "/register",
            [("username", "ada"), ("password", "wrong!"), ("name", "Ada")],
            400,
            "username",
        ),
        (
            "/register",
            [
                ("username", "a d a"),
                ("password", "wrong!"),
                ("name", "Ada"),
            ],
            422,
            "username",
        ),
        (
            "/register",
            [("username", "adaada"), ("password", "x"), ("name", "Ada")],
            422,
            "password",
        ),
        (
            "/register",
            [
                ("username", "adaada"),
                ("password", "wrong!"),
                ("name", " "),
            ],
            422,
            "name",
        ),
    ];
    for (path, form, status, field) in cases {
        let form: Vec<_> = form.into_iter().chain([("next", next)]).collect();
        let html = expect_page(submit_form_with_cookie(&ada, path, "", &form).await, status).await;
        let username = format!("value=\"{}\"", form[0].1);
        let error = format!("id=\"{field}-error\"");
        assert!(
            html.contains(&username) && html.contains(&error) && html.contains(next),
            "{html}"
        );
        assert!(!html.contains("wrong!"), "{html}");
    }
    let response = submit_form_with_cookie(
        &ada,
        "/login",
        "",
        &[("username", "ada"), ("password", "secret"), ("next", next)],
    )
    .await;
    let session = cookie_header(&response);
    let html = expect_page(
        submit_form_with_cookie(
            &ada,
            "/profile/password/",
            &session,
            &[("old", "secret"), ("new", "x")],
        )
        .await,
        422,
    )
    .await;
    assert!(
        html.contains("id=\"new-error\"") && html.contains("Password must have 6 to 256"),
        "{html}"
    );
    let html = expect_page(
        submit_form_with_cookie(
            &ada,
            "/profile/delete/",
            &session,
            &[("password", "wrong!")],
        )
        .await,
        400,
    )
    .await;
    assert!(
        html.contains("id=\"password-error\"") && !html.contains("wrong!"),
        "{html}"
    );
    let response = submit_form_with_cookie(
        &ada,
        "/profile/",
        &session,
        &[("name", "Countess"), ("next", next)],
    )
    .await;
    let place = response.headers()["location"].to_str().unwrap();
    assert_eq!(
        place,
        "/profile/?changed=name&next=%2Frooms%2F0123456789abcdef%2F"
    );
    let response = submit_form_with_cookie(&ada, "/logout", &session, &[("next", next)]).await;
    assert_eq!(response.headers()["location"], next);
}

#[tokio::test]
async fn page_that_needs_an_account_links_to_sign_in_and_back() {
    let server = TestServer::new().await;
    let eve = server.visitor("eve");
    for path in ["/profile/", "/chats/", "/chats/ada", "/chats/?search=a%26b"] {
        let html = expect_page(eve.get(path, "text/html").await, 401).await;
        let next = path
            .replace('%', "%25")
            .replace('/', "%2F")
            .replace('?', "%3F")
            .replace('=', "%3D");
        assert!(
            html.contains(&format!("href=\"/login?next={next}\"")),
            "{html}"
        );
        let response = eve.get(path, "application/json").await;
        match path {
            "/chats/ada" => drop(expect_envelope(response, 401).await),
            _ => drop(expect_problem(response, 401).await),
        }
    }
    for path in ["/login", "/register"] {
        let html = expect_page(
            eve.get(&format!("{path}?next=/chats/"), "text/html").await,
            200,
        )
        .await;
        assert!(
            html.contains("name=\"next\" value=\"/chats/\"")
                && html.matches("<script").count() == 1,
            "{html}"
        );
        assert!(html.contains("src=\"/show_password.js\""), "{html}");
        let response = eve.get(path, "application/json").await;
        assert_eq!(response.headers()["allow"], "POST");
        expect_envelope(response, 405).await;
    }
    // A signed-in account is redirected at once.
    let ada = server.account("ada").await;
    let response = ada.get("/login?next=/chats/", "text/html").await;
    assert_eq!(
        (response.status(), &response.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/chats/".parse().unwrap())
    );
    for (path, words) in [
        ("/profile/", "Writes as"),
        ("/chats/", "There are no other accounts yet"),
    ] {
        assert!(
            expect_page(ada.get(path, "text/html").await, 200)
                .await
                .contains(words),
            "{path}"
        );
    }
}

#[tokio::test]
async fn page_is_drawn_for_the_signed_in_account() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let bob = server.account("bob").await;
    let room = ada
        .get("/chats/bob", "application/json")
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(room["with"], json!({"name": "BOB", "username": "bob"}));
    ada.post(room["id"].as_str().unwrap(), "hello").await;
    let html = expect_page(bob.get("/", "text/html").await, 200).await;
    assert!(
        html.contains("BOB") && html.contains("unread</span>") && !html.contains("Your name"),
        "{html}"
    );
    let html = expect_page(
        bob.get(
            &format!("/rooms/{}/", room["id"].as_str().unwrap()),
            "text/html",
        )
        .await,
        200,
    )
    .await;
    assert!(html.contains("<title>ADA · webchat</title>"), "{html}");
}

#[tokio::test]
async fn titles_of_all_pages_count_what_is_unread() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let bob = server.account("bob").await;
    let chat = ada.get("/chats/bob", "application/json").await;
    let chat: Value = chat.json().await.unwrap();
    let chat = chat["id"].as_str().unwrap();
    ada.post(chat, "hello").await;
    let room = bob.create_room().await;
    let titles = async || {
        let mut titles = Vec::new();
        for path in [
            "/profile/",
            "/profile/notifications/",
            "/chats/",
            &format!("/rooms/{room}/members/"),
            &format!("/rooms/{room}/settings/"),
        ] {
            let html = expect_page(bob.get(path, "text/html").await, 200).await;
            let (_, title) = html.split_once("<title>").unwrap();
            titles.push(title.split_once("</title>").unwrap().0.to_owned());
        }
        titles
    };
    for title in titles().await {
        assert!(title.starts_with("(1) "), "{title}");
    }
    let seen = format!("/rooms/{chat}/seen/");
    bob.post_json(&seen, json!({"seen": 1})).await;
    for title in titles().await {
        assert!(!title.starts_with('('), "{title}");
    }
}

#[tokio::test]
async fn cookie_is_secure_behind_a_trusted_tls_proxy() {
    for (flags, secure) in [
        (&["--trusted-proxies", "127.0.0.1"][..], true),
        (&[], false),
    ] {
        let server = TestServer::with(flags, |_| {}).await;
        let request = server
            .visitor("ada")
            .request(Method::GET, "/")
            .header("accept", "text/html");
        let forwarded = request
            .header("x-forwarded-for", "198.51.100.7")
            .header("x-forwarded-proto", "https");
        let response = forwarded.send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let prefix = if secure { "__Host-" } else { "" };
        let name = format!("{prefix}{}", server.cookie("guest", ""));
        assert_eq!(
            (cookie.starts_with(&name), cookie.ends_with("; Secure")),
            (true, secure),
            "{cookie}"
        );
        assert_eq!(
            response.headers().contains_key("strict-transport-security"),
            secure
        );
    }
}

#[tokio::test]
async fn page_advises_against_a_common_password_and_accepts_it() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let mut cookie = server.cookie("session", ada.token.as_ref().unwrap());
    let browser = server.visitor("browser");
    for (old, new, shown) in [
        ("secret", "Password1", "that most people choose"),
        ("Password1", "correct horse", "Your password is changed. "),
    ] {
        let form = [("old", old), ("new", new)];
        let response =
            submit_form_with_cookie(&browser, "/profile/password/", &cookie, &form).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{new}");
        cookie = cookie_header(&response);
        let page = response.headers()["location"].to_str().unwrap();
        let request = browser.request(Method::GET, page);
        let request = request.header("accept", "text/html");
        let page = request.header("cookie", &cookie).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(page.contains(shown), "{new}: {page}");
    }
}
