//! The write policy: whether a person may post, edit or delete in a room now.

use std::time::Duration;

use protocol::{Refusal, Role};
use texts::refusal;

use crate::store::WritePolicy;

/// A change of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageChange {
    /// Whether the person is the author of the message.
    pub is_own: bool,
    pub is_deletion: bool,
}

impl WritePolicy {
    /// Checks that the person may write, whenever that is.
    pub fn check_write(self) -> Result<(), Refusal> {
        self.check_access()?;
        if self.read_only && self.role < Some(Role::Moderator) {
            return Err(Refusal::Forbidden(refusal::ONLY_MODERATORS_WRITE));
        }
        Ok(())
    }

    /// Checks that the person may post another message, or edit one, now: an edit could say what a
    /// message must not say yet.
    pub fn check_pace(self, now: i64) -> Result<(), Refusal> {
        if !self.is_slow() {
            return Ok(());
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

    /// Checks that the person may change a message, apart from slow mode. Authors edit and delete their messages;
    /// moderators delete any.
    pub fn check_change(self, change: MessageChange) -> Result<(), Refusal> {
        self.check_write()?;
        let is_moderator = self.role >= Some(Role::Moderator);
        match (change.is_own, change.is_deletion) {
            (true, _) => Ok(()),
            (false, true) if is_moderator => Ok(()),
            (false, true) => Err(Refusal::Forbidden(refusal::ONLY_AUTHOR_DELETES)),
            (false, false) => Err(Refusal::Forbidden(refusal::ONLY_AUTHOR_EDITS)),
        }
    }

    /// Checks what holds in every room: the person may know of the room, has no sanction
    /// and is no reader.
    fn check_access(self) -> Result<(), Refusal> {
        if self.hidden && self.role.is_none() {
            return Err(Refusal::NotFound(refusal::NO_ROOM));
        }
        if let Some(sanction) = self.sanction {
            return Err(sanction.refusal());
        }
        if self.role == Some(Role::Reader) {
            return Err(Refusal::Forbidden(refusal::READER_CANNOT_WRITE));
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
    use protocol::SanctionKind;

    use super::*;
    use crate::store::ActiveSanction;

    fn sanction(kind: SanctionKind) -> ActiveSanction {
        ActiveSanction { kind, until: None }
    }

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
        let admits = |policy: WritePolicy| policy.check_write().is_ok();
        assert!(admits(OPEN));
        assert!(!admits(WritePolicy {
            hidden: true,
            ..OPEN
        }));
        assert!(!admits(WritePolicy {
            sanction: Some(sanction(SanctionKind::Mute)),
            ..OPEN
        }));
        assert!(!admits(WritePolicy {
            sanction: Some(sanction(SanctionKind::Ban)),
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
            slow.check_pace(1_000),
            Err(Refusal::RateLimited(Duration::from_millis(300)))
        );
        assert_eq!(slow.check_pace(1_300), Ok(()));
        // A clock that is set back does not lengthen the wait.
        assert_eq!(
            slow.check_pace(0),
            Err(Refusal::RateLimited(Duration::from_millis(500)))
        );
        assert_eq!(
            WritePolicy {
                role: Some(Role::Moderator),
                ..slow
            }
            .check_pace(1_000),
            Ok(())
        );
    }
}
