-- Messages get one integer key: the small number of their room in the upper half, the sequence
-- number in the lower half. A row with a long text then stays in the table's tree as a whole, which
-- it does not under a key of two columns.

-- The number is given once and never again, so that no key ever names two messages.
alter table room add column number bigint;
update room set number = numbered.number
from (select id, row_number() over (order by created_at, id) as number from room) as numbered
where numbered.id = room.id;
create unique index room_number on room (number);
insert into meta (name, value) select 'last_room_number', coalesce(max(number), 0) from room;

-- kind: 0 a message; 1 an edit and 2 a deletion of the message with the key `target`, which have
-- keys of their own. What a message says now stands with it. A deleted message has an empty body.
-- client_id is the digest of the sender's idempotency key; sender and content are digests of the
-- address of an anonymous author and of what the message first said, both mixed with the key. They
-- are null without a key and in older messages; content is null in deleted messages.
create table message_by_key (
    key        integer primary key,
    author     bigint not null,
    kind       smallint not null,
    target     bigint,
    sent_at    bigint not null,
    edited_at  bigint,
    deleted_at bigint,
    client_id  text,
    sender     bigint,
    content    bigint,
    username   text not null,
    body       text not null
);

with deletion as (
    select room, target, min(sent_at) as deleted_at from message
    where kind = 2 group by room, target
)
insert into message_by_key
    (key, author, kind, target, sent_at, edited_at, deleted_at, username, body)
select room.number << 32 | message.seq, message.author, message.kind,
    room.number << 32 | message.target, message.sent_at, message.edited_at,
    case when message.kind = 0 and message.body = ''
         then coalesce(deletion.deleted_at, message.sent_at) end,
    message.username, message.body
from message
join room on room.id = message.room
left join deletion on deletion.room = message.room and deletion.target = message.seq
order by room.number, message.seq;

-- The digests of these keys are computed at the next start, and the rows deleted.
create table old_idempotency_key (
    message         bigint primary key,
    idempotency_key text not null
) without rowid;
insert into old_idempotency_key (message, idempotency_key)
select room.number << 32 | message.seq, message.idempotency_key
from message join room on room.id = message.room where message.idempotency_key is not null;

-- The accounts that have written in a room, whose display names its followers see.
create table room_author (
    account bigint not null,
    room    bigint not null,
    primary key (account, room)
) without rowid;
create index room_author_room on room_author (room);
insert into room_author (account, room)
select distinct author, room from message
where kind = 0 and author in (select id from account);

drop table message;
alter table message_by_key rename to message;
create unique index message_client_id on message (key >> 32, author, client_id, sender)
where client_id is not null;

-- Always empty, so that a version that finds an entry of a later kind notices it at once.
create index message_later_kind on message (kind) where kind > 2;

-- With all columns that a lookup reads, so that it is preferred to a walk over all names of a room.
drop index name_claim_cased_skeleton;
create index name_claim_cased_skeleton on name_claim (room, cased_skeleton, person, name);
