-- The usernames of deleted accounts, which no one gets again: old messages are still written under
-- them.
create table former_username (
    username text primary key,
    skeleton text not null
) without rowid;

create index former_username_skeleton on former_username (skeleton);
