-- A room that was hidden has ended only for its members; for everyone else it never existed.
alter table room_tombstone add column hidden boolean not null default false;
create table room_tombstone_member (
  room bigint not null,
  person bigint not null,
  primary key (room, person)
) without rowid;
