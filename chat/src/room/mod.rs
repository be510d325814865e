//! Rooms: how they begin, how they are found, and how they are erased.
//!
//! A room's row is `open` until it expires, `frozen` while its archive is written, `archived` while its rows are erased;
//! only an open room answers. What remains for a day is a row in `gone`.

pub(crate) mod access;
pub(crate) mod audit_log;
pub(crate) mod direct;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod name_claims;
pub(crate) mod read_marker;
pub(crate) mod sanctions;
pub(crate) mod settings;
pub(crate) mod write_policy;

use std::time::Duration;

use protocol::{NewRoom, Refusal, Role, Room, RoomId, Time, text};
use sqlx::SqliteConnection;

use crate::duration::parse_duration;
use crate::identity::person::Person;
use crate::store::{Access, New, RoomRow, RoomsPage, Store, key, millis, rooms};
use crate::{Chat, Clock, Error, Inner};

/// How long a room lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// When it ends, unless somebody writes.
    pub end: Time,
    /// How long it may stay without a new message.
    pub timeout: Duration,
}

impl Life {
    /// When its followers are warned: a tenth of its lifetime before its end, an hour before at the earliest.
    pub fn closing_at(self) -> Time {
        let notice = (self.timeout / 10).min(Duration::from_secs(3_600));
        Time::from_millis(self.end.millis() - millis(notice))
    }
}

/// Checks a wish for a room against the rules; `longest` is the server's own timeout.
pub(crate) fn check(by: &Person, wish: &NewRoom, longest: Duration) -> Result<New, Refusal> {
    let name = wish.name.as_deref().map(text::room_name).transpose()?;
    let asked = wish
        .timeout
        .as_deref()
        .map(|text| check_timeout(text, longest))
        .transpose()?;
    let private = wish.private.unwrap_or(false);
    if private && *by == Person::Anyone {
        return Err(Refusal::NotSignedIn);
    }
    let access = if private {
        Access::Private
    } else {
        Access::Open
    };
    Ok(New {
        name,
        public: wish.public.unwrap_or(false) && !private,
        asked,
        longest,
        access,
    })
}

pub(crate) fn check_timeout(text: &str, longest: Duration) -> Result<Duration, Refusal> {
    let longest_text = humantime::format_duration(longest);
    let advice = format!("must be a duration of at most {longest_text}, for example 30m");
    match parse_duration(text.trim()) {
        Ok(asked) if asked <= longest => Ok(asked),
        Ok(_) => Err(Refusal::invalid(
            "timeout",
            format!("is longer than this server keeps rooms; it {advice}"),
        )),
        Err(error) => Err(Refusal::invalid("timeout", format!("{error}; it {advice}"))),
    }
}

/// Stores a new room, its creator's if they can be known again, and gives it back.
pub(crate) async fn create(
    tx: &mut SqliteConnection,
    now: Time,
    by: &Person,
    new: New,
) -> Result<Room, Error> {
    let mut room = rooms::insert(tx, now, new).await?;
    if *by != Person::Anyone {
        members::add(tx, now, room.id, by.id(), Role::Owner).await?;
        room.role = Some(Role::Owner);
    }
    Ok(room)
}

/// The open room that is found by `name`, created if there is none.
pub(crate) async fn named(
    store: &Store,
    clock: &Clock,
    name: &str,
    longest: Duration,
) -> Result<Room, Error> {
    if let Some(room) = rooms::find_named(store.read(), name).await? {
        return Ok(room);
    }
    let mut tx = store.begin().await?;
    // Somebody else may have been quicker.
    if let Some(room) = rooms::find_named(&mut *tx, name).await? {
        return Ok(room);
    }
    let new = New {
        name: Some(name.to_owned()),
        public: false,
        asked: None,
        longest,
        access: Access::Open,
    };
    let room = rooms::insert(&mut tx, clock.now(), new).await?;
    sqlx::query("insert into room_alias (name, room) values ($1, $2) on conflict (name) do update set room = excluded.room")
        .bind(name)
        .bind(key(room.id))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(room)
}

impl RoomRow {
    pub fn life(&self) -> Life {
        Life {
            end: self.room.expires_at,
            timeout: self.timeout,
        }
    }
}

impl Chat {
    /// Creates a room, which is its creator's if they can be known again.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the wish breaks a rule, [`protocol::Refusal::NotSignedIn`] if nobody in particular
    /// wishes for a private one, or a fault.
    pub async fn create_room(&self, by: &Person, wish: &NewRoom) -> Result<Room, Error> {
        let new = check(by, wish, self.0.timeout)?;
        let (mut tx, person) = (self.0.store.begin().await?, by.id());
        let room = create(&mut tx, self.0.clock.now(), by, new).await?;
        let public = room.public;
        let tell = move |inner: &Inner| {
            if public {
                inner.directory.changed();
            }
            inner.hub.ring_person(person);
        };
        self.commit(tx, tell).await?;
        Ok(room)
    }

    /// The room with this ID.
    ///
    /// # Errors
    /// [`protocol::Refusal::NotFound`] if it never was or is hidden from who asks, [`protocol::Refusal::Gone`] if it was
    /// deleted, or a fault.
    pub async fn room(&self, by: &Person, id: &RoomId) -> Result<Room, Error> {
        let RoomRow { room, direct, .. } =
            access::find(&self.0.store, &self.0.clock, by, *id).await?;
        let with = if direct {
            direct::with(&self.0.store, by, room.id).await?
        } else {
            None
        };
        Ok(Room { with, ..room })
    }

    /// The room that is found by a name, which is created if there is none.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn named_room(&self, name: &str) -> Result<Room, Error> {
        let name = protocol::text::name_of_room(name)?;
        named(&self.0.store, &self.0.clock, &name, self.0.timeout).await
    }

    /// The room that is found by a name, if there is one.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, or a fault.
    pub async fn known_room(&self, name: &str) -> Result<Option<Room>, Error> {
        rooms::find_named(self.0.store.read(), &protocol::text::name_of_room(name)?).await
    }

    /// A page of the public rooms, most recently active first.
    ///
    /// # Errors
    /// A fault.
    pub async fn rooms(&self, page: RoomsPage) -> Result<Vec<Room>, Error> {
        rooms::page(&self.0.store, page).await
    }
}
