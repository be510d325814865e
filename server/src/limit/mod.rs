//! Limits: how often somebody may write, from where, and in which room; how often an address may try and guess.
//!
//! Promises: whoever writes too much is told when to go on; the limit of a person holds wherever they come from, that of
//! an address whoever they say they are, and that of a room however many they are; memory is bounded, because who has
//! been quiet is forgotten. Leaves to others: slow mode (`chat`).
//!
//! Token buckets, wide enough for a class behind one address and for scripts, narrow enough that one client cannot fill
//! the disk overnight. An IPv6 address counts with its /64, which is what one client is given.

mod login_backoff;
mod room_probes;
mod token_bucket;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request};
use chat::Person;
use protocol::{Refusal, RoomId};

use crate::config::types::Switch;
use crate::limit::login_backoff::{BackoffPolicy, LoginBackoff};
use crate::limit::room_probes::RoomProbes;
use crate::limit::token_bucket::{Bucket, Rate};
use crate::log_throttle::LogThrottle;

/// How often something may be done, by whom and where.
#[derive(Clone, Copy, Debug)]
struct Rates {
    person: Rate,
    address: Rate,
    room: Rate,
}

/// Messages, and changes of them; and whatever has no rates of its own.
const MESSAGES: Rates = Rates {
    person: (20, 200),
    address: (50, 500),
    room: (100, 1_000),
};

/// New rooms. What is done outside of rooms never counts in one.
const ROOMS: Rates = Rates {
    person: (1, 50),
    address: (2, 100),
    room: (1, 1),
};

/// Notes that somebody types. A person sends one in three seconds.
const TYPING: Rates = Rates {
    person: (5, 50),
    address: (20, 200),
    room: (100, 1_000),
};

/// LoginBackoff to sign in from one address that were not good, and accounts made from it: a class may be behind it.
const OF_ADDRESS: BackoffPolicy = BackoffPolicy {
    free: 50,
    longest: Duration::from_secs(15 * 60),
};

/// LoginBackoff on one account that were not good. Its owner is never kept out for long, whoever else tries.
const ON_ACCOUNT: BackoffPolicy = BackoffPolicy {
    free: 10,
    longest: Duration::from_secs(60),
};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Messages,
    Rooms,
    Typing,
}

#[derive(Debug)]
pub(crate) struct Limits(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    messages: Counted,
    rooms: Counted,
    typing: Counted,
    attempts: LoginBackoff,
    /// LogThrottle in the log about those who guess invitations.
    codes: LogThrottle,
    guesses: RoomProbes,
    /// LogThrottle in the log about those who guess rooms.
    rooms_guessed: LogThrottle,
}

/// The buckets of one kind of thing.
#[derive(Debug)]
struct Counted {
    people: Bucket<i64>,
    addresses: Bucket<IpAddr>,
    rooms: Bucket<RoomId>,
}

impl Limits {
    pub fn new(switch: Switch) -> Self {
        let buckets = || Buckets {
            messages: Counted::new(MESSAGES),
            rooms: Counted::new(ROOMS),
            typing: Counted::new(TYPING),
            attempts: LoginBackoff::default(),
            codes: LogThrottle::default(),
            guesses: RoomProbes::default(),
            rooms_guessed: LogThrottle::default(),
        };
        Self((switch == Switch::On).then(buckets))
    }

    /// Whether this may be done once more from this address.
    pub fn check_address(&self, action: Action, address: IpAddr) -> Result<(), Refusal> {
        let Some(counted) = self.counted(action) else {
            return Ok(());
        };
        counted
            .addresses
            .take(&client(address))
            .map_err(Refusal::RateLimited)
    }

    /// Whether this person may do this once more, in this room if it is in one. Nobody in particular counts by the
    /// address alone.
    pub fn check_caller(
        &self,
        action: Action,
        by: &Person,
        room: Option<RoomId>,
    ) -> Result<(), Refusal> {
        let Some(counted) = self.counted(action) else {
            return Ok(());
        };
        if let Some(person) = by.stable_id() {
            counted.people.take(&person).map_err(Refusal::RateLimited)?;
        }
        room.map_or(Ok(()), |room| {
            counted.rooms.take(&room).map_err(Refusal::RoomRateLimited)
        })
    }

    fn counted(&self, action: Action) -> Option<&Counted> {
        let buckets = self.0.as_ref()?;
        Some(match action {
            Action::Messages => &buckets.messages,
            Action::Rooms => &buckets.rooms,
            Action::Typing => &buckets.typing,
        })
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

    /// Whether somebody may try once more to sign in from this address, as whom a provider names.
    pub fn check_oidc_sign_in(&self, address: IpAddr) -> Result<(), Refusal> {
        self.attempt(&format!("in {}", client(address)), OF_ADDRESS)
    }

    /// That somebody was named.
    pub fn forgive_oidc_sign_in(&self, address: IpAddr) {
        if let Some(buckets) = &self.0 {
            buckets.attempts.undo(&format!("in {}", client(address)));
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
    pub fn check_invitation_guess(&self, address: IpAddr) -> Result<(), Refusal> {
        let tried = self.attempt(&format!("code {}", client(address)), OF_ADDRESS);
        if tried.is_err()
            && let Some(refused) = self
                .0
                .as_ref()
                .and_then(|buckets| buckets.codes.count(Instant::now()))
        {
            tracing::warn!(%address, refused, "somebody guesses invitations");
        }
        tried
    }

    /// Refuses writes from an address that has sent too many, and looks from one that has guessed too often. The handlers ask
    /// for the person and the room. Gives back whose look at a room it is, in case that finds nothing.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn admit(&self, request: &Request) -> Result<Option<IpAddr>, Refusal> {
        let Some(address) = peer(request) else {
            return Ok(None);
        };
        let path = request.uri().path();
        if !request.method().is_safe() {
            let what = match path {
                "/rooms/" => Action::Rooms,
                path if path.ends_with("/typing/") => Action::Typing,
                _ => Action::Messages,
            };
            self.check_address(what, address)?;
        }
        let in_room = path
            .strip_prefix("/rooms/")
            .is_some_and(|id| !id.is_empty());
        if in_room || path == "/stream" {
            self.check_room_lookup(address)?;
        }
        Ok(in_room.then_some(address))
    }

    /// Whether somebody may look for a room from this address.
    pub fn check_room_lookup(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(buckets) = &self.0 else {
            return Ok(());
        };
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
    pub fn record_missing_room(&self, address: IpAddr) {
        if let Some(buckets) = &self.0 {
            buckets.guesses.count(client(address), Instant::now());
        }
    }

    /// That code was good.
    pub fn forgive_invitation_guess(&self, address: IpAddr) {
        if let Some(buckets) = &self.0 {
            buckets.attempts.undo(&format!("code {}", client(address)));
        }
    }

    fn attempt(&self, who: &str, patience: BackoffPolicy) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |buckets| {
            buckets.attempts.make(who, patience, Instant::now())
        })
    }
}

/// LoginBackoff on an account, by its username; what is no username is cut, for it may be long.
fn on(username: &str) -> String {
    format!(
        "on {}",
        username
            .trim()
            .chars()
            .take(40)
            .collect::<String>()
            .to_lowercase()
    )
}

impl Counted {
    fn new(rates: Rates) -> Self {
        Self {
            people: Bucket::new(rates.person),
            addresses: Bucket::new(rates.address),
            rooms: Bucket::new(rates.room),
        }
    }
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
    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often something is granted before it is refused.
    fn granted(mut check: impl FnMut(usize) -> Result<(), Refusal>) -> (usize, Refusal) {
        (0..5_000)
            .find_map(|n| check(n).err().map(|refusal| (n, refusal)))
            .unwrap()
    }

    #[test]
    fn one_flood_is_refused_and_others_are_not() {
        let limits = Limits::new(Switch::On);
        let [flood, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let (granted, refused) = granted(|_| limits.check_address(Action::Messages, flood));
        assert!(granted >= MESSAGES.address.1 as usize);
        assert!(matches!(refused, Refusal::RateLimited(_)));
        assert_eq!(limits.check_address(Action::Messages, other), Ok(()));
        assert_eq!(limits.check_address(Action::Rooms, flood), Ok(()));
        assert_eq!(limits.check_address(Action::Typing, flood), Ok(()));
    }

    #[test]
    fn many_people_in_one_room_are_refused_by_words_of_their_own() {
        let limits = Limits::new(Switch::On);
        let [flooded, other] = [1, 2].map(|n| RoomId::from_bytes([n; 8]));
        let check = |room| limits.check_caller(Action::Messages, &Person::Anonymous, Some(room));
        let (granted, refused) = granted(|_| check(flooded));
        assert!(granted >= MESSAGES.room.1 as usize);
        assert!(
            matches!(refused, Refusal::RoomRateLimited(_)) && refused.to_string().contains("room"),
            "{refused}"
        );
        assert_eq!(check(other), Ok(()));
        assert_eq!(
            limits.check_caller(Action::Typing, &Person::Anonymous, Some(flooded)),
            Ok(())
        );
    }

    #[test]
    fn off_means_off() {
        let limits = Limits::new(Switch::Off);
        let address = "192.0.2.1".parse().unwrap();
        let room = Some(RoomId::from_bytes([1; 8]));
        assert!((0..10_000).all(|_| limits.check_address(Action::Rooms, address).is_ok()));
        assert!((0..10_000).all(|_| {
            limits
                .check_caller(Action::Messages, &Person::Anonymous, room)
                .is_ok()
        }));
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_are_one_client() {
        let [a, b, c] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
            .map(|text| client(text.parse().unwrap()));
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
