-- Rooms, their messages, and the memory of rooms that are gone. Times are milliseconds since the Unix epoch.

create table meta (
    name  text primary key,
    value bigint not null
) without rowid;

-- id is the room's 64-bit ID as a signed integer. asked_ms is the lifetime its creator asked for, timeout_ms the one in
-- force. state: 0 open, 1 frozen (nothing more is written, the archive is under way), 2 archived (rows may be erased).
-- due_at is when to look whether the room has expired: never after expires_at, and moved on to it only then, so that a
-- message does not have to move the room in an index.
create table room (
    id             bigint primary key,
    name           text,
    public         boolean not null,
    asked_ms       bigint,
    timeout_ms     bigint not null,
    created_at     bigint not null,
    last_active_at bigint not null,
    expires_at     bigint not null,
    due_at         bigint not null,
    head           bigint not null,
    state          smallint not null
) without rowid;

create index room_due on room (state, due_at);
create index room_public on room (last_active_at, id) where public and state = 0;

create table message (
    room     bigint not null,
    seq      bigint not null,
    username text not null,
    body     text not null,
    sent_at  bigint not null,
    key      text,
    primary key (room, seq)
) without rowid;

create unique index message_key on message (room, key) where key is not null;

create table gone (
    room  bigint primary key,
    until bigint not null
) without rowid;

create index gone_until on gone (until);
