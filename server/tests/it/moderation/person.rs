//! The card of a person: as JSON, as a page, and its forms.

use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, expect_json, expect_problem};
use crate::moderation::forms::{HTML_ACCEPT, assert_redirects_to, get_json, get_page, submit_form};
use crate::moderation::{join_by_invitation, send_json};

/// A room of ada, with the member bob, the guest `<b>eve` and an author without a key.
struct Room {
    ada: TestUser,
    bob: TestUser,
    eve: TestUser,
    visitor: TestUser,
    id: String,
}

impl Room {
    async fn create(server: &TestServer) -> Self {
        let ada = server.account("ada").await;
        let bob = server.account("bob").await;
        let id = ada.create_room().await;
        join_by_invitation(&ada, &id, &bob, "member").await;
        let room = Self {
            ada,
            bob,
            eve: server.guest("<b>eve").await,
            visitor: server.visitor("someone"),
            id,
        };
        for user in [&room.ada, &room.bob, &room.eve, &room.visitor] {
            user.post(&room.id, "hello").await;
        }
        room
    }

    fn path(&self, rest: &str) -> String {
        format!("/rooms/{}/{rest}", self.id)
    }

    async fn card(&self, by: &TestUser, query: &str) -> Value {
        expect_json(
            send_json(
                by,
                "GET",
                &self.path(&format!("person/?{query}")),
                Value::Null,
            )
            .await,
        )
        .await
    }

    async fn page(&self, by: &TestUser, query: &str, status: u16) -> String {
        get_page(by, &self.path(&format!("person/?{query}")), status).await
    }

    /// Submits the form on a page whose button has this label, with its hidden fields, and follows it
    /// to the next page.
    async fn click(&self, by: &TestUser, html: &str, label: &str) -> String {
        let form = html
            .split("<form")
            .find(|form| form.contains(&format!(">{label}<")))
            .unwrap_or_else(|| panic!("{label}: {html}"));
        let attribute = |tag: &str, name: &str| {
            let value = tag.split(&format!("{name}=\"")).nth(1)?;
            Some(value.split('"').next()?.replace("&amp;", "&"))
        };
        let action = attribute(form, "action").unwrap();
        let fields: Vec<(String, String)> = form
            .split("<input")
            .skip(1)
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
            .collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (&**a, &**b)).collect();
        let answer = submit_form(by, &action, &fields).await;
        assert_eq!(answer.status(), 303, "{label}");
        let next = answer.headers()["location"].to_str().unwrap().to_owned();
        get_page(by, &next, 200).await
    }
}

#[tokio::test]
async fn card_has_the_facts_that_its_reader_may_know() {
    let server = TestServer::new().await;
    let room = Room::create(&server).await;
    let bob = json!({
        "id": "bob", "username": "bob", "name": "BOB", "author": "account", "role": "member",
        "actions": ["message", "mention", "mute", "ban", "make_reader", "make_moderator", "make_owner", "remove"],
    });
    for query in ["name=bob", "name=BOB", "message=2"] {
        assert_eq!(room.card(&room.ada, query).await, bob, "{query}");
    }
    let seen_by_eve = json!({
        "id": "bob", "username": "bob", "name": "BOB", "author": "account", "actions": ["mention"],
    });
    assert_eq!(room.card(&room.eve, "name=bob").await, seen_by_eve);
    let eve = room.card(&room.bob, "name=%3Cb%3Eeve").await;
    let expected = json!({"username": "<b>eve", "author": "guest", "actions": ["mention"]});
    assert_eq!(eve, expected);
    let someone = room.card(&room.ada, "message=4").await;
    assert_eq!(
        someone,
        json!({"username": "someone", "actions": ["mention"]})
    );
    let own = room.card(&room.bob, "name=bob").await;
    assert_eq!((&own["own"], &own["actions"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn query_must_name_one_person_who_exists() {
    let server = TestServer::new().await;
    let room = Room::create(&server).await;
    for (query, status) in [
        ("", 422),
        ("name=bob&message=2", 422),
        ("message=0", 422),
        ("message=x", 422),
        ("message=99", 404),
        ("name=", 404),
        ("name=nobody", 404),
        ("name=..%2F..", 404),
        ("name=%E2%80%AE%E2%80%8B", 404),
        ("name=%ff", 400),
    ] {
        let path = room.path(&format!("person/?{query}"));
        expect_problem(room.ada.get(&path, "application/json").await, status).await;
        room.page(&room.ada, query, status).await;
    }
    let html = room.page(&room.ada, "name=%3Cb%3Enobody", 404).await;
    assert!(html.contains("No one in this room has this name now."));
    assert!(!html.contains("<b>"), "{html}");
    // The same address without the slash at its end leads here.
    let answer = room
        .ada
        .get(&room.path("person?name=bob"), HTML_ACCEPT)
        .await;
    assert_eq!(answer.status(), 308);
}

#[tokio::test]
async fn page_offers_the_actions_by_name_and_each_can_be_undone() {
    let server = TestServer::new().await;
    let room = Room::create(&server).await;
    let html = room.page(&room.ada, "message=2", 200).await;
    for part in [
        "<h1>BOB</h1>",
        "A member of this room.",
        "Has an account.",
        "href=\"/chats/bob\"",
        "data-mention=\"@bob \"",
        "Ban bob for a day",
        "Make bob a reader",
        "Hand this room over to bob",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let muted = room
        .click(&room.ada, &html, "Mute bob for 10 minutes")
        .await;
    assert!(muted.contains("bob is muted for 10 minutes."), "{muted}");
    assert!(!muted.contains(">Mute bob for 10 minutes<"), "{muted}");
    assert_eq!(room.bob.try_post(&room.id, "psst").await.status(), 403);
    let free = room.click(&room.ada, &muted, "Undo").await;
    assert!(free.contains("bob is no longer muted or banned."), "{free}");
    room.bob.post(&room.id, "thanks").await;
    let html = room.click(&room.ada, &free, "Make bob a moderator").await;
    assert!(html.contains("bob is a moderator now."), "{html}");
    let html = room.click(&room.ada, &html, "Undo").await;
    assert!(html.contains("bob is a member now."), "{html}");
    let html = room.click(&room.ada, &html, "Ban bob for a day").await;
    assert!(html.contains("bob is banned for 1 day."), "{html}");
    let html = room
        .click(&room.ada, &html, "Remove bob from this room")
        .await;
    assert!(
        html.contains("bob is banned for 1 day."),
        "what holds comes first"
    );
    let html = room.click(&room.ada, &html, "Undo").await;
    assert!(
        !html.contains("Remove bob") && html.contains("Mute bob"),
        "{html}"
    );
    assert_eq!(room.card(&room.ada, "name=bob").await.get("role"), None);
}

#[tokio::test]
async fn change_in_the_address_is_shown_only_if_it_is_so() {
    let server = TestServer::new().await;
    let room = Room::create(&server).await;
    for (query, line) in [
        ("name=bob&done=removed", "is removed"),
        ("name=bob&done=role&was=member", "is a member now"),
        ("name=bob&done=role&was=king", "now."),
        ("name=bob&done=nothing", "status-message"),
        ("name=bob", "status-message"),
    ] {
        let html = room.page(&room.ada, query, 200).await;
        assert!(!html.contains(line), "{query}: {html}");
    }
    let muted = json!({"person": "bob", "kind": "mute"});
    expect_json(send_json(&room.ada, "POST", &room.path("sanctions/"), muted).await).await;
    let html = room.page(&room.ada, "name=bob&done=lifted", 200).await;
    assert!(html.contains("bob is muted for good.") && !html.contains("no longer"));
    let html = room.page(&room.eve, "name=bob&done=lifted", 200).await;
    assert!(!html.contains("muted for good") && !html.contains("Undo"));
}

#[tokio::test]
async fn sanction_against_an_author_leads_to_the_card_of_the_author() {
    let server = TestServer::new().await;
    let room = Room::create(&server).await;
    let fields = [("message", "3"), ("kind", "mute"), ("timeout", "10m")];
    let answer = submit_form(&room.ada, &room.path("sanctions/"), &fields).await;
    assert_redirects_to(&answer, &room.path("person/?message=3"));
    let html = room.page(&room.ada, "message=3", 200).await;
    assert!(
        html.contains("&lt;b&gt;eve is muted for 10 minutes."),
        "{html}"
    );
    assert!(!html.contains("<b>"), "{html}");
    let html = room.click(&room.ada, &html, "Undo").await;
    assert!(html.contains("eve is no longer muted or banned."), "{html}");
}

#[tokio::test]
async fn room_has_the_roles_that_everyone_sees_and_streams_ring_for_them() {
    let server = TestServer::new().await;
    let room = Room::create(&server).await;
    let found = get_json(&room.visitor, &room.path("")).await;
    assert_eq!(found["roles"], json!(["owner ada"]));
    let mut stream = room.visitor.follow(&room.id, "after=latest").await;
    let path = room.path("members/bob/");
    let role = json!({"role": "moderator"});
    expect_json(send_json(&room.ada, "PATCH", &path, role).await).await;
    let event = stream.next().await.unwrap();
    assert_eq!((&*event.name, event.id), ("roles", None));
    assert_eq!(event.data, json!({"room": room.id}).to_string());
    let found = get_json(&room.visitor, &room.path("")).await;
    assert_eq!(found["roles"], json!(["owner ada", "moderator bob"]));
    let listed = get_json(&room.bob, "/overview/").await;
    assert_eq!(listed["rooms"][0].get("roles"), None);
}
