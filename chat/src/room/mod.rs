//! Rooms: who may find them, their members, settings and rules.
//!
//! # Guarantees
//! - A caller who acts on a room has the role for it in the transaction that acts.
//!
//! # Not here
//! - Messages: `log`. The end of a room: `lifecycle`. The state of its row is `open` until the room
//!   expires, `frozen` while its archive is written, `archived` while its rows are erased; only an
//!   open room answers.

pub(crate) mod access;
pub(crate) mod audit_log;
pub(crate) mod direct;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod name_claims;
#[cfg(test)]
mod operator_tests;
pub(crate) mod person_card;
#[cfg(test)]
mod person_card_tests;
pub(crate) mod preferences;
pub(crate) mod read_marker;
#[cfg(test)]
mod sanction_tests;
pub(crate) mod sanctions;
pub(crate) mod settings;
pub(crate) mod skeleton_update;
#[cfg(test)]
mod visible_role_tests;
pub(crate) mod visible_roles;
pub(crate) mod write_policy;

use std::time::Duration;

use protocol::{NewRoom, Refusal, Role, Room, RoomId, Time, text};
use texts::refusal;

use crate::duration::parse_duration;
use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::lifetime::Lifetime;
use crate::store::{
    self, Access, NewRoomRow, RoomRow, RoomsPage, Store, WriteTransaction, direct_rooms,
    room_aliases, rooms,
};
use crate::{Chat, Clock, Error};

impl RoomRow {
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            end: self.room.expires_at,
            timeout: self.timeout,
        }
    }
}

/// Checks the wish for a new room against the rules. `longest` is the timeout of the server.
fn check_new_room(by: &Person, wish: &NewRoom, longest: Duration) -> Result<NewRoomRow, Refusal> {
    let name = wish
        .name
        .as_deref()
        .map(text::parse_room_name)
        .transpose()?;
    let requested_timeout = wish
        .timeout
        .as_deref()
        .map(|text| parse_timeout(text, longest))
        .transpose()?;
    let private = wish.private.unwrap_or(false);
    if private && *by == Person::Anonymous {
        return Err(Refusal::NotSignedIn);
    }
    let access = if private {
        Access::Private
    } else {
        Access::Open
    };
    Ok(NewRoomRow {
        name,
        public: wish.public.unwrap_or(false) && !private,
        requested_timeout,
        longest,
        access,
    })
}

/// Parses a timeout, which must not be longer than that of the server.
pub(crate) fn parse_timeout(text: &str, longest: Duration) -> Result<Duration, Refusal> {
    let longest_text = humantime::format_duration(longest);
    let advice = refusal::DURATION_ADVICE.fill([&longest_text.to_string()]);
    match parse_duration(text.trim()) {
        Ok(timeout) if timeout <= longest => Ok(timeout),
        Ok(_) => Err(Refusal::invalid(
            "timeout",
            refusal::RULE_LONGER_THAN_KEPT.fill([&advice]),
        )),
        Err(error) => Err(Refusal::invalid(
            "timeout",
            refusal::RULE_BAD_DURATION.fill([&error.to_string(), &advice]),
        )),
    }
}

/// Inserts a room, and its owner if it has one.
async fn create_room(
    tx: &mut WriteTransaction,
    now: Time,
    owner: Option<i64>,
    new: NewRoomRow,
) -> Result<Room, Error> {
    let mut room = rooms::insert_room(tx, now, new).await?;
    if let Some(owner) = owner {
        store::members::add_member(tx, now, room.id, owner, Role::Owner).await?;
        room.role = Some(Role::Owner);
    }
    Ok(room)
}

/// The open room with this alias, created if there is none.
pub(crate) async fn find_or_create_by_alias(
    store: &Store,
    clock: &Clock,
    alias: &str,
    longest: Duration,
) -> Result<Room, Error> {
    if let Some(room) = room_aliases::find_room_by_alias(&mut store.reader().await?, alias).await? {
        return Ok(room);
    }
    create_by_alias(store, clock, alias, longest).await
}

/// Creates the room with this alias, unless another request has created it meanwhile.
async fn create_by_alias(
    store: &Store,
    clock: &Clock,
    alias: &str,
    longest: Duration,
) -> Result<Room, Error> {
    let mut tx = store.begin().await?;
    if let Some(room) = room_aliases::find_room_by_alias(&mut tx, alias).await? {
        return Ok(room);
    }
    let new = NewRoomRow {
        name: Some(alias.to_owned()),
        public: false,
        requested_timeout: None,
        longest,
        access: Access::Open,
    };
    let room = rooms::insert_room(&mut tx, clock.now(), new).await?;
    room_aliases::set_alias(&mut tx, alias, room.id).await?;
    tx.commit().await?;
    Ok(room)
}

impl Chat {
    /// Creates a room. The caller becomes its owner, unless the caller is anonymous.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the wish breaks a rule, [`protocol::Refusal::NotSignedIn`]
    /// if an anonymous caller wishes for a private room, or a fault.
    pub async fn create_room(&self, by: &Person, wish: &NewRoom) -> Result<Room, Error> {
        let new = check_new_room(by, wish, self.0.timeout)?;
        self.require_disk_space()?;
        let mut tx = self.begin_by(by).await?.tx;
        let room = create_room(&mut tx, self.0.clock.now(), by.stable_id(), new).await?;
        let mut events = vec![DomainEvent::PersonChanged { person: by.id() }];
        if room.public {
            events.push(DomainEvent::PublicRoomsChanged);
        }
        self.commit(tx, events).await?;
        Ok(room)
    }

    /// The room with this ID.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotFound`] if the room never existed or is hidden from the caller,
    /// [`protocol::Refusal::Gone`] if it was deleted, or a fault.
    pub async fn find_room(&self, by: &Person, id: &RoomId) -> Result<Room, Error> {
        let found = self.load_room_row(by, *id).await?;
        let mut room = Room {
            roles: self.list_role_holders(&found).await?,
            ..found.room
        };
        if room.role.is_some() || found.direct {
            room.read_seq = self.stored_read_marker(by, id).await?;
        }
        if found.direct {
            room.with = direct_rooms::load_other_account(&self.0.store, room.id, by.id()).await?;
        }
        Ok(room)
    }

    /// The room with this name, created if there is none.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn find_or_create_room_by_name(&self, name: &str) -> Result<Room, Error> {
        let alias = text::parse_room_alias(name)?;
        if let Some(room) = self.find_room_by_name(name).await? {
            return Ok(room);
        }
        self.require_disk_space()?;
        create_by_alias(&self.0.store, &self.0.clock, &alias, self.0.timeout).await
    }

    /// The room with this name, if there is one.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn find_room_by_name(&self, name: &str) -> Result<Option<Room>, Error> {
        let alias = text::parse_room_alias(name)?;
        room_aliases::find_room_by_alias(&mut self.0.store.reader().await?, &alias).await
    }

    /// A page of the public rooms, the most recently active first.
    ///
    /// # Errors
    /// A fault.
    pub async fn list_public_rooms(&self, page: RoomsPage) -> Result<Vec<Room>, Error> {
        rooms::load_page(&self.0.store, page).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestChat;

    const COMPOSED: &str = "café";
    const DECOMPOSED: &str = "cafe\u{301}";

    #[tokio::test]
    async fn name_in_composed_and_decomposed_letters_is_one_room() {
        let test = TestChat::new(|_| {}).await;
        let room = |name: &'static str| test.chat.find_or_create_room_by_name(name);
        let first = room(DECOMPOSED).await.unwrap();
        assert_eq!(first.name.as_deref(), Some(COMPOSED));
        assert_eq!(room(COMPOSED).await.unwrap().id, first.id);
        let found = test.chat.find_room_by_name(DECOMPOSED).await.unwrap();
        assert_eq!(found.map(|room| room.id), Some(first.id));
    }

    #[tokio::test]
    async fn alias_stored_in_decomposed_letters_is_found_under_either_form() {
        let test = TestChat::new(|_| {}).await;
        let inner = &test.chat.0;
        let old = find_or_create_by_alias(&inner.store, &inner.clock, DECOMPOSED, inner.timeout)
            .await
            .unwrap();
        for name in [COMPOSED, DECOMPOSED] {
            let found = test.chat.find_or_create_room_by_name(name).await.unwrap();
            assert_eq!(found.id, old.id);
        }
    }
}
