//! Cookies of several servers on one host: browsers send each cookie to every port.

use std::path::Path;

use protocol::Time;
use serde_json::{Value, json};

use crate::harness::{
    CookieJar, TestServer, TestUser, set_cookie_headers, submit_form_with_cookie,
    username_of_cookie,
};

/// Looks at the home page of a server, as a browser with these cookies does.
async fn visit(user: &TestUser, jar: &mut CookieJar) -> String {
    let request = user
        .request(reqwest::Method::GET, "/")
        .header("accept", "text/html")
        .header("cookie", jar.header());
    let response = request.send().await.unwrap();
    jar.keep(&response);
    response.text().await.unwrap()
}

async fn submit(user: &TestUser, jar: &mut CookieJar, path: &str, form: &[(&str, &str)]) {
    let response = submit_form_with_cookie(user, path, &jar.header(), form).await;
    assert_eq!(response.status(), 303, "{path}");
    jar.keep(&response);
}

#[tokio::test]
async fn servers_on_two_ports_keep_their_own_guests_names_and_sessions() {
    let servers = [TestServer::new().await, TestServer::new().await];
    let [first, second] = servers.each_ref().map(|server| server.visitor("browser"));
    let mut jar = CookieJar::default();
    visit(&first, &mut jar).await;
    let guest = jar.header();
    visit(&second, &mut jar).await;
    assert!(jar.header().contains(&guest), "the guest of the first");
    submit(&first, &mut jar, "/rooms/", &[("username", "ada")]).await;
    submit(&second, &mut jar, "/rooms/", &[("username", "eve")]).await;
    assert!(visit(&first, &mut jar).await.contains("\"name\":\"ada\""));
    assert!(visit(&second, &mut jar).await.contains("\"name\":\"eve\""));

    let form = [
        ("name", "Ada"),
        ("username", "ada1"),
        ("password", "secret"),
    ];
    submit(&first, &mut jar, "/register", &form).await;
    visit(&second, &mut jar).await;
    assert_eq!(username_of_cookie(&second, &jar.header()).await, None);
    let form = [
        ("name", "Bob"),
        ("username", "bob1"),
        ("password", "secret"),
    ];
    submit(&second, &mut jar, "/register", &form).await;
    for (user, username) in [(&first, "ada1"), (&second, "bob1")] {
        visit(user, &mut jar).await;
        let found = username_of_cookie(user, &jar.header()).await;
        assert_eq!(found.as_deref(), Some(username));
    }
    submit(&second, &mut jar, "/logout", &[]).await;
    assert_eq!(username_of_cookie(&second, &jar.header()).await, None);
    let found = username_of_cookie(&first, &jar.header()).await;
    assert_eq!(
        found.as_deref(),
        Some("ada1"),
        "signed out of the second only"
    );
}

#[tokio::test]
async fn cookies_with_plain_names_are_taken_over_once_by_the_server_that_issued_them() {
    let server = TestServer::new().await;
    let other = TestServer::new().await;
    let ada = server.account("ada").await;
    let guest = server.guest("ada").await;
    let session = ada.token.clone().unwrap();
    let key = guest.token.unwrap();
    let visits = ada.create_room_with(json!({"name": "The den"})).await.id;
    let plain = [
        ("session", session.as_str()),
        ("guest", &key),
        ("name", "Ada%20L"),
        ("theme", "dark"),
        ("visits", &visits.to_string()),
    ];
    let mut jar = CookieJar::default();
    for (name, value) in plain {
        jar.set(name, value);
    }
    let browser = server.visitor("browser");
    // A server that has not issued the session and the key leaves them.
    let elsewhere = other.visitor("browser");
    let response = submit_form_with_cookie(&elsewhere, "/logout", &jar.header(), &[]).await;
    for cookie in set_cookie_headers(&response) {
        assert!(
            !cookie.starts_with("session=") && !cookie.starts_with("guest="),
            "{cookie}"
        );
    }
    let page = visit(&browser, &mut jar).await;
    assert!(page.contains("data-theme=\"dark\"") && page.contains("The den"));
    let sent = jar.header();
    for (name, value) in plain {
        let expected = server.cookie(name, value);
        assert!(sent.split("; ").any(|cookie| cookie == expected), "{sent}");
        assert!(
            !sent
                .split("; ")
                .any(|cookie| cookie.starts_with(&format!("{name}="))),
            "{sent}"
        );
    }
    let found = username_of_cookie(&browser, &sent).await;
    assert_eq!(found.as_deref(), Some("ada"));
    // The new name goes before a plain one, which is then not looked at.
    let eve = server.account("eve").await.token.unwrap();
    jar.set("session", &eve);
    visit(&browser, &mut jar).await;
    let found = username_of_cookie(&browser, &jar.header()).await;
    assert_eq!(found.as_deref(), Some("ada"));
}

/// A server of this version with the data of the first one. Returns the tokens that it had issued.
async fn upgraded(flags: &[&str]) -> (TestServer, Value) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chat/tests/fixtures");
    let record = std::fs::read_to_string(fixtures.join("v0_1.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    let opened_at: Time = serde_json::from_value(record["opened_at"].clone()).unwrap();
    let server = TestServer::with(flags, |config| {
        config.database = None;
        for (file, name) in [("v0_1.db", "webchat.db"), ("v0_1.key", "jwt.key")] {
            std::fs::copy(fixtures.join(file), config.data_dir.join(name)).unwrap();
        }
        let clock = &config.clock;
        clock.advance(opened_at.since(clock.now()));
    });
    (server.await, record["tokens"].clone())
}

#[tokio::test]
async fn over_tls_only_cookies_of_before_the_upgrade_are_taken_over() {
    let flags = ["--trusted-proxies", "127.0.0.1", "--rate-limit", "off"];
    let (server, tokens) = upgraded(&flags).await;
    let browser = over_tls(&server);
    let token = |who: &str| tokens[who].as_str().unwrap().to_owned();
    for name in ["session".to_owned(), server.cookie("session", "")] {
        let name = name.trim_end_matches('=');
        let mut jar = CookieJar::default();
        jar.set(name, &token("ada"));
        jar.set("guest", &token("rosa"));
        visit(&browser, &mut jar).await;
        for (name, who) in [("session", "ada"), ("guest", "rosa")] {
            let own = format!("__Host-{}", server.cookie(name, &token(who)));
            assert!(jar.header().contains(&own), "{}", jar.header());
        }
        assert_eq!(jar.header().split("; ").count(), 2, "{}", jar.header());
        let found = username_of_cookie(&browser, &jar.header()).await;
        assert_eq!(found.as_deref(), Some("ada"));
    }
    // The cookies of later sign-ins have the prefix.
    let planted = [
        ("session", server.account("mallory").await),
        ("guest", server.guest("mallory").await),
    ];
    for (name, user) in planted {
        let token = user.token.unwrap();
        for sent in [format!("{name}={token}"), server.cookie(name, &token)] {
            let mut jar = CookieJar::default();
            let (sent, value) = sent.split_once('=').unwrap();
            jar.set(sent, value);
            visit(&browser, &mut jar).await;
            let own = format!("__Host-{}", server.cookie(name, &token));
            assert!(!jar.header().contains(&own), "{}", jar.header());
            assert_eq!(username_of_cookie(&browser, &jar.header()).await, None);
        }
    }
}

/// The same user, over a proxy with TLS that the server trusts.
fn over_tls(server: &TestServer) -> TestUser {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
    headers.insert("x-forwarded-proto", "https".parse().unwrap());
    let http = reqwest::Client::builder()
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none());
    TestUser {
        http: http.build().unwrap(),
        origin: server.url.replace("http://", "https://"),
        ..server.visitor("browser")
    }
}

#[tokio::test]
async fn over_tls_a_cookie_that_another_host_of_the_domain_has_planted_is_not_read() {
    let flags = ["--trusted-proxies", "127.0.0.1", "--rate-limit", "off"];
    let server = TestServer::with(&flags, |_| {}).await;
    let browser = over_tls(&server);
    let mut jar = CookieJar::default();
    let eve = server.account("eve").await.token.unwrap();
    let planted = server.cookie("session", &eve);
    // Neither by a browser that has no other cookie, before or after it has a session,
    assert_eq!(username_of_cookie(&browser, &planted).await, None);
    let ada = server.account("ada").await.token.unwrap();
    let own = format!("__Host-{}", server.cookie("session", &ada));
    let (name, value) = own.split_once('=').unwrap();
    jar.set(name, value);
    // nor before the own one, nor instead of it.
    let found = username_of_cookie(&browser, &format!("{planted}; {own}")).await;
    assert_eq!(found.as_deref(), Some("ada"));
    submit(&browser, &mut jar, "/logout", &[]).await;
    visit(&browser, &mut jar).await;
    let guest = jar.header();
    assert!(guest.contains("__Host-guest-"), "{guest}");
    let found = username_of_cookie(&browser, &format!("{planted}; {guest}")).await;
    assert_eq!(found, None);
    // The browser accepts the prefix only with these attributes.
    let form = [("username", "eve"), ("password", "secret")];
    let response = submit_form_with_cookie(&browser, "/login", "", &form).await;
    let set = set_cookie_headers(&response);
    let [session, mark] = &set[..] else {
        panic!("{set:?}")
    };
    assert!(
        mark.starts_with("account-") && mark.ends_with("; Secure"),
        "{mark}"
    );
    assert!(session.starts_with(&format!("__Host-{}", server.cookie("session", ""))));
    assert!(
        session.contains("; Path=/;") && session.ends_with("; Secure"),
        "{session}"
    );
    assert!(
        !session.to_ascii_lowercase().contains("domain"),
        "{session}"
    );
}

#[tokio::test]
async fn without_tls_a_session_with_two_values_is_none() {
    let server = TestServer::new().await;
    let browser = server.visitor("browser");
    let [ada, eve] = ["ada", "eve"].map(async |name| {
        let token = server.account(name).await.token.unwrap();
        server.cookie("session", &token)
    });
    let (ada, eve) = (ada.await, eve.await);
    for cookies in [format!("{ada}; {eve}"), format!("{eve}; {ada}")] {
        assert_eq!(username_of_cookie(&browser, &cookies).await, None);
    }
    let found = username_of_cookie(&browser, &format!("{ada}; {ada}")).await;
    assert_eq!(found.as_deref(), Some("ada"));
}
