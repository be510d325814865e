-- The files of rooms, from the first byte of an upload to the deletion of the bytes, which are not in
-- the database. state: 0 receiving, 1 received, 2 ready, 3 attached to the message with the sequence
-- number `message`, 4 deleting. reserved is what the file counts for the limits. A file has a type and
-- a digest once it is received.
create table file (
    id         bigint primary key,
    room       bigint not null,
    person     bigint not null,
    name       text not null,
    type       text not null default '',
    size       bigint not null default 0,
    sha256     text not null default '',
    state      smallint not null default 0,
    message    bigint,
    position   bigint,
    reserved   bigint not null,
    created_at bigint not null,
    changed_at bigint not null
) without rowid;

create index file_room on file (room, reserved);
create index file_unattached on file (state, changed_at) where state <> 3;

-- The files of a message as its readers see them: a page of messages reads no other table for them.
alter table message add column files text;
