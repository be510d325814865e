//! Events: what other parts of the service must hear of a committed transaction, and of who is present
//! or types.
//!
//! An event is mostly a hint, and what has changed is read from the store: an event that arrives
//! twice does no harm.
//!
//! # Guarantees
//! - Events are applied after their transaction is committed and before the next one can write, so
//!   no listener hears of two commits in the wrong order.
//! - Every event can be serialized, in less than 8,000 bytes.
//!
//! # Not here
//! - Who is present or types on this node itself: `realtime::presence`.

use std::sync::atomic::Ordering;

use protocol::{RoomEnd, RoomId};
use serde::{Deserialize, Serialize};

use crate::Listeners;
use crate::lifetime::Lifetime;

/// The greatest length of a serialized event, in bytes: a notification of `PostgreSQL` has less
/// than 8,000 ([NOTIFY](https://www.postgresql.org/docs/current/sql-notify.html)).
#[cfg(test)]
const MAX_BYTES: usize = 8_000;

/// The most rooms in one [`DomainEvent::AccountRenamed`], so that it stays small enough.
const RENAMED_ROOMS_MAX: usize = 256;

/// What a committed transaction has changed, or what has changed on another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DomainEvent {
    /// The log of a room has reached this sequence number.
    LogAdvanced { room: RoomId, seq: u64 },
    /// What the overview shows of a room has changed.
    RoomChanged { room: RoomId },
    /// The roles that everyone in a room sees have changed, or the name of a person who has one.
    RolesChanged { room: RoomId },
    /// The lifetime of a room has changed otherwise than by a message.
    LifetimeChanged { room: RoomId, lifetime: Lifetime },
    /// A person may have lost the access to a room: its followers check theirs again. What the
    /// overview shows of it may have changed, too.
    AccessChanged { room: RoomId },
    /// Rooms were frozen, and can be archived and erased.
    RoomsFrozen,
    /// A room was erased.
    RoomClosed { room: RoomId, end: RoomEnd },
    /// The list of public rooms may have changed.
    PublicRoomsChanged,
    /// The memberships, read markers or choices of a person have changed.
    PersonChanged { person: i64 },
    /// A person has hidden or left a room, or was removed from it.
    RoomUnlisted { person: i64 },
    /// An account was registered, and has taken its name.
    AccountRegistered,
    /// An account that has written in these rooms, or is a member of them, has another display name.
    AccountRenamed {
        username: String,
        name: String,
        /// At most [`RENAMED_ROOMS_MAX`].
        rooms: Vec<RoomId>,
    },
    /// An account was made an operator, or is none any more.
    OperatorsChanged,
    /// An account was deleted, and its name is free.
    AccountDeleted { username: String },
    /// All sessions of an account have ended.
    SessionsEnded { account: i64 },
    /// A session of an account was signed out.
    SessionEnded { account: i64, session: i64 },
    /// The names that are present in a room by way of another node have changed.
    PresenceChanged { room: RoomId },
    /// A person types in a room by way of another node.
    Typing { room: RoomId, name: String },
}

impl DomainEvent {
    /// The events of an account's new display name, for its followers in these rooms.
    pub fn account_renamed(username: &str, name: &str, rooms: &[RoomId]) -> Vec<Self> {
        let event = |rooms: &[RoomId]| Self::AccountRenamed {
            username: username.to_owned(),
            name: name.to_owned(),
            rooms: rooms.to_vec(),
        };
        rooms.chunks(RENAMED_ROOMS_MAX).map(event).collect()
    }

    /// Passes the event to those in this process whom it concerns.
    pub fn apply(&self, listeners: &Listeners) {
        let Listeners {
            hub,
            public_rooms,
            sessions,
            registrations,
            unlistings,
            frozen,
            files: _,
            operators,
            bell: _,
        } = listeners;
        match self {
            Self::LogAdvanced { room, seq } => {
                hub.advance_log(*room, *seq);
                // The list is sent only if it differs, so whether the room is public is not checked.
                public_rooms.mark_changed();
            }
            Self::RoomChanged { room } => hub.notify_room(*room),
            Self::RolesChanged { room } => hub.announce_roles(*room),
            Self::LifetimeChanged { room, lifetime } => hub.set_lifetime(*room, *lifetime),
            Self::AccessChanged { room } => hub.recheck_access(*room),
            Self::RoomsFrozen => frozen.notify_one(),
            Self::RoomClosed { room, end } => hub.close(*room, *end),
            Self::PublicRoomsChanged => public_rooms.mark_changed(),
            Self::PersonChanged { person } => hub.notify_person(*person),
            Self::RoomUnlisted { person } => {
                unlistings.fetch_add(1, Ordering::Release);
                hub.notify_person(*person);
            }
            Self::AccountRegistered => {
                registrations.fetch_add(1, Ordering::Release);
            }
            Self::AccountRenamed {
                username,
                name,
                rooms,
            } => hub.announce_name(username, name, rooms),
            Self::OperatorsChanged => operators.notify_one(),
            Self::AccountDeleted { username } => hub.forget_name(username),
            Self::SessionsEnded { account } => sessions.end_sessions(*account),
            Self::SessionEnded { account, session } => sessions.end_session(*account, *session),
            Self::PresenceChanged { room } => hub.want_names_elsewhere(*room),
            Self::Typing { room, name } => hub.record_typing_elsewhere(*room, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::Time;

    use super::*;

    /// One event of each variant. A variant that is missing here does not compile.
    macro_rules! one_of_each {
        ($($variant:ident $fields:tt),* $(,)?) => {{
            let _exhaustive = |event: DomainEvent| match event {
                $(DomainEvent::$variant { .. } => (),)*
            };
            [$(DomainEvent::$variant $fields),*]
        }};
    }

    #[test]
    fn every_event_survives_serialization_in_few_bytes() {
        let room = RoomId::from_bytes([0xff; 8]);
        let lifetime = Lifetime {
            end: Time::from_millis(i64::MAX),
            timeout: Duration::MAX,
        };
        let events = one_of_each![
            LogAdvanced {
                room,
                seq: u64::MAX
            },
            RoomChanged { room },
            RolesChanged { room },
            LifetimeChanged { room, lifetime },
            AccessChanged { room },
            RoomsFrozen {},
            RoomClosed {
                room,
                end: RoomEnd::ClosedByOperator
            },
            PublicRoomsChanged {},
            PersonChanged { person: i64::MIN },
            RoomUnlisted { person: i64::MIN },
            AccountRegistered {},
            AccountRenamed {
                username: "\u{1f986}".repeat(32),
                name: "\"".repeat(80),
                rooms: vec![room; RENAMED_ROOMS_MAX],
            },
            OperatorsChanged {},
            AccountDeleted {
                username: "\u{1f986}".repeat(32),
            },
            SessionsEnded { account: i64::MAX },
            SessionEnded {
                account: i64::MAX,
                session: i64::MIN
            },
            PresenceChanged { room },
            Typing {
                room,
                name: "\u{1f986}".repeat(32),
            },
        ];
        for event in events {
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<DomainEvent>(&json).unwrap(), event);
            assert!(json.len() < MAX_BYTES, "{json}");
        }
    }
}
