//! Limits on guessing: passwords, invitation codes and room IDs, and on creating accounts.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use protocol::Refusal;

use crate::limit::login_backoff::{BackoffPolicy, LoginBackoff};
use crate::limit::room_probes::RoomProbes;
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

/// How much of a username counts, in characters: longer texts are no usernames.
const USERNAME_MAX: usize = 40;

/// The guesses so far.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    attempts: LoginBackoff,
    refused_codes: LogThrottle,
    probes: RoomProbes,
    refused_probes: LogThrottle,
}

impl Limits {
    /// Records that an account is created from this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn check_sign_up(&self, address: IpAddr) -> Result<(), Refusal> {
        self.record_attempt(&sign_up_from(address), ADDRESS_POLICY)
    }

    /// Records an attempt to sign in by a password, from this address and to this account.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn check_sign_in(&self, address: IpAddr, username: &str) -> Result<(), Refusal> {
        self.record_attempt(&sign_in_from(address), ADDRESS_POLICY)?;
        self.record_attempt(&account(username), ACCOUNT_POLICY)
    }

    /// Removes an attempt to sign in that has succeeded, and all attempts on its account.
    pub fn forgive_sign_in(&self, address: IpAddr, username: &str) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.remove_attempt(&sign_in_from(address));
            guesses.attempts.forget(&account(username));
        }
    }

    /// Records an attempt to sign in by the provider, from this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn check_oidc_sign_in(&self, address: IpAddr) -> Result<(), Refusal> {
        self.record_attempt(&sign_in_from(address), ADDRESS_POLICY)
    }

    /// Removes an attempt to sign in by the provider that has succeeded.
    pub fn forgive_oidc_sign_in(&self, address: IpAddr) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.remove_attempt(&sign_in_from(address));
        }
    }

    /// Records an attempt of a signed-in person to confirm the account's password.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn check_password(&self, username: &str) -> Result<(), Refusal> {
        self.record_attempt(&account(username), ACCOUNT_POLICY)
    }

    /// Removes all attempts on an account, because a password was right.
    pub fn forgive_password(&self, username: &str) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.forget(&account(username));
        }
    }

    /// Records an attempt to use an invitation code, from this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn check_invitation_guess(&self, address: IpAddr) -> Result<(), Refusal> {
        let checked = self.record_attempt(&code_from(address), ADDRESS_POLICY);
        if checked.is_err()
            && let Some(guesses) = self.guesses()
            && let Some(refused) = guesses.refused_codes.count(Instant::now())
        {
            tracing::warn!(%address, refused, "a client guesses invitation codes");
        }
        checked
    }

    /// Removes an attempt to use an invitation code that has succeeded.
    pub fn forgive_invitation_guess(&self, address: IpAddr) {
        if let Some(guesses) = self.guesses() {
            guesses.attempts.remove_attempt(&code_from(address));
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

    fn record_attempt(&self, subject: &str, policy: BackoffPolicy) -> Result<(), Refusal> {
        self.guesses().map_or(Ok(()), |guesses| {
            let attempts = &guesses.attempts;
            attempts.record_attempt(subject, policy, Instant::now())
        })
    }
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
