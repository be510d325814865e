-- What a guest's name looks like as it is written: a capital I looks like an l. It is filled in when its holder writes again.
alter table holder add column written text not null default '';

create index holder_written on holder (room, written);
