//! What people may do: sanctions, slow mode, names, invitations, and messages that are sent again.

use chat::Error;
use protocol::{Message, NewMessage, NotificationLevel, Refusal, Role};
use serde_json::json;

use crate::record::{Upgraded, assert_kept};

impl Upgraded {
    async fn post(&self, who: &str, called: &str, username: &str) -> Result<Message, Error> {
        let message = NewMessage {
            username: username.to_owned(),
            body: "something new".to_owned(),
        };
        let room = self.room(called);
        let by = self.person(who);
        self.chat.post_message(by, &room, &message, None).await
    }

    async fn status(&self, who: &str, called: &str, username: &str) -> u16 {
        match self.post(who, called, username).await {
            Ok(_) => 201,
            Err(Error::Refusal(refusal)) => refusal.status(),
            Err(fault) => panic!("{fault}"),
        }
    }
}

#[tokio::test]
async fn sanctions_roles_and_slow_mode_are_in_force() {
    let upgraded = Upgraded::open().await;
    let cases = [
        ("troll", "tea", "someone", 403, "muted for good"),
        ("eve", "den", "eve", 403, "banned for good"),
        ("rosa", "den", "Rosa", 403, "a reader"),
        ("lin", "den", "lin", 201, "was muted for a millisecond"),
        ("grace", "den", "grace", 404, "no member"),
        ("troll", "hall", "someone", 403, "banned for hours"),
        ("eve", "hall", "eve", 403, "muted for good"),
        ("bob", "hall", "bob", 403, "the room is read-only"),
        ("ada", "hall", "ada", 201, "an owner of a read-only room"),
        ("grace", "hall", "grace", 201, "an operator"),
        ("", "slow", "visitor", 429, "wrote half an hour ago"),
        ("rosa", "slow", "Rosa", 429, "wrote half an hour ago"),
        ("bob", "slow", "bob", 429, "wrote half an hour ago"),
        ("lin", "slow", "lin", 201, "has not written"),
        ("ada", "slow", "ada", 201, "an owner of a room in slow mode"),
        ("bob", "ada and bob", "bob", 201, "one of the two"),
        ("lin", "ada and bob", "lin", 404, "none of the two"),
    ];
    for (who, called, username, expected, case) in cases {
        let status = upgraded.status(who, called, username).await;
        assert_eq!(status, expected, "{who:?} in {called}: {case}");
    }
}

#[tokio::test]
async fn names_are_still_claimed() {
    let upgraded = Upgraded::open().await;
    let cases = [
        ("", "tea", "RosaIl", 409, "a guest has it"),
        ("", "tea", "rosaii", 201, "looks like none as it is written"),
        ("", "tea", "rosaIl", 409, "looks like it"),
        ("troll", "slow", "ROSA", 409, "looks like another guest's"),
        ("", "tea", "Rosa", 201, "its guest has taken another"),
        ("rosa", "tea", "RosaIl", 201, "its own guest"),
        ("", "plain", "ada", 409, "an account has it"),
        ("", "plain", "b0b", 409, "looks like an account's"),
        (
            "",
            "inherited",
            "wanderer",
            201,
            "an account took its guest over",
        ),
        ("", "plain", "mallory", 201, "its account was deleted"),
    ];
    for (who, called, username, expected, case) in cases {
        let status = upgraded.status(who, called, username).await;
        assert_eq!(status, expected, "{username} in {called}: {case}");
    }
}

#[tokio::test]
async fn people_choose_levels_and_rooms_as_in_a_new_database() {
    let upgraded = Upgraded::open().await;
    let (chat, hall) = (&upgraded.chat, upgraded.room("hall"));
    for who in ["ada", "lin", "rosa"] {
        let by = upgraded.person(who);
        let level = || chat.load_notification_level(by, &hall);
        assert_eq!(level().await.unwrap(), NotificationLevel::Mentions, "{who}");
        chat.set_notification_level(by, &hall, NotificationLevel::None)
            .await
            .unwrap();
        assert_eq!(level().await.unwrap(), NotificationLevel::None, "{who}");
        chat.set_listing(by, &hall, true).await.unwrap();
        let overview = chat.load_overview(by, &[]).await.unwrap();
        let listed = overview.rooms.iter().find(|room| room.id == hall);
        assert_eq!(listed.unwrap().level, NotificationLevel::None, "{who}");
    }
}

#[tokio::test]
async fn names_in_the_lobby_are_compared_by_what_they_look_like() {
    let upgraded = Upgraded::open().await;
    let lobby = upgraded.chat.open_lobby().await.unwrap();
    for taken in ["C", "c", "С", "ｃ", "E"] {
        let refused = lobby.join(taken).await;
        let is_taken = matches!(refused, Err(Error::Refusal(Refusal::Taken(_))));
        assert!(is_taken, "{taken}");
    }
    assert!(lobby.join("D").await.is_ok());
    assert!(lobby.leave("C").await.is_ok());
    assert!(lobby.join("c").await.is_ok());
}

#[tokio::test]
async fn repeated_post_with_the_same_key_gives_back_the_first_answer() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.posted.len(), 4);
    for then in &upgraded.record.posted {
        let message = NewMessage {
            username: then.username.clone(),
            body: then.body.clone(),
        };
        let room = upgraded.room(&then.room);
        let by = upgraded.person(&then.sent_as);
        let now = upgraded
            .chat
            .post_message(by, &room, &message, Some(then.key.as_str().into()))
            .await;
        let id = now.unwrap().id;
        assert_eq!(
            json!(id),
            then.message["id"],
            "{} in {}",
            then.key,
            then.room
        );
    }
}

#[tokio::test]
async fn invitations_are_good_for_what_they_were() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.invitations.len(), 7);
    for (called, then) in &upgraded.record.invitations {
        let now = match upgraded.chat.find_invitation(&then.code).await {
            Ok((invitation, name)) => json!({ "role": invitation.role, "name": name }),
            Err(Error::Refusal(refusal)) => json!({ "status": refusal.status() }),
            Err(fault) => panic!("{fault}"),
        };
        assert_kept(called, &then.answer, &now);
    }
}

#[tokio::test]
async fn invitation_lets_a_new_member_in_and_keeps_the_banned_out() {
    let upgraded = Upgraded::open().await;
    let code = &upgraded.record.invitations["for two days"].code;
    let grace = upgraded.person("grace");
    let room = upgraded.chat.accept_invitation(grace, code).await.unwrap();
    assert_eq!(room.id, upgraded.room("den"));
    assert_eq!(room.role, Some(Role::Member));
    let ada = upgraded.person("ada");
    let left = upgraded.chat.list_invitations(ada, &room.id).await.unwrap();
    let left = left.iter().find(|invitation| &invitation.code == code);
    assert_eq!(left.unwrap().uses_left, Some(999));
    let eve = upgraded
        .chat
        .accept_invitation(upgraded.person("eve"), code)
        .await;
    let eve = eve.expect_err("eve is banned");
    assert!(matches!(eve, Error::Refusal(Refusal::Sanctioned { .. })));
}
