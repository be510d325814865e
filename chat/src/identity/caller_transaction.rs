//! Transactions of a caller.
//!
//! # Guarantees
//! - A transaction of a caller begins only while the session of the caller is valid: a request that
//!   began before its session ended changes nothing afterwards.
//!
//! # Not here
//! - The role of the caller in a room: `room::access`. Messages: `log`, which checks the session
//!   with each request.

use protocol::Refusal;

use crate::identity::person::{AccountHolder, Person};
use crate::store::{AccountRow, WriteTransaction, accounts};
use crate::{Chat, Error};

/// A transaction of a caller with a valid session.
pub(crate) struct CallerTransaction {
    pub tx: WriteTransaction,
    /// The caller as stored now, which may differ from what the request began with.
    pub by: Person,
}

impl Chat {
    /// Begins a transaction of a caller.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the session of the caller has ended, or a fault.
    pub(crate) async fn begin_by(&self, by: &Person) -> Result<CallerTransaction, Error> {
        let mut tx = self.0.store.begin().await?;
        let by = match by.account() {
            Some(account) => reload_account(&mut tx, account).await?.into(),
            None => by.clone(),
        };
        Ok(CallerTransaction { tx, by })
    }
}

/// The account as stored now, if its session is still valid.
async fn reload_account(
    tx: &mut WriteTransaction,
    account: &AccountHolder,
) -> Result<AccountHolder, Error> {
    let found = accounts::load_accounts(tx, &[account.session_key()]).await?;
    Ok(renew(account, found.into_iter().flatten().next())?)
}

/// Does the same as [`Chat::begin_by`] for several callers of a transaction.
pub(crate) async fn reload_callers(
    tx: &mut WriteTransaction,
    callers: &[&Person],
) -> Result<Vec<Result<Person, Refusal>>, Error> {
    let sessions: Vec<_> = callers.iter().filter_map(|by| by.session()).collect();
    let mut found = accounts::load_accounts(tx, &sessions).await?.into_iter();
    let reload = |by: &&Person| match by.account() {
        Some(account) => renew(account, found.next().flatten()).map(Person::from),
        None => Ok((*by).clone()),
    };
    Ok(callers.iter().map(reload).collect())
}

/// The holder of an account with what is stored of it now, unless the session has ended.
fn renew(account: &AccountHolder, found: Option<AccountRow>) -> Result<AccountHolder, Refusal> {
    Ok(AccountHolder {
        session: account.session,
        ..found.ok_or(Refusal::NotSignedIn)?.into()
    })
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use protocol::{
        NewInvitation, NewRoom, NotificationLevel, NotificationSettings, Role, RoomChange, RoomId,
        SanctionKind,
    };

    use super::*;
    use crate::testing::{TestChat, new_guest, new_message};
    use crate::{ExportFormat, IdentityLinks, OidcIdentity, SanctionTarget};

    /// What a caller who owns a room can change, by the name of the method.
    async fn change_everything(
        chat: &Chat,
        by: &Person,
        room: RoomId,
    ) -> Vec<(&'static str, Result<(), Error>)> {
        let username = by.account().unwrap().username().to_owned();
        let identity = OidcIdentity {
            issuer: "https://id.example".to_owned(),
            subject: "ada".to_owned(),
        };
        let target = SanctionTarget::Person("bob".to_owned());
        let code = "0".repeat(32);
        macro_rules! results {
            ($($method:ident($($argument:expr),*)),* $(,)?) => {
                vec![$((stringify!($method), chat.$method(by, $($argument),*).await.map(drop))),*]
            };
        }
        results![
            post_message(&room, &new_message_of(&username), None),
            edit_message(&room, 1, "edited"),
            delete_message(&room, 1),
            begin_upload(&room, "a.txt", Some(1)),
            notify_typing(&room, &username),
            move_read_marker(&room, 1),
            set_notification_level(&room, NotificationLevel::All),
            set_listing(&room, true),
            change_notification_settings(&NotificationSettings::default()),
            create_room(&NewRoom::default()),
            change_room_settings(&room, &RoomChange::default()),
            impose_sanction(&room, &target, SanctionKind::Mute, None),
            lift_sanction(&room, "bob"),
            set_member_role(&room, "bob", Role::Moderator),
            remove_member(&room, "bob"),
            create_invitation(&room, &NewInvitation::default()),
            revoke_invitation(&room, &code),
            accept_invitation(&code),
            open_direct_room("bob"),
            change_display_name("Other"),
            change_password("secret", "secret2", IdentityLinks::Keep, None),
            set_first_password("secret2", None),
            merge_guest(&new_guest()),
            link_identity(&identity),
            unlink_identity("https://id.example"),
            close_room(&room),
            sign_out_everywhere(),
            delete_account("secret", None),
        ]
    }

    fn new_message_of(username: &str) -> protocol::NewMessage {
        protocol::NewMessage {
            username: username.to_owned(),
            ..new_message("hello")
        }
    }

    #[tokio::test]
    async fn caller_whose_session_has_ended_changes_nothing() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let ada = test.register("ada").await;
        test.register("bob").await;
        let room = chat
            .create_room(&ada, &NewRoom::default())
            .await
            .unwrap()
            .id;
        let message = new_message_of("ada");
        chat.post_message(&ada, &room, &message, None)
            .await
            .unwrap();
        let credentials = protocol::Credentials {
            username: "ada".to_owned(),
            password: "secret".to_owned(),
        };
        let other = chat.sign_in(&credentials, None).await.unwrap().account;
        chat.sign_out(&ada).await.unwrap();
        chat.require_session(&other.clone().into()).await.unwrap();
        for (method, result) in change_everything(chat, &ada, room).await {
            let is_refused = matches!(result, Err(Error::Refusal(Refusal::NotSignedIn)));
            assert!(is_refused, "{method}: {result:?}");
        }
        let other = other.into();
        chat.sign_out_everywhere(&other).await.unwrap();
        for (method, result) in change_everything(chat, &other, room).await {
            let is_refused = matches!(result, Err(Error::Refusal(Refusal::NotSignedIn)));
            assert!(is_refused, "{method}: {result:?}");
        }
        let found = chat.find_room(&new_guest(), &room).await.unwrap();
        assert_eq!(found.message_count, 1);
    }

    #[tokio::test]
    async fn operator_who_was_revoked_meanwhile_moderates_nothing() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        test.register("boss").await;
        let room = test.create_room().await;
        let session = async || {
            let credentials = protocol::Credentials {
                username: "boss".to_owned(),
                password: "secret".to_owned(),
            };
            Person::from(chat.sign_in(&credentials, None).await.unwrap().account)
        };
        let set_operator = async |operator| {
            let set = crate::set_operator(&test.config, "boss", operator);
            set.await.unwrap();
        };
        set_operator(true).await;
        let boss = session().await;
        let change = RoomChange::default();
        let changed = chat.change_room_settings(&boss, &room, &change).await;
        assert!(changed.is_ok(), "{changed:?}");
        set_operator(false).await;
        for result in [
            chat.change_room_settings(&boss, &room, &change)
                .await
                .map(drop),
            chat.close_room(&boss, &room).await,
        ] {
            let is_refused = matches!(result, Err(Error::Refusal(Refusal::Forbidden(_))));
            assert!(is_refused, "{result:?}");
        }
    }

    #[tokio::test]
    async fn of_password_changes_at_once_with_one_session_exactly_one_succeeds() {
        let test = TestChat::new(|_| {}).await;
        let ada = test.register("ada").await;
        let passwords: Vec<String> = (0..8).map(|number| format!("secret {number}")).collect();
        let changes = passwords.iter().map(|new| {
            test.chat
                .change_password(&ada, "secret", new, IdentityLinks::Keep, None)
        });
        let changed = join_all(changes).await;
        let succeeded = changed.iter().filter(|changed| changed.is_ok()).count();
        assert_eq!(succeeded, 1, "{changed:?}");
    }

    #[tokio::test]
    async fn export_ends_at_the_next_page_after_its_caller_is_banned_or_signed_out() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let owner = new_guest();
        let room = chat
            .create_room(&owner, &NewRoom::default())
            .await
            .unwrap()
            .id;
        test.post(room, "hello").await;
        let ada = test.register("ada").await;
        let export = async || chat.export_room(&ada, &room, ExportFormat::Archive).await;
        let mut exports = [export().await.unwrap(), export().await.unwrap()];
        for export in &mut exports {
            assert!(export.next().await.unwrap().is_some());
        }
        let target = SanctionTarget::Person("ada".to_owned());
        let ban = chat.impose_sanction(&owner, &room, &target, SanctionKind::Ban, None);
        ban.await.unwrap();
        let banned = exports[0].next().await;
        assert!(matches!(
            banned,
            Err(Error::Refusal(Refusal::Sanctioned { .. }))
        ));
        chat.lift_sanction(&owner, &room, "ada").await.unwrap();
        chat.sign_out_everywhere(&ada).await.unwrap();
        let signed_out = exports[1].next().await;
        assert!(matches!(
            signed_out,
            Err(Error::Refusal(Refusal::NotSignedIn))
        ));
    }
}
