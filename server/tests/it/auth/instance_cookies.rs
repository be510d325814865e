//! Cookies of several servers on one host: browsers send each cookie to every port.

use serde_json::json;

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
