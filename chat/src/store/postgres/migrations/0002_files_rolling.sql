-- The files of rooms, as the migration of SQLite explains them. Servers of earlier versions go on: the
-- files of a message or a room that they delete are found by a later look.

create table file (
    id         bigint primary key,
    room       bigint not null,
    person     bigint not null,
    name       text collate "C" not null,
    type       text collate "C" not null default '',
    size       bigint not null default 0,
    sha256     text collate "C" not null default '',
    state      bigint not null default 0,
    message    bigint,
    position   bigint,
    reserved   bigint not null,
    created_at bigint not null,
    changed_at bigint not null
);

create index file_room on file (room, reserved);
create index file_unattached on file (state, changed_at) where state <> 3;

alter table message add column files text collate "C";
