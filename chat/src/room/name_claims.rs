//! Name claims: who may write under which name in a room.
//!
//! # Guarantees
//! - The username of an account, and every name that looks like it, belongs to the holder of the
//!   account.
//! - A guest keeps a name in a room until the guest takes another one. An anonymous caller may use
//!   a free name and keeps none.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::text::{self, USERNAME_MAX};
use protocol::{Refusal, RoomId};
use rusqlite::{Transaction, params};

use crate::identity::name_skeleton::{NameSkeleton, suffix_numbers};
use crate::store::{Store, key};
use crate::{Error, Person};

/// Counts the registrations of accounts, each of which may have taken a name.
pub(crate) type RegistrationCounter = Arc<AtomicU64>;

/// How many names to remember as free.
const REMEMBERED: usize = 10_000;

/// Names that belonged to no account when they were last looked up.
#[derive(Debug)]
pub(crate) struct UnregisteredNames {
    registrations: RegistrationCounter,
    /// The registrations that the names were looked up after.
    as_of: u64,
    names: HashSet<String>,
}

impl UnregisteredNames {
    pub fn new(registrations: RegistrationCounter) -> Self {
        Self {
            registrations,
            as_of: 0,
            names: HashSet::new(),
        }
    }

    /// Whether a name is known to belong to no account. Forgets all names after a registration.
    fn contains(&mut self, name: &str) -> bool {
        let registrations = self.registrations.load(Ordering::Acquire);
        if self.as_of != registrations || self.names.len() >= REMEMBERED {
            self.as_of = registrations;
            self.names.clear();
        }
        self.names.contains(name)
    }
}

/// The author of a message, and the name that the author asks for.
#[derive(Clone, Copy)]
pub(crate) struct NameRequest<'a> {
    pub room: RoomId,
    pub person: i64,
    pub name: &'a str,
}

/// Claims a name for the author of a message. Returns `None` if the author may use the name, and a
/// free name that is similar otherwise. `room_has_claims` says whether anyone has claimed a name in
/// the room.
///
/// This runs for every message, so an anonymous author of a known name in a room without claims
/// costs no query.
pub(crate) fn claim_name(
    tx: &Transaction<'_>,
    unregistered: &mut UnregisteredNames,
    room_has_claims: bool,
    request: NameRequest<'_>,
) -> Result<Option<String>, Error> {
    let is_cacheable = request.person == 0 && !room_has_claims;
    if is_cacheable && unregistered.contains(request.name) {
        return Ok(None);
    }
    let skeleton = NameSkeleton::of(request.name);
    if !is_free(tx, request, &skeleton)? {
        return suggest_free_name(tx, request).map(Some);
    }
    if is_cacheable {
        unregistered.names.insert(request.name.to_owned());
    }
    if request.person < 0 {
        insert_claim(tx, request, &skeleton)?;
    }
    Ok(None)
}

/// Stores that a guest has this name in the room. It replaces the earlier name of the guest.
fn insert_claim(
    tx: &Transaction<'_>,
    request: NameRequest<'_>,
    skeleton: &NameSkeleton,
) -> Result<(), Error> {
    let sql = "insert into name_claim (room, skeleton, cased_skeleton, name, person)
               values (?1, ?2, ?3, ?4, ?5)
               on conflict (room, skeleton) do update
                 set cased_skeleton = excluded.cased_skeleton, name = excluded.name
                 where (cased_skeleton, name) <> (excluded.cased_skeleton, excluded.name)
               on conflict (room, person) do update set skeleton = excluded.skeleton,
                 cased_skeleton = excluded.cased_skeleton, name = excluded.name";
    tx.prepare_cached(sql)?.execute(params![
        key(request.room),
        skeleton.lowercase,
        skeleton.cased,
        request.name,
        request.person
    ])?;
    Ok(())
}

/// The name that the caller appears under in a room when the caller asks for `name`.
pub(crate) async fn resolve_name(
    store: &Store,
    by: &Person,
    room: RoomId,
    name: &str,
) -> Result<String, Error> {
    let name = by.resolve_username(text::parse_username(name)?)?;
    if by.account().is_some() {
        return Ok(name);
    }
    let skeleton = NameSkeleton::of(&name);
    let taken: bool = sqlx::query_scalar(IS_TAKEN)
        .bind(key(room))
        .bind(by.id())
        .bind(skeleton.lowercase)
        .bind(skeleton.cased)
        .fetch_one(store.read())
        .await?;
    if taken {
        Err(Refusal::Taken(format!("The name {name}")).into())
    } else {
        Ok(name)
    }
}

/// Whether an account, or another guest in the room, has a name that looks like one. Usernames of
/// accounts have no capitals, so an account has one skeleton only.
const IS_TAKEN: &str = "select
    exists (select 1 from name_claim where room = $1 and person <> $2 and skeleton in ($3, $4))
    or exists (select 1 from name_claim where room = $1 and person <> $2 and cased_skeleton in ($3, $4))
    or exists (select 1 from account where skeleton in ($3, $4))";

fn is_free(
    tx: &Transaction<'_>,
    request: NameRequest<'_>,
    skeleton: &NameSkeleton,
) -> Result<bool, Error> {
    let mut select = tx.prepare_cached(IS_TAKEN)?;
    let taken: bool = select.query_row(
        params![
            key(request.room),
            request.person,
            skeleton.lowercase,
            skeleton.cased
        ],
        |row| row.get(0),
    )?;
    Ok(!taken)
}

/// A similar name that is free. If all names that are tried are taken, returns the last of them; a
/// client that asks for it gets another suggestion.
fn suggest_free_name(tx: &Transaction<'_>, request: NameRequest<'_>) -> Result<String, Error> {
    let mut candidate = String::new();
    for number in suffix_numbers() {
        let suffix = number?.to_string();
        candidate = request
            .name
            .chars()
            .take(USERNAME_MAX - suffix.len())
            .collect();
        candidate.push_str(&suffix);
        let next = NameRequest {
            name: &candidate,
            ..request
        };
        if is_free(tx, next, &NameSkeleton::of(&candidate))? {
            break;
        }
    }
    Ok(candidate)
}
