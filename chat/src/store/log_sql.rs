//! Statements that the rules and the writer share.

/// How a room that is not open ended; null if it did not exist, or a person could not find it. The
/// parameters are the room and the person.
pub(crate) const END: &str = "select coalesce(
    (select ended_by from room_tombstone where room = $1 and (not hidden or exists (
      select 1 from room_tombstone_member where room = $1 and person = $2))),
    (select ended_by from room where id = $1 and (access = 0 or exists (
      select 1 from member where room = $1 and person = $2))))";

/// Whether an account, also a deleted one, or another guest in the room has a name that looks like
/// one. Usernames of accounts have no capitals, so an account has one skeleton only.
pub(crate) const IS_TAKEN: &str = "select
    exists (select 1 from name_claim where room = $1 and person <> $2 and skeleton in ($3, $4))
    or exists (select 1 from name_claim
      where room = $1 and person <> $2 and cased_skeleton in ($3, $4))
    or exists (select 1 from account where skeleton in ($3, $4))
    or exists (select 1 from former_username where skeleton in ($3, $4))";

/// How many entries to keep for a room. The oldest ones beyond this number are deleted.
pub(crate) const AUDITS_KEPT: i64 = if cfg!(test) { 5 } else { 10_000 };

/// Inserts an entry of the audit log of a room. Returns its number.
pub(crate) const INSERT_AUDIT: &str = "insert into audit_log (room, seq, at, actor, action, target)
    select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5 from audit_log where room = $1
    returning seq";

/// Deletes the entries of the audit log of a room up to a number.
pub(crate) const DELETE_OLD_AUDITS: &str = "delete from audit_log where room = $1 and seq <= $2";
