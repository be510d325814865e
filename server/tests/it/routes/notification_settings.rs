//! When a person receives no notifications: as JSON, and as forms.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{TestServer, expect_json, expect_problem};
use crate::moderation::forms::{
    HTML_ACCEPT, assert_redirects_to, assert_refused, get_json, get_page, submit_form,
};
use crate::moderation::send_json;

const PATH: &str = "/profile/notifications/";

fn quiet() -> Value {
    json!({"from": "22:00", "to": "07:00", "zone": "Europe/Berlin"})
}

#[tokio::test]
async fn settings_are_replaced_as_a_whole_by_accounts_and_guests() {
    let server = TestServer::new().await;
    let until = server.clock.now().after(Duration::from_secs(600));
    let none = json!({"pause_until": null, "quiet": null});
    for user in [server.account("ada").await, server.guest("grace").await] {
        assert_eq!(get_json(&user, PATH).await, none);
        let wish = json!({"pause_until": until, "quiet": quiet()});
        let answer = send_json(&user, "PUT", PATH, wish.clone()).await;
        assert_eq!(expect_json(answer).await, wish);
        assert_eq!(get_json(&user, PATH).await, wish);
        let answer = send_json(&user, "PUT", PATH, json!({})).await;
        assert_eq!(expect_json(answer).await, none);
    }
    let visitor = server.visitor("eve");
    assert_eq!(get_json(&visitor, PATH).await, none);
    let refused = send_json(&visitor, "PUT", PATH, json!({"quiet": quiet()})).await;
    expect_problem(refused, 401).await;
}

#[tokio::test]
async fn invalid_setting_is_refused_by_its_field() {
    let server = TestServer::new().await;
    let guest = server.guest("grace").await;
    for (wish, field) in [
        (json!({"pause_until": "tomorrow"}), "pause_until"),
        (json!({"pause_until": 5}), "pause_until"),
        (
            json!({"pause_until": "2999-01-01T00:00:00Z"}),
            "pause_until",
        ),
        (json!({"quiet": "22:00"}), "quiet"),
        (json!({"quiet": {}}), "from"),
        (json!({"quiet": {"from": "22:00"}}), "to"),
        (
            json!({"quiet": {"from": "24:00", "to": "07:00", "zone": "UTC"}}),
            "from",
        ),
        (
            json!({"quiet": {"from": "22:00", "to": "07:00", "zone": "a b"}}),
            "zone",
        ),
    ] {
        let refused = send_json(&guest, "PUT", PATH, wish.clone()).await;
        let problem = expect_problem(refused, 422).await;
        assert_eq!(problem.field.as_deref(), Some(field), "{wish}");
    }
    for (wish, field) in [
        (json!({"pause": "forever"}), "pause"),
        (
            json!({"pause": "tomorrow", "utc_offset": "900"}),
            "utc_offset",
        ),
        (json!({"quiet": true}), "from"),
    ] {
        let refused = guest.post_json(PATH, wish.clone()).await;
        let problem = expect_problem(refused, 422).await;
        assert_eq!(problem.field.as_deref(), Some(field), "{wish}");
    }
}

#[tokio::test]
async fn pause_and_quiet_hours_are_changed_alone_by_their_forms() {
    let server = TestServer::new().await;
    let guest = server.guest("grace").await;
    let changed = format!("{PATH}?changed=1&next=%2Frooms%2F");
    let next = ("next", "/rooms/");
    let quiet_form = [
        next,
        ("from", "22:00"),
        ("to", "07:00"),
        ("zone", "Europe/Berlin"),
        ("quiet", "on"),
    ];
    assert_redirects_to(&submit_form(&guest, PATH, &quiet_form).await, &changed);
    assert_redirects_to(
        &submit_form(&guest, PATH, &[next, ("pause", "hour")]).await,
        &changed,
    );
    let html = get_page(&guest, &changed, 200).await;
    for part in ["Saved.", "are paused until", "22:00", "Europe/Berlin"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let stored = get_json(&guest, PATH).await;
    let in_an_hour = server.clock.now().after(Duration::from_secs(3_600));
    let until = stored["pause_until"].as_str().unwrap().parse().unwrap();
    assert!(in_an_hour.since(until) < Duration::from_secs(60));
    assert_eq!(stored["quiet"], quiet());

    let tomorrow = [next, ("utc_offset", "-300"), ("pause", "tomorrow")];
    assert_redirects_to(&submit_form(&guest, PATH, &tomorrow).await, &changed);
    let stored = get_json(&guest, PATH).await;
    let until = stored["pause_until"].as_str().unwrap();
    assert!(until.ends_with("T13:00:00.000Z"), "{until}");

    assert_redirects_to(
        &submit_form(&guest, PATH, &[next, ("pause", "resume")]).await,
        &changed,
    );
    assert_redirects_to(
        &submit_form(&guest, PATH, &[next, ("quiet", "off"), ("zone", "a b")]).await,
        &changed,
    );
    let none = json!({"pause_until": null, "quiet": null});
    assert_eq!(get_json(&guest, PATH).await, none);
}

#[tokio::test]
async fn refused_form_shows_what_was_entered_and_the_error_at_its_field() {
    let server = TestServer::new().await;
    let guest = server.guest("grace").await;
    let form = [
        ("from", "25:00"),
        ("to", "06:30"),
        ("zone", "Europe/Berlin"),
        ("quiet", "on"),
    ];
    let refused = submit_form(&guest, PATH, &form).await;
    let html = assert_refused(refused, 422, "id=\"from-error\"").await;
    assert!(html.contains("25:00") && html.contains("06:30"), "{html}");
}

#[tokio::test]
async fn page_gives_a_visitor_the_key_that_its_forms_need() {
    let server = TestServer::new().await;
    let visitor = server.visitor("eve");
    let page = visitor.get(PATH, HTML_ACCEPT).await;
    let key = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    let key = key.split(';').next().unwrap();
    let send = |key: Option<&str>| {
        let request = visitor
            .request(reqwest::Method::POST, PATH)
            .header("accept", HTML_ACCEPT)
            .form(&[("pause", "hour")]);
        match key {
            Some(key) => request.header("cookie", key).send(),
            None => request.send(),
        }
    };
    assert_eq!(send(None).await.unwrap().status(), 401);
    assert_eq!(send(Some(key)).await.unwrap().status(), 303);
}
