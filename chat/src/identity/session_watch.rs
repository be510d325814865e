//! Ends the streams of an account when its sessions end.
//!
//! # Guarantees
//! - Once all sessions of an account have ended, no follower that uses one of them goes on.
//!
//! # Not here
//! - Whether a token is valid: `account`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use crate::identity::person::Person;
use crate::sync::lock;
use crate::{Chat, Error};

/// The accounts that have open streams, each with the token that ends these streams. It is cheap to
/// clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionRegistry(Arc<Mutex<HashMap<i64, Arc<CancellationToken>>>>);

impl SessionRegistry {
    /// The token that is cancelled when the sessions of an account end.
    fn watch_account(&self, account: i64) -> Arc<CancellationToken> {
        let mut tokens = lock(&self.0);
        if !tokens.contains_key(&account) {
            // Forget the accounts whose last stream has closed.
            tokens.retain(|_, token| Arc::strong_count(token) > 1);
        }
        tokens.entry(account).or_default().clone()
    }

    /// Ends every stream of an account.
    pub fn end_sessions(&self, account: i64) {
        if let Some(token) = lock(&self.0).remove(&account) {
            token.cancel();
        }
    }
}

/// Tells a stream when the session that it was opened with ends. The session of a guest or an
/// anonymous caller never ends.
#[derive(Clone, Debug, Default)]
pub struct SessionWatch(Option<Arc<CancellationToken>>);

impl SessionWatch {
    /// Whether the session has ended.
    pub fn has_ended(&self) -> bool {
        self.0.as_ref().is_some_and(|token| token.is_cancelled())
    }

    /// Returns when the session ends. The future may be dropped at any time.
    pub async fn ended(&self) {
        match &self.0 {
            Some(token) => token.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

impl Chat {
    /// Watches the session of a caller.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`] if the session has ended already, or a fault.
    pub async fn watch_session(&self, by: &Person) -> Result<SessionWatch, Error> {
        let Some(account) = by.account() else {
            return Ok(SessionWatch(None));
        };
        // The watch comes first: a session that ends after the check cancels the token.
        let token = self.0.listeners.sessions.watch_account(account.id);
        self.require_session(account).await?;
        Ok(SessionWatch(Some(token)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewAccount, Start};

    use super::*;
    use crate::FollowEvent;
    use crate::testing::TestChat;

    #[tokio::test]
    async fn follower_ends_when_its_account_signs_out_while_others_post() {
        let test = TestChat::new(|_| {}).await;
        let credentials = Credentials {
            username: "grace".to_owned(),
            password: "secret".to_owned(),
        };
        let wish = NewAccount {
            name: "Grace".to_owned(),
            username: credentials.username.clone(),
            password: credentials.password.clone(),
        };
        test.chat.register_account(&wish).await.unwrap();
        let room = test.create_room().await;
        for start in [Start::Seq(0), Start::Latest] {
            test.post(room, "before").await;
            let session = test.chat.sign_in(&credentials).await.unwrap();
            let by = Person::from(session.account);
            let mut follower = test.chat.follow_room(&by, &room, start).await.unwrap();
            test.chat.sign_out_everywhere(&by).await.unwrap();
            test.post(room, "after").await;
            let event = follower.next().await.unwrap();
            assert!(matches!(event, FollowEvent::SignedOut), "{start:?}");
            assert!(test.chat.follow_room(&by, &room, start).await.is_err());
        }
    }

    #[tokio::test]
    async fn account_without_streams_is_forgotten() {
        let sessions = SessionRegistry::default();
        for account in 1..=1_000 {
            drop(sessions.watch_account(account));
        }
        assert_eq!(lock(&sessions.0).len(), 1);
    }
}
