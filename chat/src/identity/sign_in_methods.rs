//! The ways in which the holder of an account can sign in, and the proof that a new way needs.
//!
//! # Guarantees
//! - A session alone adds no way to sign in: an account with a password needs it. An account without
//!   one needs a session for which the sign-in provider has just asked the person: to sign in is not
//!   enough, because a provider that knows the browser asks nothing.
//!
//! # Not here
//! - What identities and passwords are: `oidc_identity` and `account`.

use std::time::Duration;

use protocol::{Refusal, Time};
use texts::refusal;

use crate::identity::password::PasswordClient;
use crate::identity::person::Person;
use crate::store::{LinkedIdentity, accounts, oidc_identities};
use crate::{Chat, Error};

/// How long after the provider asked the person a session of an account without a password can add a
/// way to sign in.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// The ways in which the holder of an account can sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInMethods {
    /// Whether the account has a password.
    pub password: bool,
    /// When the password was set, if that is known.
    pub password_set_at: Option<Time>,
    /// The identities of the account, by issuer.
    pub identities: Vec<LinkedIdentity>,
}

impl Chat {
    /// The ways in which the caller can sign in.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], or a fault.
    pub async fn load_sign_in_methods(&self, by: &Person) -> Result<SignInMethods, Error> {
        let store = &self.0.store;
        let own = self.load_own_account(by).await?;
        Ok(SignInMethods {
            password: own.password_hash.is_some(),
            password_set_at: accounts::load_password_time(store, own.id).await?,
            identities: oidc_identities::list_links(store, own.id).await?,
        })
    }

    /// Checks that the caller may add a way to sign in: by the password, or without one by a fresh
    /// session, as [`Chat::is_session_fresh`] says.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], [`Refusal::WrongCredentials`] if the password is wrong,
    /// [`Refusal::Forbidden`] if the session is not fresh, or a fault.
    pub async fn confirm_identity(
        &self,
        by: &Person,
        password: &str,
        client: PasswordClient,
    ) -> Result<(), Error> {
        let own = self.load_own_account(by).await?;
        if own.password_hash.is_none() {
            return Ok(self.require_fresh_session(by)?);
        }
        self.verify_password(&own, password, client).await
    }

    /// Whether the sign-in provider has just asked, for the caller's session, who the person is.
    pub fn is_session_fresh(&self, by: &Person) -> bool {
        let session = by.account().and_then(|account| account.session);
        let authenticated_at = session.and_then(|session| session.authenticated_at);
        authenticated_at.is_some_and(|at| self.now().since(at) < FRESH)
    }

    /// Checks that the caller's session is fresh.
    pub(crate) fn require_fresh_session(&self, by: &Person) -> Result<(), Refusal> {
        if self.is_session_fresh(by) {
            Ok(())
        } else {
            Err(Refusal::Forbidden(refusal::PROVE_WHO_YOU_ARE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestChat;
    use crate::{IdentityLinks, OidcIdentity, ProviderProfile};

    fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> Refusal {
        match answer {
            Err(Error::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn identity() -> OidcIdentity {
        OidcIdentity {
            issuer: "https://id.example".to_owned(),
            subject: "1".to_owned(),
        }
    }

    /// A new account of the identity, which has no password.
    async fn without_password(test: &TestChat) -> Person {
        let profile = ProviderProfile::default();
        let registered = test
            .chat
            .register_with_identity(&identity(), &profile, Some(test.chat.now()))
            .await;
        registered.unwrap().account.into()
    }

    #[tokio::test]
    async fn account_with_a_password_adds_a_way_to_sign_in_by_that_only() {
        let test = TestChat::new(|_| {}).await;
        let ada = test.register("ada").await;
        for wrong in ["", "ada", "wrong!"] {
            let refused = refusal(test.chat.confirm_identity(&ada, wrong, None).await);
            assert_eq!(refused, Refusal::WrongCredentials);
        }
        test.config.clock.advance(FRESH);
        let confirmed = test.chat.confirm_identity(&ada, "secret", None).await;
        assert!(confirmed.is_ok());
    }

    #[tokio::test]
    async fn account_without_a_password_adds_a_way_to_sign_in_by_a_fresh_session_only() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let asked_at = chat.now();
        let old = without_password(&test).await;
        test.config.clock.advance(FRESH);
        for refused in [
            chat.confirm_identity(&old, "", None).await,
            chat.set_first_password(&old, "secret", None)
                .await
                .map(|_| ()),
        ] {
            assert!(matches!(refusal(refused), Refusal::Forbidden(_)));
        }
        let sign_in = async |authenticated_at| {
            let session = chat
                .sign_in_with_identity(&identity(), authenticated_at)
                .await;
            let token = session.unwrap().unwrap().token;
            chat.authenticate_token(&token).await.unwrap()
        };
        // A new session is not enough, if the provider did not ask the person for it.
        for authenticated_at in [None, Some(asked_at)] {
            let new = sign_in(authenticated_at).await;
            let refused = chat.set_first_password(&new, "secret", None).await;
            assert!(matches!(refusal(refused), Refusal::Forbidden(_)));
        }
        // A time in the future counts as now.
        let ahead = sign_in(Some(chat.now().after(FRESH))).await;
        assert!(chat.is_session_fresh(&ahead));
        test.config.clock.advance(FRESH);
        assert!(!chat.is_session_fresh(&ahead));
        let fresh = sign_in(Some(chat.now())).await;
        assert!(chat.confirm_identity(&fresh, "", None).await.is_ok());
        assert!(
            chat.set_first_password(&fresh, "secret", None)
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn ways_to_sign_in_have_times_and_a_new_password_can_remove_identities() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let ada = test.register("ada").await;
        let minute = Duration::from_secs(60);
        test.config.clock.advance(minute);
        chat.link_identity(&ada, &identity()).await.unwrap();
        let ways = chat.load_sign_in_methods(&ada).await.unwrap();
        let registered_at = ways.password_set_at.unwrap();
        let [linked] = &ways.identities[..] else {
            panic!("{ways:?}")
        };
        assert_eq!(linked.issuer, identity().issuer);
        assert!(linked.linked_at.since(registered_at) >= minute);
        test.config.clock.advance(minute);
        let mut by = ada;
        for (links, old, new, left) in [
            (IdentityLinks::Keep, "secret", "secret2", 1),
            (IdentityLinks::Remove, "secret2", "secret3", 0),
        ] {
            let changed = chat.change_password(&by, old, new, links, None).await;
            by = changed.unwrap().account.into();
            let ways = chat.load_sign_in_methods(&by).await.unwrap();
            assert!(ways.password_set_at.unwrap().since(linked.linked_at) >= minute);
            assert_eq!(ways.identities.len(), left, "{links:?}");
        }
        let entered = chat.sign_in_with_identity(&identity(), None).await.unwrap();
        assert_eq!(entered, None);
    }
}
