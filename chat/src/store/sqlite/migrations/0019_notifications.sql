-- What a person has chosen for a room. level: which messages notify the person, 0 those that mention
-- them, 1 all, 2 none. listing: whether the room is among the person's own, 0 if not chosen, 1 kept,
-- 2 hidden; listed_at is when that was chosen. Members need no choice: their rooms are their own.
create table room_preference (
    person    bigint not null,
    room      bigint not null,
    level     smallint not null default 0,
    listing   smallint not null default 0,
    listed_at bigint not null default 0,
    primary key (person, room)
) without rowid;

create index room_preference_room on room_preference (room);
create index room_preference_kept on room_preference (person, listed_at) where listing = 1;

-- When a person receives no notifications. The three columns of the quiet hours are null together.
create table notification_settings (
    person      bigint primary key,
    pause_until bigint,
    quiet_from  text,
    quiet_to    text,
    quiet_zone  text,
    changed_at  bigint not null
) without rowid;

create index notification_settings_changed_at on notification_settings (changed_at) where person < 0;
