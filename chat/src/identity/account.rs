//! Accounts: names that are somebody's own, everywhere.
//!
//! Promises: no two accounts have names that look alike; passwords are kept as [`crate::password`] says; a token ends with
//! its time, with a new password, with signing out everywhere, and with the account. Signing in answers the same, and as
//! fast, whether or not there is such an account. Leaves to others: how often one may try.

use std::sync::atomic::Ordering;
use std::time::Duration;

use protocol::{Account, Credentials, NewAccount, Refusal, Time, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use crate::identity::name_skeleton::Looks;
use crate::identity::person::{GuestId, Member, Person, random_id};
use crate::store::{Place, Store, Tx, room_id};
use crate::{Chat, Config, Error, Inner};

/// Somebody who has just signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who it is.
    pub member: Member,
    /// What shows it from now on.
    pub token: String,
    /// How long it does.
    pub lifetime: Duration,
}

/// An account as it is stored.
pub(crate) struct Stored {
    pub member: Member,
    /// Empty if there is none.
    password: String,
}

impl Stored {
    /// What is kept of the password, if there is one.
    fn kept(&self) -> Option<&str> {
        Some(self.password.as_str()).filter(|kept| !kept.is_empty())
    }
}

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let (id, username, name) = (
            row.try_get("id")?,
            row.try_get("username")?,
            row.try_get("name")?,
        );
        let (operator, generation) = (row.try_get("operator")?, row.try_get("generation")?);
        let member = Member {
            id,
            username,
            name,
            operator,
            generation,
        };
        Ok(Self {
            member,
            password: row.try_get("password_hash")?,
        })
    }
}

async fn by_name(store: &Store, username: &str) -> Result<Option<Stored>, Error> {
    let sql = "select id, username, name, password_hash, operator, generation from account where username = $1";
    Ok(sqlx::query_as(sql)
        .bind(username)
        .fetch_optional(store.read())
        .await?)
}

pub(crate) async fn by_id(store: &Store, id: i64) -> Result<Option<Stored>, Error> {
    let sql =
        "select id, username, name, password_hash, operator, generation from account where id = $1";
    Ok(sqlx::query_as(sql)
        .bind(id)
        .fetch_optional(store.read())
        .await?)
}

/// Makes sure that somebody is still signed in.
pub(crate) async fn still(store: &Store, member: &Member) -> Result<(), Error> {
    let found = by_id(store, member.id).await?;
    let holds = found.is_some_and(|found| found.member.generation == member.generation);
    if holds {
        Ok(())
    } else {
        Err(Refusal::NotSignedIn.into())
    }
}

/// Makes an account; not if its username, or one that looks like it, is there already.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    member: &Member,
    password: &str,
    now: Time,
) -> Result<bool, Error> {
    let sql = "insert into account (id, username, skeleton, name, password_hash, operator, generation, created_at)
               values ($1, $2, $3, $4, $5, false, 0, $6) on conflict do nothing";
    let made = sqlx::query(sql)
        .bind(member.id)
        .bind(&member.username)
        .bind(Looks::of(&member.username).plain)
        .bind(&member.name)
        .bind(password)
        .bind(now.millis())
        .execute(connection);
    Ok(made.await?.rows_affected() > 0)
}

/// Somebody with an account, by username.
pub(crate) async fn member(store: &Store, username: &str) -> Result<Member, Error> {
    let found = match text::account_name(username) {
        Ok(name) => by_name(store, &name).await?,
        Err(_) => None,
    };
    Ok(found.ok_or(Refusal::NotFound("such person"))?.member)
}

/// Which accounts to list.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Only those whose name or username has this in it.
    pub search: String,
    /// Only usernames that come after this one.
    pub after: String,
    /// At most so many.
    pub limit: usize,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            search: String::new(),
            after: String::new(),
            limit: 1_000,
        }
    }
}

/// Makes somebody with an account an operator, or no longer one. A server may be running.
///
/// # Errors
/// [`Refusal::NotFound`] if nobody has that name, or a fault.
pub async fn set_operator(config: &Config, username: &str, operator: bool) -> Result<(), Error> {
    let connection = Place::of(config)?.connect()?;
    let sql = "update account set operator = ?2 where username = ?1";
    let username = text::account_name(username)?;
    match connection.execute(sql, rusqlite::params![username, operator])? {
        0 => Err(Refusal::NotFound("such person").into()),
        _ => Ok(()),
    }
}

impl Chat {
    /// How many characters a password has at least.
    pub fn password_min(&self) -> usize {
        self.0.password_min
    }

    /// Makes an account, and signs it in.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the wish breaks a rule, [`Refusal::Taken`] if the username is taken or looks like one that
    /// is, or a fault.
    pub async fn register(&self, wish: &NewAccount) -> Result<Session, Error> {
        let inner = &self.0;
        let username = text::account_name(&wish.username)?;
        let name = text::person_name(&wish.name)?;
        let password = inner
            .passwords
            .keep(text::password(&wish.password, inner.password_min)?)
            .await?;
        let member = Member {
            id: random_id()?,
            username,
            name,
            operator: false,
            generation: 0,
        };
        let mut tx = inner.store.begin().await?;
        let made = insert(&mut tx, &member, &password, inner.clock.now()).await?;
        // Before it is this transaction's turn no longer: no message comes between.
        inner.registrations.fetch_add(1, Ordering::Release);
        tx.commit().await?;
        if !made {
            let taken = format!(
                "The username {}, or one that looks like it,",
                member.username
            );
            return Err(Refusal::Taken(taken).into());
        }
        self.session(member)
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// [`Refusal::WrongCredentials`] if there is no such account or it has another password, or a fault.
    pub async fn sign_in(&self, credentials: &Credentials) -> Result<Session, Error> {
        let inner = &self.0;
        // Compared with something in any case, so that nobody learns from the time whether there is such an account.
        let found = match text::account_name(&credentials.username) {
            Ok(username) => by_name(&inner.store, &username).await?,
            Err(_) => None,
        };
        let kept = found.as_ref().and_then(Stored::kept);
        let right = inner
            .passwords
            .is_right(shortened(&credentials.password), kept)
            .await?;
        let found = found.filter(|_| right).ok_or(Refusal::WrongCredentials)?;
        self.session(found.member)
    }

    pub(crate) fn session(&self, member: Member) -> Result<Session, Error> {
        let inner = &self.0;
        let token = inner.tokens.for_account(
            member.id,
            &member.username,
            member.generation,
            inner.clock.now(),
        )?;
        Ok(Session {
            member,
            token,
            lifetime: inner.jwt_lifetime,
        })
    }

    /// A key for a new guest, as a token.
    ///
    /// # Errors
    /// A fault.
    pub fn new_guest(&self) -> Result<String, Error> {
        self.0.tokens.for_guest(GuestId::new()?, self.0.clock.now())
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if it is not one of ours, or no longer, or a fault.
    pub async fn person(&self, token: &str) -> Result<Person, Error> {
        let inner = &self.0;
        let claims = inner.tokens.read(token, inner.clock.now())?;
        if claims.generation.is_none() {
            return Ok(Person::Guest(
                GuestId::known(claims.id).ok_or(Refusal::NotSignedIn)?,
            ));
        }
        let found = by_id(&inner.store, claims.id).await?;
        let found = found.filter(|found| Some(found.member.generation) == claims.generation);
        Ok(found.ok_or(Refusal::NotSignedIn)?.member.into())
    }

    /// The people with an account, by username.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if `by` is not one of them, or a fault.
    pub async fn accounts(&self, by: &Person, page: &Accounts) -> Result<Vec<Account>, Error> {
        by.signed_in()?;
        let sql = "select name, username from account where username > $1
                   and (instr(username, lower($2)) > 0 or instr(lower(name), lower($2)) > 0) order by username limit $3";
        let rows: Vec<(String, String)> = sqlx::query_as(sql)
            .bind(&page.after)
            .bind(&page.search)
            .bind(i64::try_from(page.limit).unwrap_or(i64::MAX))
            .fetch_all(self.0.store.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|(name, username)| Account { name, username })
            .collect())
    }

    /// Calls somebody something else.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn rename(&self, by: &Person, name: &str) -> Result<Member, Error> {
        let member = by.signed_in()?;
        let name = text::person_name(name)?;
        let mut tx = self.0.store.begin().await?;
        let sql = "update account set name = $2 where id = $1";
        sqlx::query(sql)
            .bind(member.id)
            .bind(&name)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Member {
            name,
            ..member.clone()
        })
    }

    /// Gives somebody another password, which ends all their other sessions, and all that follows by them.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if `old` is not the password, [`Refusal::Invalid`] if `new`
    /// breaks a rule, or a fault.
    pub async fn change_password(
        &self,
        by: &Person,
        old: &str,
        new: &str,
    ) -> Result<Session, Error> {
        let inner = &self.0;
        let member = self.confirm(by, old).await?;
        let kept = inner
            .passwords
            .keep(text::password(new, inner.password_min)?)
            .await?;
        let mut tx = inner.store.begin().await?;
        let sql = "update account set password_hash = $2 where id = $1";
        sqlx::query(sql)
            .bind(member.id)
            .bind(kept)
            .execute(&mut *tx)
            .await?;
        let generation = self.revoke(tx, member.id).await?;
        self.session(Member {
            generation,
            ..member
        })
    }

    /// Gives a password to somebody who has none, which ends all their other sessions, and all that follows by them.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if they have one, [`Refusal::Invalid`] if it breaks a rule, or
    /// a fault.
    pub async fn set_password(&self, by: &Person, new: &str) -> Result<Session, Error> {
        let (inner, member) = (&self.0, by.signed_in()?);
        let kept = inner
            .passwords
            .keep(text::password(new, inner.password_min)?)
            .await?;
        let mut tx = inner.store.begin().await?;
        let sql = "update account set password_hash = $2 where id = $1 and password_hash = ''";
        if sqlx::query(sql)
            .bind(member.id)
            .bind(kept)
            .execute(&mut *tx)
            .await?
            .rows_affected()
            == 0
        {
            return Err(Refusal::WrongCredentials.into());
        }
        let generation = self.revoke(tx, member.id).await?;
        self.session(Member {
            generation,
            ..member.clone()
        })
    }

    /// Ends all sessions of somebody, and all that follows by them.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], or a fault.
    pub async fn sign_out_everywhere(&self, by: &Person) -> Result<(), Error> {
        let member = by.signed_in()?;
        self.revoke(self.0.store.begin().await?, member.id).await?;
        Ok(())
    }

    /// Deletes an account. What its owner wrote stays where it is, until its room ends. `word` shows that they mean it: the
    /// password, or the username if there is no password.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if that is not the password, [`Refusal::Invalid`] if it is not
    /// the username, or a fault.
    pub async fn delete_account(&self, by: &Person, word: &str) -> Result<(), Error> {
        let member = self.ask_for_word(by, word).await?;
        let mut tx = self.0.store.begin().await?;
        // A conversation ends with the second of its two.
        let sql = "update room set expires_at = $2, due_at = $2 where access = 2 and state = 0
                   and id in (select room from member where person = $1)
                   and not exists (select 1 from member where room = id and person <> $1)";
        sqlx::query(sql)
            .bind(member.id)
            .bind(self.0.clock.now().millis())
            .execute(&mut *tx)
            .await?;
        let rooms = sqlx::query_scalar("select room from member where person = $1").bind(member.id);
        let rooms: Vec<i64> = rooms.fetch_all(&mut *tx).await?;
        for sql in [
            "delete from account where id = $1",
            "delete from oidc_identity where account = $1",
            "delete from member where person = $1",
        ] {
            sqlx::query(sql).bind(member.id).execute(&mut *tx).await?;
        }
        let tell = move |inner: &Inner| {
            rooms
                .into_iter()
                .for_each(|room| inner.hub.look_again(room_id(room)));
            inner.accounts.sign_out(member.id);
            inner.store.deleted().note();
        };
        self.commit(tx, tell).await
    }

    /// Gives everything that a guest is and may (or may not) do in rooms to an account.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if `by` has no account or `guest` is none, or a fault.
    pub async fn claim(&self, by: &Person, guest: &Person) -> Result<(), Error> {
        let (own, Person::Guest(_)) = (by.signed_in()?.id, guest) else {
            return Err(Refusal::NotSignedIn.into());
        };
        let (mut tx, guest) = (self.0.store.begin().await?, guest.id());
        let over = "delete from sanction where person in ($1, $2) and until <= $3";
        sqlx::query(over)
            .bind(own)
            .bind(guest)
            .bind(self.now().millis())
            .execute(&mut *tx)
            .await?;
        let rooms = sqlx::query_scalar("select room from sanction where person = $1 and kind = 1")
            .bind(guest);
        let rooms: Vec<i64> = rooms.fetch_all(&mut *tx).await?;
        for sql in [
            "insert into member select room, $1, role, joined_at, read_seq from member where person = $2
             on conflict (room, person) do update set role = max(role, excluded.role)",
            // Of two the harder one and the longer time, so that nobody gets rid of either; without an end is the longest,
            // and what SQLite calls the greatest.
            "insert into sanction select room, $1, kind, until from sanction where person = $2
             on conflict (room, person) do update set kind = max(kind, excluded.kind), until = max(until, excluded.until)",
            "delete from member where $1 <> $2 and person = $2",
            "delete from name_claim where $1 <> $2 and person = $2",
        ] {
            sqlx::query(sql).bind(own).bind(guest).execute(&mut *tx).await?;
        }
        let tell = move |inner: &Inner| {
            [own, guest]
                .into_iter()
                .for_each(|person| inner.hub.ring_person(person));
            // Who is banned as the guest may not listen as the account either.
            rooms
                .into_iter()
                .for_each(|room| inner.hub.look_again(room_id(room)));
        };
        self.commit(tx, tell).await
    }

    /// Makes sure that whoever is signed in also knows the password.
    async fn confirm(&self, by: &Person, password: &str) -> Result<Member, Error> {
        self.compare(self.stored(by).await?, password).await
    }

    /// Makes sure that whoever is signed in means it.
    async fn ask_for_word(&self, by: &Person, word: &str) -> Result<Member, Error> {
        let found = self.stored(by).await?;
        if found.kept().is_some() {
            return self.compare(found, word).await;
        }
        match text::account_name(word) {
            Ok(name) if name == found.member.username => Ok(found.member),
            _ => Err(Refusal::invalid(
                "username",
                "is not yours; type it to show that you mean it",
            )
            .into()),
        }
    }

    /// Commits a transaction with the end of all sessions of an account and of all that follows by them; gives back the
    /// generation of those that come.
    async fn revoke(&self, mut tx: Tx, id: i64) -> Result<i64, Error> {
        let sql =
            "update account set generation = generation + 1 where id = $1 returning generation";
        let generation: Option<i64> = sqlx::query_scalar(sql)
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
        let generation = generation.ok_or(Refusal::NotSignedIn)?;
        let tell = move |inner: &Inner| {
            inner.accounts.sign_out(id);
            // The old password, perhaps.
            inner.store.deleted().note();
        };
        self.commit(tx, tell).await?;
        Ok(generation)
    }

    /// The account of whoever is signed in.
    async fn stored(&self, by: &Person) -> Result<Stored, Error> {
        Ok(by_id(&self.0.store, by.signed_in()?.id)
            .await?
            .ok_or(Refusal::NotSignedIn)?)
    }

    /// The owner of an account, if this is their password.
    async fn compare(&self, found: Stored, password: &str) -> Result<Member, Error> {
        let right = self
            .0
            .passwords
            .is_right(shortened(password), found.kept())
            .await?;
        if right {
            Ok(found.member)
        } else {
            Err(Refusal::WrongCredentials.into())
        }
    }
}

/// What of a password is worth comparing: a longer one is nobody's.
fn shortened(password: &str) -> &str {
    let end = password.char_indices().nth(text::PASSWORD_MAX + 1);
    end.map_or(password, |(end, _)| &password[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::House;

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
    async fn an_account_is_its_owners_alone() {
        let mut house = House::new(|_| {}).await;
        house.chat.register(&wish("Alice")).await.unwrap();
        for taken in ["alice", "ALICE", "a1ice"] {
            assert!(
                matches!(
                    refusal(house.chat.register(&wish(taken)).await),
                    Refusal::Taken(_)
                ),
                "{taken}"
            );
        }
        house.reopen().await;
        let session = house.chat.sign_in(&knows("alice", "secret")).await.unwrap();
        assert_eq!(
            house
                .chat
                .person(&session.token)
                .await
                .unwrap()
                .member()
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
                refusal(house.chat.sign_in(&knows(username, password)).await),
                Refusal::WrongCredentials
            );
        }
    }

    #[tokio::test]
    async fn a_new_password_and_signing_out_everywhere_end_what_was_before() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let first = chat.register(&wish("ada")).await.unwrap();
        let by = chat.person(&first.token).await.unwrap();
        assert_eq!(
            refusal(chat.change_password(&by, "wrong", "secret2").await),
            Refusal::WrongCredentials
        );
        let second = chat
            .change_password(&by, "secret", "secret2")
            .await
            .unwrap();
        assert_eq!(
            refusal(chat.person(&first.token).await),
            Refusal::NotSignedIn
        );
        assert_eq!(chat.person(&second.token).await.unwrap().id(), by.id());
        chat.sign_out_everywhere(&by).await.unwrap();
        assert_eq!(
            refusal(chat.person(&second.token).await),
            Refusal::NotSignedIn
        );
        let third = chat.sign_in(&knows("ada", "secret2")).await.unwrap();
        chat.delete_account(&by, "secret2").await.unwrap();
        assert_eq!(
            refusal(chat.person(&third.token).await),
            Refusal::NotSignedIn
        );
        // A new account of that name has nothing to do with the old one.
        chat.register(&wish("ada")).await.unwrap();
        assert_eq!(
            refusal(chat.person(&third.token).await),
            Refusal::NotSignedIn
        );
    }

    #[tokio::test]
    async fn sessions_end_with_their_time() {
        let house = House::new(|_| {}).await;
        let session = house.chat.register(&wish("ada")).await.unwrap();
        house.config.clock.advance(house.config.jwt_lifetime);
        assert_eq!(
            refusal(house.chat.person(&session.token).await),
            Refusal::NotSignedIn
        );
    }

    #[tokio::test]
    async fn people_are_found_by_part_of_their_names() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let by = Person::from(chat.register(&wish("grace")).await.unwrap().member);
        chat.register(&NewAccount {
            name: "Ada Lovelace".to_owned(),
            ..wish("ada")
        })
        .await
        .unwrap();
        let find = async |search: &str| {
            let page = Accounts {
                search: search.to_owned(),
                ..Accounts::default()
            };
            let found = chat.accounts(&by, &page).await.unwrap();
            found
                .into_iter()
                .map(|account| account.username)
                .collect::<Vec<_>>()
        };
        assert_eq!(find("").await, ["ada", "grace"]);
        assert_eq!(find("LOVE").await, ["ada"]);
        assert_eq!(find("%").await, [""; 0]);
        assert_eq!(
            refusal(chat.accounts(&Person::Anyone, &Accounts::default()).await),
            Refusal::NotSignedIn
        );
    }
}
