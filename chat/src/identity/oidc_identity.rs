//! The identities of accounts at an OpenID Connect provider.
//!
//! # Guarantees
//! - An identity belongs to one account until that account unlinks it.
//! - The names that a provider reports never give access to an existing account.
//! - A new account gets a username that is free and looks like no other.
//!
//! # Not here
//! - Whether the provider really vouches for the identity: the server.

use std::iter;

use protocol::characters::clean_name;
use protocol::text::{self, ACCOUNT_NAME_MAX, ACCOUNT_NAME_MIN, PERSON_NAME_MAX};
use protocol::{Refusal, Time, nfc};
use texts::refusal;
use unicode_normalization::UnicodeNormalization;

use crate::events::DomainEvent;
use crate::identity::account::{Session, insert_account};
use crate::identity::name_skeleton::suffix_numbers;
use crate::identity::person::{AccountHolder, Person, random_id};
use crate::store::{Reader, WriteTransaction, accounts, oidc_identities};
use crate::{Chat, Error};

/// The username of a new account when no name that the provider reports makes a valid one.
const DEFAULT_USERNAME: &str = "person";

/// An identity at a provider. Issuer and subject together identify one person for good ([OpenID
/// Connect Core 1.0, section
/// 5.7](https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcIdentity {
    /// The provider.
    pub issuer: String,
    /// The ID of the person at the provider.
    pub subject: String,
}

/// What a provider reports about a person. None of it proves anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderProfile {
    /// The username at the provider.
    pub username: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The display name.
    pub name: Option<String>,
}

impl ProviderProfile {
    /// The username to try first: made of the username, the email address or the display name,
    /// whichever is the first to make a valid one.
    fn username(&self) -> String {
        [&self.username, &self.email, &self.name]
            .into_iter()
            .flatten()
            .map(|source| normalize_username(source))
            .find(|name| name.len() >= ACCOUNT_NAME_MIN)
            .unwrap_or_else(|| DEFAULT_USERNAME.to_owned())
    }

    /// The display name of the new account.
    fn display_name(&self) -> Option<String> {
        let printable = |name: &String| {
            let name = nfc(name);
            let characters = name.chars().filter(|c| !c.is_control());
            clean_name(&characters.take(PERSON_NAME_MAX).collect::<String>()).into_owned()
        };
        [&self.name, &self.username]
            .into_iter()
            .flatten()
            .map(printable)
            .find_map(|name| text::parse_person_name(&name).ok())
    }
}

/// The characters of a name that a username may contain: the part before an @, in lower case
/// without accents. Each run of other characters becomes one dash. `Ada.Lovelace@example.org`
/// becomes `ada-lovelace`.
fn normalize_username(name: &str) -> String {
    let name = name.split_once('@').map_or(name, |(before, _)| before);
    let letters = name
        .nfkd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c));
    let mut username = String::new();
    for c in letters {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => username.push(c),
            _ if !username.is_empty() && !username.ends_with('-') => username.push('-'),
            _ => {}
        }
        if username.len() == ACCOUNT_NAME_MAX {
            break;
        }
    }
    username.trim_matches(['-', '_']).to_owned()
}

/// Appends a number to a username, which is shortened if both together are too long.
fn append_number(username: &str, number: u64) -> String {
    let suffix = number.to_string();
    // Slicing is safe: `normalize_username` returns ASCII only.
    let kept = username.len().min(ACCOUNT_NAME_MAX - suffix.len());
    format!("{}{suffix}", &username[..kept])
}

/// Inserts an account without a password. Its username is the one that the profile suggests, or
/// that with a number.
async fn create_account(
    tx: &mut WriteTransaction,
    profile: &ProviderProfile,
    now: Time,
) -> Result<AccountHolder, Error> {
    let suggested = profile.username();
    let numbered =
        suffix_numbers().map(|number| number.map(|number| append_number(&suggested, number)));
    for username in iter::once(Ok(suggested.clone())).chain(numbered) {
        let username = username?;
        let name = profile.display_name().unwrap_or_else(|| username.clone());
        let account = AccountHolder {
            id: random_id()?,
            username,
            name,
            operator: false,
            generation: 0,
            session: None,
        };
        if insert_account(tx, &account, None, now).await? {
            return Ok(account);
        }
    }
    Err(Error::fault(
        "too many usernames look like the suggested one",
    ))
}

/// The account that an identity belongs to.
async fn find_linked_account(
    from: &mut impl Reader,
    identity: &OidcIdentity,
) -> Result<Option<i64>, Error> {
    oidc_identities::find_linked_account(from, &identity.issuer, &identity.subject).await
}

/// Links an identity to an account. Returns `false` if the identity has an account, or the account
/// has another identity at this provider.
async fn insert_link(
    tx: &mut WriteTransaction,
    identity: &OidcIdentity,
    account: i64,
    now: Time,
) -> Result<bool, Error> {
    oidc_identities::insert_link(tx, &identity.issuer, &identity.subject, account, now).await
}

impl Chat {
    /// Signs in to the account that an identity is linked to, if there is one. `authenticated_at` is
    /// when the provider asked the person who it is, if the provider says so.
    ///
    /// # Errors
    /// A fault.
    pub async fn sign_in_with_identity(
        &self,
        identity: &OidcIdentity,
        authenticated_at: Option<Time>,
    ) -> Result<Option<Session>, Error> {
        let store = &self.0.store;
        // One statement: the account may be unlinked, and its sessions end, at the same time.
        let found = accounts::find_linked(store, &identity.issuer, &identity.subject).await?;
        found
            .map(|found| self.begin_session(found.into(), authenticated_at))
            .transpose()
    }

    /// Creates an account for an identity and signs in to it. If the identity has an account by
    /// now, signs in to that one.
    ///
    /// # Errors
    /// [`Refusal::DiskFull`], or a fault.
    pub async fn register_with_identity(
        &self,
        identity: &OidcIdentity,
        profile: &ProviderProfile,
        authenticated_at: Option<Time>,
    ) -> Result<Session, Error> {
        let inner = &self.0;
        let now = self.now();
        let mut tx = inner.store.begin().await?;
        if find_linked_account(&mut tx, identity).await?.is_some() {
            drop(tx);
            return self
                .sign_in_with_identity(identity, authenticated_at)
                .await?
                .ok_or_else(|| Error::fault("an identity without its account"));
        }
        self.require_disk_space()?;
        let account = create_account(&mut tx, profile, now).await?;
        insert_link(&mut tx, identity, account.id, now).await?;
        self.commit(tx, [DomainEvent::AccountRegistered]).await?;
        self.begin_session(account, authenticated_at)
    }

    /// Links an identity to the caller's account, once the caller has confirmed that as
    /// [`Chat::confirm_identity`] says. Linking it again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::Taken`] if the identity belongs to another account or
    /// the account has another identity at this provider, or a fault.
    pub async fn link_identity(&self, by: &Person, identity: &OidcIdentity) -> Result<(), Error> {
        let own = by.require_account()?.id;
        let mut tx = self.begin_by(by).await?.tx;
        let taken = |what: &str| Err(Refusal::Taken(what.to_owned()).into());
        match find_linked_account(&mut tx, identity).await? {
            Some(account) if account == own => Ok(()),
            Some(_) => taken(refusal::IDENTITY_X.text()),
            None if insert_link(&mut tx, identity, own, self.now()).await? => {
                tx.commit().await?;
                Ok(())
            }
            None => taken("The link of your account to this provider"),
        }
    }

    /// Unlinks the caller's account from its identity at a provider.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::Forbidden`] if the account has no password to sign in
    /// with, or a fault.
    pub async fn unlink_identity(&self, by: &Person, issuer: &str) -> Result<(), Error> {
        let own = by.require_account()?.id;
        let mut tx = self.begin_by(by).await?.tx;
        if !accounts::has_password(&mut tx, own).await? {
            return Err(Refusal::Forbidden(refusal::SET_PASSWORD_FIRST).into());
        }
        oidc_identities::delete_link(&mut tx, own, issuer).await?;
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewAccount};

    use super::*;
    use crate::IdentityLinks;
    use crate::testing::TestChat;

    fn profile_of(
        username: Option<&str>,
        email: Option<&str>,
        name: Option<&str>,
    ) -> ProviderProfile {
        let [username, email, name] = [username, email, name].map(|text| text.map(str::to_owned));
        ProviderProfile {
            username,
            email,
            name,
        }
    }

    fn ada() -> ProviderProfile {
        profile_of(Some("ada"), None, Some("Ada Lovelace"))
    }

    fn identity(subject: &str) -> OidcIdentity {
        OidcIdentity {
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
    fn username_is_made_of_the_first_fitting_part_of_the_profile() {
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
            // Some providers report an address as the username.
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
            // The first source is too short or has no valid character, so the next one is used.
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
            let made = profile_of(username, email, name).username();
            assert_eq!(made, expected);
            assert_eq!(text::parse_account_name(&made), Ok(made.clone()));
        }
        assert_eq!(
            append_number(&"a".repeat(32), 12),
            format!("{}12", "a".repeat(30))
        );
    }

    #[test]
    fn any_profile_makes_a_valid_username() {
        proptest::proptest!(|(username in ".*", email in ".*", name in ".*")| {
            let about = profile_of(Some(&username), Some(&email), Some(&name));
            let made = about.username();
            proptest::prop_assert_eq!(text::parse_account_name(&made), Ok(made));
            if let Some(name) = about.display_name() {
                proptest::prop_assert_eq!(text::parse_person_name(&name), Ok(name));
            }
        });
    }

    #[test]
    fn display_name_keeps_the_rules() {
        let name = |name: Option<&str>, username| profile_of(username, None, name).display_name();
        assert_eq!(name(Some(" Ada\n L. "), None).as_deref(), Some("Ada L."));
        assert_eq!(name(Some(&"é".repeat(100)), None), Some("é".repeat(64)));
        assert_eq!(name(Some("\u{7}"), Some("Ada@X")).as_deref(), Some("Ada@X"));
        assert_eq!(name(None, None), None);
    }

    #[tokio::test]
    async fn identity_signs_in_to_the_same_account_after_a_restart() {
        let mut test = TestChat::new(|_| {}).await;
        assert_eq!(
            test.chat
                .sign_in_with_identity(&identity("1"), None)
                .await
                .unwrap(),
            None
        );
        let first = test
            .chat
            .register_with_identity(&identity("1"), &ada(), None)
            .await
            .unwrap();
        assert_eq!(
            (first.account.username(), first.account.name()),
            ("ada", "Ada Lovelace")
        );
        test.reopen().await;
        let chat = &test.chat;
        // The names that the provider reports later change nothing.
        for session in [
            chat.sign_in_with_identity(&identity("1"), None)
                .await
                .unwrap()
                .unwrap(),
            chat.register_with_identity(&identity("1"), &profile_of(Some("eve"), None, None), None)
                .await
                .unwrap(),
        ] {
            let by = chat.authenticate_token(&session.token).await.unwrap();
            assert_eq!(by.account(), Some(&session.account));
            let expected = AccountHolder {
                session: session.account.session,
                ..first.account.clone()
            };
            assert_eq!(session.account, expected);
        }
        let elsewhere = OidcIdentity {
            issuer: "https://other.example".to_owned(),
            ..identity("1")
        };
        assert_eq!(
            chat.sign_in_with_identity(&elsewhere, None).await.unwrap(),
            None
        );
        chat.sign_out_everywhere(&first.account.clone().into())
            .await
            .unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&first.token).await),
            Refusal::NotSignedIn
        );
        let again = chat
            .sign_in_with_identity(&identity("1"), None)
            .await
            .unwrap()
            .unwrap();
        assert!(chat.authenticate_token(&again.token).await.is_ok());
        // Deleting the account unlinks the identity.
        let by = Person::from(again.account);
        assert!(matches!(
            refusal(chat.delete_account(&by, "eve", None).await),
            Refusal::Invalid {
                field: "username",
                ..
            }
        ));
        assert!(chat.delete_account(&by, "", None).await.is_err());
        chat.delete_account(&by, " ADA ", None).await.unwrap();
        assert_eq!(
            chat.sign_in_with_identity(&identity("1"), None)
                .await
                .unwrap(),
            None
        );
    }

    #[tokio::test]
    async fn almost_full_disk_refuses_a_new_identity_and_admits_a_known_one() {
        let mut test = TestChat::new(|_| {}).await;
        let known = identity("1");
        let registered = test.chat.register_with_identity(&known, &ada(), None).await;
        assert!(registered.is_ok());
        test.config.free_space = u64::MAX;
        test.reopen().await;
        let new = identity("2");
        let refused = test.chat.register_with_identity(&new, &ada(), None).await;
        assert_eq!(refusal(refused), Refusal::DiskFull);
        let registered = test.chat.register_with_identity(&known, &ada(), None).await;
        assert!(registered.is_ok());
    }

    #[tokio::test]
    async fn provider_username_gives_no_access_to_an_existing_account() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        chat.register_account(&wish("alice"), None).await.unwrap();
        chat.register_account(&wish("alice3"), None).await.unwrap();
        let mut names = Vec::new();
        for (subject, claimed) in [
            ("1", "alice"),
            ("2", "Alice"),
            ("3", "a1ice"),
            ("4", "alice@example.org"),
        ] {
            let session = chat
                .register_with_identity(
                    &identity(subject),
                    &profile_of(Some(claimed), None, None),
                    None,
                )
                .await
                .unwrap();
            names.push(session.account.username().to_owned());
        }
        assert_eq!(names, ["alice2", "alice4", "a1ice5", "alice6"]);
        for number in 0..20 {
            chat.register_with_identity(
                &identity(&format!("n{number}")),
                &profile_of(Some("alice"), None, None),
                None,
            )
            .await
            .unwrap();
        }
    }

    #[tokio::test]
    async fn account_without_a_password_accepts_no_password() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let session = chat
            .register_with_identity(&identity("1"), &ada(), Some(chat.now()))
            .await
            .unwrap();
        let by = chat.authenticate_token(&session.token).await.unwrap();
        for password in ["", "secret"] {
            let knows = Credentials {
                username: "ada".to_owned(),
                password: password.to_owned(),
            };
            assert_eq!(
                refusal(chat.sign_in(&knows, None).await),
                Refusal::WrongCredentials
            );
            assert_eq!(
                refusal(
                    chat.change_password(&by, password, "secret2", IdentityLinks::Keep, None)
                        .await
                ),
                Refusal::WrongCredentials
            );
        }
        let ways = chat.load_sign_in_methods(&by).await.unwrap();
        assert_eq!((ways.password, ways.identities.len()), (false, 1));
        assert!(matches!(
            refusal(chat.unlink_identity(&by, "https://id.example").await),
            Refusal::Forbidden(_)
        ));
        let second = chat.set_first_password(&by, "secret", None).await.unwrap();
        assert_eq!(
            refusal(chat.authenticate_token(&session.token).await),
            Refusal::NotSignedIn
        );
        assert_eq!(
            chat.authenticate_token(&second.token).await.unwrap().id(),
            by.id()
        );
        let by = Person::from(second.account);
        assert_eq!(
            refusal(chat.set_first_password(&by, "other!", None).await),
            Refusal::WrongCredentials
        );
        assert_eq!(
            refusal(chat.delete_account(&by, "ada", None).await),
            Refusal::WrongCredentials
        );
        chat.unlink_identity(&by, "https://id.example")
            .await
            .unwrap();
        let ways = chat.load_sign_in_methods(&by).await.unwrap();
        assert_eq!((ways.password, ways.identities.len()), (true, 0));
        assert_eq!(
            chat.sign_in_with_identity(&identity("1"), None)
                .await
                .unwrap(),
            None
        );
        assert!(
            chat.sign_in(
                &Credentials {
                    username: "ada".to_owned(),
                    password: "secret".to_owned()
                },
                None
            )
            .await
            .is_ok()
        );
    }

    #[tokio::test]
    async fn identity_and_account_are_linked_to_one_another_only() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [grace, eve] = [
            chat.register_account(&wish("grace"), None).await,
            chat.register_account(&wish("eve"), None).await,
        ]
        .map(|session| Person::from(session.unwrap().account));
        for _ in 0..2 {
            chat.link_identity(&grace, &identity("1")).await.unwrap();
        }
        assert!(matches!(
            refusal(chat.link_identity(&eve, &identity("1")).await),
            Refusal::Taken(_)
        ));
        assert!(matches!(
            refusal(chat.link_identity(&grace, &identity("2")).await),
            Refusal::Taken(_)
        ));
        assert_eq!(
            refusal(chat.link_identity(&Person::Anonymous, &identity("3")).await),
            Refusal::NotSignedIn
        );
        let session = chat
            .sign_in_with_identity(&identity("1"), None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(session.account.username(), "grace");
    }
}
