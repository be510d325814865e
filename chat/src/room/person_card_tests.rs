//! Tests of the cards of people.

use protocol::{
    Author, NewMessage, NewRoom, PersonAction, PersonCard, Refusal, Role, RoomId, SanctionKind,
    Start,
};
use texts::{Text, refusal};

use crate::room::person_card::PersonQuery;
use crate::room::sanctions::SanctionTarget;
use crate::store::{members, sanctions};
use crate::testing::{TestChat, new_guest, new_message};
use crate::{Chat, Error, Person};

const ALL_ACTIONS: [PersonAction; 10] = [
    PersonAction::Message,
    PersonAction::Mention,
    PersonAction::Mute,
    PersonAction::Ban,
    PersonAction::Lift,
    PersonAction::MakeReader,
    PersonAction::MakeMember,
    PersonAction::MakeModerator,
    PersonAction::MakeOwner,
    PersonAction::Remove,
];

/// A person of the test for all pairs of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Stranger,
    Member(Role),
    /// An operator of the server, who is a member of the room.
    Operator,
}

const PLACES: [Place; 6] = [
    Place::Stranger,
    Place::Member(Role::Reader),
    Place::Member(Role::Member),
    Place::Member(Role::Moderator),
    Place::Member(Role::Owner),
    Place::Operator,
];

impl Place {
    fn role(self) -> Option<Role> {
        match self {
            Self::Stranger => None,
            Self::Member(role) => Some(role),
            Self::Operator => Some(Role::Member),
        }
    }

    fn username(self, side: &str) -> String {
        match self {
            Self::Operator => format!("{side}-operator"),
            _ => side.to_owned(),
        }
    }
}

fn named(name: &str) -> PersonQuery {
    PersonQuery::Named(name.to_owned())
}

async fn card_of(chat: &Chat, by: &Person, room: RoomId, name: &str) -> PersonCard {
    chat.load_person_card(by, &room, &named(name))
        .await
        .unwrap()
}

pub(super) async fn post_as(chat: &Chat, by: &Person, room: RoomId, name: &str) -> u64 {
    let message = NewMessage {
        username: name.to_owned(),
        ..new_message("hello")
    };
    chat.post_message(by, &room, &message, None)
        .await
        .unwrap()
        .id
}

pub(super) async fn set_role(test: &TestChat, room: RoomId, person: &Person, role: Option<Role>) {
    let mut tx = test.chat.0.store.begin().await.unwrap();
    match role {
        Some(role) => members::add_member(&mut tx, test.chat.now(), room, person.id(), role).await,
        None => members::delete_member(&mut tx, room, person.id()).await,
    }
    .unwrap();
    tx.commit().await.unwrap();
}

async fn set_mute(test: &TestChat, room: RoomId, person: &Person, is_muted: bool) {
    let mut tx = test.chat.0.store.begin().await.unwrap();
    let (person, kind) = (person.id(), SanctionKind::Mute);
    match is_muted {
        true => sanctions::set_sanction(&mut tx, room, person, kind, None).await,
        false => sanctions::delete_sanction(&mut tx, room, person)
            .await
            .map(drop),
    }
    .unwrap();
    tx.commit().await.unwrap();
}

/// Does what an action says. Returns whether the server permits it.
async fn is_permitted(
    chat: &Chat,
    by: &Person,
    room: RoomId,
    target: &str,
    action: PersonAction,
) -> bool {
    let sanction = async |kind| {
        let target = SanctionTarget::Person(target.to_owned());
        let imposed = chat.impose_sanction(by, &room, &target, kind, Some("10m"));
        imposed.await.map(drop)
    };
    let make = async |role| chat.set_member_role(by, &room, target, role).await;
    let done = match action {
        PersonAction::Message => chat.open_direct_room(by, target).await.map(drop),
        PersonAction::Mention => {
            let username = by.account().unwrap().username().to_owned();
            let message = NewMessage {
                username,
                ..new_message(&format!("@{target}"))
            };
            chat.post_message(by, &room, &message, None).await.map(drop)
        }
        PersonAction::Mute => sanction(SanctionKind::Mute).await,
        PersonAction::Ban => sanction(SanctionKind::Ban).await,
        PersonAction::Lift => chat.lift_sanction(by, &room, target).await,
        PersonAction::MakeReader => make(Role::Reader).await,
        PersonAction::MakeMember => make(Role::Member).await,
        PersonAction::MakeModerator => make(Role::Moderator).await,
        PersonAction::MakeOwner => make(Role::Owner).await,
        PersonAction::Remove => chat.remove_member(by, &room, target).await,
    };
    done.is_ok()
}

#[tokio::test]
async fn card_offers_exactly_what_the_server_permits_for_every_pair_of_roles() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    for name in ["caller", "target", "caller-operator", "target-operator"] {
        test.register(name).await;
    }
    for name in ["caller-operator", "target-operator"] {
        crate::set_operator(&test.config, name, true).await.unwrap();
    }
    let sign_in = async |username: String| {
        let password = "secret".to_owned();
        let credentials = protocol::Credentials { username, password };
        let session = chat.sign_in(&credentials, None).await.unwrap();
        Person::from(session.account)
    };
    for private in [false, true] {
        let wish = NewRoom {
            private: Some(private),
            ..NewRoom::default()
        };
        let room = chat.create_room(&owner, &wish).await.unwrap().id;
        for caller in PLACES {
            let by = sign_in(caller.username("caller")).await;
            for target in PLACES {
                let name = target.username("target");
                let person = sign_in(name.clone()).await;
                if caller == target && caller.role() == Some(Role::Owner) {
                    continue;
                }
                for is_muted in [false, true] {
                    let mut cards = Vec::new();
                    for action in ALL_ACTIONS {
                        let is_owned = [caller, target].contains(&Place::Member(Role::Owner));
                        set_role(&test, room, &owner, (!is_owned).then_some(Role::Owner)).await;
                        set_role(&test, room, &by, caller.role()).await;
                        set_role(&test, room, &person, target.role()).await;
                        set_mute(&test, room, &person, is_muted).await;
                        let card = chat.load_person_card(&by, &room, &named(&name)).await;
                        // A private room is hidden from who is no member.
                        let offers = card.as_ref().is_ok_and(|card| card.allows(action));
                        let mut expected = is_permitted(chat, &by, room, &name, action).await;
                        let role = target.role().map(PersonAction::of_role);
                        // The same role again changes nothing, so it is not offered.
                        expected &= role != Some(action);
                        // Who does not find the room writes messages elsewhere.
                        expected &= card.is_ok();
                        assert_eq!(
                            offers, expected,
                            "{caller:?} {target:?} {action:?} private: {private} muted: {is_muted}"
                        );
                        cards.push(card.ok());
                    }
                    assert!(cards.windows(2).all(|pair| pair[0] == pair[1]));
                }
            }
            set_role(&test, room, &by, None).await;
        }
    }
}

#[tokio::test]
async fn guest_is_found_by_name_and_by_messages_under_earlier_names() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let room = test.create_room().await;
    let guest = new_guest();
    let first = post_as(chat, &guest, room, "Ada L.").await;
    let card = card_of(chat, &Person::Anonymous, room, "ada l.").await;
    assert_eq!(
        (&*card.username, card.author),
        ("Ada L.", Some(Author::Guest))
    );
    assert_eq!(card.actions, [PersonAction::Mention]);
    assert_eq!(card.id, None, "only who may list the members learns it");
    post_as(chat, &guest, room, "ben").await;
    let by_message = PersonQuery::AuthorOf(first);
    let card = chat
        .load_person_card(&guest, &room, &by_message)
        .await
        .unwrap();
    assert_eq!(card.username, "ben");
    assert_eq!(card.wrote_as.as_deref(), Some("Ada L."));
    assert!(card.own && card.actions.is_empty());
    assert_eq!(card.id, guest.public_id());
    // The name is free, and the next author under it is another person.
    let other = new_guest();
    post_as(chat, &other, room, "Ada L.").await;
    let card = card_of(chat, &other, room, "Ada L.").await;
    assert!(card.own && card.wrote_as.is_none());
}

#[tokio::test]
async fn author_whom_the_server_did_not_identify_has_no_id_and_no_role() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let seq = test.post(room, "hello").await.id;
    for by in [&owner, &Person::Anonymous] {
        let query = PersonQuery::AuthorOf(seq);
        let card = chat.load_person_card(by, &room, &query).await.unwrap();
        assert_eq!((&*card.username, card.author), ("ada", None));
        assert_eq!((card.id, card.role, card.own), (None, None, false));
        assert_eq!(card.actions, [PersonAction::Mention]);
    }
    let named = chat.load_person_card(&owner, &room, &named("ada")).await;
    assert!(is_not_found(named, refusal::NO_PERSON), "she is not there");
    let _present = chat
        .follow_room(&Person::Anonymous, &room, Start::Latest)
        .await
        .unwrap()
        .with_username(Some("ada"))
        .await
        .unwrap();
    let card = card_of(chat, &owner, room, "ada").await;
    assert_eq!(card.author, None);
}

fn is_not_found(card: Result<PersonCard, Error>, what: Text) -> bool {
    matches!(card, Err(Error::Refusal(Refusal::NotFound(found))) if found == what)
}

#[tokio::test]
async fn deleted_account_has_a_card_without_actions() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let grace = test.register("grace").await;
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let seq = post_as(chat, &grace, room, "grace").await;
    chat.delete_account(&grace, "secret", None).await.unwrap();
    for query in [PersonQuery::AuthorOf(seq), named("grace")] {
        let card = chat.load_person_card(&owner, &room, &query).await.unwrap();
        assert!(card.deleted && card.actions.is_empty(), "{card:?}");
        assert_eq!((&*card.username, card.name, card.id), ("grace", None, None));
        assert_eq!(card.author, Some(Author::Account));
    }
}

#[tokio::test]
async fn caller_without_an_account_finds_only_accounts_that_the_room_shows() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let [author, stranger, present, boss] = [
        test.register("author").await,
        test.register("stranger").await,
        test.register("present").await,
        test.register("boss").await,
    ];
    crate::set_operator(&test.config, "boss", true)
        .await
        .unwrap();
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    post_as(chat, &author, room, "author").await;
    let follower = chat.follow_room(&present, &room, Start::Latest).await;
    let _follower = follower.unwrap().with_username(Some("present")).await;
    for name in ["owner", "AUTHOR", "present", "boss"] {
        let card = card_of(chat, &Person::Anonymous, room, name).await;
        assert_eq!(card.author, Some(Author::Account), "{name}");
        assert_eq!(card.id, Some(name.to_ascii_lowercase()));
        assert!(!card.allows(PersonAction::Message), "{name}");
    }
    for by in [Person::Anonymous, new_guest()] {
        let card = chat.load_person_card(&by, &room, &named("stranger")).await;
        assert!(is_not_found(card, refusal::NO_PERSON));
    }
    let card = card_of(chat, &author, room, "stranger").await;
    assert!(card.allows(PersonAction::Message));
    for name in ["", " ", "no one", "\u{202e}x", &"x".repeat(10_000)] {
        let card = chat.load_person_card(&author, &room, &named(name)).await;
        assert!(is_not_found(card, refusal::NO_PERSON), "{name}");
    }
    let card = chat
        .load_person_card(&boss, &room, &PersonQuery::AuthorOf(99))
        .await;
    assert!(is_not_found(card, refusal::NO_MESSAGE));
    drop(stranger);
}

#[tokio::test]
async fn role_below_a_moderator_and_sanctions_are_shown_to_moderators_alone() {
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
    set_mute(&test, room, &bob, true).await;
    let card = card_of(chat, &owner, room, "bob").await;
    assert_eq!(card.role, Some(Role::Member));
    assert_eq!(
        card.sanction.map(|sanction| sanction.kind),
        Some(SanctionKind::Mute)
    );
    let card = card_of(chat, &Person::Anonymous, room, "bob").await;
    assert_eq!((card.role, card.sanction), (None, None));
    let card = card_of(chat, &Person::Anonymous, room, "owner").await;
    assert_eq!(card.role, Some(Role::Owner));
    let card = card_of(chat, &bob, room, "bob").await;
    assert_eq!((card.role, card.own), (Some(Role::Member), true));
    let card = card_of(chat, &bob, room, "owner").await;
    assert_eq!(
        card.actions,
        [PersonAction::Message],
        "muted people mention no one"
    );
}

#[tokio::test]
async fn card_in_a_room_that_is_hidden_or_forbidden_is_refused_like_the_room() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = test.register("owner").await;
    let bob = test.register("bob").await;
    let private = NewRoom {
        private: Some(true),
        ..NewRoom::default()
    };
    let hidden = chat.create_room(&owner, &private).await.unwrap().id;
    for name in ["owner", "bob", "no one"] {
        let card = chat.load_person_card(&bob, &hidden, &named(name)).await;
        assert!(is_not_found(card, refusal::NO_ROOM), "{name}");
    }
    let open = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let target = SanctionTarget::Person("bob".to_owned());
    chat.impose_sanction(&owner, &open, &target, SanctionKind::Ban, None)
        .await
        .unwrap();
    let card = chat.load_person_card(&bob, &open, &named("owner")).await;
    assert!(matches!(
        card,
        Err(Error::Refusal(Refusal::Sanctioned { .. }))
    ));
}
