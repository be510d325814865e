//! Names: which ones look alike, and who may use which in a room.
//!
//! Promises: the name of an account is its owner's alone, and so is whatever looks like it; a guest with a key keeps a name
//! in a room until that guest takes another. Who has no key may use what nobody has, and keeps nothing.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::text::{self, USERNAME_MAX};
use protocol::{Refusal, RoomId};
use rusqlite::{Transaction, params};

use crate::identity::name_skeleton::{Looks, numbers};
use crate::identity::person::own_name;
use crate::store::{Store, key};
use crate::{Error, Person};

/// Counts the times at which a name may have become somebody's own everywhere.
pub(crate) type Registrations = Arc<AtomicU64>;

/// Names that were asked for lately and are no account's.
#[derive(Debug)]
pub(crate) struct Free {
    registrations: Registrations,
    as_of: u64,
    names: HashSet<String>,
}

/// How many such names are remembered.
const REMEMBERED: usize = 10_000;

impl Free {
    pub fn new(registrations: Registrations) -> Self {
        Self {
            registrations,
            as_of: 0,
            names: HashSet::new(),
        }
    }

    fn has(&mut self, name: &str) -> bool {
        let now = self.registrations.load(Ordering::Acquire);
        if self.as_of != now || self.names.len() >= REMEMBERED {
            self.as_of = now;
            self.names.clear();
        }
        self.names.contains(name)
    }
}

/// Lets somebody use a name in a room: `None` if they may, else one like it that nobody has. `held` says whether anybody
/// holds a name in this room; it is asked for by each message, so who writes again under a plain name costs nothing here.
pub(crate) fn claim(
    tx: &Transaction<'_>,
    free: &mut Free,
    held: bool,
    (room, person, name): (RoomId, i64, &str),
) -> Result<Option<String>, Error> {
    let plain = person == 0 && !held;
    if plain && free.has(name) {
        return Ok(None);
    }
    let looks = Looks::of(name);
    if !is_free(tx, room, person, &looks)? {
        return suggest(tx, room, person, name).map(Some);
    }
    if plain {
        free.names.insert(name.to_owned());
    }
    if person < 0 {
        let sql = "insert into name_claim (room, skeleton, cased_skeleton, name, person) values (?1, ?2, ?3, ?4, ?5)
                   on conflict (room, skeleton) do update set cased_skeleton = excluded.cased_skeleton, name = excluded.name
                     where (cased_skeleton, name) <> (excluded.cased_skeleton, excluded.name)
                   on conflict (room, person) do update
                     set skeleton = excluded.skeleton, cased_skeleton = excluded.cased_skeleton, name = excluded.name";
        tx.prepare_cached(sql)?.execute(params![
            key(room),
            looks.plain,
            looks.written,
            name,
            person
        ])?;
    }
    Ok(None)
}

/// The name that somebody who asks for `name` goes by in a room.
pub(crate) async fn of(
    store: &Store,
    by: &Person,
    room: RoomId,
    name: &str,
) -> Result<String, Error> {
    let name = own_name(by, text::username(name)?)?;
    if by.member().is_some() {
        return Ok(name);
    }
    let looks = Looks::of(&name);
    let taken = sqlx::query_scalar(IS_TAKEN)
        .bind(key(room))
        .bind(by.id())
        .bind(looks.plain)
        .bind(looks.written);
    let taken: bool = taken.fetch_one(store.read()).await?;
    if taken {
        Err(Refusal::Taken(format!("The name {name}")).into())
    } else {
        Ok(name)
    }
}

/// Whether an account, or another guest in this room, has a name that looks like one. Those of accounts have no capitals.
const IS_TAKEN: &str = "select exists (select 1 from name_claim where room = $1 and person <> $2 and skeleton in ($3, $4))
                        or exists (select 1 from name_claim where room = $1 and person <> $2 and cased_skeleton in ($3, $4))
                        or exists (select 1 from account where skeleton in ($3, $4))";

fn is_free(tx: &Transaction<'_>, room: RoomId, person: i64, looks: &Looks) -> Result<bool, Error> {
    let mut select = tx.prepare_cached(IS_TAKEN)?;
    let taken: bool = select.query_row(
        params![key(room), person, looks.plain, looks.written],
        |row| row.get(0),
    )?;
    Ok(!taken)
}

/// One like this name that nobody has. That none is found among so many is no fault: then it is the last of them, and
/// whoever asks for it hears of another.
fn suggest(tx: &Transaction<'_>, room: RoomId, person: i64, name: &str) -> Result<String, Error> {
    let mut free = String::new();
    for number in numbers() {
        let end = number?.to_string();
        free = name
            .chars()
            .take(USERNAME_MAX - end.len())
            .collect::<String>()
            + &end;
        if is_free(tx, room, person, &Looks::of(&free))? {
            break;
        }
    }
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        let (a, b) = (Looks::of(a), Looks::of(b));
        a.plain == b.plain || a.written == b.plain || a.plain == b.written || a.written == b.written
    }

    #[test]
    fn names_that_look_alike_are_alike() {
        for other in [
            "Alice",
            "aIice",
            "al\u{200b}ice",
            "аlice",
            "alісe",
            "ALICE",
            "a1ice",
            "𝐚lice",
        ] {
            assert!(alike("alice", other), "{other}");
        }
        for other in ["alicia", "alice2", "bob", "a lice"] {
            assert!(!alike("alice", other), "{other}");
        }
        for (one, other) in [("modern", "rnodern"), ("b0b", "bob"), ("Isabel", "lsabeI")] {
            assert!(alike(one, other), "{one} and {other}");
        }
    }
}
