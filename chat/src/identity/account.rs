//! Accounts: usernames that belong to one person everywhere, with a password and sessions.
//!
//! # Guarantees
//! - No two accounts have usernames that look alike, and none has that of a deleted account.
//! - Passwords are stored as `password` says.
//! - A token is valid until it expires or is signed out, the password changes, the account signs out
//!   everywhere or the account is deleted.
//! - A change that needs the password is made only if the account still has the password that was
//!   verified.
//! - Signing in takes as long, and answers the same, whether or not the account exists.
//!
//! # Not here
//! - How often a client may try a password: the server.

use std::time::Duration;

use protocol::{Account, Credentials, NewAccount, Refusal, RoomId, Time, nfc, text};
use texts::refusal;

use crate::events::DomainEvent;
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::common_passwords::is_common;
use crate::identity::name_skeleton::NameSkeleton;
use crate::identity::password::{PasswordClient, Verification, is_username};
use crate::identity::person::{AccountHolder, GuestId, Person, random_id};
use crate::store::{
    AccountRow, AccountSession, AccountsPage, NewAccountRow, Store, WriteTransaction, accounts,
    files, former_usernames, members, name_claims, notification_settings, oidc_identities,
    room_authors, room_preferences, rooms, sanctions,
};
use crate::{Chat, Error};

/// A session that has just begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account that signed in.
    pub account: AccountHolder,
    /// The token that authenticates the session.
    pub token: String,
    /// How long the token is valid.
    pub lifetime: Duration,
}

/// What becomes of the identities of an account when its password changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityLinks {
    /// They sign in to the account as before.
    Keep,
    /// They no longer sign in to the account.
    Remove,
}

impl From<AccountRow> for AccountHolder {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            username: row.username,
            name: row.name,
            operator: row.operator,
            generation: row.generation,
            session: None,
        }
    }
}

/// Inserts an account. Returns `false` if its username or one that looks like it is taken.
pub(crate) async fn insert_account(
    tx: &mut WriteTransaction,
    account: &AccountHolder,
    password_hash: Option<&str>,
    now: Time,
) -> Result<bool, Error> {
    let row = NewAccountRow {
        id: account.id,
        username: &account.username,
        skeleton: &NameSkeleton::of(&account.username).lowercase,
        name: &account.name,
        password_hash,
        created_at: now,
    };
    accounts::insert_account(tx, &row).await
}

/// The account with a username as a client wrote it; `None` if there is none, or the username
/// breaks a rule.
async fn find_row(store: &Store, username: &str) -> Result<Option<AccountRow>, Error> {
    match text::parse_account_name(username) {
        Ok(username) => accounts::find_account(store, &username).await,
        Err(_) => Ok(None),
    }
}

/// The holder of the account with this username.
pub(crate) async fn find_account(store: &Store, username: &str) -> Result<AccountHolder, Error> {
    let found = find_row(store, username).await?;
    Ok(found.ok_or(Refusal::NotFound(refusal::NO_PERSON))?.into())
}

/// The events of a person's lost access to these rooms.
fn access_changes(rooms: Vec<RoomId>) -> Vec<DomainEvent> {
    let change = |room| DomainEvent::AccessChanged { room };
    rooms.into_iter().map(change).collect()
}

/// The events of a person whose role everyone in these rooms saw.
fn role_changes(rooms: Vec<RoomId>) -> impl Iterator<Item = DomainEvent> {
    rooms
        .into_iter()
        .map(|room| DomainEvent::RolesChanged { room })
}

impl Chat {
    /// The minimum length of a password, in characters.
    pub fn password_min(&self) -> usize {
        self.0.password_min
    }

    /// Whether a password is one of those that most people choose. It is accepted, but the person
    /// should know.
    pub fn is_common_password(&self, password: &str) -> bool {
        is_common(&text::normalize_password(password))
    }

    /// Creates an account and signs it in.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] or [`Refusal::InvalidFields`] if fields break rules, [`Refusal::Taken`] if the username or one
    /// that looks like it is taken, or a fault.
    pub async fn register_account(
        &self,
        wish: &NewAccount,
        client: PasswordClient,
    ) -> Result<Session, Error> {
        let inner = &self.0;
        self.require_disk_space()?;
        let name = text::parse_person_name(&wish.name);
        let username = text::parse_account_name(&wish.username);
        let entered = username.as_ref().map_or(&wish.username, |parsed| parsed);
        let password = self.parse_new_password(&wish.password, entered);
        let names = Refusal::both(name, username);
        let ((name, username), password) = Refusal::both(names, password)?;
        let password_hash = inner.passwords.hash(&password, client).await?;
        let account = AccountHolder {
            id: random_id()?,
            username,
            name,
            operator: false,
            generation: 0,
            session: None,
        };
        let mut tx = inner.store.begin().await?;
        let now = inner.clock.now();
        let inserted = insert_account(&mut tx, &account, Some(&password_hash), now).await?;
        if !inserted {
            let taken = refusal::USERNAME_X.fill([&account.username]);
            return Err(Refusal::Taken(taken).into());
        }
        self.commit(tx, [DomainEvent::AccountRegistered]).await?;
        self.begin_session(account, None)
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// [`Refusal::WrongCredentials`] if there is no such account or the password is wrong, or a
    /// fault.
    pub async fn sign_in(
        &self,
        credentials: &Credentials,
        client: PasswordClient,
    ) -> Result<Session, Error> {
        let inner = &self.0;
        let found = find_row(&inner.store, &credentials.username).await?;
        // Without an account the password is verified against a dummy hash, so that both cases take
        // as long.
        let hash = found.as_ref().and_then(|row| row.password_hash.as_deref());
        let password = &credentials.password;
        let verified = inner.passwords.verify(password, hash, client).await?;
        let found = found.filter(|_| verified != Verification::Wrong);
        let found = found.ok_or(Refusal::WrongCredentials)?;
        if verified == Verification::RightUnnormalized {
            self.rehash_password(&found, password, client).await?;
        }
        self.begin_session(found.into(), None)
    }

    /// Replaces the hash of a password that was hashed before normalization, unless the password has
    /// changed since.
    async fn rehash_password(
        &self,
        found: &AccountRow,
        password: &str,
        client: PasswordClient,
    ) -> Result<(), Error> {
        let normalized = text::normalize_password(password);
        let hash = self.0.passwords.hash(&normalized, client).await?;
        let mut tx = self.0.store.begin().await?;
        let old = found.password_hash.as_deref().unwrap_or_default();
        accounts::replace_password_hash(&mut tx, found.id, old, &hash).await?;
        tx.mark_erasure();
        self.commit(tx, []).await
    }

    /// Begins a session of an account, after a sign-in provider asked at `authenticated_at` who the
    /// person is.
    pub(crate) fn begin_session(
        &self,
        account: AccountHolder,
        authenticated_at: Option<Time>,
    ) -> Result<Session, Error> {
        let inner = &self.0;
        let claims = inner.tokens.begin_session(
            account.id,
            &account.username,
            account.generation,
            authenticated_at,
            inner.clock.now(),
        )?;
        Ok(Session {
            token: inner.tokens.sign(&claims)?,
            account: AccountHolder {
                session: Some(claims.session()),
                ..account
            },
            lifetime: inner.jwt_lifetime,
        })
    }

    /// Creates a key for a new guest and returns it as a token.
    ///
    /// # Errors
    /// A fault.
    pub fn issue_guest_token(&self) -> Result<String, Error> {
        self.0
            .tokens
            .issue_for_guest(GuestId::new()?, self.0.clock.now())
    }

    /// The caller that this token authenticates.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the token is not from this server or no longer valid, or a
    /// fault.
    pub async fn authenticate_token(&self, token: &str) -> Result<Person, Error> {
        let inner = &self.0;
        let claims = inner.tokens.verify(token, inner.clock.now())?;
        let Some(generation) = claims.generation else {
            let guest = GuestId::from_person_id(claims.id).ok_or(Refusal::NotSignedIn)?;
            return Ok(Person::Guest(guest));
        };
        let session = claims.session();
        let key = AccountSession {
            account: claims.id,
            generation,
            id: Some(session.id),
        };
        let found = inner.account_lookups.find(key).await?;
        let account = AccountHolder {
            session: Some(session),
            ..found.ok_or(Refusal::NotSignedIn)?.into()
        };
        Ok(account.into())
    }

    /// Lists accounts by username.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the caller is not signed in, or a fault.
    pub async fn list_accounts(
        &self,
        by: &Person,
        page: &AccountsPage,
    ) -> Result<Vec<Account>, Error> {
        by.require_account()?;
        let normalized = AccountsPage {
            search: nfc(&page.search),
            ..page.clone()
        };
        accounts::list_accounts(&self.0.store, &normalized).await
    }

    /// Changes the display name of the caller's account.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn change_display_name(
        &self,
        by: &Person,
        name: &str,
    ) -> Result<AccountHolder, Error> {
        let name = text::parse_person_name(name)?;
        let CallerTransaction { mut tx, by } = self.begin_by(by).await?;
        let account = by.require_account()?;
        accounts::set_display_name(&mut tx, account.id, &name).await?;
        let rooms = room_authors::list_rooms_that_name(&mut tx, account.id).await?;
        let events = DomainEvent::account_renamed(&account.username, &name, &rooms);
        self.commit(tx, events).await?;
        Ok(AccountHolder {
            name,
            ..account.clone()
        })
    }

    /// Changes the password of the caller's account. All other sessions of the account end, and with
    /// them its `links` if they are to be removed.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if `old` is not the password,
    /// [`Refusal::Invalid`] if `new` breaks a rule, or a fault.
    pub async fn change_password(
        &self,
        by: &Person,
        old: &str,
        new: &str,
        links: IdentityLinks,
        client: PasswordClient,
    ) -> Result<Session, Error> {
        let found = self.load_own_account(by).await?;
        self.verify_password(&found, old, client).await?;
        self.replace_password(by, found, new, links, client).await
    }

    /// Sets a password for an account that has none. All other sessions of the account end.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if the account has a password,
    /// [`Refusal::Forbidden`] if the session has not just begun, [`Refusal::Invalid`] if `new` breaks
    /// a rule, or a fault.
    pub async fn set_first_password(
        &self,
        by: &Person,
        new: &str,
        client: PasswordClient,
    ) -> Result<Session, Error> {
        let found = self.load_own_account(by).await?;
        if found.password_hash.is_some() {
            return Err(Refusal::WrongCredentials.into());
        }
        self.require_fresh_session(by)?;
        let links = IdentityLinks::Keep;
        self.replace_password(by, found, new, links, client).await
    }

    /// Sets the password of the caller's account and begins the next generation of sessions. If another
    /// change has done so since `found` was read, the session of the caller has ended.
    async fn replace_password(
        &self,
        by: &Person,
        found: AccountRow,
        new: &str,
        links: IdentityLinks,
        client: PasswordClient,
    ) -> Result<Session, Error> {
        let hash = self.hash_new_password(new, &found.username, client).await?;
        let mut tx = self.begin_by(by).await?.tx;
        accounts::set_password_hash(&mut tx, found.id, &hash, self.now()).await?;
        if links == IdentityLinks::Remove {
            oidc_identities::delete_links(&mut tx, found.id).await?;
        }
        let generation = self.revoke_sessions(tx, found.id).await?;
        let account = AccountHolder {
            generation,
            ..found.into()
        };
        self.begin_session(account, None)
    }

    /// Ends all sessions of the caller's account, and every stream that uses one of them.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], or a fault.
    pub async fn sign_out_everywhere(&self, by: &Person) -> Result<(), Error> {
        let account = by.require_account()?;
        let tx = self.begin_by(by).await?.tx;
        self.revoke_sessions(tx, account.id).await?;
        Ok(())
    }

    /// Deletes the caller's account. Its messages stay until their rooms end, and its username stays
    /// taken, so that nobody else can be taken for their author. `confirmation` is the
    /// password, or the username if the account has no password.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if the password is wrong,
    /// [`Refusal::Invalid`] if the username is wrong, or a fault.
    pub async fn delete_account(
        &self,
        by: &Person,
        confirmation: &str,
        client: PasswordClient,
    ) -> Result<(), Error> {
        let account = self.confirm_deletion(by, confirmation, client).await?;
        let mut tx = self.begin_by(by).await?.tx;
        rooms::expire_abandoned_direct_rooms(&mut tx, account.id, self.now()).await?;
        let rooms = members::list_rooms_of(&mut tx, account.id, usize::MAX).await?;
        let moderated = members::list_moderated_rooms(&mut tx, account.id).await?;
        accounts::delete_account(&mut tx, account.id).await?;
        let skeleton = NameSkeleton::of(&account.username).lowercase;
        former_usernames::insert(&mut tx, &account.username, &skeleton).await?;
        members::delete_memberships(&mut tx, account.id).await?;
        room_preferences::delete_preferences(&mut tx, account.id).await?;
        notification_settings::delete_settings(&mut tx, account.id).await?;
        files::give_up_unattached_of(&mut tx, self.now(), account.id).await?;
        tx.mark_erasure();
        let mut events = access_changes(rooms);
        events.extend(role_changes(moderated));
        events.push(DomainEvent::AccountDeleted {
            username: account.username.clone(),
        });
        events.push(DomainEvent::SessionsEnded {
            account: account.id,
        });
        self.commit(tx, events).await
    }

    /// Gives the rooms, roles and sanctions of a guest to the caller's account.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the caller is not signed in or `guest` is not a guest, or a
    /// fault.
    pub async fn merge_guest(&self, by: &Person, guest: &Person) -> Result<(), Error> {
        let account = by.require_account()?.id;
        let Person::Guest(_) = guest else {
            return Err(Refusal::NotSignedIn.into());
        };
        let guest = guest.id();
        let mut tx = self.begin_by(by).await?.tx;
        let moderated = members::list_moderated_rooms(&mut tx, guest).await?;
        let banned_from = move_guest_rows(&mut tx, guest, account, self.now()).await?;
        // A ban of the guest now applies to the account, whose followers must stop.
        let mut events = access_changes(banned_from);
        events.extend(role_changes(moderated));
        events.extend([account, guest].map(|person| DomainEvent::PersonChanged { person }));
        self.commit(tx, events).await
    }

    /// Checks that the caller confirms the deletion of the account.
    async fn confirm_deletion(
        &self,
        by: &Person,
        confirmation: &str,
        client: PasswordClient,
    ) -> Result<AccountRow, Error> {
        let found = self.load_own_account(by).await?;
        if found.password_hash.is_some() {
            self.verify_password(&found, confirmation, client).await?;
            return Ok(found);
        }
        match text::parse_account_name(confirmation) {
            Ok(name) if name == found.username => Ok(found),
            _ => {
                let reason = refusal::RULE_NOT_YOURS.text();
                Err(Refusal::invalid("username", reason).into())
            }
        }
    }

    /// Commits a transaction together with the end of all sessions of an account. Returns the
    /// generation of new sessions.
    async fn revoke_sessions(&self, mut tx: WriteTransaction, account: i64) -> Result<i64, Error> {
        let generation = accounts::begin_generation(&mut tx, account).await?;
        let generation = generation.ok_or(Refusal::NotSignedIn)?;
        // The transaction may have overwritten an old password hash.
        tx.mark_erasure();
        self.commit(tx, [DomainEvent::SessionsEnded { account }])
            .await?;
        Ok(generation)
    }

    /// Checks that the session of the caller has not ended.
    pub(crate) async fn require_session(&self, by: &Person) -> Result<(), Error> {
        if let Some(account) = by.account() {
            self.load_account_of_session(account).await?;
        }
        Ok(())
    }

    /// The row of the caller's account.
    pub(crate) async fn load_own_account(&self, by: &Person) -> Result<AccountRow, Error> {
        self.load_account_of_session(by.require_account()?).await
    }

    /// The row of an account whose session has not ended.
    async fn load_account_of_session(&self, account: &AccountHolder) -> Result<AccountRow, Error> {
        let found = self.0.account_lookups.find(account.session_key()).await?;
        Ok(found.ok_or(Refusal::NotSignedIn)?)
    }

    /// Hashes a new password that keeps the rules.
    async fn hash_new_password(
        &self,
        password: &str,
        username: &str,
        client: PasswordClient,
    ) -> Result<String, Error> {
        let password = self.parse_new_password(password, username)?;
        self.0.passwords.hash(&password, client).await
    }

    /// A new password that keeps the rules, as it is hashed.
    fn parse_new_password(&self, password: &str, username: &str) -> Result<String, Refusal> {
        let password = text::parse_password(password, self.0.password_min)?;
        if is_username(&password, username) {
            return Err(Refusal::invalid(
                "password",
                refusal::RULE_NOT_USERNAME.text(),
            ));
        }
        Ok(password)
    }

    /// Checks that this is the password of an account.
    pub(crate) async fn verify_password(
        &self,
        found: &AccountRow,
        password: &str,
        client: PasswordClient,
    ) -> Result<(), Error> {
        let hash = found.password_hash.as_deref();
        match self.0.passwords.verify(password, hash, client).await? {
            Verification::Right | Verification::RightUnnormalized => Ok(()),
            Verification::Wrong => Err(Refusal::WrongCredentials.into()),
        }
    }
}

/// Moves the memberships, choices and sanctions of a guest to an account. Returns the rooms that the guest
/// is banned from. The sanctions stay with the guest, too.
async fn move_guest_rows(
    tx: &mut WriteTransaction,
    guest: i64,
    account: i64,
    now: Time,
) -> Result<Vec<RoomId>, Error> {
    for person in [guest, account] {
        sanctions::delete_ended_sanctions(tx, person, now).await?;
    }
    let banned_from = sanctions::list_bans(tx, guest).await?;
    sanctions::copy_sanctions(tx, guest, account).await?;
    members::move_memberships(tx, guest, account).await?;
    room_preferences::move_preferences(tx, guest, account).await?;
    notification_settings::move_settings(tx, guest, account).await?;
    files::move_unattached(tx, guest, account).await?;
    name_claims::delete_claims_of(tx, guest).await?;
    Ok(banned_from)
}

#[cfg(test)]
mod tests {
    use protocol::NewMessage;

    use super::*;
    use crate::store::sql::query;
    use crate::testing::{TestChat, new_guest};
    use crate::{MessagesPage, OidcIdentity, ProviderProfile};

    fn wish(username: &str) -> NewAccount {
        NewAccount {
            name: "Somebody".to_owned(),
            username: username.to_owned(),
            password: "secret".to_owned(),
        }
    }

    fn knows(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.to_owned(),
            password: password.to_owned(),
        }
    }

    fn refusal<T>(answer: Result<T, Error>) -> Refusal {
        match answer.err() {
            Some(Error::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn username_that_looks_like_a_taken_one_is_refused() {
        let mut test = TestChat::new(|_| {}).await;
        test.chat
            .register_account(&wish("Alice"), None)
            .await
            .unwrap();
        for taken in ["alice", "ALICE", "a1ice"] {
            assert!(
                matches!(
                    refusal(test.chat.register_account(&wish(taken), None).await),
                    Refusal::Taken(_)
                ),
                "{taken}"
            );
        }
        test.reopen().await;
        let session = test
            .chat
            .sign_in(&knows("alice", "secret"), None)
            .await
            .unwrap();
        assert_eq!(
            test.chat
                .authenticate_token(&session.token)
                .await
                .unwrap()
                .account()
                .unwrap()
                .username(),
            "alice"
        );
        for (username, password) in [
            ("alice", "Secret"),
            ("bob", "secret"),
            ("", ""),
            ("al ice", "secret"),
        ] {
            assert_eq!(
                refusal(test.chat.sign_in(&knows(username, password), None).await),
                Refusal::WrongCredentials
            );
        }
    }

    #[tokio::test]
    async fn password_is_accepted_in_composed_and_decomposed_letters() {
        const COMPOSED: &str = "pässwörté";
        const DECOMPOSED: &str = "pa\u{308}sswo\u{308}rte\u{301}";
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        for (username, password, other) in
            [("ada", COMPOSED, DECOMPOSED), ("ben", DECOMPOSED, COMPOSED)]
        {
            let wish = NewAccount {
                password: password.to_owned(),
                ..wish(username)
            };
            chat.register_account(&wish, None).await.unwrap();
            assert!(chat.sign_in(&knows(username, password), None).await.is_ok());
            assert!(chat.sign_in(&knows(username, other), None).await.is_ok());
        }
    }

    #[tokio::test]
    async fn password_hashed_before_normalization_is_accepted_and_rehashed() {
        const COMPOSED: &str = "pässwörté";
        const DECOMPOSED: &str = "pa\u{308}sswo\u{308}rte\u{301}";
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let account = chat
            .register_account(&wish("ada"), None)
            .await
            .unwrap()
            .account;
        let old_hash = chat.0.passwords.hash(DECOMPOSED, None).await.unwrap();
        let mut tx = chat.0.store.begin().await.unwrap();
        query("update account set password_hash = $2 where id = $1")
            .bind(account.id)
            .bind(old_hash)
            .execute(tx.connection())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let wrong = chat.sign_in(&knows("ada", COMPOSED), None).await;
        assert_eq!(refusal(wrong), Refusal::WrongCredentials);
        for password in [DECOMPOSED, COMPOSED, DECOMPOSED] {
            assert!(chat.sign_in(&knows("ada", password), None).await.is_ok());
        }
    }

    #[tokio::test]
    async fn new_password_sign_out_everywhere_and_deletion_end_sessions() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let first = chat.register_account(&wish("ada"), None).await.unwrap();
        let by = chat.authenticate_token(&first.token).await.unwrap();
        assert_eq!(
            refusal(
                chat.change_password(&by, "wrong", "secret2", IdentityLinks::Keep, None)
                    .await
            ),
            Refusal::WrongCredentials
        );
        let second = chat
            .change_password(&by, "secret", "secret2", IdentityLinks::Keep, None)
            .await
            .unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&first.token).await),
            Refusal::NotSignedIn
        );
        assert_eq!(
            chat.authenticate_token(&second.token).await.unwrap().id(),
            by.id()
        );
        let by = Person::from(second.account);
        chat.sign_out_everywhere(&by).await.unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&second.token).await),
            Refusal::NotSignedIn
        );
        let third = chat.sign_in(&knows("ada", "secret2"), None).await.unwrap();
        assert_eq!(
            refusal(chat.delete_account(&by, "secret2", None).await),
            Refusal::NotSignedIn
        );
        let by = Person::from(third.account.clone());
        chat.delete_account(&by, "secret2", None).await.unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&third.token).await),
            Refusal::NotSignedIn
        );
        assert_eq!(
            refusal(chat.authenticate_token(&third.token).await),
            Refusal::NotSignedIn
        );
    }

    #[tokio::test]
    async fn username_in_any_form_is_no_password() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let register = async |password: &str| {
            let wish = NewAccount {
                password: password.to_owned(),
                ..wish("lovelace")
            };
            chat.register_account(&wish, None).await
        };
        let forms = [
            "lovelace",
            "LoveLace",
            " lovelace ",
            "ｌｏｖｅｌａｃｅ",
            "love\u{200b}lace",
        ];
        for form in forms {
            let refused = refusal(register(form).await);
            assert!(
                matches!(
                    refused,
                    Refusal::Invalid {
                        field: "password",
                        ..
                    }
                ),
                "{form}"
            );
        }
        let by = Person::from(register("lovelace1").await.unwrap().account);
        for form in forms {
            let refused = refusal(
                chat.change_password(&by, "lovelace1", form, IdentityLinks::Keep, None)
                    .await,
            );
            assert!(
                matches!(
                    refused,
                    Refusal::Invalid {
                        field: "password",
                        ..
                    }
                ),
                "{form}"
            );
        }
    }

    #[tokio::test]
    async fn of_a_new_password_and_a_deletion_at_once_one_succeeds() {
        let test = TestChat::new(|_| {}).await;
        let by = test.register("ada").await;
        let keep = IdentityLinks::Keep;
        let (changed, deleted) = tokio::join!(
            test.chat
                .change_password(&by, "secret", "secret2", keep, None),
            test.chat.delete_account(&by, "secret", None)
        );
        assert_ne!(changed.is_ok(), deleted.is_ok(), "{changed:?} {deleted:?}");
    }

    #[tokio::test]
    async fn username_of_a_deleted_account_is_given_to_nobody() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let alice = test.register("alice").await;
        let message = NewMessage {
            username: "alice".to_owned(),
            body: "hello".to_owned(),
        };
        let post = async |chat: &Chat, by: &Person, username: &str| {
            let message = NewMessage {
                username: username.to_owned(),
                ..message.clone()
            };
            chat.post_message(by, &room, &message, None).await
        };
        post(&test.chat, &alice, "alice").await.unwrap();
        test.chat
            .delete_account(&alice, "secret", None)
            .await
            .unwrap();
        for _ in 0..2 {
            let chat = &test.chat;
            for username in ["alice", "ALICE", "a1ice"] {
                let refused = refusal(chat.register_account(&wish(username), None).await);
                assert!(matches!(refused, Refusal::Taken(_)), "{username}");
            }
            for username in ["alice", "Alice", "аlice"] {
                for by in [Person::Anonymous, new_guest()] {
                    let refused = refusal(post(chat, &by, username).await);
                    assert!(matches!(refused, Refusal::NameTaken { .. }), "{username}");
                }
            }
            test.reopen().await;
        }
        let identity = OidcIdentity {
            issuer: "https://id.example".to_owned(),
            subject: "1".to_owned(),
        };
        let profile = ProviderProfile {
            username: Some("alice".to_owned()),
            ..ProviderProfile::default()
        };
        let registered = test
            .chat
            .register_with_identity(&identity, &profile, None)
            .await;
        assert_eq!(registered.unwrap().account.username(), "alice2");
        let page = MessagesPage::default();
        let old = test
            .chat
            .list_messages(&Person::Anonymous, &room, page)
            .await;
        assert_eq!(old.unwrap()[0].name, None);
    }

    #[tokio::test]
    async fn session_ends_when_its_lifetime_is_over() {
        let test = TestChat::new(|_| {}).await;
        let session = test
            .chat
            .register_account(&wish("ada"), None)
            .await
            .unwrap();
        test.config.clock.advance(test.config.jwt_lifetime);
        assert_eq!(
            refusal(test.chat.authenticate_token(&session.token).await),
            Refusal::NotSignedIn
        );
    }

    #[tokio::test]
    async fn accounts_are_found_by_part_of_username_or_name() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let by = Person::from(
            chat.register_account(&wish("grace"), None)
                .await
                .unwrap()
                .account,
        );
        chat.register_account(
            &NewAccount {
                name: "Ada Lovelace".to_owned(),
                ..wish("ada")
            },
            None,
        )
        .await
        .unwrap();
        let find = async |search: &str| {
            let page = AccountsPage {
                search: search.to_owned(),
                ..AccountsPage::default()
            };
            let found = chat.list_accounts(&by, &page).await.unwrap();
            found
                .into_iter()
                .map(|account| account.username)
                .collect::<Vec<_>>()
        };
        assert_eq!(find("").await, ["ada", "grace"]);
        assert_eq!(find("LOVE").await, ["ada"]);
        assert_eq!(find("%").await, [""; 0]);
        assert_eq!(
            refusal(
                chat.list_accounts(&Person::Anonymous, &AccountsPage::default())
                    .await
            ),
            Refusal::NotSignedIn
        );
    }
}
