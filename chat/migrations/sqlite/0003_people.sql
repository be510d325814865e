-- People. A person's ID is positive for an account and negative for a guest's key; 0 is nobody in particular.

-- username is lower case; skeleton is what it looks like, so that no other name can be mistaken for it. A token is good as
-- long as it names the generation, which moves on with a new password and with signing out everywhere.
create table account (
    id         bigint primary key,
    username   text not null unique,
    skeleton   text not null unique,
    name       text not null,
    password   text not null,
    generation bigint not null,
    created_at bigint not null
) without rowid;

-- Who has which name in a room, by what the name looks like: one name a guest.
create table holder (
    room     bigint not null,
    skeleton text not null,
    person   bigint not null,
    primary key (room, skeleton)
) without rowid;

create unique index holder_person on holder (room, person);

-- Who may see a room that is not open to everybody, and up to which sequence they have read it.
create table membership (
    room   bigint not null,
    person bigint not null,
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

-- access: 0 everybody who knows the ID, 1 members.
alter table room add column access smallint not null default 0;

-- Who wrote it; 0 if nobody in particular.
alter table message add column author bigint not null default 0;
