//! Limits by address: how often one may write, try and guess.
//!
//! Token buckets, wide enough for a class behind one address and for scripts, narrow enough that one client cannot fill
//! the disk overnight. An IPv6 address counts with its /64, which is what one client is given.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use protocol::Refusal;

use crate::AppState;
use crate::attempts::{Attempts, Patience};
use crate::config::Switch;
use crate::error::Error;
use crate::guesses::{Guesses, Lines};

/// Messages from one address: so many a second, and at once after a pause.
const MESSAGES: (u32, u32) = (50, 500);

/// Rooms from one address: so many a second, and at once after a pause.
const ROOMS: (u32, u32) = (2, 100);

/// Notes that somebody types, from one address: so many a second, and at once after a pause. A person sends one in three
/// seconds.
const TYPING: (u32, u32) = (20, 200);

/// Attempts to sign in from one address that were not good, and accounts made from it: a class may be behind it.
const OF_ADDRESS: Patience = Patience { free: 50, longest: Duration::from_secs(15 * 60) };

/// Attempts on one account that were not good. Its owner is never kept out for long, whoever else tries.
const ON_ACCOUNT: Patience = Patience { free: 10, longest: Duration::from_secs(60) };

/// How many addresses are remembered before those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Limits(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    messages: Bucket,
    rooms: Bucket,
    typing: Bucket,
    attempts: Attempts,
    /// Lines in the log about those who guess invitations.
    codes: Lines,
    guesses: Guesses,
    /// Lines in the log about those who guess rooms.
    rooms_guessed: Lines,
}

type Bucket = DefaultKeyedRateLimiter<IpAddr>;

impl Limits {
    pub fn new(switch: Switch) -> Self {
        let buckets = || Buckets {
            messages: bucket(MESSAGES),
            rooms: bucket(ROOMS),
            typing: bucket(TYPING),
            attempts: Attempts::default(),
            codes: Lines::default(),
            guesses: Guesses::default(),
            rooms_guessed: Lines::default(),
        };
        Self((switch == Switch::On).then(buckets))
    }

    /// Whether this address may create one more room.
    pub fn check_room(&self, address: IpAddr) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |buckets| take(&buckets.rooms, address))
    }

    /// Whether this address may send one more message.
    pub fn check_message(&self, address: IpAddr) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |buckets| take(&buckets.messages, address))
    }

    /// Whether this address may say once more that somebody types.
    pub fn check_typing(&self, address: IpAddr) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |buckets| take(&buckets.typing, address))
    }

    /// Whether one more account may be made from this address.
    pub fn check_sign_up(&self, address: IpAddr) -> Result<(), Refusal> {
        self.attempt(&format!("up {}", client(address)), OF_ADDRESS)
    }

    /// Whether somebody may try once more to sign in from this address, and as this person.
    pub fn check_sign_in(&self, address: IpAddr, username: &str) -> Result<(), Refusal> {
        self.attempt(&format!("in {}", client(address)), OF_ADDRESS)?;
        self.attempt(&on(username), ON_ACCOUNT)
    }

    /// That attempt was good.
    pub fn forgive_sign_in(&self, address: IpAddr, username: &str) {
        if let Some(buckets) = &self.0 {
            buckets.attempts.undo(&format!("in {}", client(address)));
            buckets.attempts.forgive(&on(username));
        }
    }

    /// Whether somebody may try once more to confirm a password.
    pub fn check_password(&self, username: &str) -> Result<(), Refusal> {
        self.attempt(&on(username), ON_ACCOUNT)
    }

    /// That password was right.
    pub fn forgive_password(&self, username: &str) {
        if let Some(buckets) = &self.0 {
            buckets.attempts.forgive(&on(username));
        }
    }

    /// Whether somebody may try one more code from this address.
    pub fn check_guess(&self, address: IpAddr) -> Result<(), Refusal> {
        let tried = self.attempt(&format!("code {}", client(address)), OF_ADDRESS);
        if tried.is_err()
            && let Some(refused) = self.0.as_ref().and_then(|buckets| buckets.codes.count(Instant::now()))
        {
            tracing::warn!(%address, refused, "somebody guesses invitations");
        }
        tried
    }

    /// Whether somebody may look for a room from this address.
    pub fn check_look(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        let now = Instant::now();
        let looked = buckets.guesses.check(client(address), now);
        if looked.is_err()
            && let Some(refused) = buckets.rooms_guessed.count(now)
        {
            tracing::warn!(%address, refused, "somebody guesses the IDs of rooms");
        }
        looked
    }

    /// There was no such room.
    pub fn looked_in_vain(&self, address: IpAddr) {
        if let Some(buckets) = &self.0 {
            buckets.guesses.count(client(address), Instant::now());
        }
    }

    /// That code was good.
    pub fn forgive_guess(&self, address: IpAddr) {
        if let Some(buckets) = &self.0 {
            buckets.attempts.undo(&format!("code {}", client(address)));
        }
    }

    fn attempt(&self, who: &str, patience: Patience) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |buckets| buckets.attempts.make(who, patience, Instant::now()))
    }
}

/// Attempts on an account, by its username; what is no username is cut, for it may be long.
fn on(username: &str) -> String {
    format!("on {}", username.trim().chars().take(40).collect::<String>().to_lowercase())
}

fn take(bucket: &Bucket, address: IpAddr) -> Result<(), Refusal> {
    if bucket.len() > REMEMBERED {
        bucket.retain_recent();
    }
    let too_many = |until: governor::NotUntil<_>| until.wait_time_from(DefaultClock::default().now());
    bucket.check_key(&client(address)).map_err(|until| Refusal::TooMany(too_many(until)))
}

fn bucket((a_second, at_once): (u32, u32)) -> Bucket {
    let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    RateLimiter::keyed(Quota::per_second(positive(a_second)).allow_burst(positive(at_once)))
}

/// What counts as one client.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// Whom a request comes from.
pub(crate) fn peer(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

/// Refuses writes from an address that has sent too many, and looks from one that has guessed too often.
pub(crate) async fn apply(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(address) = peer(&request) else { return next.run(request).await };
    let path = request.uri().path();
    let write = match path {
        "/rooms/" => Limits::check_room,
        path if path.ends_with("/typing/") => Limits::check_typing,
        _ => Limits::check_message,
    };
    if request.method() == Method::POST
        && let Err(refusal) = write(&state.limits, address)
    {
        return Error::from(refusal).into_response();
    }
    let (in_room, in_several) = (path.strip_prefix("/rooms/").is_some_and(|id| !id.is_empty()), path == "/stream");
    if (in_room || in_several)
        && let Err(refusal) = state.limits.check_look(address)
    {
        return Error::from(refusal).into_response();
    }
    let answer = next.run(request).await;
    if in_room && answer.status() == StatusCode::NOT_FOUND {
        state.limits.looked_in_vain(address);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flood_is_refused_and_others_are_not() {
        let limits = Limits::new(Switch::On);
        let [flood, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let refused = (0..MESSAGES.1 * 3).find_map(|_| limits.check_message(flood).err());
        assert!(matches!(refused, Some(Refusal::TooMany(_))));
        assert_eq!(limits.check_message(other), Ok(()));
        assert_eq!(limits.check_room(flood), Ok(()));
        assert_eq!(limits.check_typing(flood), Ok(()));
    }

    #[test]
    fn off_means_off() {
        let limits = Limits::new(Switch::Off);
        let address = "192.0.2.1".parse().unwrap();
        assert!((0..10_000).all(|_| limits.check_room(address).is_ok()));
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_are_one_client() {
        let [a, b, c] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|text| client(text.parse().unwrap()));
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
