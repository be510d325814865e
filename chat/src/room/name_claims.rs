//! Name claims: who may write under which name in a room.
//!
//! # Guarantees
//! - The username of an account, and every name that looks like it, belongs to the holder of the
//!   account.
//! - A guest keeps a name in a room until the guest takes another one. An anonymous caller may use
//!   a free name and keeps none.

use protocol::text::{self, USERNAME_MAX};
use protocol::{Refusal, RoomId};
use texts::refusal;

use crate::identity::name_skeleton::{NameSkeleton, suffix_numbers};
use crate::store::{LogTransaction, NameClaim, Store, name_claims};
use crate::{Error, Person};

impl NameClaim {
    /// The claim of a person who writes under this name.
    pub fn new(person: i64, name: &str) -> Self {
        let NameSkeleton { lowercase, cased } = NameSkeleton::of(name);
        Self {
            person,
            name: name.to_owned(),
            skeleton: lowercase,
            cased_skeleton: cased,
        }
    }

    /// Whether a name with this skeleton looks like the claimed one.
    pub fn looks_like(&self, skeleton: &NameSkeleton) -> bool {
        let claimed = [&self.skeleton, &self.cased_skeleton];
        claimed.contains(&&skeleton.lowercase) || claimed.contains(&&skeleton.cased)
    }
}

/// Whether another person has claimed a name that looks like this one. Without claims it costs
/// nothing, because it is asked for every message.
pub(crate) fn is_claimed(claims: &[NameClaim], person: i64, name: &str) -> bool {
    if claims.is_empty() {
        return false;
    }
    let skeleton = NameSkeleton::of(name);
    let mut others = claims.iter().filter(|claim| claim.person != person);
    others.any(|claim| claim.looks_like(&skeleton))
}

/// Claims a free name for a guest, instead of the one that the guest had in the room. Returns the
/// claim, unless the guest has it already.
pub(crate) fn replace_claim(
    claims: &mut Vec<NameClaim>,
    person: i64,
    name: &str,
) -> Option<NameClaim> {
    let claim = NameClaim::new(person, name);
    if claims.contains(&claim) {
        return None;
    }
    claims.retain(|claim| claim.person != person);
    claims.push(claim.clone());
    Some(claim)
}

/// Claims a name in the lobby. Returns the claim; `None` if a client in the lobby has the name, or
/// one that looks like it.
pub(crate) fn claim_lobby_name(names: &mut Vec<NameClaim>, name: &str) -> Option<NameClaim> {
    let skeleton = NameSkeleton::of(name);
    if names.iter().any(|claim| claim.looks_like(&skeleton)) {
        return None;
    }
    let claim = NameClaim::new(Person::Anonymous.id(), name);
    names.push(claim.clone());
    Some(claim)
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
    let mut reader = store.reader().await?;
    let (lowercase, cased) = (&skeleton.lowercase, &skeleton.cased);
    let taken = name_claims::is_name_taken(&mut reader, room, by.id(), lowercase, cased).await?;
    if taken {
        Err(Refusal::Taken(refusal::NAME_X.fill([&name])).into())
    } else {
        Ok(name)
    }
}

/// A name that is similar to a taken one, and free for this person. If all names that are tried are
/// taken, returns the last of them; a client that asks for it gets another suggestion.
pub(crate) fn suggest_free_name(
    tx: &mut dyn LogTransaction,
    room: RoomId,
    person: i64,
    taken: &str,
) -> Result<String, Error> {
    let mut candidate = String::new();
    for number in suffix_numbers() {
        let suffix = number?.to_string();
        candidate = taken.chars().take(USERNAME_MAX - suffix.len()).collect();
        candidate.push_str(&suffix);
        let NameSkeleton { lowercase, cased } = NameSkeleton::of(&candidate);
        if !tx.is_name_taken(room, person, &lowercase, &cased)? {
            break;
        }
    }
    Ok(candidate)
}
