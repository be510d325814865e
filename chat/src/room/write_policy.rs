//! The rules of a room: whether somebody may write there now.

use std::time::Duration;

use protocol::{Refusal, Role, RoomId, Sanction};
use rusqlite::{Transaction, params};

use crate::Error;
use crate::room::access::BANNED;
use crate::store::{key, role_of, sanction_of};

/// What a room with rules says to one person. Times are milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Whether only its members may know of it.
    hidden: bool,
    read_only: bool,
    /// How long to wait between two messages, in milliseconds.
    slow: i64,
    role: Option<Role>,
    sanction: Option<Sanction>,
    /// When that person wrote last, in slow mode.
    wrote: Option<i64>,
}

/// What the room says to a person.
pub(crate) fn of(
    tx: &Transaction<'_>,
    room: RoomId,
    person: i64,
    now: i64,
) -> Result<Rules, Error> {
    let sql = "select access <> 0, read_only, slow_mode_ms,
                 (select role from member where room = ?1 and person = ?2),
                 (select kind from sanction where room = ?1 and person = ?2 and coalesce(until, ?3 + 1) > ?3),
                 (select written_at from last_write where room = ?1 and person = ?2),
                 access = 0 and exists (select 1 from account where id = ?2 and operator)
               from room where id = ?1";
    let mut select = tx.prepare_cached(sql)?;
    let rules = select.query_row(params![key(room), person, now], |row| {
        let (role, kind): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let role = if row.get(6)? {
            Some(Role::Owner)
        } else {
            role.map(role_of)
        };
        let sanction = kind.map(sanction_of);
        let (hidden, read_only, slow, wrote) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(5)?);
        Ok(Rules {
            hidden,
            read_only,
            slow,
            role,
            sanction,
            wrote,
        })
    });
    Ok(rules?)
}

/// Notes down that a person wrote now, in slow mode.
pub(crate) fn wrote(
    tx: &Transaction<'_>,
    room: RoomId,
    person: i64,
    now: i64,
) -> Result<(), Error> {
    let sql = "insert into last_write (room, person, written_at) values (?1, ?2, ?3)
               on conflict (room, person) do update set written_at = excluded.written_at";
    tx.prepare_cached(sql)?
        .execute(params![key(room), person, now])?;
    Ok(())
}

impl Rules {
    /// Whether that person may write now, and if not why.
    pub fn admit(self, now: i64) -> Result<(), Refusal> {
        if self.hidden && self.role.is_none() {
            return Err(Refusal::NotFound("room"));
        }
        match self.sanction {
            Some(Sanction::Ban) => return Err(BANNED),
            Some(Sanction::Mute) => return Err(Refusal::Forbidden("You are muted in this room.")),
            None => {}
        }
        if self.role == Some(Role::Reader) {
            return Err(Refusal::Forbidden(
                "You are a reader of this room; its members write.",
            ));
        }
        if self.role >= Some(Role::Moderator) {
            return Ok(());
        }
        if self.read_only {
            return Err(Refusal::Forbidden("Only moderators write in this room."));
        }
        let wait = self
            .wrote
            .map_or(0, |wrote| wrote.saturating_add(self.slow) - now)
            .clamp(0, self.slow);
        match wait.unsigned_abs() {
            0 => Ok(()),
            wait => Err(Refusal::TooMany(Duration::from_millis(wait))),
        }
    }

    /// Whether that person may change a message now: their own to edit it, and to delete it their own or a moderator any.
    pub fn admit_change(self, own: bool, deletes: bool) -> Result<(), Refusal> {
        Self {
            slow: 0,
            wrote: None,
            ..self
        }
        .admit(0)?;
        match (own, deletes) {
            (true, _) => Ok(()),
            (false, true) if self.role >= Some(Role::Moderator) => Ok(()),
            (false, true) => Err(Refusal::Forbidden(
                "Only its author and moderators may delete a message.",
            )),
            (false, false) => Err(Refusal::Forbidden("Only its author may edit a message.")),
        }
    }

    /// Whether it is to be noted down when that person writes.
    pub fn is_slow(self) -> bool {
        self.slow > 0 && self.role < Some(Role::Moderator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Rules = Rules {
        hidden: false,
        read_only: false,
        slow: 0,
        role: None,
        sanction: None,
        wrote: None,
    };

    #[test]
    fn roles_and_sanctions_say_who_writes() {
        let admits = |rules: Rules| rules.admit(1_000).is_ok();
        assert!(admits(OPEN));
        assert!(!admits(Rules {
            hidden: true,
            ..OPEN
        }));
        assert!(!admits(Rules {
            sanction: Some(Sanction::Mute),
            ..OPEN
        }));
        assert!(!admits(Rules {
            sanction: Some(Sanction::Ban),
            role: Some(Role::Member),
            ..OPEN
        }));
        for (role, closed, read_only) in [
            (Role::Reader, false, false),
            (Role::Member, true, false),
            (Role::Moderator, true, true),
            (Role::Owner, true, true),
        ] {
            assert_eq!(
                admits(Rules {
                    hidden: true,
                    role: Some(role),
                    ..OPEN
                }),
                closed,
                "{role:?}"
            );
            assert_eq!(
                admits(Rules {
                    read_only: true,
                    role: Some(role),
                    ..OPEN
                }),
                read_only,
                "{role:?}"
            );
        }
    }

    #[test]
    fn slow_mode_lets_each_wait_but_not_moderators() {
        let slow = Rules {
            slow: 500,
            wrote: Some(800),
            ..OPEN
        };
        assert_eq!(
            slow.admit(1_000),
            Err(Refusal::TooMany(Duration::from_millis(300)))
        );
        assert_eq!(slow.admit(1_300), Ok(()));
        // A clock that was set back keeps nobody waiting longer.
        assert_eq!(
            slow.admit(0),
            Err(Refusal::TooMany(Duration::from_millis(500)))
        );
        assert_eq!(
            Rules {
                role: Some(Role::Moderator),
                ..slow
            }
            .admit(1_000),
            Ok(())
        );
    }
}
