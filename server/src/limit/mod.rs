//! Rate limits: how often a client may write, and how often it may guess.
//!
//! # Guarantees
//! A refusal names the time after which the client can continue. The limit of a person applies from
//! all addresses together, the limit of an address to all its people together, and the limit of a
//! room to all writers together. Memory is bounded: idle people, addresses and rooms are forgotten.
//! An IPv6 address counts with its /64 network, which one client usually has to itself.
//!
//! # Not here
//! Slow mode (`chat`).

pub(crate) mod answer_budget;
mod attempts;
mod guesses;
mod login_backoff;
mod room_probes;
pub(crate) mod stream_places;
mod token_bucket;
pub(crate) mod upload_places;
mod write_limits;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::Extensions;
use chat::{Person, SharedAttempts};
use protocol::{Refusal, RoomId};

use crate::config::types::Switch;
use crate::limit::guesses::Guesses;
pub(crate) use crate::limit::write_limits::Action;
use crate::limit::write_limits::WriteLimits;

/// All rate limits of a server.
#[derive(Debug)]
pub(crate) struct Limits(Option<Enabled>);

#[derive(Debug)]
struct Enabled {
    writes: WriteLimits,
    guesses: Guesses,
}

impl Limits {
    /// With the switch off, nothing is limited. Guesses count on all nodes that share the `attempts`.
    pub fn new(switch: Switch, attempts: Option<SharedAttempts>) -> Self {
        let enabled = || Enabled {
            writes: WriteLimits::new(),
            guesses: Guesses::new(attempts),
        };
        Self((switch == Switch::On).then(enabled))
    }

    fn guesses(&self) -> Option<&Guesses> {
        self.0.as_ref().map(|enabled| &enabled.guesses)
    }

    /// Counts a request of this address.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn check_address(&self, action: Action, address: IpAddr) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |enabled| {
            enabled.writes.check_address(action, client_of(address))
        })
    }

    /// Counts a request of this person, in this room if it is in one. Anonymous requests count by
    /// address and room only.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] for the person, [`Refusal::RoomRateLimited`] for the room.
    pub fn check_caller(
        &self,
        action: Action,
        by: &Person,
        room: Option<RoomId>,
    ) -> Result<(), Refusal> {
        self.0.as_ref().map_or(Ok(()), |enabled| {
            enabled.writes.check_caller(action, by, room)
        })
    }

    /// Counts a message that a client at this address sends to a room: the request, and the text by
    /// its length in bytes.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] for the address or the person, [`Refusal::RoomRateLimited`] for the
    /// room.
    pub fn check_message(
        &self,
        address: Option<IpAddr>,
        by: &Person,
        room: RoomId,
        text: &str,
    ) -> Result<(), Refusal> {
        self.check_caller(Action::Messages, by, Some(room))?;
        self.0.as_ref().map_or(Ok(()), |enabled| {
            let client = address.map(client_of);
            enabled.writes.check_text(client, by, room, text.len())
        })
    }

    /// Checks the limits of the request's address before its handler runs: for a write, and for the
    /// lookup of a room. Returns the address if the path names a room, so that the caller can
    /// record that the room does not exist. The handlers check the limits of the person and the
    /// room.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`].
    pub fn admit(&self, request: &Request) -> Result<Option<IpAddr>, Refusal> {
        let Some(address) = peer(request.extensions()) else {
            return Ok(None);
        };
        let path = request.uri().path();
        if !request.method().is_safe() {
            self.check_address(action_of(path), address)?;
        }
        let names_room = path
            .strip_prefix("/rooms/")
            .is_some_and(|id| !id.is_empty());
        if names_room || path == "/stream" {
            self.check_room_lookup(address)?;
        }
        Ok(names_room.then_some(address))
    }
}

/// The kind of a request that writes to this path.
fn action_of(path: &str) -> Action {
    match path {
        "/rooms/" => Action::Rooms,
        path if path.ends_with("/typing/") => Action::Typing,
        _ => Action::Messages,
    }
}

/// The address or network that counts as one client.
pub(crate) fn client_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// The client's address, from the connection or from a trusted proxy, in the extensions of a request.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_off_refuse_nothing() {
        let limits = Limits::new(Switch::Off, None);
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
    fn ipv6_addresses_in_one_network_count_as_one_client() {
        let [a, b, c] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
            .map(|text| client_of(text.parse().unwrap()));
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
