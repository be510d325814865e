//! Passwords: kept as Argon2id, and compared at a price.
//!
//! Promises: to compare takes as long whether or not there is an account; no more run at once than there are cores, off the
//! threads that serve, and no more wait than somebody would wait for. Leaves to others: how often one may try.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use protocol::Refusal;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use crate::Error;

/// What a password is compared with when there is no account; made with the same parameters as every other one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many may wait for their turn for each that runs.
const WAITING: usize = 50;

/// Who may compute now, and who may wait for it. Each that runs takes 19 MiB, as
/// [OWASP](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html) recommends.
#[derive(Clone, Debug)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Passwords {
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            running: semaphore(cores),
            admitted: semaphore(cores * (1 + WAITING)),
        }
    }

    /// What to keep of a password.
    pub async fn keep(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        let kept = self
            .compute(move || Argon2::default().hash_password(password.as_bytes()))
            .await?;
        Ok(kept
            .map_err(|error| Error::fault(error.to_string()))?
            .to_string())
    }

    /// Whether this is the password of which `kept` was kept; never if nothing was.
    pub async fn is_right(&self, password: &str, kept: Option<&str>) -> Result<bool, Error> {
        let hash = PasswordHash::new(kept.unwrap_or(NOBODY))
            .map_err(|error| Error::fault(error.to_string()))?;
        let password = password.to_owned();
        let same = self
            .compute(move || Argon2::default().verify_password(password.as_bytes(), &hash))
            .await?;
        Ok(same.is_ok() && kept.is_some())
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _admitted = self
            .admitted
            .try_acquire()
            .map_err(|_| Refusal::TooMany(Duration::from_secs(2)))?;
        // Never closed.
        let _running: Result<SemaphorePermit<'_>, _> = self.running.acquire().await;
        spawn_blocking(work).await.map_err(Error::fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let passwords = Passwords::new();
        let kept = passwords.keep("correct horse").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(kept, passwords.keep("correct horse").await.unwrap());
        assert!(
            passwords
                .is_right("correct horse", Some(&kept))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .is_right("correct horse ", Some(&kept))
                .await
                .unwrap()
        );
        assert!(!passwords.is_right("correct horse", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_crowd_is_turned_away_instead_of_piling_up() {
        let passwords = Passwords::new();
        let all = passwords.admitted.available_permits();
        let full = passwords
            .admitted
            .try_acquire_many(u32::try_from(all).unwrap())
            .unwrap();
        let refused = passwords.keep("secret").await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal::TooMany(_)))));
        drop(full);
        assert!(passwords.keep("secret").await.is_ok());
    }
}
