//! The write policy: whether a person may post, edit or delete in a room now.

use std::time::Duration;

use protocol::{Refusal, Role, RoomId, SanctionKind};
use rusqlite::{Row, Transaction, params};

use crate::Error;
use crate::room::access::BANNED;
use crate::store::{key, role_from_row, sanction_from_row};

/// The write policy of a room for one person. Times are milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WritePolicy {
    /// Whether only members may know of the room.
    hidden: bool,
    read_only: bool,
    /// The pause between two messages in slow mode, in milliseconds; 0 without slow mode.
    slow_mode: i64,
    role: Option<Role>,
    sanction: Option<SanctionKind>,
    /// When the person last wrote in slow mode.
    last_write: Option<i64>,
}

/// A change of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageChange {
    /// Whether the person is the author of the message.
    pub is_own: bool,
    pub is_deletion: bool,
}

/// Loads the write policy of a room for a person.
pub(crate) fn load_policy(
    tx: &Transaction<'_>,
    room: RoomId,
    person: i64,
    now: i64,
) -> Result<WritePolicy, Error> {
    let sql = "select access <> 0, read_only, slow_mode_ms,
                 (select role from member where room = ?1 and person = ?2),
                 (select kind from sanction
                  where room = ?1 and person = ?2 and coalesce(until, ?3 + 1) > ?3),
                 (select written_at from last_write where room = ?1 and person = ?2),
                 access = 0 and exists (select 1 from account where id = ?2 and operator)
               from room where id = ?1";
    let mut select = tx.prepare_cached(sql)?;
    Ok(select.query_row(params![key(room), person, now], policy_from_row)?)
}

fn policy_from_row(row: &Row<'_>) -> rusqlite::Result<WritePolicy> {
    let role: Option<i64> = row.get(3)?;
    let sanction: Option<i64> = row.get(4)?;
    let is_operator = row.get(6)?;
    Ok(WritePolicy {
        hidden: row.get(0)?,
        read_only: row.get(1)?,
        slow_mode: row.get(2)?,
        role: if is_operator {
            Some(Role::Owner)
        } else {
            role.map(role_from_row)
        },
        sanction: sanction.map(sanction_from_row),
        last_write: row.get(5)?,
    })
}

/// Records that a person writes now in slow mode.
pub(crate) fn record_write(
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

impl WritePolicy {
    /// Checks that the person may post now.
    pub fn check_post(self, now: i64) -> Result<(), Refusal> {
        self.check_access()?;
        if self.role >= Some(Role::Moderator) {
            return Ok(());
        }
        if self.read_only {
            return Err(Refusal::Forbidden("Only moderators write in this room."));
        }
        let next_write = self
            .last_write
            .map(|last| last.saturating_add(self.slow_mode));
        let wait = next_write
            .map_or(0, |next| next - now)
            .clamp(0, self.slow_mode);
        match wait.unsigned_abs() {
            0 => Ok(()),
            wait => Err(Refusal::RateLimited(Duration::from_millis(wait))),
        }
    }

    /// Checks that the person may change a message now. Authors edit and delete their messages;
    /// moderators delete any.
    pub fn check_change(self, change: MessageChange) -> Result<(), Refusal> {
        // A change does not wait for slow mode.
        let policy = Self {
            slow_mode: 0,
            last_write: None,
            ..self
        };
        policy.check_post(0)?;
        let is_moderator = self.role >= Some(Role::Moderator);
        match (change.is_own, change.is_deletion) {
            (true, _) => Ok(()),
            (false, true) if is_moderator => Ok(()),
            (false, true) => Err(Refusal::Forbidden(
                "Only its author and moderators may delete a message.",
            )),
            (false, false) => Err(Refusal::Forbidden("Only its author may edit a message.")),
        }
    }

    /// Checks what holds for posts in every room: the person may know of the room, has no sanction
    /// and is no reader.
    fn check_access(self) -> Result<(), Refusal> {
        if self.hidden && self.role.is_none() {
            return Err(Refusal::NotFound("room"));
        }
        match self.sanction {
            Some(SanctionKind::Ban) => return Err(BANNED),
            Some(SanctionKind::Mute) => {
                return Err(Refusal::Forbidden("You are muted in this room."));
            }
            None => {}
        }
        if self.role == Some(Role::Reader) {
            return Err(Refusal::Forbidden(
                "You are a reader of this room; its members write.",
            ));
        }
        Ok(())
    }

    /// Whether the room must remember when the person wrote.
    pub fn is_slow(self) -> bool {
        self.slow_mode > 0 && self.role < Some(Role::Moderator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: WritePolicy = WritePolicy {
        hidden: false,
        read_only: false,
        slow_mode: 0,
        role: None,
        sanction: None,
        last_write: None,
    };

    #[test]
    fn roles_and_sanctions_decide_who_may_write() {
        let admits = |policy: WritePolicy| policy.check_post(1_000).is_ok();
        assert!(admits(OPEN));
        assert!(!admits(WritePolicy {
            hidden: true,
            ..OPEN
        }));
        assert!(!admits(WritePolicy {
            sanction: Some(SanctionKind::Mute),
            ..OPEN
        }));
        assert!(!admits(WritePolicy {
            sanction: Some(SanctionKind::Ban),
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
                admits(WritePolicy {
                    hidden: true,
                    role: Some(role),
                    ..OPEN
                }),
                closed,
                "{role:?}"
            );
            assert_eq!(
                admits(WritePolicy {
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
    fn slow_mode_delays_everyone_but_moderators() {
        let slow = WritePolicy {
            slow_mode: 500,
            last_write: Some(800),
            ..OPEN
        };
        assert_eq!(
            slow.check_post(1_000),
            Err(Refusal::RateLimited(Duration::from_millis(300)))
        );
        assert_eq!(slow.check_post(1_300), Ok(()));
        // A clock that is set back does not lengthen the wait.
        assert_eq!(
            slow.check_post(0),
            Err(Refusal::RateLimited(Duration::from_millis(500)))
        );
        assert_eq!(
            WritePolicy {
                role: Some(Role::Moderator),
                ..slow
            }
            .check_post(1_000),
            Ok(())
        );
    }
}
