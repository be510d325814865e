//! Passwords: stored as Argon2id hashes.
//!
//! # Guarantees
//! - Verifying takes as long whether or not the account exists.
//! - A password is the same in composed and decomposed letters and with any kind of space, and one
//!   that was hashed before that rule is still accepted.
//! - At most one hash per core is computed at a time, outside the threads that serve requests. The
//!   queue is short enough that no request in it waits in vain.
//!
//! # Not here
//! - How often a client may try a password: the server.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use protocol::Refusal;
use protocol::text::{self, PASSWORD_MAX};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use crate::Error;

/// The hash to verify against when there is no account, with the same parameters as every other
/// hash.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many computations may wait for each one that runs.
const WAITING: usize = 50;

/// Whether a password is the one of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// It is another one, or there is no hash.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and the hash is that of the password before normalization.
    RightUnnormalized,
}

/// The limits on concurrent computations. Each one that runs takes 19 MiB, as
/// [OWASP](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html)
/// recommends.
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

    /// Hashes a password for storage.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let password = password.to_owned();
        let hash = self
            .compute(move || Argon2::default().hash_password(password.as_bytes()))
            .await?
            .map_err(|error| Error::fault(error.to_string()))?;
        Ok(hash.to_string())
    }

    /// Whether `hash` is the hash of this password. How many hashes are computed for a wrong
    /// password depends on the password alone.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verification, Error> {
        let normalized = text::normalize_password(password);
        if self.is_hash_of(&normalized, hash).await? {
            return Ok(Verification::Right);
        }
        if normalized != password && self.is_hash_of(password, hash).await? {
            return Ok(Verification::RightUnnormalized);
        }
        Ok(Verification::Wrong)
    }

    /// Whether `hash` is the hash of exactly this password; `false` if there is no hash.
    async fn is_hash_of(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let parsed = PasswordHash::new(hash.unwrap_or(DUMMY_HASH))
            .map_err(|error| Error::fault(error.to_string()))?;
        let password = truncate_password(password).to_owned();
        let verified = self
            .compute(move || Argon2::default().verify_password(password.as_bytes(), &parsed))
            .await?;
        Ok(verified.is_ok() && hash.is_some())
    }

    /// Runs a computation on a blocking thread, within the limits.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _admitted = self
            .admitted
            .try_acquire()
            .map_err(|_| Refusal::RateLimited(Duration::from_secs(2)))?;
        // The semaphore is never closed, so this waits and succeeds.
        let _running: Result<SemaphorePermit<'_>, _> = self.running.acquire().await;
        spawn_blocking(work).await.map_err(Error::fault)
    }
}

/// Cuts a password after the maximum length. A longer one belongs to no account, and hashing it
/// would cost time.
fn truncate_password(password: &str) -> &str {
    let end = password.char_indices().nth(PASSWORD_MAX + 1);
    end.map_or(password, |(end, _)| &password[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_verified() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap());
        for (password, hash, expected) in [
            ("correct horse", Some(&hash), Verification::Right),
            ("correct\u{a0}horse", Some(&hash), Verification::Right),
            ("correct horse ", Some(&hash), Verification::Wrong),
            ("correct horse", None, Verification::Wrong),
            ("correct\u{a0}horse", None, Verification::Wrong),
        ] {
            let verified = passwords.verify(password, hash.map(String::as_str)).await;
            assert_eq!(verified.unwrap(), expected, "{password}");
        }
    }

    #[tokio::test]
    async fn password_hashed_before_normalization_is_accepted() {
        let passwords = Passwords::new();
        let decomposed = "pa\u{308}sswo\u{308}rte\u{301}";
        let old_hash = passwords.hash(decomposed).await.unwrap();
        let verified = passwords.verify(decomposed, Some(&old_hash)).await.unwrap();
        assert_eq!(verified, Verification::RightUnnormalized);
        let hash = passwords.hash("pässwörté").await.unwrap();
        let verified = passwords.verify(decomposed, Some(&hash)).await.unwrap();
        assert_eq!(verified, Verification::Right);
    }

    #[tokio::test]
    async fn full_queue_of_hashes_refuses_more() {
        let passwords = Passwords::new();
        let all = passwords.admitted.available_permits();
        let full = passwords
            .admitted
            .try_acquire_many(u32::try_from(all).unwrap())
            .unwrap();
        let refused = passwords.hash("secret").await;
        assert!(matches!(
            refused,
            Err(Error::Refusal(Refusal::RateLimited(_)))
        ));
        drop(full);
        assert!(passwords.hash("secret").await.is_ok());
    }
}
