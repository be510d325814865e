//! Tests of the names that authors may write under.

use futures_util::future::join_all;
use protocol::{Author, NewMessage, RoomId};

use super::*;
use crate::identity::person::Person;
use crate::store::MessagesPage;
use crate::testing::{TestChat, new_guest};

#[tokio::test]
async fn refused_popular_name_does_not_fail_other_posts_of_the_batch() {
    let test = TestChat::new(|_| {}).await;
    let room = test.create_room().await;
    let other = test.create_room().await;
    let post = async |by: Person, room: RoomId, username: &str| {
        let message = NewMessage {
            username: username.to_owned(),
            body: "hello".to_owned(),
        };
        test.chat.post_message(&by, &room, &message, None).await
    };
    let names =
        std::iter::once("ada".to_owned()).chain((2..1_000).map(|number| format!("ada{number}")));
    for answer in join_all(names.map(async |name| post(new_guest(), room, &name).await)).await {
        answer.unwrap();
    }
    let posts = (0..20).map(|_| async {
        tokio::join!(
            post(Person::Anonymous, room, "ada"),
            post(new_guest(), other, "ada")
        )
    });
    for (refused, posted) in join_all(posts).await {
        let Err(Error::Refusal(Refusal::NameTaken { free, .. })) = refused else {
            panic!("{refused:?}")
        };
        assert!(
            free.starts_with("ada") && free.len() > "ada999".len(),
            "{free}"
        );
        assert!(
            matches!(
                posted,
                Ok(_) | Err(Error::Refusal(Refusal::NameTaken { .. }))
            ),
            "{posted:?}"
        );
    }
}

#[tokio::test]
async fn guest_with_a_refused_name_may_post_under_another_at_once_in_slow_mode() {
    let test = TestChat::new(|_| {}).await;
    let [owner, ada, eve] = [(); 3].map(|()| new_guest());
    let room = test
        .chat
        .create_room(&owner, &protocol::NewRoom::default())
        .await
        .unwrap()
        .id;
    let post = async |by: &Person, username: &str| {
        let message = NewMessage {
            username: username.to_owned(),
            body: "hello".to_owned(),
        };
        test.chat.post_message(by, &room, &message, None).await
    };
    post(&ada, "ada").await.unwrap();
    let slow = protocol::RoomChange {
        slow_mode: Some(3_600),
        ..protocol::RoomChange::default()
    };
    test.chat
        .change_room_settings(&owner, &room, &slow)
        .await
        .unwrap();
    assert!(matches!(
        post(&eve, "ada").await,
        Err(Error::Refusal(Refusal::NameTaken { .. }))
    ));
    post(&eve, "ada2").await.unwrap();
    assert!(matches!(
        post(&eve, "ada2").await,
        Err(Error::Refusal(Refusal::RateLimited(_)))
    ));
}

#[tokio::test]
async fn guest_name_belongs_to_the_guest_and_anonymous_authors_keep_none() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let room = test.create_room().await;
    let [ada, eve] = [(); 2].map(|()| new_guest());
    let post = async |by: &Person, username: &str| {
        let message = NewMessage {
            username: username.to_owned(),
            body: "hello".to_owned(),
        };
        match chat.post_message(by, &room, &message, None).await {
            Ok(message) => Ok(message.author),
            Err(Error::Refusal(Refusal::NameTaken { free, .. })) => Err(free),
            Err(other) => panic!("{other}"),
        }
    };
    for _ in 0..2 {
        assert_eq!(post(&Person::Anonymous, "ada").await, Ok(None));
    }
    assert_eq!(post(&ada, "ada").await, Ok(Some(Author::Guest)));
    for name in ["ada", "Ada", "аda"] {
        assert_eq!(post(&eve, name).await, Err(format!("{name}2")));
        assert_eq!(
            post(&Person::Anonymous, name).await,
            Err(format!("{name}2"))
        );
    }
    assert_eq!(post(&eve, "ada2").await, Ok(Some(Author::Guest)));
    assert_eq!(
        post(&Person::Anonymous, "ada").await,
        Err("ada3".to_owned())
    );
    assert_eq!(post(&ada, "ada").await, Ok(Some(Author::Guest)));
    // A guest who takes another name releases the old one.
    assert_eq!(post(&ada, "countess").await, Ok(Some(Author::Guest)));
    assert_eq!(post(&eve, "ada").await, Ok(Some(Author::Guest)));
    assert_eq!(post(&Person::Anonymous, "ada2").await, Ok(None));
}

#[tokio::test]
async fn name_that_looks_like_an_earlier_one_is_refused() {
    let test = TestChat::new(|_| {}).await;
    for (first, second) in [
        ("Ian", "lan"),
        ("lan", "Ian"),
        ("Ian", "ian"),
        ("Isabel", "lsabeI"),
        ("rnodern", "modern"),
    ] {
        let room = test.create_room().await;
        let post = async |username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            test.chat
                .post_message(&new_guest(), &room, &message, None)
                .await
        };
        post(first).await.unwrap();
        let answer = post(second).await;
        assert!(
            matches!(answer, Err(Error::Refusal(Refusal::NameTaken { .. }))),
            "{second} beside {first}"
        );
    }
}

#[tokio::test]
async fn username_belongs_to_its_account_in_every_room() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let room = test.create_room().await;
    let guest = new_guest();
    let new_message = |username: &str| NewMessage {
        username: username.to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(&guest, &room, &new_message("alice"), None)
        .await
        .unwrap();
    let other = test.create_room().await;
    for _ in 0..2 {
        chat.post_message(&Person::Anonymous, &other, &new_message("alice"), None)
            .await
            .unwrap();
    }
    let wish = protocol::NewAccount {
        name: "Alice".to_owned(),
        username: "alice".to_owned(),
        password: "secret".to_owned(),
    };
    let alice = chat
        .register_account(&wish, None)
        .await
        .unwrap()
        .account
        .into();
    let message = chat
        .post_message(&alice, &room, &new_message("Alice"), None)
        .await
        .unwrap();
    assert_eq!(
        (message.username.as_str(), message.author),
        ("alice", Some(Author::Account))
    );
    assert_eq!(
        chat.list_messages(&alice, &room, MessagesPage::default())
            .await
            .unwrap()[1],
        protocol::Message {
            own: true,
            ..message
        }
    );
    for name in ["alice", "aIice", "ALICE", "ａlice"] {
        for by in [&guest, &Person::Anonymous] {
            let refused = chat.post_message(by, &room, &new_message(name), None).await;
            assert!(
                matches!(refused, Err(Error::Refusal(Refusal::NameTaken { .. }))),
                "{name}"
            );
            let refused = chat.notify_typing(by, &room, name).await;
            assert!(
                matches!(refused, Err(Error::Refusal(Refusal::Taken(_)))),
                "{name}"
            );
        }
    }
    assert!(
        chat.post_message(&Person::Anonymous, &other, &new_message("alice"), None)
            .await
            .is_err()
    );
    let refused = chat
        .post_message(&alice, &room, &new_message("bob"), None)
        .await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::Invalid {
            field: "username",
            ..
        }))
    ));
    assert!(
        chat.open_lobby()
            .await
            .unwrap()
            .join("alice")
            .await
            .is_err()
    );
}
