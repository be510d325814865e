-- How many bytes the texts of a room have, so that a room can be refused more.
alter table room add column text_bytes bigint not null default 0;
update room set text_bytes = coalesce((
  select sum(length(cast(body as blob))) from message
  where key > room.number << 32 and key < (room.number + 1) << 32), 0);
