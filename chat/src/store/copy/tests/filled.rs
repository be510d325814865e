//! A database with rows in all tables, written by the rules.

use protocol::{
    NewAccount, NewInvitation, NewRoom, NotificationLevel, NotificationSettings, RoomChange,
    SanctionKind, Start,
};

use crate::testing::{TestChat, new_guest};
use crate::{Chat, FollowEvent, OidcIdentity, Person, ProviderProfile, SanctionTarget};

/// Writes into all tables.
pub(super) async fn fill(test: &TestChat) {
    let chat = &test.chat;
    let [ada, eve] = [test.register("iva").await, test.register("eve").await];
    let guest = new_guest();
    let open = NewRoom {
        name: Some("Tee \u{1f375} 'quoted'\"".to_owned()),
        public: Some(true),
        timeout: Some("12h".to_owned()),
        ..NewRoom::default()
    };
    let open = chat.create_room(&ada, &open).await.unwrap().id;
    let private = NewRoom {
        private: Some(true),
        ..NewRoom::default()
    };
    let [private, closed] = [
        chat.create_room(&ada, &private).await.unwrap().id,
        chat.create_room(&ada, &private).await.unwrap().id,
    ];
    write(chat, &ada, &guest, open).await;
    write(chat, &eve, &guest, open).await;
    send_file(chat, &ada, open).await;
    let invitation = NewInvitation {
        uses: Some(2),
        timeout: Some("2days".to_owned()),
        ..NewInvitation::default()
    };
    let invited = chat.create_invitation(&ada, &private, &invitation);
    let code = invited.await.unwrap().code;
    chat.accept_invitation(&guest, &code).await.unwrap();
    write(chat, &ada, &guest, private).await;
    chat.move_read_marker(&guest, &private, 1).await.unwrap();
    chat.set_notification_level(&eve, &open, NotificationLevel::All)
        .await
        .unwrap();
    let settings = NotificationSettings {
        pause_until: Some(chat.now()),
        quiet: None,
    };
    chat.change_notification_settings(&guest, &settings)
        .await
        .unwrap();
    let direct = chat.open_direct_room(&ada, "eve").await.unwrap().id;
    write(chat, &ada, &eve, direct).await;
    let alias = chat
        .find_or_create_room_by_name("kitchen")
        .await
        .unwrap()
        .id;
    test.post(alias, "anonymous \u{e9}\u{10ffff}").await;
    let lobby = chat.open_lobby().await.unwrap();
    lobby.join("curl").await.unwrap();
    let slow = RoomChange {
        slow_mode: Some(60),
        description: Some("slow".to_owned()),
        ..RoomChange::default()
    };
    chat.change_room_settings(&ada, &open, &slow).await.unwrap();
    write_one(chat, &eve, open, "slowly").await;
    let author = SanctionTarget::AuthorOf(2);
    for (kind, duration) in [(SanctionKind::Mute, Some("1h")), (SanctionKind::Ban, None)] {
        chat.impose_sanction(&ada, &open, &author, kind, duration)
            .await
            .unwrap();
    }
    let identity = OidcIdentity {
        issuer: "https://id.example".to_owned(),
        subject: "7".to_owned(),
    };
    let profile = ProviderProfile::default();
    chat.register_with_identity(&identity, &profile, None)
        .await
        .unwrap();
    end_session(chat).await;
    chat.delete_account(&eve, "secret", None).await.unwrap();
    let mut follower = chat
        .follow_room(&ada, &closed, Start::Latest)
        .await
        .unwrap();
    chat.close_room(&ada, &closed).await.unwrap();
    while !matches!(follower.next().await.unwrap(), FollowEvent::Closed(_)) {}
}

pub(super) async fn write_one(chat: &Chat, by: &Person, room: protocol::RoomId, body: &str) -> u64 {
    let key = Some(crate::IdempotencyKey::from(body));
    let username = match by {
        Person::Account(account) => account.username.clone(),
        _ => "guest".to_owned(),
    };
    let message = protocol::NewMessage {
        username,
        body: body.to_owned(),
    };
    let posted = chat.post_message(by, &room, &message, key);
    posted.await.unwrap().id
}

/// Messages, an edit and a deletion in a room.
async fn write(chat: &Chat, one: &Person, other: &Person, room: protocol::RoomId) {
    let first = write_one(chat, one, room, "first").await;
    write_one(chat, other, room, "second").await;
    let deleted = write_one(chat, one, room, "deleted").await;
    chat.edit_message(one, &room, first, "edited")
        .await
        .unwrap();
    chat.delete_message(one, &room, deleted).await.unwrap();
}

/// A message with a file.
async fn send_file(chat: &Chat, by: &Person, room: protocol::RoomId) {
    let upload = chat.begin_upload(by, &room, "a.txt", Some(1)).await;
    let mut upload = upload.unwrap();
    upload.write(b"x").await.unwrap();
    let ids = [upload.finish().await.unwrap().id];
    let files = crate::NewFiles {
        ids: &ids,
        ..crate::NewFiles::default()
    };
    let message = protocol::NewMessage {
        username: "iva".to_owned(),
        body: String::new(),
    };
    let posted = chat.post_message_with_files(by, &room, &message, files, None);
    posted.await.unwrap();
}

/// Registers an account and signs it out.
async fn end_session(chat: &Chat) {
    let wish = NewAccount {
        name: "Bob".to_owned(),
        username: "bob".to_owned(),
        password: "secret".to_owned(),
    };
    let session = chat.register_account(&wish, None).await.unwrap();
    let bob = chat.authenticate_token(&session.token).await.unwrap();
    chat.sign_out(&bob).await.unwrap();
}
