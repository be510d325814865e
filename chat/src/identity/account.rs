//! Accounts: usernames that belong to one person everywhere, with a password and sessions.
//!
//! # Guarantees
//! - No two accounts have usernames that look alike.
//! - Passwords are stored as `password` says.
//! - A token is valid until it expires, the password changes, the account signs out everywhere or
//!   the account is deleted.
//! - Signing in takes as long, and answers the same, whether or not the account exists.
//!
//! # Not here
//! - How often a client may try a password: the server.

use std::time::Duration;

use protocol::{Account, Credentials, NewAccount, Refusal, RoomId, Time, nfc, text};

use crate::events::DomainEvent;
use crate::identity::name_skeleton::NameSkeleton;
use crate::identity::password::Verification;
use crate::identity::person::{AccountHolder, GuestId, Person, random_id};
use crate::store::{
    AccountLookup, AccountRow, AccountsPage, DatabaseLocation, NewAccountRow, Store,
    WriteTransaction, accounts, members, name_claims, room_authors, rooms, sanctions,
};
use crate::{Chat, Config, Error};

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

impl From<AccountRow> for AccountHolder {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            username: row.username,
            name: row.name,
            operator: row.operator,
            generation: row.generation,
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
    Ok(found.ok_or(Refusal::NotFound("such person"))?.into())
}

/// The events of a person's lost access to these rooms.
fn access_changes(rooms: Vec<RoomId>) -> Vec<DomainEvent> {
    let change = |room| DomainEvent::AccessChanged { room };
    rooms.into_iter().map(change).collect()
}

/// Makes an account an operator, or takes that role back. A server may be running.
///
/// # Errors
/// [`Refusal::NotFound`] if there is no such account, or a fault.
pub async fn set_operator(config: &Config, username: &str, operator: bool) -> Result<(), Error> {
    let location = DatabaseLocation::of(config)?;
    let username = text::parse_account_name(username)?;
    if accounts::set_operator(&location, &username, operator)? {
        Ok(())
    } else {
        Err(Refusal::NotFound("such person").into())
    }
}

impl Chat {
    /// The minimum length of a password, in characters.
    pub fn password_min(&self) -> usize {
        self.0.password_min
    }

    /// Creates an account and signs it in.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if a field breaks a rule, [`Refusal::Taken`] if the username or one
    /// that looks like it is taken, or a fault.
    pub async fn register_account(&self, wish: &NewAccount) -> Result<Session, Error> {
        let inner = &self.0;
        let username = text::parse_account_name(&wish.username)?;
        let name = text::parse_person_name(&wish.name)?;
        let password_hash = self.hash_new_password(&wish.password).await?;
        let account = AccountHolder {
            id: random_id()?,
            username,
            name,
            operator: false,
            generation: 0,
        };
        let mut tx = inner.store.begin().await?;
        let now = inner.clock.now();
        let inserted = insert_account(&mut tx, &account, Some(&password_hash), now).await?;
        if !inserted {
            let taken = format!(
                "The username {}, or one that looks like it,",
                account.username
            );
            return Err(Refusal::Taken(taken).into());
        }
        self.commit(tx, [DomainEvent::AccountRegistered]).await?;
        self.begin_session(account)
    }

    /// Signs in with a password.
    ///
    /// # Errors
    /// [`Refusal::WrongCredentials`] if there is no such account or the password is wrong, or a
    /// fault.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Session, Error> {
        let inner = &self.0;
        let found = find_row(&inner.store, &credentials.username).await?;
        // Without an account the password is verified against a dummy hash, so that both cases take
        // as long.
        let hash = found.as_ref().and_then(|row| row.password_hash.as_deref());
        let password = &credentials.password;
        let verified = inner.passwords.verify(password, hash).await?;
        let found = found.filter(|_| verified != Verification::Wrong);
        let found = found.ok_or(Refusal::WrongCredentials)?;
        if verified == Verification::RightUnnormalized {
            self.rehash_password(&found, password).await?;
        }
        self.begin_session(found.into())
    }

    /// Replaces the hash of a password that was hashed before normalization, unless the password has
    /// changed since.
    async fn rehash_password(&self, found: &AccountRow, password: &str) -> Result<(), Error> {
        let normalized = text::normalize_password(password);
        let hash = self.0.passwords.hash(&normalized).await?;
        let mut tx = self.0.store.begin().await?;
        let old = found.password_hash.as_deref().unwrap_or_default();
        accounts::replace_password_hash(&mut tx, found.id, old, &hash).await?;
        tx.mark_erasure();
        self.commit(tx, []).await
    }

    pub(crate) fn begin_session(&self, account: AccountHolder) -> Result<Session, Error> {
        let inner = &self.0;
        let token = inner.tokens.issue_for_account(
            account.id,
            &account.username,
            account.generation,
            inner.clock.now(),
        )?;
        Ok(Session {
            account,
            token,
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
        let found = self
            .find_account(claims.id)
            .await?
            .filter(|found| found.generation == generation)
            .ok_or(Refusal::NotSignedIn)?;
        Ok(AccountHolder::from(found).into())
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
        let account = by.require_account()?;
        let name = text::parse_person_name(name)?;
        let mut tx = self.0.store.begin().await?;
        accounts::set_display_name(&mut tx, account.id, &name).await?;
        let rooms = room_authors::list_rooms_that_name(&mut tx, account.id).await?;
        let events = DomainEvent::account_renamed(&account.username, &name, &rooms);
        self.commit(tx, events).await?;
        Ok(AccountHolder {
            name,
            ..account.clone()
        })
    }

    /// Changes the password of the caller's account. All other sessions of the account end.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if `old` is not the password,
    /// [`Refusal::Invalid`] if `new` breaks a rule, or a fault.
    pub async fn change_password(
        &self,
        by: &Person,
        old: &str,
        new: &str,
    ) -> Result<Session, Error> {
        let account = self
            .verify_password(self.load_own_account(by).await?, old)
            .await?;
        let hash = self.hash_new_password(new).await?;
        let mut tx = self.0.store.begin().await?;
        accounts::set_password_hash(&mut tx, account.id, &hash).await?;
        let generation = self.revoke_sessions(tx, account.id).await?;
        self.begin_session(AccountHolder {
            generation,
            ..account
        })
    }

    /// Sets a password for an account that has none. All other sessions of the account end.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if the account has a password,
    /// [`Refusal::Invalid`] if `new` breaks a rule, or a fault.
    pub async fn set_first_password(&self, by: &Person, new: &str) -> Result<Session, Error> {
        let account = by.require_account()?;
        let hash = self.hash_new_password(new).await?;
        let mut tx = self.0.store.begin().await?;
        if !accounts::set_first_password_hash(&mut tx, account.id, &hash).await? {
            return Err(Refusal::WrongCredentials.into());
        }
        let generation = self.revoke_sessions(tx, account.id).await?;
        self.begin_session(AccountHolder {
            generation,
            ..account.clone()
        })
    }

    /// Ends all sessions of the caller's account, and every stream that uses one of them.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], or a fault.
    pub async fn sign_out_everywhere(&self, by: &Person) -> Result<(), Error> {
        let account = by.require_account()?;
        self.revoke_sessions(self.0.store.begin().await?, account.id)
            .await?;
        Ok(())
    }

    /// Deletes the caller's account. Its messages stay until their rooms end. `confirmation` is the
    /// password, or the username if the account has no password.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if the password is wrong,
    /// [`Refusal::Invalid`] if the username is wrong, or a fault.
    pub async fn delete_account(&self, by: &Person, confirmation: &str) -> Result<(), Error> {
        let account = self.confirm_deletion(by, confirmation).await?;
        let mut tx = self.0.store.begin().await?;
        rooms::expire_abandoned_direct_rooms(&mut tx, account.id, self.now()).await?;
        let rooms = members::list_rooms_of(&mut tx, account.id, usize::MAX).await?;
        accounts::delete_account(&mut tx, account.id).await?;
        members::delete_memberships(&mut tx, account.id).await?;
        tx.mark_erasure();
        let mut events = access_changes(rooms);
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
        let mut tx = self.0.store.begin().await?;
        let banned_from = move_guest_rows(&mut tx, guest, account, self.now()).await?;
        // A ban of the guest now applies to the account, whose followers must stop.
        let mut events = access_changes(banned_from);
        events.extend([account, guest].map(|person| DomainEvent::PersonChanged { person }));
        self.commit(tx, events).await
    }

    /// Checks that the caller confirms the deletion of the account.
    async fn confirm_deletion(
        &self,
        by: &Person,
        confirmation: &str,
    ) -> Result<AccountHolder, Error> {
        let found = self.load_own_account(by).await?;
        if found.password_hash.is_some() {
            return self.verify_password(found, confirmation).await;
        }
        match text::parse_account_name(confirmation) {
            Ok(name) if name == found.username => Ok(found.into()),
            _ => {
                let reason = "is not yours; type it to show that you mean it";
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

    /// The account with this ID.
    pub(crate) async fn find_account(&self, id: i64) -> Result<Option<AccountRow>, Error> {
        self.0.account_lookups.find(AccountLookup(id)).await
    }

    /// Checks that the session of an account has not ended.
    pub(crate) async fn require_session(&self, account: &AccountHolder) -> Result<(), Error> {
        match self.find_account(account.id).await? {
            Some(found) if found.generation == account.generation => Ok(()),
            _ => Err(Refusal::NotSignedIn.into()),
        }
    }

    /// The row of the caller's account.
    async fn load_own_account(&self, by: &Person) -> Result<AccountRow, Error> {
        let found = self.find_account(by.require_account()?.id).await?;
        Ok(found.ok_or(Refusal::NotSignedIn)?)
    }

    /// Hashes a new password that keeps the rules.
    async fn hash_new_password(&self, password: &str) -> Result<String, Error> {
        let password = text::parse_password(password, self.0.password_min)?;
        self.0.passwords.hash(&password).await
    }

    /// The holder of an account, if this is the password of the account.
    async fn verify_password(
        &self,
        found: AccountRow,
        password: &str,
    ) -> Result<AccountHolder, Error> {
        let hash = found.password_hash.as_deref();
        match self.0.passwords.verify(password, hash).await? {
            Verification::Right | Verification::RightUnnormalized => Ok(found.into()),
            Verification::Wrong => Err(Refusal::WrongCredentials.into()),
        }
    }
}

/// Moves the memberships and sanctions of a guest to an account. Returns the rooms that the guest
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
    name_claims::delete_claims_of(tx, guest).await?;
    Ok(banned_from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestChat;

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
        test.chat.register_account(&wish("Alice")).await.unwrap();
        for taken in ["alice", "ALICE", "a1ice"] {
            assert!(
                matches!(
                    refusal(test.chat.register_account(&wish(taken)).await),
                    Refusal::Taken(_)
                ),
                "{taken}"
            );
        }
        test.reopen().await;
        let session = test.chat.sign_in(&knows("alice", "secret")).await.unwrap();
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
                refusal(test.chat.sign_in(&knows(username, password)).await),
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
            chat.register_account(&wish).await.unwrap();
            assert!(chat.sign_in(&knows(username, password)).await.is_ok());
            assert!(chat.sign_in(&knows(username, other)).await.is_ok());
        }
    }

    #[tokio::test]
    async fn password_hashed_before_normalization_is_accepted_and_rehashed() {
        const COMPOSED: &str = "pässwörté";
        const DECOMPOSED: &str = "pa\u{308}sswo\u{308}rte\u{301}";
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let account = chat.register_account(&wish("ada")).await.unwrap().account;
        let old_hash = chat.0.passwords.hash(DECOMPOSED).await.unwrap();
        let mut tx = chat.0.store.begin().await.unwrap();
        sqlx::query("update account set password_hash = $2 where id = $1")
            .bind(account.id)
            .bind(old_hash)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let wrong = chat.sign_in(&knows("ada", COMPOSED)).await;
        assert_eq!(refusal(wrong), Refusal::WrongCredentials);
        for password in [DECOMPOSED, COMPOSED, DECOMPOSED] {
            assert!(chat.sign_in(&knows("ada", password)).await.is_ok());
        }
    }

    #[tokio::test]
    async fn new_password_sign_out_everywhere_and_deletion_end_sessions() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let first = chat.register_account(&wish("ada")).await.unwrap();
        let by = chat.authenticate_token(&first.token).await.unwrap();
        assert_eq!(
            refusal(chat.change_password(&by, "wrong", "secret2").await),
            Refusal::WrongCredentials
        );
        let second = chat
            .change_password(&by, "secret", "secret2")
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
        chat.sign_out_everywhere(&by).await.unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&second.token).await),
            Refusal::NotSignedIn
        );
        let third = chat.sign_in(&knows("ada", "secret2")).await.unwrap();
        chat.delete_account(&by, "secret2").await.unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&third.token).await),
            Refusal::NotSignedIn
        );
        // A new account with the same username does not accept tokens of the old one.
        chat.register_account(&wish("ada")).await.unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&third.token).await),
            Refusal::NotSignedIn
        );
    }

    #[tokio::test]
    async fn session_ends_when_its_lifetime_is_over() {
        let test = TestChat::new(|_| {}).await;
        let session = test.chat.register_account(&wish("ada")).await.unwrap();
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
        let by = Person::from(chat.register_account(&wish("grace")).await.unwrap().account);
        chat.register_account(&NewAccount {
            name: "Ada Lovelace".to_owned(),
            ..wish("ada")
        })
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
