//! Limits on guessing: passwords, invitation codes and room IDs, on creating accounts, and on the
//! work that passwords cost.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use chat::{PasswordClient, SharedAttempts};
use protocol::Refusal;
use protocol::text::normalize_password;

use crate::limit::attempts::Attempts;
use crate::limit::login_backoff::BackoffPolicy;
use crate::limit::room_probes::RoomProbes;
use crate::limit::token_bucket::{Rate, TokenBuckets};
use crate::limit::{Limits, client_of};
use crate::log_throttle::LogThrottle;

/// Failed attempts from one address. A class may be behind it.
const ADDRESS_POLICY: BackoffPolicy = BackoffPolicy {
    free: 50,
    longest: Duration::from_secs(15 * 60),
};

/// Failed attempts on one account. The wait is short, because it also delays the account's owner.
const ACCOUNT_POLICY: BackoffPolicy = BackoffPolicy {
    free: 10,
    longest: Duration::from_secs(60),
};

/// The computations for passwords, right or wrong, from one address: enough for a class that signs up
/// and in, and too few to keep a core busy.
const PASSWORD_RATE: Rate = Rate {
    per_second: 1,
    burst: 100,
};

/// How much of a username counts, in characters: longer texts are no usernames.
const USERNAME_MAX: usize = 40;

/// The guesses so far.
#[derive(Debug)]
pub(super) struct Guesses {
    attempts: Attempts,
    passwords: TokenBuckets<IpAddr>,
    refused_codes: LogThrottle,
    probes: RoomProbes,
    refused_probes: LogThrottle,
}

impl Guesses {
    pub fn new(shared: Option<SharedAttempts>) -> Self {
        Self {
            attempts: Attempts::new(shared),
            passwords: TokenBuckets::new(PASSWORD_RATE),
            refused_codes: LogThrottle::default(),
            probes: RoomProbes::default(),
            refused_probes: LogThrottle::default(),
        }
    }
}

impl Limits {
    /// Counts the computations for these passwords, whether they are right or wrong: all of them, or
    /// none if they are too many by now. Returns the client for whom they are computed.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn admit_passwords(
        &self,
        address: IpAddr,
        passwords: &[&str],
    ) -> Result<PasswordClient, Refusal> {
        let client = client_of(address);
        let count = passwords.iter().map(|password| computations(password));
        if let Some(guesses) = self.guesses()
            && let Some(count) = NonZeroU32::new(count.sum())
        {
            let taken = guesses.passwords.take_many(&client, count);
            taken.map_err(Refusal::RateLimited)?;
        }
        Ok(Some(client))
    }

    /// Records that an account is created from this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub async fn check_sign_up(&self, address: IpAddr) -> Result<(), Refusal> {
        self.record_attempt(&sign_up_from(address), ADDRESS_POLICY)
            .await
    }

    /// Records an attempt to sign in by a password, from this address and to this account.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub async fn check_sign_in(&self, address: IpAddr, username: &str) -> Result<(), Refusal> {
        self.record_attempt(&sign_in_from(address), ADDRESS_POLICY)
            .await?;
        self.record_attempt(&account(username), ACCOUNT_POLICY)
            .await
    }

    /// Removes an attempt to sign in that has succeeded, and all attempts on its account.
    pub async fn forgive_sign_in(&self, address: IpAddr, username: &str) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.remove(&sign_in_from(address)).await;
            guesses.attempts.forget(&account(username)).await;
        }
    }

    /// Records an attempt to sign in by the provider, from this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub async fn check_oidc_sign_in(&self, address: IpAddr) -> Result<(), Refusal> {
        self.record_attempt(&sign_in_from(address), ADDRESS_POLICY)
            .await
    }

    /// Removes an attempt to sign in by the provider that has succeeded.
    pub async fn forgive_oidc_sign_in(&self, address: IpAddr) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.remove(&sign_in_from(address)).await;
        }
    }

    /// Records an attempt of a signed-in person to confirm the account's password.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub async fn check_password(&self, username: &str) -> Result<(), Refusal> {
        self.record_attempt(&account(username), ACCOUNT_POLICY)
            .await
    }

    /// Removes all attempts on an account, because a password was right.
    pub async fn forgive_password(&self, username: &str) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.forget(&account(username)).await;
        }
    }

    /// Records an attempt to use an invitation code, from this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub async fn check_invitation_guess(&self, address: IpAddr) -> Result<(), Refusal> {
        let checked = self
            .record_attempt(&code_from(address), ADDRESS_POLICY)
            .await;
        if checked.is_err()
            && let Some(guesses) = self.guesses()
            && let Some(refused) = guesses.refused_codes.count(Instant::now())
        {
            tracing::warn!(%address, refused, "a client guesses invitation codes");
        }
        checked
    }

    /// Removes an attempt to use an invitation code that has succeeded.
    pub async fn forgive_invitation_guess(&self, address: IpAddr) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.remove(&code_from(address)).await;
        }
    }

    /// Whether this address may look up a room.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] if it has asked for too many rooms that do not exist.
    pub fn check_room_lookup(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(guesses) = self.guesses() else {
            return Ok(());
        };
        let now = Instant::now();
        let checked = guesses.probes.check(client_of(address), now);
        if checked.is_err()
            && let Some(refused) = guesses.refused_probes.count(now)
        {
            tracing::warn!(%address, refused, "a client guesses room IDs");
        }
        checked
    }

    /// Records that this address has asked for a room that does not exist.
    pub fn record_missing_room(&self, address: IpAddr) {
        if let Some(guesses) = self.guesses() {
            let probes = &guesses.probes;
            probes.record_failure(client_of(address), Instant::now());
        }
    }

    async fn record_attempt(&self, subject: &str, policy: BackoffPolicy) -> Result<(), Refusal> {
        match self.guesses() {
            Some(guesses) => guesses.attempts.record(subject, policy).await,
            None => Ok(()),
        }
    }
}

/// How many computations a password costs: an account may have it as it is written or in its normal
/// form.
fn computations(password: &str) -> u32 {
    1 + u32::from(normalize_password(password) != password)
}

fn sign_up_from(address: IpAddr) -> String {
    format!("up {}", client_of(address))
}

fn sign_in_from(address: IpAddr) -> String {
    format!("in {}", client_of(address))
}

fn code_from(address: IpAddr) -> String {
    format!("code {}", client_of(address))
}

/// The account of a username, whether it exists or not.
fn account(username: &str) -> String {
    let username: String = username.trim().chars().take(USERNAME_MAX).collect();
    format!("on {}", username.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::types::Switch;

    /// How many sign-ins with this password one network may make at once.
    fn count_admitted(password: &str) -> usize {
        let limits = Limits::new(Switch::On, None);
        let address = |n: usize| format!("2001:db8::{n:x}").parse().unwrap();
        let admitted = (0..1_000).position(|n| {
            let admitted = limits.admit_passwords(address(n), &[password]);
            matches!(admitted, Err(Refusal::RateLimited(_)))
        });
        let other = "2001:db8:0:1::1".parse().unwrap();
        assert!(limits.admit_passwords(other, &[password]).is_ok());
        admitted.unwrap()
    }

    #[test]
    fn refused_passwords_wait_for_all_their_computations_and_take_none() {
        let limits = Limits::new(Switch::On, None);
        let address = "192.0.2.1".parse().unwrap();
        while limits.admit_passwords(address, &["secret"]).is_ok() {}
        let passwords = ["e\u{301}t\u{e9}"; 2];
        let needed = Duration::from_secs(4 / u64::from(PASSWORD_RATE.per_second));
        // The bucket may refill meanwhile, by less than half.
        for _ in 0..10 {
            let refused = limits.admit_passwords(address, &passwords);
            let Err(Refusal::RateLimited(wait)) = refused else {
                panic!("{refused:?}");
            };
            assert!(wait > needed / 2 && wait <= needed, "{wait:?}");
        }
    }

    #[test]
    fn passwords_count_by_network_and_twice_if_they_have_another_normal_form() {
        let burst = PASSWORD_RATE.burst as usize;
        // The bucket may refill meanwhile.
        assert!((burst..burst + 10).contains(&count_admitted("secret")));
        assert!((burst / 2..burst / 2 + 10).contains(&count_admitted("e\u{301}t\u{e9}")));
    }
}
