//! Identities: who somebody is at a provider of sign-in, and whose account that is here.
//!
//! Promises: an identity is one account's for good, or until its owner parts them; nobody gets into an account because a
//! provider calls somebody by its name. A new account gets a name that is free and looks like no other. Leaves to others:
//! whether the provider really says so (the server), and what an account is (`account`).

use std::iter;
use std::sync::atomic::Ordering;

use protocol::text::{self, ACCOUNT_NAME, PERSON_NAME_MAX};
use protocol::{Refusal, Time};
use sqlx::SqliteConnection;
use unicode_normalization::UnicodeNormalization;

use crate::identity::account::{Session, by_id, insert};
use crate::identity::name_skeleton::numbers;
use crate::identity::person::{Member, Person, random_id};
use crate::{Chat, Error};

/// What an account is called whose owner has no name that would do.
const NAMELESS: &str = "person";

/// Who somebody is at a provider: the two together name one person, for good
/// ([OpenID Connect Core 1.0, section 5.7](https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// The person, as the provider knows them.
    pub subject: String,
}

/// What a provider says about somebody, as far as it does. Nothing of it is proof of anything here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introduction {
    /// Under which name they go there.
    pub username: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
}

/// How somebody can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// By a password.
    pub password: bool,
    /// By a provider.
    pub provider: bool,
}

impl Introduction {
    /// The username to ask for: of what they go by, their address and what they are called, the first that would do.
    fn username(&self) -> String {
        let sources = [&self.username, &self.email, &self.name]
            .into_iter()
            .flatten();
        let mut fitting = sources
            .map(|source| fitted(source))
            .filter(|name| name.len() >= ACCOUNT_NAME.0);
        fitting.next().unwrap_or_else(|| NAMELESS.to_owned())
    }

    /// What to call them.
    fn name(&self) -> Option<String> {
        let printed = |name: &String| {
            name.chars()
                .filter(|c| !c.is_control())
                .take(PERSON_NAME_MAX)
                .collect::<String>()
        };
        let mut names = [&self.name, &self.username]
            .into_iter()
            .flatten()
            .map(printed);
        names.find_map(|name| text::person_name(&name).ok())
    }
}

/// The part of a name that a username can be made of: what stands before an @, in small letters without their accents,
/// with one dash for whatever else there is in between.
fn fitted(name: &str) -> String {
    let name = name.split_once('@').map_or(name, |(before, _)| before);
    let mut fitted = String::new();
    for c in name
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
    {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => fitted.push(c),
            _ if !fitted.is_empty() && !fitted.ends_with('-') => fitted.push('-'),
            _ => {}
        }
        if fitted.len() == ACCOUNT_NAME.1 {
            break;
        }
    }
    fitted.trim_matches(['-', '_']).to_owned()
}

/// A name and then the same with a number, shortened if need be.
fn numbered(stem: &str, number: u64) -> String {
    let end = number.to_string();
    // Plain ASCII, as `fitted` has made it.
    format!(
        "{}{end}",
        &stem[..stem.len().min(ACCOUNT_NAME.1 - end.len())]
    )
}

/// Makes an account without a password, under the name that was asked for or one like it that is free.
async fn make(
    connection: &mut SqliteConnection,
    about: &Introduction,
    now: Time,
) -> Result<Member, Error> {
    let stem = about.username();
    let like_it = numbers().map(|number| number.map(|number| numbered(&stem, number)));
    for username in iter::once(Ok(stem.clone())).chain(like_it) {
        let username = username?;
        let name = about.name().unwrap_or_else(|| username.clone());
        let member = Member {
            id: random_id()?,
            username,
            name,
            operator: false,
            generation: 0,
        };
        if insert(connection, &member, "", now).await? {
            return Ok(member);
        }
    }
    Err(Error::fault("too many names alike"))
}

async fn owner(
    connection: &mut SqliteConnection,
    identity: &Identity,
) -> Result<Option<i64>, Error> {
    let sql = "select account from oidc_identity where issuer = $1 and subject = $2";
    let owner = sqlx::query_scalar(sql)
        .bind(&identity.issuer)
        .bind(&identity.subject);
    Ok(owner.fetch_optional(connection).await?)
}

/// Lets an identity be an account's, unless either has another already.
async fn give(
    connection: &mut SqliteConnection,
    identity: &Identity,
    to: i64,
    now: Time,
) -> Result<bool, Error> {
    let sql = "insert into oidc_identity (issuer, subject, account, created_at) values ($1, $2, $3, $4) on conflict do nothing";
    let given = sqlx::query(sql)
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .bind(to)
        .bind(now.millis());
    Ok(given.execute(connection).await?.rows_affected() > 0)
}

impl Chat {
    /// Signs in whoever this is at a provider, if they have been here before.
    ///
    /// # Errors
    /// A fault.
    pub async fn recognise(&self, identity: &Identity) -> Result<Option<Session>, Error> {
        let store = &self.0.store;
        let Some(id) = owner(&mut *store.read().acquire().await?, identity).await? else {
            return Ok(None);
        };
        let Some(found) = by_id(store, id).await? else {
            return Ok(None);
        };
        self.session(found.member).map(Some)
    }

    /// Makes an account for whoever this is at a provider, and signs it in. Who has one by now is signed in to that.
    ///
    /// # Errors
    /// A fault.
    pub async fn welcome(
        &self,
        identity: &Identity,
        about: &Introduction,
    ) -> Result<Session, Error> {
        let (inner, now) = (&self.0, self.now());
        let mut tx = inner.store.begin().await?;
        if owner(&mut tx, identity).await?.is_some() {
            drop(tx);
            return self
                .recognise(identity)
                .await?
                .ok_or_else(|| Error::fault("an identity without its account"));
        }
        let member = make(&mut tx, about, now).await?;
        give(&mut tx, identity, member.id, now).await?;
        // As when somebody signs up: no message comes between.
        inner.registrations.fetch_add(1, Ordering::Release);
        tx.commit().await?;
        self.session(member)
    }

    /// Lets somebody sign in by a provider from now on. It is no mistake to say so twice.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::Taken`] if the identity is another account's, or the account has another one
    /// there, or a fault.
    pub async fn link(&self, by: &Person, identity: &Identity) -> Result<(), Error> {
        let own = by.signed_in()?.id;
        let mut tx = self.0.store.begin().await?;
        let taken = |what: &str| Err(Refusal::Taken(what.to_owned()).into());
        match owner(&mut tx, identity).await? {
            Some(owner) if owner == own => Ok(()),
            Some(_) => taken("Whoever you are there has another account here: this way in"),
            None if give(&mut tx, identity, own, self.now()).await? => tx.commit().await,
            None => taken("Somebody else there signs in to your account: this way in"),
        }
    }

    /// Lets somebody sign in by a provider no longer.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::Forbidden`] if they have no password to sign in by, or a fault.
    pub async fn unlink(&self, by: &Person, issuer: &str) -> Result<(), Error> {
        let own = by.signed_in()?.id;
        let mut tx = self.0.store.begin().await?;
        let sql = "select exists (select 1 from account where id = $1 and password_hash <> '')";
        let has_password: bool = sqlx::query_scalar(sql)
            .bind(own)
            .fetch_one(&mut *tx)
            .await?;
        if !has_password {
            return Err(Refusal::Forbidden(
                "Set a password first: without it you could not sign in again.",
            )
            .into());
        }
        let sql = "delete from oidc_identity where account = $1 and issuer = $2";
        sqlx::query(sql)
            .bind(own)
            .bind(issuer)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    /// How somebody can sign in; `issuer` is the provider, if there is one.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], or a fault.
    pub async fn ways(&self, by: &Person, issuer: Option<&str>) -> Result<Ways, Error> {
        let sql = "select password_hash <> '', exists (select 1 from oidc_identity where account = $1 and issuer = $2)
                   from account where id = $1";
        let ways = sqlx::query_as(sql)
            .bind(by.signed_in()?.id)
            .bind(issuer)
            .fetch_optional(self.0.store.read());
        let (password, provider) = ways.await?.ok_or(Refusal::NotSignedIn)?;
        Ok(Ways { password, provider })
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewAccount};

    use super::*;
    use crate::testing::House;

    fn introduced(username: Option<&str>, email: Option<&str>, name: Option<&str>) -> Introduction {
        let [username, email, name] = [username, email, name].map(|text| text.map(str::to_owned));
        Introduction {
            username,
            email,
            name,
        }
    }

    fn ada() -> Introduction {
        introduced(Some("ada"), None, Some("Ada Lovelace"))
    }

    fn identity(subject: &str) -> Identity {
        Identity {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
        }
    }

    fn wish(username: &str) -> NewAccount {
        NewAccount {
            name: "Somebody".to_owned(),
            username: username.to_owned(),
            password: "secret".to_owned(),
        }
    }

    fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> Refusal {
        match answer {
            Err(Error::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_username_is_made_of_what_is_known() {
        let long = "a".repeat(40);
        let cases = [
            (
                Some("ada"),
                Some("countess@example.org"),
                Some("Ada"),
                "ada",
            ),
            (
                None,
                Some("Ada.Lovelace+chat@example.org"),
                Some("Ada"),
                "ada-lovelace-chat",
            ),
            (None, None, Some("Ada  Lovelace"), "ada-lovelace"),
            // Some providers give an address for a name.
            (Some("Ada.L@example.org"), None, None, "ada-l"),
            (Some("Jürgen_Müller"), None, None, "jurgen_muller"),
            (Some("ＡＤＡ１"), None, None, "ada1"),
            (Some("--ada--"), None, None, "ada"),
            (Some(&long), None, None, &long[..32]),
            (
                Some(&format!("{}--b", &long[..31])),
                None,
                None,
                &long[..31],
            ),
            // Too short, or nothing that would do: what comes next.
            (
                Some("al"),
                Some("al@example.org"),
                Some("Al Pacino"),
                "al-pacino",
            ),
            (Some("Алиса"), Some("alice@example.org"), None, "alice"),
            (Some("愛"), None, Some("<>"), "person"),
            (Some(""), Some("@"), Some("\u{0}"), "person"),
            (None, None, None, "person"),
        ];
        for (username, email, name, expected) in cases {
            let made = introduced(username, email, name).username();
            assert_eq!(made, expected);
            assert_eq!(text::account_name(&made), Ok(made.clone()));
        }
        assert_eq!(
            numbered(&"a".repeat(32), 12),
            format!("{}12", "a".repeat(30))
        );
    }

    #[test]
    fn any_text_makes_a_username_within_the_rules() {
        proptest::proptest!(|(username in ".*", email in ".*", name in ".*")| {
            let about = introduced(Some(&username), Some(&email), Some(&name));
            let made = about.username();
            proptest::prop_assert_eq!(text::account_name(&made), Ok(made));
            if let Some(name) = about.name() {
                proptest::prop_assert_eq!(text::person_name(&name), Ok(name));
            }
        });
    }

    #[test]
    fn a_name_to_be_called_by_is_within_the_rules() {
        let name = |name: Option<&str>, username| introduced(username, None, name).name();
        assert_eq!(name(Some(" Ada\n L. "), None).as_deref(), Some("Ada L."));
        assert_eq!(name(Some(&"é".repeat(100)), None), Some("é".repeat(64)));
        assert_eq!(name(Some("\u{7}"), Some("Ada@X")).as_deref(), Some("Ada@X"));
        assert_eq!(name(None, None), None);
    }

    #[tokio::test]
    async fn an_identity_is_one_account_for_good() {
        let mut house = House::new(|_| {}).await;
        assert_eq!(house.chat.recognise(&identity("1")).await.unwrap(), None);
        let first = house.chat.welcome(&identity("1"), &ada()).await.unwrap();
        assert_eq!(
            (first.member.username(), first.member.name()),
            ("ada", "Ada Lovelace")
        );
        house.reopen().await;
        let chat = &house.chat;
        // Whatever the provider says of them by now.
        for session in [
            chat.recognise(&identity("1")).await.unwrap().unwrap(),
            chat.welcome(&identity("1"), &introduced(Some("eve"), None, None))
                .await
                .unwrap(),
        ] {
            assert_eq!(session.member, first.member);
            assert_eq!(
                chat.person(&session.token).await.unwrap().member(),
                Some(&first.member)
            );
        }
        let elsewhere = Identity {
            issuer: "https://other.example".to_owned(),
            ..identity("1")
        };
        assert_eq!(chat.recognise(&elsewhere).await.unwrap(), None);
        chat.sign_out_everywhere(&first.member.clone().into())
            .await
            .unwrap();
        assert_eq!(
            refusal(chat.person(&first.token).await),
            Refusal::NotSignedIn
        );
        let again = chat.recognise(&identity("1")).await.unwrap().unwrap();
        assert!(chat.person(&again.token).await.is_ok());
        // With the account the identity is free again.
        let by = Person::from(first.member);
        assert!(matches!(
            refusal(chat.delete_account(&by, "eve").await),
            Refusal::Invalid {
                field: "username",
                ..
            }
        ));
        assert!(chat.delete_account(&by, "").await.is_err());
        chat.delete_account(&by, " ADA ").await.unwrap();
        assert_eq!(chat.recognise(&identity("1")).await.unwrap(), None);
    }

    #[tokio::test]
    async fn nobody_gets_into_an_account_by_having_its_name() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        chat.register(&wish("alice")).await.unwrap();
        chat.register(&wish("alice3")).await.unwrap();
        let mut names = Vec::new();
        for (subject, claimed) in [
            ("1", "alice"),
            ("2", "Alice"),
            ("3", "a1ice"),
            ("4", "alice@example.org"),
        ] {
            let session = chat
                .welcome(&identity(subject), &introduced(Some(claimed), None, None))
                .await
                .unwrap();
            names.push(session.member.username().to_owned());
        }
        assert_eq!(names, ["alice2", "alice4", "a1ice5", "alice6"]);
        for number in 0..20 {
            chat.welcome(
                &identity(&format!("n{number}")),
                &introduced(Some("alice"), None, None),
            )
            .await
            .unwrap();
        }
    }

    #[tokio::test]
    async fn an_account_without_a_password_is_opened_by_none() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let session = chat.welcome(&identity("1"), &ada()).await.unwrap();
        let by = chat.person(&session.token).await.unwrap();
        for password in ["", "secret"] {
            let knows = Credentials {
                username: "ada".to_owned(),
                password: password.to_owned(),
            };
            assert_eq!(
                refusal(chat.sign_in(&knows).await),
                Refusal::WrongCredentials
            );
            assert_eq!(
                refusal(chat.change_password(&by, password, "secret2").await),
                Refusal::WrongCredentials
            );
        }
        let issuer = Some("https://id.example");
        assert_eq!(
            chat.ways(&by, issuer).await.unwrap(),
            Ways {
                password: false,
                provider: true
            }
        );
        assert!(matches!(
            refusal(chat.unlink(&by, "https://id.example").await),
            Refusal::Forbidden(_)
        ));
        let second = chat.set_password(&by, "secret").await.unwrap();
        assert_eq!(
            refusal(chat.person(&session.token).await),
            Refusal::NotSignedIn
        );
        assert_eq!(chat.person(&second.token).await.unwrap().id(), by.id());
        assert_eq!(
            refusal(chat.set_password(&by, "other!").await),
            Refusal::WrongCredentials
        );
        assert_eq!(
            refusal(chat.delete_account(&by, "ada").await),
            Refusal::WrongCredentials
        );
        chat.unlink(&by, "https://id.example").await.unwrap();
        assert_eq!(
            chat.ways(&by, issuer).await.unwrap(),
            Ways {
                password: true,
                provider: false
            }
        );
        assert_eq!(chat.recognise(&identity("1")).await.unwrap(), None);
        assert!(
            chat.sign_in(&Credentials {
                username: "ada".to_owned(),
                password: "secret".to_owned()
            })
            .await
            .is_ok()
        );
    }

    #[tokio::test]
    async fn an_account_and_an_identity_are_linked_to_no_other() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let [grace, eve] = [
            chat.register(&wish("grace")).await,
            chat.register(&wish("eve")).await,
        ]
        .map(|session| Person::from(session.unwrap().member));
        for _ in 0..2 {
            chat.link(&grace, &identity("1")).await.unwrap();
        }
        assert!(matches!(
            refusal(chat.link(&eve, &identity("1")).await),
            Refusal::Taken(_)
        ));
        assert!(matches!(
            refusal(chat.link(&grace, &identity("2")).await),
            Refusal::Taken(_)
        ));
        assert_eq!(
            refusal(chat.link(&Person::Anyone, &identity("3")).await),
            Refusal::NotSignedIn
        );
        let session = chat.recognise(&identity("1")).await.unwrap().unwrap();
        assert_eq!(session.member.username(), "grace");
    }
}
