//! Being signed in: whoever follows with an account is told when that is over.
//!
//! Promises: once all sessions of an account have been ended, nobody who follows with one of them goes on. Leaves to
//! others: which tokens are good (`account`).

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::watch;

use crate::identity::account;
use crate::identity::person::Person;
use crate::sync::lock;
use crate::{Chat, Error};

/// The accounts as which somebody follows. A sender says nothing but that it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<HashMap<i64, watch::Sender<()>>>);

impl Accounts {
    fn watch(&self, account: i64) -> watch::Receiver<()> {
        let mut all = lock(&self.0);
        if !all.contains_key(&account) {
            all.retain(|_, followed| followed.receiver_count() > 0);
        }
        all.entry(account).or_default().subscribe()
    }

    /// Tells all who follow as this account that they are no longer signed in.
    pub fn sign_out(&self, account: i64) {
        lock(&self.0).remove(&account);
    }
}

/// That somebody is signed in; nobody and guests always are what they are.
#[derive(Clone, Debug, Default)]
pub struct SignedIn(Option<watch::Receiver<()>>);

impl SignedIn {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|account| account.has_changed().is_err())
    }

    /// Returns when it is over. May be dropped while it waits.
    pub async fn over(&mut self) {
        match &mut self.0 {
            Some(account) => while account.changed().await.is_ok() {},
            None => std::future::pending().await,
        }
    }
}

impl Chat {
    /// Watches over somebody's being signed in.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotSignedIn`] if that is over already, or a fault.
    pub async fn signed_in(&self, by: &Person) -> Result<SignedIn, Error> {
        let Some(member) = by.member() else {
            return Ok(SignedIn(None));
        };
        // Watch first: whatever ends after the look is told.
        let watch = self.0.accounts.watch(member.id);
        account::still(&self.0.store, member).await?;
        Ok(SignedIn(Some(watch)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewAccount, Start};

    use super::*;
    use crate::News;
    use crate::testing::House;

    #[tokio::test]
    async fn whoever_is_signed_out_is_told_even_while_others_write() {
        let house = House::new(|_| {}).await;
        let (name, username, password) =
            ("Grace".to_owned(), "grace".to_owned(), "secret".to_owned());
        let wish = NewAccount {
            name,
            username: username.clone(),
            password: password.clone(),
        };
        house.chat.register(&wish).await.unwrap();
        let room = house.room().await;
        for start in [Start::Seq(0), Start::Latest] {
            house.say(room, "before").await;
            let known = Credentials {
                username: username.clone(),
                password: password.clone(),
            };
            let by = Person::from(house.chat.sign_in(&known).await.unwrap().member);
            let mut follow = house.chat.follow(&by, &room, start).await.unwrap();
            house.chat.sign_out_everywhere(&by).await.unwrap();
            house.say(room, "after").await;
            assert!(
                matches!(follow.next().await.unwrap(), News::SignedOut),
                "{start:?}"
            );
            assert!(house.chat.follow(&by, &room, start).await.is_err());
        }
    }

    #[tokio::test]
    async fn an_account_that_nobody_follows_as_is_forgotten() {
        let accounts = Accounts::default();
        for account in 1..=1_000 {
            drop(accounts.watch(account));
        }
        assert_eq!(lock(&accounts.0).len(), 1);
    }
}
