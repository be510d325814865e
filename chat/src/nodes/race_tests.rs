//! Races between two nodes of one database: what one writer at a time would guarantee holds with
//! two. Without a database that nodes can share, one node races against itself.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use protocol::{NewInvitation, NewRoom, Refusal, Role, RoomChange, RoomId};

use super::tests::open_another;
use crate::testing::{TestChat, new_guest, new_message, soon};
use crate::{Chat, Error, MessagesPage, OidcIdentity, Person, ProviderProfile};

/// How often each race is run.
const RACES: usize = 1_000;

/// How many races run at the same time.
const CONCURRENT: usize = 8;

/// Runs a race of two nodes again and again.
async fn race(run: impl AsyncFn(usize, &Chat, &Chat)) {
    let one = TestChat::new(|config| config.archive = false).await;
    let other = open_another(&one).await;
    let other = other.as_ref().unwrap_or(&one);
    stream::iter(0..RACES)
        .for_each_concurrent(CONCURRENT, async |number| {
            // Each node is the first one in half of the races.
            let (first, second) = match number % 2 {
                0 => (&one.chat, &other.chat),
                _ => (&other.chat, &one.chat),
            };
            soon("the end of a race", run(number, first, second)).await;
        })
        .await;
}

async fn create_room(chat: &Chat, owner: &Person) -> RoomId {
    let wish = NewRoom::default();
    chat.create_room(owner, &wish).await.unwrap().id
}

async fn register(chat: &Chat, username: &str, subject: &str) -> Person {
    let identity = OidcIdentity {
        issuer: "https://id.example".to_owned(),
        subject: subject.to_owned(),
    };
    let profile = ProviderProfile {
        username: Some(username.to_owned()),
        ..ProviderProfile::default()
    };
    let session = chat.register_with_identity(&identity, &profile, None);
    session.await.unwrap().account.into()
}

async fn post(chat: &Chat, by: &Person, room: RoomId, username: &str) -> Result<u64, Error> {
    let mut message = new_message("hello");
    username.clone_into(&mut message.username);
    let posted = chat.post_message(by, &room, &message, None).await;
    posted.map(|message| message.id)
}

fn is_taken(outcome: &Result<u64, Error>) -> bool {
    matches!(outcome, Err(Error::Refusal(Refusal::NameTaken { .. })))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_never_have_names_that_look_the_same() {
    race(async |number, one, other| {
        // Names that are suggested instead end in digits, so they look like no other race's.
        let letter = |digit: char| char::from(digit as u8 - b'0' + b'a');
        let letters: String = number.to_string().chars().map(letter).collect();
        let (name, look_alike) = (format!("olli{letters}"), format!("o11i{letters}"));
        let subjects = [format!("{number} here"), format!("{number} there")];
        let (here, there) = tokio::join!(
            register(one, &name, &subjects[0]),
            register(other, &look_alike, &subjects[1])
        );
        let [here, there] = [here, there].map(|person| person.account().unwrap().username.clone());
        let kept = usize::from(here == name) + usize::from(there == look_alike);
        assert_eq!(kept, 1, "{here} and {there}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_identity_becomes_one_account() {
    race(async |number, one, other| {
        let (name, subject) = (format!("ada{number}"), number.to_string());
        let (here, there) = tokio::join!(
            register(one, &name, &subject),
            register(other, &name, &subject)
        );
        assert_eq!(here.account().unwrap().id, there.account().unwrap().id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guest_writes_under_no_name_that_an_account_has_taken() {
    race(async |number, one, other| {
        let (guest, name) = (new_guest(), format!("grace{number}"));
        let room = create_room(one, &guest).await;
        // The node remembers that the guest has the name.
        post(other, &guest, room, &name).await.unwrap();
        let (_, _) = tokio::join!(
            register(one, &name, &name),
            post(other, &guest, room, &name)
        );
        assert!(is_taken(&post(other, &guest, room, &name).await));
        assert!(is_taken(&post(one, &guest, room, &name).await));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_guests_never_have_one_name_in_a_room() {
    race(async |_, one, other| {
        let (here, there) = (new_guest(), new_guest());
        let room = create_room(one, &new_guest()).await;
        let (first, second) = tokio::join!(
            post(one, &here, room, "grace"),
            post(other, &there, room, "grace")
        );
        assert_ne!(first.is_ok(), second.is_ok());
        assert!(is_taken(&first) || is_taken(&second));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_is_used_no_more_often_than_it_may() {
    race(async |_, one, other| {
        let owner = new_guest();
        let room = create_room(one, &owner).await;
        let wish = NewInvitation {
            uses: Some(1),
            ..NewInvitation::default()
        };
        let invitation = one.create_invitation(&owner, &room, &wish).await.unwrap();
        let (here, there) = (new_guest(), new_guest());
        let (first, second) = tokio::join!(
            one.accept_invitation(&here, &invitation.code),
            other.accept_invitation(&there, &invitation.code)
        );
        assert_ne!(first.is_ok(), second.is_ok());
        assert_eq!(one.list_members(&owner, &room).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_has_one_owner_after_two_transfers() {
    race(async |number, one, other| {
        let names = ["owner", "first", "second"].map(|role| format!("{role}{number}"));
        let [owner, first, second] = [0, 1, 2].map(|at| register(one, &names[at], &names[at]));
        let (owner, first, second) = (owner.await, first.await, second.await);
        let room = create_room(one, &owner).await;
        let wish = NewInvitation::default();
        let code = one
            .create_invitation(&owner, &room, &wish)
            .await
            .unwrap()
            .code;
        for person in [&first, &second] {
            other.accept_invitation(person, &code).await.unwrap();
        }
        let ids = [&first, &second].map(|person| person.account().unwrap().username.clone());
        let (here, there) = tokio::join!(
            one.set_member_role(&owner, &room, &ids[0], Role::Owner),
            other.set_member_role(&owner, &room, &ids[1], Role::Owner)
        );
        assert_ne!(here.is_ok(), there.is_ok());
        let members = other.list_members(&first, &room).await;
        let members = match members {
            Ok(members) => members,
            Err(_) => other.list_members(&second, &room).await.unwrap(),
        };
        let owners = members.iter().filter(|member| member.role == Role::Owner);
        assert_eq!(owners.count(), 1);
    })
    .await;
}

/// Without a database that nodes can share, no attempts are counted together.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_to_sign_in_are_counted_together() {
    const FREE: u32 = 3;
    const LONGEST: Duration = Duration::from_secs(60);
    race(async |number, one, other| {
        let nodes = [one, other].map(Chat::shared_attempts);
        let [Some(here), Some(there)] = &nodes else {
            return;
        };
        let subject = format!("account {number}");
        let attempts = [here, there].repeat(4);
        let attempts = attempts
            .into_iter()
            .map(|node| node.record(&subject, FREE, LONGEST));
        let attempts = futures_util::future::join_all(attempts).await;
        let admitted = attempts.iter().filter(|waits| matches!(waits, Ok(None)));
        // On a slow machine the first wait, of a second, may have ended. Counted apart, six are
        // admitted.
        let admitted = admitted.count();
        assert!((3..=4).contains(&admitted), "{admitted}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_mode_lets_one_message_pass() {
    race(async |_, one, other| {
        let (owner, guest) = (new_guest(), new_guest());
        let room = create_room(one, &owner).await;
        let change = RoomChange {
            slow_mode: Some(3_600),
            ..RoomChange::default()
        };
        let changed = other.change_room_settings(&owner, &room, &change);
        changed.await.unwrap();
        let (first, second) = tokio::join!(
            post(one, &guest, room, "grace"),
            post(other, &guest, room, "grace")
        );
        assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_permission_holds_at_once() {
    race(async |_, one, other| {
        let (owner, guest) = (new_guest(), new_guest());
        let room = create_room(one, &owner).await;
        post(other, &guest, room, "grace").await.unwrap();
        let change = RoomChange {
            read_only: Some(true),
            ..RoomChange::default()
        };
        let (changed, _) = tokio::join!(
            one.change_room_settings(&owner, &room, &change),
            post(other, &guest, room, "grace")
        );
        changed.unwrap();
        assert!(post(other, &guest, room, "grace").await.is_err());
        assert!(post(one, &guest, room, "grace").await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_is_accepted_or_its_room_has_ended() {
    race(async |_, one, other| {
        let (owner, guest) = (new_guest(), new_guest());
        let room = create_room(one, &owner).await;
        let (closed, posted) = tokio::join!(
            one.close_room(&owner, &room),
            post(other, &guest, room, "grace")
        );
        closed.unwrap();
        match posted {
            Ok(seq) => assert_eq!(seq, 1),
            Err(Error::Refusal(Refusal::Gone(_) | Refusal::NotFound(_))) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(post(other, &guest, room, "grace").await.is_err());
        assert!(post(one, &guest, room, "grace").await.is_err());
        let page = MessagesPage::default();
        assert!(other.list_messages(&guest, &room, page).await.is_err());
    })
    .await;
}
