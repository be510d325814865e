-- Tables, columns and indexes get the names that the code uses. No row changes.
--
-- A table and an index share one namespace, so the index direct_room is dropped before the table
-- direct takes its name. The table member is renamed before membership takes its name.

-- A name in the lobby belongs to the client that joined under it. That client receives what comes
-- after since_seq.
alter table member rename to lobby_name;
alter table lobby_name rename column since to since_seq;

-- A member of a room. read_seq is the member's read marker: the member has read the room up to that
-- sequence.
drop index membership_person;
alter table membership rename to member;
alter table member rename column since to joined_at;
alter table member rename column seen to read_seq;
create index member_person on member (person);

-- The name that a guest writes under in a room. skeleton is the skeleton of the name in lower case,
-- cased_skeleton that of the name as it is written: a capital I looks like an l, which its small
-- letter does not.
drop index holder_person;
drop index holder_written;
alter table holder rename to name_claim;
alter table name_claim rename column written to cased_skeleton;
create unique index name_claim_person on name_claim (room, person);
create index name_claim_cased_skeleton on name_claim (room, cased_skeleton);

-- When a person last wrote in a room in slow mode.
alter table pace rename to last_write;
alter table last_write rename column at to written_at;

-- A deleted room, which answers 410 Gone until expires_at.
drop index gone_until;
alter table gone rename to room_tombstone;
alter table room_tombstone rename column until to expires_at;
create index room_tombstone_expires_at on room_tombstone (expires_at);

-- A name by which a room is found.
drop index named_room;
alter table named rename to room_alias;
create index room_alias_room on room_alias (room);

-- The direct chat of two accounts, or the notes of one: low and high are the same account then.
drop index direct_room;
alter table direct rename to direct_room;
create unique index direct_room_room on direct_room (room);

-- What moderators and owners did in a room.
alter table audit rename to audit_log;
alter table audit_log rename column deed to action;
alter table audit_log rename column whom to target;

-- Who an account is at a provider of sign-in.
drop index identity_account;
alter table identity rename to oidc_identity;
create unique index oidc_identity_account on oidc_identity (account, issuer);

-- requested_timeout_ms is the lifetime that the creator asked for, null if none. message_count
-- counts messages without edits and deletions.
alter table room rename column asked_ms to requested_timeout_ms;
alter table room rename column messages to message_count;
alter table room rename column slow_ms to slow_mode_ms;

alter table message rename column key to idempotency_key;

-- Empty for an account that has no password.
alter table account rename column password to password_hash;
