-- The minute of the last activity of the member's room, and whether that is a direct room: the
-- lists of a person's newest rooms read no row of the others.
alter table member add column active_minute bigint not null default 0;
alter table member add column direct boolean not null default false;
update member set active_minute = room.last_active_at / 60000, direct = room.access = 2
from room where room.id = member.room;
drop index member_person;
create index member_activity on member (person, direct, active_minute);
