//! The page of a room's members.

use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::moderation::forms::{
    HTML_ACCEPT, assert_redirects_to, assert_refused, get_json, get_page, join_by_forms,
    submit_form,
};

#[tokio::test]
async fn members_are_managed_by_forms_within_each_role() {
    let server = TestServer::new().await;
    let owner = server.account("owner").await;
    let bob = server.account("bob").await;
    let eve = server.guest("eve").await;
    let guest = server.guest("guest").await;
    let room = owner
        .create_room_with(json!({"private": true}))
        .await
        .id
        .to_string();
    for person in [&bob, &eve] {
        join_by_forms(&owner, &room, person).await;
        person.post(&room, "hello").await;
    }
    let path = format!("/rooms/{room}/");
    let people = format!("{path}members/");
    get_page(&guest, &people, 404).await;
    let members = get_json(&owner, &people).await;
    let eves = members
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["username"] == "eve")
        .unwrap();
    let eves = eves["id"].as_str().unwrap().to_owned();
    let html = get_page(&eve, &people, 200).await;
    assert!(
        html.contains("Leave this room") && !html.contains("Manage") && html.contains("bob"),
        "{html}"
    );

    assert_redirects_to(
        &submit_form(
            &owner,
            &format!("{people}bob/?method=PATCH"),
            &[("role", "moderator")],
        )
        .await,
        &people,
    );
    assert_refused(
        submit_form(
            &owner,
            &format!("{people}bob/?method=PATCH"),
            &[("role", "king")],
        )
        .await,
        422,
        "must be reader",
    )
    .await;
    assert_refused(
        submit_form(&eve, &format!("{people}bob/?method=DELETE"), &[]).await,
        403,
        "Only moderators",
    )
    .await;
    // A moderator mutes a member and lifts it, but cannot sanction an equal or higher role.
    let mute = [
        ("person", eves.as_str()),
        ("timeout", "10m"),
        ("kind", "mute"),
    ];
    assert_redirects_to(
        &submit_form(&bob, &format!("{path}sanctions/"), &mute).await,
        &people,
    );
    let ban = [("person", "owner"), ("timeout", ""), ("kind", "ban")];
    let html = assert_refused(
        submit_form(&bob, &format!("{path}sanctions/"), &ban).await,
        403,
        "no lesser role",
    )
    .await;
    assert!(
        html.contains("role=\"alert\"") && html.contains("muted for another"),
        "the same page: {html}"
    );
    assert_redirects_to(
        &bob.get(&format!("{path}sanctions/"), HTML_ACCEPT).await,
        &people,
    );
    assert_eq!(eve.try_post(&room, "psst").await.status(), 403);
    assert_redirects_to(
        &submit_form(&bob, &format!("{path}sanctions/{eves}/?method=DELETE"), &[]).await,
        &people,
    );
    assert_refused(
        submit_form(&bob, &format!("{path}sanctions/{eves}/?method=DELETE"), &[]).await,
        404,
        "no such sanction",
    )
    .await;
    eve.post(&room, "thanks").await;
    // A ban without a time is permanent.
    assert_redirects_to(
        &submit_form(
            &bob,
            &format!("{path}sanctions/"),
            &[mute[0], ("timeout", ""), ("kind", "ban")],
        )
        .await,
        &people,
    );
    assert_eq!(
        get_json(&bob, &format!("{path}sanctions/")).await[0]["until"],
        Value::Null
    );
    get_page(&eve, &people, 403).await;
    assert_redirects_to(
        &submit_form(&bob, &format!("{people}{eves}/?method=DELETE"), &[]).await,
        &people,
    );

    // The audit log is in words, with the names that users write under.
    let html = get_page(&bob, &people, 200).await;
    let text: String = html
        .split('<')
        .filter_map(|tag| tag.split_once('>'))
        .map(|(_, text)| text)
        .collect();
    for words in [
        "bob muted eve · just now",
        "bob banned eve",
        "bob removed eve",
        "owner made bob a moderator",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let html = get_page(&bob, &format!("{path}audit/?before=3"), 200).await;
    assert!(
        html.contains("made an invitation") && !html.contains("banned"),
        "{html}"
    );
    get_page(&guest, &format!("{path}audit/"), 404).await;

    let handed = submit_form(
        &owner,
        &format!("{people}bob/?method=PATCH"),
        &[("role", "owner")],
    )
    .await;
    assert_redirects_to(&handed, &people);
    assert_eq!(get_json(&bob, &path).await["role"], "owner");
    assert_redirects_to(
        &submit_form(
            &owner,
            &format!("{people}owner/?method=DELETE"),
            &[("next", "/")],
        )
        .await,
        "/",
    );
    get_page(&owner, &people, 404).await;
}

#[tokio::test]
async fn member_list_of_an_open_room_is_hidden_from_guests() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let guest = server.guest("guest").await;
    let room = owner.create_room().await;
    let html = get_page(&guest, &format!("/rooms/{room}/members/"), 200).await;
    assert!(
        html.contains("only its moderators see") && !html.contains("Leave"),
        "{html}"
    );
    assert!(
        get_page(&owner, &format!("/rooms/{room}/members/"), 200)
            .await
            .contains("(you)")
    );
    get_page(&guest, &format!("/rooms/{room}/invitations/"), 403).await;
    get_page(&guest, &format!("/rooms/{room}/audit/"), 403).await;
}
