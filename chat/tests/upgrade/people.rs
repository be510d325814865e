//! Accounts, guests, and what they have at a glance.

use chat::{AccountsPage, Error, OidcIdentity, Person};
use protocol::{Credentials, Refusal};
use serde_json::to_value;

use crate::record::{PasswordRecord, Upgraded, assert_kept};

#[tokio::test]
async fn accounts_sign_in_with_their_passwords() {
    let upgraded = Upgraded::open().await;
    let chat = &upgraded.chat;
    assert_eq!(upgraded.record.accounts.len(), 4);
    for PasswordRecord { username, password } in upgraded.record.accounts.values() {
        let credentials = |password: &str| Credentials {
            username: username.clone(),
            password: password.to_owned(),
        };
        let session = chat.sign_in(&credentials(password), None).await.unwrap();
        assert_eq!(session.account.username(), username);
        let wrong = chat.sign_in(&credentials("another one"), None).await;
        let wrong = wrong.expect_err("a wrong password is refused");
        assert!(matches!(wrong, Error::Refusal(Refusal::WrongCredentials)));
    }
}

#[tokio::test]
async fn tokens_show_the_same_people_and_ended_sessions_nobody() {
    let upgraded = Upgraded::open().await;
    for account in ["ada", "bob", "eve", "grace", "lin"] {
        let member = upgraded.person(account).account();
        assert_eq!(member.unwrap().username(), account);
    }
    for guest in ["rosa", "troll", "wanderer"] {
        assert!(
            matches!(upgraded.person(guest), Person::Guest(_)),
            "{guest}"
        );
    }
    assert_eq!(upgraded.record.revoked_tokens.len(), 3);
    for (why, token) in &upgraded.record.revoked_tokens {
        let refused = upgraded.chat.authenticate_token(token).await;
        let refused = refused.expect_err(why);
        assert!(
            matches!(refused, Error::Refusal(Refusal::NotSignedIn)),
            "{why}"
        );
    }
}

#[tokio::test]
async fn identity_signs_in_to_its_account() {
    let upgraded = Upgraded::open().await;
    let then = &upgraded.record.identity;
    let identity = OidcIdentity {
        issuer: then.issuer.clone(),
        subject: then.subject.clone(),
    };
    let session = upgraded
        .chat
        .sign_in_with_identity(&identity, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(session.account.username(), then.username);
    let lin = upgraded.person(&then.username);
    let ways = upgraded.chat.load_sign_in_methods(lin).await.unwrap();
    assert!(!ways.password);
    let [linked] = &ways.identities[..] else {
        panic!("{ways:?}")
    };
    assert_eq!(linked.issuer, then.issuer);
}

#[tokio::test]
async fn accounts_are_listed_with_their_names() {
    let upgraded = Upgraded::open().await;
    let ada = upgraded.person("ada");
    let now = upgraded
        .chat
        .list_accounts(ada, &AccountsPage::default())
        .await;
    let now = to_value(now.unwrap()).unwrap();
    assert_kept("users", &upgraded.record.users, &now);
}

#[tokio::test]
async fn overviews_show_the_same_rooms_and_unread_messages() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.overviews.len(), 8);
    for (who, then) in &upgraded.record.overviews {
        let overview = upgraded.chat.load_overview(upgraded.person(who), &[]).await;
        let now = to_value(overview.unwrap()).unwrap();
        assert_kept(who, then, &now);
    }
}

#[tokio::test]
async fn direct_chats_show_the_same_last_and_unread_messages() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.chats.len(), 5);
    for (who, then) in &upgraded.record.chats {
        let chats = upgraded
            .chat
            .list_conversations(upgraded.person(who), 100)
            .await;
        assert_kept(who, then, &to_value(chats.unwrap()).unwrap());
    }
    let [ada, bob] = ["ada", "bob"].map(|who| upgraded.person(who));
    for (by, other) in [(ada, "bob"), (bob, "ada")] {
        let room = upgraded.chat.open_direct_room(by, other).await.unwrap();
        assert_eq!(
            room.id,
            upgraded.room("ada and bob"),
            "no second one is made"
        );
    }
}

#[tokio::test]
async fn read_markers_are_kept() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.seen.len(), 3);
    for then in &upgraded.record.seen {
        let room = upgraded.room(&then.room);
        let seen = upgraded
            .chat
            .load_read_marker(upgraded.person(&then.read_as), &room)
            .await;
        assert_eq!(seen.unwrap(), then.seq, "{} in {}", then.read_as, then.room);
    }
}
