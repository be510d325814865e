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

use protocol::{Account, Credentials, NewAccount, Refusal, Time, nfc, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use crate::events::DomainEvent;
use crate::identity::name_skeleton::NameSkeleton;
use crate::identity::password::Verification;
use crate::identity::person::{AccountHolder, GuestId, Person, random_id};
use crate::store::{DatabaseLocation, Store, WriteTransaction, room_authors, room_id};
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

/// A row of the table `account`.
pub(crate) struct AccountRow {
    pub account: AccountHolder,
    /// Empty if the account has no password.
    password_hash: String,
}

impl AccountRow {
    /// The hash of the password, if the account has a password.
    fn password_hash(&self) -> Option<&str> {
        Some(self.password_hash.as_str()).filter(|hash| !hash.is_empty())
    }
}

impl FromRow<'_, SqliteRow> for AccountRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            account: AccountHolder {
                id: row.try_get("id")?,
                username: row.try_get("username")?,
                name: row.try_get("name")?,
                operator: row.try_get("operator")?,
                generation: row.try_get("generation")?,
            },
            password_hash: row.try_get("password_hash")?,
        })
    }
}

async fn load_by_username(store: &Store, username: &str) -> Result<Option<AccountRow>, Error> {
    let sql = "select id, username, name, password_hash, operator, generation
               from account where username = $1";
    Ok(sqlx::query_as(sql)
        .bind(username)
        .fetch_optional(store.read())
        .await?)
}

pub(crate) async fn load_by_id(store: &Store, id: i64) -> Result<Option<AccountRow>, Error> {
    let sql = "select id, username, name, password_hash, operator, generation
               from account where id = $1";
    Ok(sqlx::query_as(sql)
        .bind(id)
        .fetch_optional(store.read())
        .await?)
}

/// Checks that the session of an account has not ended.
pub(crate) async fn require_session(store: &Store, account: &AccountHolder) -> Result<(), Error> {
    match load_by_id(store, account.id).await? {
        Some(found) if found.account.generation == account.generation => Ok(()),
        _ => Err(Refusal::NotSignedIn.into()),
    }
}

/// Inserts an account. Returns `false` if its username or one that looks like it is taken.
pub(crate) async fn insert_account(
    connection: &mut SqliteConnection,
    account: &AccountHolder,
    password_hash: &str,
    now: Time,
) -> Result<bool, Error> {
    let sql = "insert into account
                 (id, username, skeleton, name, password_hash, operator, generation, created_at)
               values ($1, $2, $3, $4, $5, false, 0, $6) on conflict do nothing";
    let inserted = sqlx::query(sql)
        .bind(account.id)
        .bind(&account.username)
        .bind(NameSkeleton::of(&account.username).lowercase)
        .bind(&account.name)
        .bind(password_hash)
        .bind(now.millis())
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected() > 0)
}

/// The holder of the account with this username.
pub(crate) async fn find_account(store: &Store, username: &str) -> Result<AccountHolder, Error> {
    let found = match text::parse_account_name(username) {
        Ok(name) => load_by_username(store, &name).await?,
        Err(_) => None,
    };
    Ok(found.ok_or(Refusal::NotFound("such person"))?.account)
}

/// The events of a person's lost access to these rooms.
fn access_changes(rooms: Vec<i64>) -> Vec<DomainEvent> {
    let rooms = rooms.into_iter().map(room_id);
    rooms
        .map(|room| DomainEvent::AccessChanged { room })
        .collect()
}

/// Which accounts to list.
#[derive(Clone, Debug)]
pub struct AccountsPage {
    /// List only accounts whose name or username contains this text.
    pub search: String,
    /// List only usernames that sort after this one.
    pub after: String,
    /// List at most this many.
    pub limit: usize,
}

impl Default for AccountsPage {
    fn default() -> Self {
        Self {
            search: String::new(),
            after: String::new(),
            limit: 1_000,
        }
    }
}

/// Makes an account an operator, or takes that role back. A server may be running.
///
/// # Errors
/// [`Refusal::NotFound`] if there is no such account, or a fault.
pub async fn set_operator(config: &Config, username: &str, operator: bool) -> Result<(), Error> {
    let connection = DatabaseLocation::of(config)?.connect()?;
    let sql = "update account set operator = ?2 where username = ?1";
    let username = text::parse_account_name(username)?;
    match connection.execute(sql, rusqlite::params![username, operator])? {
        0 => Err(Refusal::NotFound("such person").into()),
        _ => Ok(()),
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
        let inserted = insert_account(&mut tx, &account, &password_hash, inner.clock.now()).await?;
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
        let found = match text::parse_account_name(&credentials.username) {
            Ok(username) => load_by_username(&inner.store, &username).await?,
            Err(_) => None,
        };
        // Without an account the password is verified against a dummy hash, so that both cases take
        // as long.
        let hash = found.as_ref().and_then(AccountRow::password_hash);
        let password = &credentials.password;
        let verified = inner.passwords.verify(password, hash).await?;
        let found = found.filter(|_| verified != Verification::Wrong);
        let found = found.ok_or(Refusal::WrongCredentials)?;
        if verified == Verification::RightUnnormalized {
            self.rehash_password(&found, password).await?;
        }
        self.begin_session(found.account)
    }

    /// Replaces the hash of a password that was hashed before normalization, unless the password has
    /// changed since.
    async fn rehash_password(&self, found: &AccountRow, password: &str) -> Result<(), Error> {
        let normalized = text::normalize_password(password);
        let hash = self.0.passwords.hash(&normalized).await?;
        let mut tx = self.0.store.begin().await?;
        let sql = "update account set password_hash = $2 where id = $1 and password_hash = $3";
        sqlx::query(sql)
            .bind(found.account.id)
            .bind(hash)
            .bind(&found.password_hash)
            .execute(&mut *tx)
            .await?;
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
        let found = load_by_id(&inner.store, claims.id)
            .await?
            .filter(|found| found.account.generation == generation)
            .ok_or(Refusal::NotSignedIn)?;
        Ok(found.account.into())
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
        let sql = "select name, username from account where username > $1
                   and (instr(username, lower($2)) > 0 or instr(lower(name), lower($2)) > 0)
                   order by username limit $3";
        let rows: Vec<(String, String)> = sqlx::query_as(sql)
            .bind(&page.after)
            .bind(nfc(&page.search))
            .bind(i64::try_from(page.limit).unwrap_or(i64::MAX))
            .fetch_all(self.0.store.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|(name, username)| Account { name, username })
            .collect())
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
        let sql = "update account set name = $2 where id = $1";
        sqlx::query(sql)
            .bind(account.id)
            .bind(&name)
            .execute(&mut *tx)
            .await?;
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
        let sql = "update account set password_hash = $2 where id = $1";
        sqlx::query(sql)
            .bind(account.id)
            .bind(hash)
            .execute(&mut *tx)
            .await?;
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
        let sql = "update account set password_hash = $2 where id = $1 and password_hash = ''";
        let updated = sqlx::query(sql)
            .bind(account.id)
            .bind(hash)
            .execute(&mut *tx)
            .await?;
        if updated.rows_affected() == 0 {
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
        expire_direct_rooms_without_other(&mut tx, account.id, self.now()).await?;
        let rooms: Vec<i64> = sqlx::query_scalar("select room from member where person = $1")
            .bind(account.id)
            .fetch_all(&mut *tx)
            .await?;
        for sql in [
            "delete from account where id = $1",
            "delete from oidc_identity where account = $1",
            "delete from member where person = $1",
        ] {
            sqlx::query(sql).bind(account.id).execute(&mut *tx).await?;
        }
        tx.mark_erasure();
        let mut events = access_changes(rooms);
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
        if found.password_hash().is_some() {
            return self.verify_password(found, confirmation).await;
        }
        match text::parse_account_name(confirmation) {
            Ok(name) if name == found.account.username => Ok(found.account),
            _ => {
                let reason = "is not yours; type it to show that you mean it";
                Err(Refusal::invalid("username", reason).into())
            }
        }
    }

    /// Commits a transaction together with the end of all sessions of an account. Returns the
    /// generation of new sessions.
    async fn revoke_sessions(&self, mut tx: WriteTransaction, account: i64) -> Result<i64, Error> {
        let sql =
            "update account set generation = generation + 1 where id = $1 returning generation";
        let generation: Option<i64> = sqlx::query_scalar(sql)
            .bind(account)
            .fetch_optional(&mut *tx)
            .await?;
        let generation = generation.ok_or(Refusal::NotSignedIn)?;
        // The transaction may have overwritten an old password hash.
        tx.mark_erasure();
        self.commit(tx, [DomainEvent::SessionsEnded { account }])
            .await?;
        Ok(generation)
    }

    /// The row of the caller's account.
    async fn load_own_account(&self, by: &Person) -> Result<AccountRow, Error> {
        let found = load_by_id(&self.0.store, by.require_account()?.id).await?;
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
        let hash = found.password_hash();
        match self.0.passwords.verify(password, hash).await? {
            Verification::Right | Verification::RightUnnormalized => Ok(found.account),
            Verification::Wrong => Err(Refusal::WrongCredentials.into()),
        }
    }
}

/// Lets the direct chats expire whose other account is deleted already. Such a chat ends with the
/// second of its accounts.
async fn expire_direct_rooms_without_other(
    connection: &mut SqliteConnection,
    account: i64,
    now: Time,
) -> Result<(), Error> {
    let sql = "update room set expires_at = $2, due_at = $2 where access = 2 and state = 0
               and id in (select room from member where person = $1)
               and not exists (select 1 from member where room = id and person <> $1)";
    sqlx::query(sql)
        .bind(account)
        .bind(now.millis())
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves the memberships and sanctions of a guest to an account. Returns the rooms that the guest
/// is banned from.
async fn move_guest_rows(
    connection: &mut SqliteConnection,
    guest: i64,
    account: i64,
    now: Time,
) -> Result<Vec<i64>, Error> {
    sqlx::query("delete from sanction where person in ($1, $2) and until <= $3")
        .bind(account)
        .bind(guest)
        .bind(now.millis())
        .execute(&mut *connection)
        .await?;
    let banned_from =
        sqlx::query_scalar("select room from sanction where person = $1 and kind = 1")
            .bind(guest)
            .fetch_all(&mut *connection)
            .await?;
    for sql in [
        "insert into member select room, $1, role, joined_at, read_seq from member where person = $2
         on conflict (room, person) do update set role = max(role, excluded.role)",
        // Of two sanctions the account gets the harder kind and the later end, so that it escapes
        // neither. A sanction without an end has a null `until`, and max() of a null and a number
        // is null in SQLite.
        "insert into sanction select room, $1, kind, until from sanction where person = $2
         on conflict (room, person) do update
           set kind = max(kind, excluded.kind), until = max(until, excluded.until)",
        "delete from member where $1 <> $2 and person = $2",
        "delete from name_claim where $1 <> $2 and person = $2",
    ] {
        sqlx::query(sql)
            .bind(account)
            .bind(guest)
            .execute(&mut *connection)
            .await?;
    }
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
