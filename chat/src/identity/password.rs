//! Passwords: stored as Argon2id hashes.
//!
//! # Guarantees
//! - Verifying takes as long whether or not the account exists.
//! - A password is the same in composed and decomposed letters and with any kind of space, and one
//!   that was hashed before that rule is still accepted.
//! - At most one hash per core is computed at a time, outside the threads that serve requests, also
//!   if callers leave meanwhile. Client addresses are served in turn, and the queue is short enough
//!   that no request in it waits in vain.
//!
//! # Not here
//! - How often a client may try a password: the server.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use protocol::Refusal;
use protocol::characters::is_blank;
use protocol::text::{self, PASSWORD_MAX};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization;

use crate::Error;
use crate::identity::fair_queue::{Admission, FairQueue, QueueLimits, Ticket};
use crate::sync::lock;

/// The hash to verify against when there is no account, with the same parameters as every other
/// hash.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// How many computations of one client may wait for each one that runs.
const WAITING: usize = 50;

/// How many computations of all clients may wait for each one that runs.
const WAITING_IN_ALL: usize = 200;

/// When a client whose computations wait can try again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The client for which a password is computed: its address, or the network that one client has to
/// itself; `None` if there is none.
pub type PasswordClient = Option<IpAddr>;

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
pub(crate) struct Passwords(Arc<Mutex<Queue>>);

type Queue = FairQueue<PasswordClient, Waiting>;

/// A computation that waits for its permit.
#[derive(Debug)]
struct Waiting(oneshot::Sender<Permit>);

impl Ticket for Waiting {
    fn is_abandoned(&self) -> bool {
        self.0.is_closed()
    }
}

/// The permit of a computation that runs. When it is dropped, the next computation gets one.
#[derive(Debug)]
struct Permit(Arc<Mutex<Queue>>);

impl Drop for Permit {
    fn drop(&mut self) {
        let next = lock(&self.0).finish();
        if let Some(Waiting(permit)) = next {
            // If its caller has just gone, the permit is dropped here and goes to the next one.
            let _ = permit.send(Self(self.0.clone()));
        }
    }
}

impl Passwords {
    pub fn new() -> Self {
        Self::with_cores(std::thread::available_parallelism().map_or(1, usize::from))
    }

    fn with_cores(cores: usize) -> Self {
        Self(Arc::new(Mutex::new(FairQueue::new(QueueLimits {
            running: cores,
            per_source: cores * WAITING,
            total: cores * WAITING_IN_ALL,
        }))))
    }

    /// Hashes a password for storage.
    pub async fn hash(&self, password: &str, client: PasswordClient) -> Result<String, Error> {
        let password = password.to_owned();
        let hash = self
            .compute(client, move || {
                Argon2::default().hash_password(password.as_bytes())
            })
            .await?
            .map_err(|error| Error::fault(error.to_string()))?;
        Ok(hash.to_string())
    }

    /// Whether `hash` is the hash of this password. How many hashes are computed for a wrong
    /// password depends on the password alone.
    pub async fn verify(
        &self,
        password: &str,
        hash: Option<&str>,
        client: PasswordClient,
    ) -> Result<Verification, Error> {
        let normalized = text::normalize_password(password);
        if self.is_hash_of(&normalized, hash, client).await? {
            return Ok(Verification::Right);
        }
        if normalized != password && self.is_hash_of(password, hash, client).await? {
            return Ok(Verification::RightUnnormalized);
        }
        Ok(Verification::Wrong)
    }

    /// Whether `hash` is the hash of exactly this password; `false` if there is no hash.
    async fn is_hash_of(
        &self,
        password: &str,
        hash: Option<&str>,
        client: PasswordClient,
    ) -> Result<bool, Error> {
        let parsed = PasswordHash::new(hash.unwrap_or(DUMMY_HASH))
            .map_err(|error| Error::fault(error.to_string()))?;
        let password = truncate_password(password).to_owned();
        let verified = self
            .compute(client, move || {
                Argon2::default().verify_password(password.as_bytes(), &parsed)
            })
            .await?;
        Ok(verified.is_ok() && hash.is_some())
    }

    /// Runs a computation on a blocking thread, when it is the client's turn.
    async fn compute<T: Send + 'static>(
        &self,
        client: PasswordClient,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.wait_for_turn(client).await?;
        // The thread has the permit: it goes on computing if its caller leaves.
        let computed = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        computed.await.map_err(Error::fault)
    }

    async fn wait_for_turn(&self, client: PasswordClient) -> Result<Permit, Refusal> {
        let (sender, turn) = oneshot::channel();
        let admission = lock(&self.0).enter(client, Waiting(sender));
        match admission {
            Admission::Runs => Ok(Permit(self.0.clone())),
            // The turn of a displaced computation never comes.
            Admission::Waits { .. } => turn.await.map_err(|_| queue_is_full()),
            Admission::SourceIsFull => Err(Refusal::RateLimited(RETRY_AFTER)),
            Admission::QueueIsFull => Err(queue_is_full()),
        }
    }
}

fn queue_is_full() -> Refusal {
    let text = "Too many passwords are checked at the moment. Try again in a few seconds.";
    Refusal::NotReady(text.to_owned())
}

/// Whether a password is this username, in any letter case or width, and with blanks or invisible
/// characters.
pub(crate) fn is_username(password: &str, username: &str) -> bool {
    let letters = password.nfkc().filter(|c| !is_blank(*c));
    let folded: String = letters.flat_map(char::to_lowercase).collect();
    folded == username
}

/// Cuts a password after the maximum length. A longer one belongs to no account, and hashing it
/// would cost time.
fn truncate_password(password: &str) -> &str {
    let end = password.char_indices().nth(PASSWORD_MAX + 1);
    end.map_or(password, |(end, _)| &password[..end])
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_verified() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse", None).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash, passwords.hash("correct horse", None).await.unwrap());
        for (password, hash, expected) in [
            ("correct horse", Some(&hash), Verification::Right),
            ("correct\u{a0}horse", Some(&hash), Verification::Right),
            ("correct horse ", Some(&hash), Verification::Wrong),
            ("correct horse", None, Verification::Wrong),
            ("correct\u{a0}horse", None, Verification::Wrong),
        ] {
            let hash = hash.map(String::as_str);
            let verified = passwords.verify(password, hash, None).await;
            assert_eq!(verified.unwrap(), expected, "{password}");
        }
    }

    #[tokio::test]
    async fn password_hashed_before_normalization_is_accepted() {
        let passwords = Passwords::new();
        let decomposed = "pa\u{308}sswo\u{308}rte\u{301}";
        let old_hash = passwords.hash(decomposed, None).await.unwrap();
        let verified = passwords
            .verify(decomposed, Some(&old_hash), None)
            .await
            .unwrap();
        assert_eq!(verified, Verification::RightUnnormalized);
        let hash = passwords.hash("pässwörté", None).await.unwrap();
        let verified = passwords
            .verify(decomposed, Some(&hash), None)
            .await
            .unwrap();
        assert_eq!(verified, Verification::Right);
    }

    const FLOOD: PasswordClient = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const OTHER: PasswordClient = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

    /// Lets this many computations of a client wait. The turn of each comes while its receiver
    /// exists.
    fn wait(
        passwords: &Passwords,
        client: PasswordClient,
        count: usize,
    ) -> Vec<oneshot::Receiver<Permit>> {
        let enter = |_| {
            let (sender, turn) = oneshot::channel();
            let admission = lock(&passwords.0).enter(client, Waiting(sender));
            assert!(matches!(admission, Admission::Waits { .. }));
            turn
        };
        (0..count).map(enter).collect()
    }

    #[tokio::test]
    async fn address_that_waits_with_one_password_is_served_before_the_rest_of_a_flood() {
        let passwords = Passwords::with_cores(1);
        let running = passwords.wait_for_turn(FLOOD).await.unwrap();
        let mut flood = wait(&passwords, FLOOD, 3);
        let mut other = wait(&passwords, OTHER, 1);
        drop(running);
        drop(flood[0].try_recv().unwrap());
        let turn = other[0].try_recv().unwrap();
        assert!(flood[1].try_recv().is_err(), "one computation at a time");
        drop(turn);
        drop(flood[1].try_recv().unwrap());
        drop(flood[2].try_recv().unwrap());
        assert!(passwords.hash("secret", OTHER).await.is_ok());
    }

    #[tokio::test]
    async fn computation_keeps_its_core_when_its_caller_leaves() {
        let passwords = Passwords::with_cores(1);
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let mut computing = Box::pin(passwords.compute(FLOOD, move || finished.recv()));
        assert!(futures_util::poll!(&mut computing).is_pending());
        drop(computing);
        let [turn] = &mut wait(&passwords, OTHER, 1)[..] else {
            unreachable!()
        };
        assert!(turn.try_recv().is_err());
        drop(finish);
        assert!(turn.await.is_ok());
    }

    #[tokio::test]
    async fn full_queue_refuses_its_address_first_and_then_all() {
        let passwords = Passwords::with_cores(1);
        let running = passwords.wait_for_turn(OTHER).await.unwrap();
        let hash = async |client| refusal(passwords.hash("secret", client).await);
        let mut waiting = wait(&passwords, FLOOD, WAITING);
        assert_eq!(hash(FLOOD).await, Refusal::RateLimited(RETRY_AFTER));
        let address = |n| Some(IpAddr::V4(Ipv4Addr::from_bits(n)));
        for n in 1..u32::try_from(WAITING_IN_ALL).unwrap() {
            waiting.extend(wait(&passwords, address(n), 1));
        }
        // Each of them has displaced one computation of the flood, which has one left.
        assert_eq!(hash(FLOOD).await, queue_is_full());
        assert_eq!(hash(address(0)).await, queue_is_full());
        drop(waiting);
        drop(running);
        assert!(passwords.hash("secret", FLOOD).await.is_ok());
    }

    fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> Refusal {
        match answer {
            Err(Error::Refusal(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }
}
