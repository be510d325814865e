-- People. A person's ID is positive for an account and negative for a guest's key; 0 is nobody in particular.

-- username is lower case; skeleton is what it looks like, so that no other name can be mistaken for it. A token is good as
-- long as it names the generation, which moves on with a new password and with signing out everywhere.
create table account (
    id         bigint primary key,
    username   text not null unique,
    skeleton   text not null unique,
    name       text not null,
    password   text not null,
    operator   boolean not null,
    generation bigint not null,
    created_at bigint not null
) without rowid;

-- Who has which name in a room, by what the name looks like: one name a guest.
create table holder (
    room     bigint not null,
    skeleton text not null,
    name     text not null,
    person   bigint not null,
    primary key (room, skeleton)
) without rowid;

create unique index holder_person on holder (room, person);

-- Who belongs to a room, and up to which sequence they have read it. role: 0 reader, 1 member, 2 moderator, 3 owner.
create table membership (
    room   bigint not null,
    person bigint not null,
    role   smallint not null,
    since  bigint not null,
    seen   bigint not null,
    primary key (room, person)
) without rowid;

create index membership_person on membership (person);

-- The room of two people. They are one person for a note to oneself.
create table direct (
    low  bigint not null,
    high bigint not null,
    room bigint not null,
    primary key (low, high)
) without rowid;

create unique index direct_room on direct (room);

-- Links by which people join a room. expires_at and uses_left are null where there is no such end.
create table invitation (
    code       text primary key,
    room       bigint not null,
    role       smallint not null,
    created_at bigint not null,
    expires_at bigint,
    uses_left  bigint
) without rowid;

create index invitation_room on invitation (room);

-- Who may not write in a room, or not be there. kind: 0 muted, 1 banned. until is null for good.
create table sanction (
    room   bigint not null,
    person bigint not null,
    kind   smallint not null,
    until  bigint,
    primary key (room, person)
) without rowid;

-- When somebody last wrote in a room in slow mode.
create table pace (
    room   bigint not null,
    person bigint not null,
    at     bigint not null,
    primary key (room, person)
) without rowid;

-- What moderators and owners did in a room: who, what, and to whom.
create table audit (
    room  bigint not null,
    seq   bigint not null,
    at    bigint not null,
    actor text not null,
    deed  text not null,
    whom  text not null,
    primary key (room, seq)
) without rowid;

-- access: 0 everybody who knows the ID, 1 members, 2 the two of a direct chat. read_only: only moderators write. slow_ms:
-- how long each of the others waits between two messages.
alter table room add column access smallint not null default 0;
alter table room add column description text;
alter table room add column read_only boolean not null default false;
alter table room add column slow_ms bigint not null default 0;

-- Who wrote it; 0 if nobody in particular.
alter table message add column author bigint not null default 0;

-- kind: 0 a message; 1 an edit and 2 a deletion of the message `target`, which have a sequence of their own and say no more
-- than that. What a message says now stands with it; one that was deleted says nothing.
alter table message add column kind smallint not null default 0;
alter table message add column target bigint;
alter table message add column edited_at bigint;

-- How many messages there are, which is less than the newest sequence where something was edited.
alter table room add column messages bigint not null default 0;
update room set messages = head;
