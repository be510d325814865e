//! Tests of a chat as a whole.

use protocol::Start;

use crate::testing::{TestChat, new_message};
use crate::{Chat, Error, FollowEvent, MessagesPage, Person};

#[tokio::test]
async fn second_server_on_the_same_data_directory_is_refused() {
    let test = TestChat::new(|_| {}).await;
    let second = Chat::open(test.config.clone()).await;
    assert!(second.is_err_and(|error| error.to_string().contains("another webchat")));
}

#[tokio::test]
async fn messages_survive_a_restart() {
    let mut test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let message = test.post(room, "hello").await;
    let epoch = test.chat.0.epoch.get();
    let instance_id = test.chat.instance_id();
    test.reopen().await;
    assert_eq!(
        test.chat
            .list_messages(&Person::Anonymous, &room, MessagesPage::default())
            .await
            .unwrap(),
        [message]
    );
    assert_eq!(test.chat.0.epoch.get(), epoch);
    assert_eq!(test.chat.instance_id(), instance_id);
}

#[tokio::test]
async fn room_name_leads_to_one_room_until_that_room_ends() {
    let test = TestChat::new(|_| {}).await;
    let asked = (0..20).map(|_| test.chat.find_or_create_room_by_name(" tea "));
    let rooms = futures_util::future::join_all(asked).await;
    let first = rooms[0].as_ref().unwrap();
    assert_eq!(first.name.as_deref(), Some("tea"));
    assert!(
        rooms
            .iter()
            .all(|room| room.as_ref().is_ok_and(|room| room.id == first.id))
    );
    let mut follow = test
        .chat
        .follow_room(&Person::Anonymous, &first.id, Start::Latest)
        .await
        .unwrap();
    test.config.clock.advance(test.config.timeout);
    while !matches!(follow.next().await.unwrap(), FollowEvent::Closed(_)) {}
    assert_ne!(
        test.chat
            .find_or_create_room_by_name("tea")
            .await
            .unwrap()
            .id,
        first.id
    );
}

#[tokio::test]
async fn closed_chat_refuses_posts() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    test.chat.close().await;
    let refused = test
        .chat
        .post_message(&Person::Anonymous, &room, &new_message("late"), None)
        .await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(protocol::Refusal::Draining))
    ));
}
