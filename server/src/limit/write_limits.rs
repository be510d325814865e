//! How often a person, an address and a room may write.
//!
//! The rates are high enough for a class behind one address and for scripts, and low enough that
//! one client cannot fill the disk in a night.

use std::net::IpAddr;
use std::num::NonZeroU32;

use chat::Person;
use protocol::{Refusal, RoomId};

use crate::limit::token_bucket::{Rate, TokenBuckets};

/// The kind of a request that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A message or a change of one, and every request without rates of its own.
    Messages,
    /// Creating a room.
    Rooms,
    /// A typing notification.
    Typing,
}

/// The rates of one kind of request.
#[derive(Clone, Copy, Debug)]
struct Rates {
    person: Rate,
    address: Rate,
    room: Rate,
}

const fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

const MESSAGES: Rates = Rates {
    person: rate(20, 200),
    address: rate(50, 500),
    room: rate(100, 1_000),
};

/// The texts of messages, in bytes: without a pause, 1.4 GB a day from one address.
const TEXTS: Rates = Rates {
    person: rate(8_000, 4_000_000),
    address: rate(16_000, 16_000_000),
    room: rate(32_000, 32_000_000),
};

/// What a message takes besides its text, in bytes.
const MESSAGE_OVERHEAD: usize = 256;

/// The rate by room is never used, because the new room does not exist yet.
const ROOMS: Rates = Rates {
    person: rate(1, 50),
    address: rate(2, 100),
    room: rate(1, 1),
};

/// A page sends one notification in three seconds.
const TYPING: Rates = Rates {
    person: rate(5, 50),
    address: rate(20, 200),
    room: rate(100, 1_000),
};

/// The limits of all kinds of requests.
#[derive(Debug)]
pub(super) struct WriteLimits {
    messages: Buckets,
    texts: Buckets,
    rooms: Buckets,
    typing: Buckets,
}

/// The buckets of one kind of request.
#[derive(Debug)]
struct Buckets {
    people: TokenBuckets<i64>,
    addresses: TokenBuckets<IpAddr>,
    rooms: TokenBuckets<RoomId>,
}

impl WriteLimits {
    pub fn new() -> Self {
        Self {
            messages: Buckets::new(MESSAGES),
            texts: Buckets::new(TEXTS),
            rooms: Buckets::new(ROOMS),
            typing: Buckets::new(TYPING),
        }
    }

    fn buckets(&self, action: Action) -> &Buckets {
        match action {
            Action::Messages => &self.messages,
            Action::Rooms => &self.rooms,
            Action::Typing => &self.typing,
        }
    }

    /// Counts a request of this address.
    pub fn check_address(&self, action: Action, client: IpAddr) -> Result<(), Refusal> {
        let addresses = &self.buckets(action).addresses;
        addresses.take(&client).map_err(Refusal::RateLimited)
    }

    /// Counts a text of so many bytes.
    pub fn check_text(
        &self,
        client: Option<IpAddr>,
        by: &Person,
        room: RoomId,
        bytes: usize,
    ) -> Result<(), Refusal> {
        let tokens = u32::try_from(bytes + MESSAGE_OVERHEAD).unwrap_or(u32::MAX);
        let tokens = NonZeroU32::new(tokens).unwrap_or(NonZeroU32::MIN);
        let Buckets {
            people,
            addresses,
            rooms,
        } = &self.texts;
        // The person comes first: what is refused to one must not use up the share of the others at
        // the address.
        if let Some(person) = by.stable_id() {
            let taken = people.take_many(&person, tokens);
            taken.map_err(Refusal::RateLimited)?;
        }
        if let Some(client) = client {
            let taken = addresses.take_many(&client, tokens);
            taken.map_err(Refusal::RateLimited)?;
        }
        let taken = rooms.take_many(&room, tokens);
        taken.map_err(Refusal::RoomRateLimited)
    }

    /// Counts a request of this person, in this room if it is in one.
    pub fn check_caller(
        &self,
        action: Action,
        by: &Person,
        room: Option<RoomId>,
    ) -> Result<(), Refusal> {
        let buckets = self.buckets(action);
        if let Some(person) = by.stable_id() {
            buckets.people.take(&person).map_err(Refusal::RateLimited)?;
        }
        if let Some(room) = room {
            buckets
                .rooms
                .take(&room)
                .map_err(Refusal::RoomRateLimited)?;
        }
        Ok(())
    }
}

impl Buckets {
    fn new(rates: Rates) -> Self {
        Self {
            people: TokenBuckets::new(rates.person),
            addresses: TokenBuckets::new(rates.address),
            rooms: TokenBuckets::new(rates.room),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::types::Switch;
    use crate::limit::Limits;

    /// How many requests are granted before one is refused.
    struct Granted {
        count: usize,
        refusal: Refusal,
    }

    fn count_granted(mut check: impl FnMut() -> Result<(), Refusal>) -> Granted {
        (0..5_000)
            .find_map(|count| {
                let refusal = check().err()?;
                Some(Granted { count, refusal })
            })
            .unwrap()
    }

    #[test]
    fn flooding_address_is_refused_for_that_action_and_others_are_not() {
        let limits = Limits::new(Switch::On, None);
        let [flood, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let granted = count_granted(|| limits.check_address(Action::Messages, flood));
        assert!(granted.count >= MESSAGES.address.burst as usize);
        assert!(matches!(granted.refusal, Refusal::RateLimited(_)));
        assert_eq!(limits.check_address(Action::Messages, other), Ok(()));
        assert_eq!(limits.check_address(Action::Rooms, flood), Ok(()));
        assert_eq!(limits.check_address(Action::Typing, flood), Ok(()));
    }

    #[test]
    fn client_is_refused_for_the_bytes_of_its_texts() {
        let limits = Limits::new(Switch::On, None);
        let [flood, other] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().ok());
        let mut rooms = (0..=u8::MAX).map(|n| RoomId::from_bytes([n; 8])).cycle();
        let text = "x".repeat(16_000);
        let mut send = |address| {
            let room = rooms.next().unwrap();
            limits.check_message(address, &Person::Anonymous, room, &text)
        };
        let granted = count_granted(|| send(flood));
        assert_eq!(granted.count, 16_000_000 / 16_256);
        assert_eq!(send(other), Ok(()));
    }

    #[test]
    fn flooded_room_is_refused_by_a_refusal_that_names_the_room() {
        let limits = Limits::new(Switch::On, None);
        let [flooded, other] = [1, 2].map(|n| RoomId::from_bytes([n; 8]));
        let check = |room| limits.check_caller(Action::Messages, &Person::Anonymous, Some(room));
        let granted = count_granted(|| check(flooded));
        assert!(granted.count >= MESSAGES.room.burst as usize);
        assert!(
            matches!(granted.refusal, Refusal::RoomRateLimited(_))
                && granted.refusal.to_string().contains("room"),
            "{}",
            granted.refusal
        );
        assert_eq!(check(other), Ok(()));
        assert_eq!(
            limits.check_caller(Action::Typing, &Person::Anonymous, Some(flooded)),
            Ok(())
        );
    }
}
