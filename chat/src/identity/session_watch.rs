//! Ends the streams of an account when its sessions end, and signs a session out.
//!
//! # Guarantees
//! - Once a session has ended, no follower that uses it goes on.
//! - Signing out ends one session, whose token is refused from then on. What is stored of it is
//!   deleted after the token would have expired.
//!
//! # Not here
//! - Whether a token is valid: `account`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use protocol::Refusal;
use tokio_util::sync::CancellationToken;

use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::store::AccountSession;
use crate::store::revoked_sessions;
use crate::sync::lock;
use crate::{Chat, Error};

/// The sessions that have open streams, each with the token that ends these streams. It is cheap to
/// clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct SessionRegistry(Arc<Mutex<BTreeMap<SessionKey, WatchedSession>>>);

/// What is known of a watched session.
#[derive(Clone, Debug, Default)]
struct WatchedSession {
    /// Cancelled when the session ends.
    token: Arc<CancellationToken>,
    generation: i64,
}

/// An account and one of its sessions.
type SessionKey = (i64, i64);

impl SessionRegistry {
    /// The token that is cancelled when a session ends.
    fn watch(&self, key: SessionKey, generation: i64) -> Arc<CancellationToken> {
        let mut sessions = lock(&self.0);
        if !sessions.contains_key(&key) {
            // Forget the sessions whose last stream has closed.
            sessions.retain(|_, session| Arc::strong_count(&session.token) > 1);
        }
        let session = sessions.entry(key).or_default();
        session.generation = session.generation.max(generation);
        session.token.clone()
    }

    /// The sessions that streams watch.
    pub fn watched(&self) -> Vec<AccountSession> {
        let sessions = lock(&self.0);
        let session = |(&(account, id), watched): (&SessionKey, &WatchedSession)| AccountSession {
            account,
            generation: watched.generation,
            id: Some(id),
        };
        sessions.iter().map(session).collect()
    }

    /// Ends every stream of an account.
    pub fn end_sessions(&self, account: i64) {
        self.end(account, i64::MIN..=i64::MAX);
    }

    /// Ends every stream of a session.
    pub fn end_session(&self, account: i64, session: i64) {
        self.end(account, session..=session);
    }

    fn end(&self, account: i64, ids: RangeInclusive<i64>) {
        let mut sessions = lock(&self.0);
        let keys = (account, *ids.start())..=(account, *ids.end());
        for (_, session) in sessions.extract_if(keys, |_, _| true) {
            session.token.cancel();
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
    /// Signs the caller's session out. The other sessions of the account go on.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`], or a fault.
    pub async fn sign_out(&self, by: &Person) -> Result<(), Error> {
        let account = by.require_account()?;
        let session = account.session.ok_or(Refusal::NotSignedIn)?;
        let mut tx = self.begin_by(by).await?.tx;
        revoked_sessions::delete_expired(&mut tx, self.now()).await?;
        revoked_sessions::insert(&mut tx, account.id, session.id, session.expires_at).await?;
        let ended = DomainEvent::SessionEnded {
            account: account.id,
            session: session.id,
        };
        self.commit(tx, [ended]).await
    }

    /// Watches the session of a caller.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the session has ended already, or a fault.
    pub async fn watch_session(&self, by: &Person) -> Result<SessionWatch, Error> {
        let Some(account) = by.account() else {
            return Ok(SessionWatch(None));
        };
        // The watch comes first: a session that ends after the check cancels the token.
        let session = account.session.map_or(0, |session| session.id);
        let token = self
            .0
            .listeners
            .sessions
            .watch((account.id, session), account.generation);
        self.require_session(by).await?;
        Ok(SessionWatch(Some(token)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewAccount, Start};

    use super::*;
    use crate::FollowEvent;
    use crate::store::sql::query_as;
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
        test.chat.register_account(&wish, None).await.unwrap();
        let room = test.create_room().await;
        for start in [Start::Seq(0), Start::Latest] {
            test.post(room, "before").await;
            let session = test.chat.sign_in(&credentials, None).await.unwrap();
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
    async fn signed_out_session_ends_with_its_streams_and_the_others_go_on() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.register("grace").await;
        let credentials = Credentials {
            username: "grace".to_owned(),
            password: "secret".to_owned(),
        };
        let mut sessions = Vec::new();
        for _ in 0..2 {
            sessions.push(test.chat.sign_in(&credentials, None).await.unwrap());
        }
        let [ended, other] = [&sessions[0], &sessions[1]];
        let [by, other_by] = [ended, other].map(|session| Person::from(session.account.clone()));
        let follow = async |by| test.chat.follow_room(by, &room, Start::Latest).await;
        let mut follower = follow(&by).await.unwrap();
        let mut other_follower = follow(&other_by).await.unwrap();
        test.chat.sign_out(&by).await.unwrap();
        test.post(room, "after").await;
        let event = follower.next().await.unwrap();
        assert!(matches!(event, FollowEvent::SignedOut), "{event:?}");
        let event = other_follower.next().await.unwrap();
        assert!(matches!(event, FollowEvent::Messages(_)), "{event:?}");
        assert!(follow(&by).await.is_err());
        for _ in 0..2 {
            assert!(test.chat.authenticate_token(&ended.token).await.is_err());
            assert!(test.chat.authenticate_token(&other.token).await.is_ok());
            test.reopen().await;
        }
    }

    #[tokio::test]
    async fn revoked_session_is_stored_until_its_token_expires() {
        let test = TestChat::new(|_| {}).await;
        let count = async || {
            let sql = "select count(*) from revoked_session";
            let mut tx = test.chat.0.store.begin().await.unwrap();
            let count: i64 = query_as(sql).fetch_one(tx.connection()).await.unwrap();
            count
        };
        let [ada, bob] = [test.register("ada").await, test.register("bob").await];
        test.chat.sign_out(&ada).await.unwrap();
        assert!(test.chat.sign_out(&ada).await.is_err());
        assert_eq!(count().await, 1);
        test.config.clock.advance(test.config.jwt_lifetime);
        test.chat.sign_out(&bob).await.unwrap();
        assert_eq!(count().await, 1);
        let again = Credentials {
            username: "bob".to_owned(),
            password: "secret".to_owned(),
        };
        let bob = test.chat.sign_in(&again, None).await.unwrap().account;
        test.chat.sign_out_everywhere(&bob.into()).await.unwrap();
        assert_eq!(count().await, 0);
    }

    #[tokio::test]
    async fn session_without_streams_is_forgotten() {
        let sessions = SessionRegistry::default();
        for account in 1..=1_000 {
            drop(sessions.watch((account, 1), 0));
        }
        assert_eq!(lock(&sessions.0).len(), 1);
    }
}
