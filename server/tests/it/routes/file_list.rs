//! The list of all files of a room.

use protocol::Message;
use reqwest::StatusCode;

use super::files::send;
use crate::harness::{TestServer, TestUser, expect_problem};

async fn names(user: &TestUser, room: &str, query: &str) -> Vec<String> {
    let answer = user
        .get(&format!("/rooms/{room}/files/{query}"), "application/json")
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let messages: Vec<Message> = answer.json().await.unwrap();
    let files = messages.iter().flat_map(Message::files);
    files.map(|file| file.name.clone()).collect()
}

#[tokio::test]
async fn files_of_a_room_are_listed_the_newest_first_as_long_as_they_are_in_messages() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let [room, other] = [ada.create_room().await, ada.create_room().await];
    send(&ada, &other, "elsewhere.txt", b"0").await;
    assert!(names(&ada, &room, "").await.is_empty());
    send(&ada, &room, "one.txt", b"1").await;
    ada.post(&room, "a text between").await;
    let two = send(&ada, &room, "two.txt", b"2").await;
    send(&ada, &room, "three.txt", b"3").await;
    assert_eq!(
        names(&ada, &room, "").await,
        ["three.txt", "two.txt", "one.txt"]
    );
    assert_eq!(names(&ada, &room, "?limit=1").await, ["three.txt"]);
    assert_eq!(names(&ada, &room, "?before=3").await, ["one.txt"]);
    let path = format!("/rooms/{room}/files/{}", two.id);
    let deleted = ada.request(reqwest::Method::DELETE, &path).send().await;
    assert_eq!(deleted.unwrap().status(), StatusCode::NO_CONTENT);
    assert_eq!(names(&ada, &room, "").await, ["three.txt", "one.txt"]);
    let wrong = ada
        .get(
            &format!("/rooms/{room}/files/?before=x"),
            "application/json",
        )
        .await;
    expect_problem(wrong, 422).await;
}

#[tokio::test]
async fn list_is_a_page_with_names_as_text_and_links_to_earlier_files() {
    let server = TestServer::new().await;
    let ada = server.guest("ada").await;
    let room = ada.create_room().await;
    let path = format!("/rooms/{room}/files/");
    let empty = ada.get(&path, "text/html").await.text().await.unwrap();
    assert!(empty.contains("No files have been sent"), "{empty}");
    let file = send(&ada, &room, "<b>&.txt", b"1").await;
    send(&ada, &room, "last.txt", b"22").await;
    let page = ada.get(&format!("{path}?limit=2"), "text/html").await;
    let page = page.text().await.unwrap();
    assert!(
        page.contains("&lt;b>&amp;.txt") || page.contains("&lt;b&gt;&amp;.txt"),
        "{page}"
    );
    for part in [&*file.url, "2 B", "#m2", "?before=1"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
