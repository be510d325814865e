//! Tests of operators, and of who may write.

use protocol::{NewMessage, NewRoom, Refusal, Role, RoomChange, RoomId, SanctionKind};

use crate::testing::{TestChat, new_guest};
use crate::{Error, Person, SanctionTarget};

/// An operator who is a member of a room.
struct OperatedRoom {
    test: TestChat,
    owner: Person,
    boss: Person,
    room: RoomId,
}

impl OperatedRoom {
    async fn new(private: bool) -> Self {
        let test = TestChat::new(|_| {}).await;
        let owner = new_guest();
        let boss = test.register("boss").await;
        crate::set_operator(&test.config, "boss", true)
            .await
            .unwrap();
        let Person::Account(account) = boss else {
            panic!("a guest")
        };
        let boss = Person::from(crate::AccountHolder {
            operator: true,
            ..(*account).clone()
        });
        let wish = NewRoom {
            private: Some(private),
            ..NewRoom::default()
        };
        let room = test.chat.create_room(&owner, &wish).await.unwrap().id;
        let invitation = protocol::NewInvitation::default();
        let invitation = test.chat.create_invitation(&owner, &room, &invitation);
        let code = invitation.await.unwrap().code;
        test.chat.accept_invitation(&boss, &code).await.unwrap();
        Self {
            test,
            owner,
            boss,
            room,
        }
    }

    async fn post(&self) -> Result<(), Error> {
        let message = NewMessage {
            username: "boss".to_owned(),
            body: "hello".to_owned(),
        };
        let posted = self
            .test
            .chat
            .post_message(&self.boss, &self.room, &message, None);
        posted.await.map(drop)
    }

    /// Imposes a sanction although the rules refuse it.
    async fn force_sanction(&self, kind: SanctionKind) {
        let store = &self.test.chat.0.store;
        let mut tx = store.begin().await.unwrap();
        crate::store::sanctions::set_sanction(&mut tx, self.room, self.boss.id(), kind, None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

fn is_forbidden<T>(result: &Result<T, Error>) -> bool {
    matches!(
        result,
        Err(Error::Refusal(
            Refusal::Forbidden(_) | Refusal::Sanctioned { .. }
        ))
    )
}

#[tokio::test]
async fn owner_of_an_open_room_has_no_power_over_an_operator() {
    let operated = OperatedRoom::new(false).await;
    let OperatedRoom {
        test, owner, room, ..
    } = &operated;
    let chat = &test.chat;
    let boss = SanctionTarget::Person("boss".to_owned());
    for kind in [SanctionKind::Ban, SanctionKind::Mute] {
        assert!(is_forbidden(
            &chat.impose_sanction(owner, room, &boss, kind, None).await
        ));
    }
    for role in [Role::Reader, Role::Owner] {
        assert!(is_forbidden(
            &chat.set_member_role(owner, room, "boss", role).await
        ));
    }
    assert!(is_forbidden(&chat.remove_member(owner, room, "boss").await));
}

#[tokio::test]
async fn owner_of_a_private_room_has_power_over_an_operator() {
    let operated = OperatedRoom::new(true).await;
    let OperatedRoom {
        test, owner, room, ..
    } = &operated;
    let boss = SanctionTarget::Person("boss".to_owned());
    let kind = SanctionKind::Ban;
    test.chat
        .impose_sanction(owner, room, &boss, kind, None)
        .await
        .unwrap();
    assert!(is_forbidden(&operated.post().await));
}

#[tokio::test]
async fn operator_acts_in_an_open_room_despite_sanctions_and_outranks_its_owner() {
    let operated = OperatedRoom::new(false).await;
    let OperatedRoom {
        test,
        owner,
        boss,
        room,
    } = &operated;
    let chat = &test.chat;
    for kind in [SanctionKind::Mute, SanctionKind::Ban] {
        operated.force_sanction(kind).await;
        operated.post().await.unwrap();
        chat.notify_typing(boss, room, "boss").await.unwrap();
        let overview = chat.load_overview(boss, &[]).await.unwrap();
        assert_eq!(overview.rooms.len(), 1, "{kind:?}");
    }
    let guest = SanctionTarget::Person(owner.public_id().unwrap());
    let kind = SanctionKind::Ban;
    chat.impose_sanction(boss, room, &guest, kind, None)
        .await
        .unwrap();
    assert!(is_forbidden(&chat.find_room(owner, room).await));
    chat.close_room(boss, room).await.unwrap();
}

#[tokio::test]
async fn operator_who_is_no_member_cannot_make_a_room_private() {
    let operated = OperatedRoom::new(false).await;
    let room = operated.test.create_room().await;
    let change = RoomChange {
        private: Some(true),
        ..RoomChange::default()
    };
    let chat = &operated.test.chat;
    let changed = chat
        .change_room_settings(&operated.boss, &room, &change)
        .await;
    assert!(is_forbidden(&changed), "{changed:?}");
    let changed = chat
        .change_room_settings(&operated.boss, &operated.room, &change)
        .await;
    assert!(changed.unwrap().private);
}

#[tokio::test]
async fn muted_person_and_reader_cannot_report_that_they_type() {
    let test = TestChat::new(|_| {}).await;
    let chat = &test.chat;
    let owner = new_guest();
    let eve = test.register("eve").await;
    let room = chat
        .create_room(&owner, &NewRoom::default())
        .await
        .unwrap()
        .id;
    chat.notify_typing(&eve, &room, "eve").await.unwrap();
    let target = SanctionTarget::Person("eve".to_owned());
    let mute = chat.impose_sanction(&owner, &room, &target, SanctionKind::Mute, None);
    mute.await.unwrap();
    assert!(is_forbidden(&chat.notify_typing(&eve, &room, "eve").await));
    chat.lift_sanction(&owner, &room, "eve").await.unwrap();
    let change = RoomChange {
        read_only: Some(true),
        ..RoomChange::default()
    };
    chat.change_room_settings(&owner, &room, &change)
        .await
        .unwrap();
    assert!(is_forbidden(&chat.notify_typing(&eve, &room, "eve").await));
}

#[tokio::test]
async fn operator_takes_the_room_from_its_owner_but_not_from_another_operator() {
    let operated = OperatedRoom::new(false).await;
    let OperatedRoom {
        test, boss, room, ..
    } = &operated;
    let chat = &test.chat;
    let second = test.register("second").await;
    let config = &test.config;
    crate::set_operator(config, "second", true).await.unwrap();
    // The session that began before is that of an operator now.
    let take = async |by: &Person, username: &str| {
        chat.set_member_role(by, room, username, Role::Owner).await
    };
    take(boss, "boss").await.unwrap();
    let invitation = protocol::NewInvitation::default();
    let invitation = chat
        .create_invitation(boss, room, &invitation)
        .await
        .unwrap();
    chat.accept_invitation(&second, &invitation.code)
        .await
        .unwrap();
    assert!(is_forbidden(&take(&second, "second").await));
    take(boss, "second").await.unwrap();
}
