-- Rooms that are found by a name of their own.

create table named (
    name text primary key,
    room bigint not null
) without rowid;

create index named_room on named (room);

-- Who is in the lobby: a name is theirs until they leave, or the lobby's room ends. They hear what comes after `since`.

create table member (
    room  bigint not null,
    name  text not null,
    since bigint not null,
    primary key (room, name)
) without rowid;
