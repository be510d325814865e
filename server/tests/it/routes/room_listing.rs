//! Whether a room is among a person's own rooms: as JSON, as a form, and in the overview.

use serde_json::{Value, json};

use crate::harness::{EventReader, TestServer, TestUser, expect_json, expect_problem};
use crate::moderation::forms::{assert_redirects_to, get_json, get_page, submit_form};
use crate::moderation::send_json;

async fn create_public_room(server: &TestServer) -> String {
    let wish = json!({"name": "Tea", "public": true});
    let room = server.visitor("eve").create_room_with(wish).await;
    room.id.to_string()
}

/// The IDs of the user's own rooms, of those that are only open, in the overview of a stream that
/// follows a room.
async fn overview_beside(user: &TestUser, room: &str, query: &str) -> [Vec<String>; 2] {
    let path = format!("/stream?overview=on&rooms={room}&{query}");
    let mut stream = EventReader::new(user.get(&path, "text/event-stream").await);
    loop {
        let event = stream.next().await.unwrap();
        if event.name == "overview" {
            let overview: Value = serde_json::from_str(&event.data).unwrap();
            return ["rooms", "open"].map(|list| ids(&overview[list]));
        }
    }
}

fn ids(rooms: &Value) -> Vec<String> {
    let rooms = rooms.as_array().into_iter().flatten();
    rooms
        .map(|room| room["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn followed_room_is_open_until_it_is_kept_and_again_once_it_is_hidden() {
    let server = TestServer::new().await;
    let room = create_public_room(&server).await;
    let path = format!("/rooms/{room}/listing/");
    for user in [server.account("ada").await, server.guest("grace").await] {
        let (none, one) = (Vec::new(), vec![room.clone()]);
        let only_open = [none.clone(), one.clone()];
        let own = [one, none];
        assert_eq!(get_json(&user, &path).await, json!({"listed": null}));
        assert_eq!(overview_beside(&user, &room, "").await, only_open);
        let visited = format!("also={room}");
        assert_eq!(overview_beside(&user, &room, &visited).await, own);
        for (listed, expected) in [(true, &own), (false, &only_open)] {
            let wish = json!({"listed": listed});
            let answer = send_json(&user, "PUT", &path, wish.clone()).await;
            assert_eq!(expect_json(answer).await, wish);
            assert_eq!(get_json(&user, &path).await, wish);
            assert_eq!(&overview_beside(&user, &room, &visited).await, expected);
        }
        user.post(&room, "hello").await;
        assert_eq!(overview_beside(&user, &room, "").await, own, "has written");
    }
}

#[tokio::test]
async fn choice_reaches_every_open_overview() {
    let server = TestServer::new().await;
    let room = create_public_room(&server).await;
    let ada = server.account("ada").await;
    let path = format!("/rooms/{room}/listing/");
    let mut stream = EventReader::new(ada.get("/overview/", "text/event-stream").await);
    let mut expected = Vec::new();
    for listed in [true, false] {
        let event = stream.next().await.unwrap();
        let overview: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(ids(&overview["rooms"]), expected);
        send_json(&ada, "PUT", &path, json!({"listed": listed})).await;
        expected = vec![room.clone()];
    }
    let event = stream.next().await.unwrap();
    let overview: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(ids(&overview["rooms"]), Vec::<String>::new());
}

#[tokio::test]
async fn form_keeps_and_hides_a_room_and_a_member_is_offered_to_leave() {
    let server = TestServer::new().await;
    let room = create_public_room(&server).await;
    let guest = server.guest("grace").await;
    let path = format!("/rooms/{room}/listing/");
    let put = format!("{path}?method=PUT");
    for (offer, listed) in [
        ("Keep in my rooms", "true"),
        ("Hide from my rooms", "false"),
    ] {
        let html = get_page(&guest, &path, 200).await;
        assert!(html.contains(offer), "{html}");
        let answer = submit_form(&guest, &put, &[("listed", listed)]).await;
        assert_redirects_to(&answer, &path);
    }
    let html = get_page(&guest, &path, 200).await;
    assert!(html.contains("Keep in my rooms"), "{html}");

    let own = guest.create_room().await;
    let path = format!("/rooms/{own}/listing/");
    let html = get_page(&guest, &path, 200).await;
    assert!(html.contains("Leave this room"), "{html}");
    let refused = send_json(&guest, "PUT", &path, json!({"listed": false})).await;
    expect_problem(refused, 403).await;
    let leave = html.split("action=\"").nth(1).unwrap();
    let leave = leave.split('"').next().unwrap();
    let answer = submit_form(&guest, leave, &[("next", "/")]).await;
    assert_redirects_to(&answer, "/");
    let overview = get_json(&guest, &format!("/overview/?also={own}")).await;
    assert_eq!(ids(&overview["rooms"]), Vec::<String>::new());
}

#[tokio::test]
async fn page_of_a_room_lists_it_among_the_own_rooms_unless_it_is_public_or_hidden() {
    let server = TestServer::new().await;
    let public = create_public_room(&server).await;
    let eve = server.visitor("eve");
    let unlisted = eve.create_room_with(json!({"name": "Rum"})).await;
    let unlisted = unlisted.id.to_string();
    let guest = server.guest("grace").await;
    let hidden = eve.create_room_with(json!({"name": "Gin"})).await;
    let hidden = hidden.id.to_string();
    let path = format!("/rooms/{hidden}/listing/");
    send_json(&guest, "PUT", &path, json!({"listed": false})).await;
    for (room, is_own) in [(&public, false), (&unlisted, true), (&hidden, false)] {
        let html = get_page(&guest, &format!("/rooms/{room}/"), 200).await;
        let own = html.split("\"overview\":").nth(1).unwrap();
        let own = own.split("\"chats\":").next().unwrap();
        assert_eq!(own.contains(room.as_str()), is_own, "{own}");
    }
}
