-- Why a room ended: 0 no one wrote for too long, 1 its owner closed it, 2 an operator closed it.
alter table room add column ended_by bigint not null default 0;
alter table room_tombstone add column ended_by bigint not null default 0;
