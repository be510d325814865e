//! Tests of the roles that everyone in a room sees.

use protocol::{EventName, NewRoom, Role, RoomChange, RoomId, Start};

use super::person_card_tests::{post_as, set_role};
use crate::store::members;
use crate::testing::{TestChat, new_guest};
use crate::{Chat, FollowEvent, Follower, Person};

async fn roles(chat: &Chat, by: &Person, room: RoomId) -> Vec<String> {
    chat.find_room(by, &room).await.unwrap().roles
}

#[tokio::test]
async fn room_names_its_owner_operators_and_moderators_once_each() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let names = ["moderator", "boss", "zoe-boss", "member"];
    for name in names {
        test.register(name).await;
    }
    for name in ["boss", "zoe-boss"] {
        crate::set_operator(&test.config, name, true).await.unwrap();
    }
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let person = async |name: &str| {
        let id = crate::store::accounts::find_account(&chat.0.store, name).await;
        id.unwrap().unwrap().id
    };
    for (name, role) in [
        ("boss", Role::Moderator),
        ("moderator", Role::Moderator),
        ("member", Role::Member),
    ] {
        let mut tx = chat.0.store.begin().await.unwrap();
        let id = person(name).await;
        members::add_member(&mut tx, chat.now(), room, id, role)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let expected = [
        "owner owner",
        "operator boss",
        "operator zoe-boss",
        "moderator moderator",
    ];
    assert_eq!(roles(chat, &Person::Anonymous, room).await, expected);
    let change = RoomChange {
        private: Some(true),
        ..RoomChange::default()
    };
    chat.change_room_settings(&owner, &room, &change)
        .await
        .unwrap();
    let mut found = roles(chat, &owner, room).await;
    found.sort();
    // An operator has no power in a private room.
    let expected = ["moderator boss", "moderator moderator", "owner owner"];
    assert_eq!(found, expected);
    let direct = chat.open_direct_room(&owner, "boss").await.unwrap();
    assert!(direct.roles.is_empty());
}

#[tokio::test]
async fn list_of_roles_is_cut_and_begins_with_the_owner() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    for n in 0..120 {
        let guest = new_guest();
        set_role(&test, room, &guest, Some(Role::Moderator)).await;
        post_as(chat, &guest, room, &format!("moderator {n}")).await;
    }
    let roles = roles(chat, &Person::Anonymous, room).await;
    assert_eq!(roles.len(), 100);
    assert_eq!(roles[0], "owner owner");
}

/// Whether a follower learns that the roles have changed, before it receives the next message.
async fn hears_of_roles(test: &TestChat, room: RoomId, follower: &mut Follower) -> bool {
    test.post(room, "next").await;
    let mut has_heard = false;
    loop {
        match follower.next().await.unwrap() {
            FollowEvent::Ephemeral(event) => has_heard |= event.name() == EventName::Roles,
            FollowEvent::Messages(frames) => {
                let bytes = String::from_utf8_lossy(frames.bytes()).into_owned();
                if bytes.contains("\"next\"") {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    // What is announced comes after the messages.
    let wait = std::time::Duration::from_millis(50);
    while let Ok(Ok(event)) = tokio::time::timeout(wait, follower.next()).await {
        if let FollowEvent::Ephemeral(event) = event {
            has_heard |= event.name() == EventName::Roles;
        }
    }
    has_heard
}

#[tokio::test]
async fn every_change_of_a_visible_role_rings_for_followers_and_no_other_change_does() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let bob = test.register("bob").await;
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    set_role(&test, room, &bob, Some(Role::Member)).await;
    let mut follower = chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    let make = async |role| {
        chat.set_member_role(&owner, &room, "bob", role)
            .await
            .unwrap()
    };
    for (role, rings) in [
        (Role::Reader, false),
        (Role::Moderator, true),
        (Role::Member, true),
        (Role::Member, false),
    ] {
        make(role).await;
        assert_eq!(
            hears_of_roles(&test, room, &mut follower).await,
            rings,
            "{role:?}"
        );
    }
    make(Role::Moderator).await;
    assert!(hears_of_roles(&test, room, &mut follower).await);
    chat.remove_member(&owner, &room, "bob").await.unwrap();
    assert!(hears_of_roles(&test, room, &mut follower).await, "removed");
    chat.change_display_name(&owner, "The owner").await.unwrap();
    assert!(
        !hears_of_roles(&test, room, &mut follower).await,
        "a display name"
    );
    chat.delete_account(&owner, "secret", None).await.unwrap();
    assert!(hears_of_roles(&test, room, &mut follower).await, "deleted");
}

#[tokio::test]
async fn operator_who_is_made_or_revoked_by_another_process_rings_in_a_followed_room() {
    let test = TestChat::new(|_| {}).await;
    test.register("boss").await;
    let room = test.create_room().await;
    let by = Person::Anonymous;
    let mut follower = test
        .chat
        .follow_room(&by, &room, Start::Latest)
        .await
        .unwrap();
    for is_operator in [true, false] {
        crate::set_operator(&test.config, "boss", is_operator)
            .await
            .unwrap();
        test.config.clock.advance(std::time::Duration::from_secs(6));
        let event = tokio::time::timeout(std::time::Duration::from_secs(30), follower.next());
        let FollowEvent::Ephemeral(event) = event.await.unwrap().unwrap() else {
            panic!("another event")
        };
        assert_eq!(event.name(), EventName::Roles);
        let listed = roles(&test.chat, &by, room).await;
        assert_eq!(listed.len(), usize::from(is_operator));
    }
}

#[tokio::test]
async fn guest_with_a_role_rings_with_the_first_message_and_with_each_new_name() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let [guest, other] = [new_guest(), new_guest()];
    let room = chat
        .create_room(&guest, &NewRoom::default())
        .await
        .unwrap()
        .id;
    assert!(roles(chat, &guest, room).await.is_empty(), "no name yet");
    let mut follower = chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap();
    for (by, name, rings) in [
        (&guest, "ann", true),
        (&guest, "ann", false),
        (&other, "ben", false),
        (&guest, "bea", true),
    ] {
        post_as(chat, by, room, name).await;
        assert_eq!(
            hears_of_roles(&test, room, &mut follower).await,
            rings,
            "{name}"
        );
    }
    assert_eq!(roles(chat, &Person::Anonymous, room).await, ["owner ~bea"]);
    let account = test.register("bea-account").await;
    chat.merge_guest(&account, &guest).await.unwrap();
    assert!(hears_of_roles(&test, room, &mut follower).await, "merged");
    assert_eq!(
        roles(chat, &Person::Anonymous, room).await,
        ["owner bea-account"]
    );
}

#[tokio::test]
async fn follower_that_starts_after_a_change_of_roles_hears_of_it() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let guest = new_guest();
    let room = chat
        .create_room(&guest, &NewRoom::default())
        .await
        .unwrap()
        .id;
    post_as(chat, &guest, room, "ann").await;
    let start = async || {
        let by = Person::Anonymous;
        chat.follow_room(&by, &room, Start::Latest).await.unwrap()
    };
    assert!(hears_of_roles(&test, room, &mut start().await).await);
    test.config
        .clock
        .advance(std::time::Duration::from_secs(601));
    assert!(!hears_of_roles(&test, room, &mut start().await).await);
}
