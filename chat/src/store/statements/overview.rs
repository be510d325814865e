//! The rooms that the overview of a person shows, and the unread messages in them.

use futures_util::TryStreamExt;
use protocol::{Room, RoomId, Time};

use super::members::newest_rooms;
use super::messages::UNREAD_KEYS;
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::Store;
use crate::store::rows::{
    ROOM_COLUMNS, RoomRow, count, key, level_from_row, role_from_row, room_id,
};
use crate::store::sql::{Dialect, FromRow, Row, query, query_as};

/// Whether `sanction` holds against the person `$1` in `room` at the time `$2`.
const ACTIVE_SANCTION: &str = "sanction.room = room.id and sanction.person = $1
    and (sanction.until is null or sanction.until > $2)
    and not (access = 0 and exists (select 1 from account where account.id = $1 and operator))";

/// The open rooms that a person is a member of and not banned from, except direct chats (a ban does
/// not hold against an operator in a room that is open to everyone): the most
/// recently active first, at most `limit`, with the number of unread messages and the mute of the
/// person.
pub(crate) async fn list_member_rooms(
    store: &Store,
    person: i64,
    now: Time,
    limit: usize,
) -> Result<Vec<Room>, Error> {
    let open = format!(
        "from member join room on room.id = member.room
         where person = $1 and direct = false and state = 0
           and not exists (select 1 from sanction where {ACTIVE_SANCTION} and kind = 1)"
    );
    let newest = newest_rooms(&open, "$3");
    let sql = AssertSqlSafe(format!(
        "{newest}
         select {ROOM_COLUMNS}, role,
           (select count(*) from ({UNREAD_KEYS}) as unread_message) as unread,
           sanction.room is not null as muted, sanction.until as muted_until, level
         from newest join room on room.id = newest_room
           join member on member.room = room.id and member.person = $1
           left join sanction on {ACTIVE_SANCTION}
           left join room_preference as preference
             on preference.person = $1 and preference.room = room.id
         order by last_active_at desc, id desc"
    ));
    let rows = query(sql)
        .bind(person)
        .bind(now.millis())
        .bind(count(limit))
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Ok(room_from_row(row)?)).collect()
}

/// Reads the texts that have an at sign before this username, in whatever case, among the unread
/// messages of these rooms that are counted ([`UNREAD_KEYS`]), room by room. A username is ASCII in
/// lower case, and `lower` of `SQLite` changes nothing but ASCII. `take` receives each text, and
/// returns whether it wants another one.
pub(crate) async fn read_unread_texts(
    store: &Store,
    person: i64,
    username: &str,
    rooms: &[RoomId],
    mut take: impl FnMut(RoomId, &str) -> bool,
) -> Result<(), Error> {
    let wanted: Vec<_> = rooms.iter().map(|room| (key(*room),)).collect();
    let dialect = store.dialect();
    let elements = dialect.select_elements("$2", &["wanted_room"]);
    let unread = match dialect {
        // `cross join` keeps the order of the tables.
        Dialect::Sqlite => format!(
            "cross join room on room.id = wanted_room
             cross join member on member.room = room.id and member.person = $1
             cross join message on message.key in ({UNREAD_KEYS})"
        ),
        Dialect::Postgres => format!(
            "join room on room.id = wanted_room
             join member on member.room = room.id and member.person = $1
             cross join lateral ({UNREAD_KEYS}) as unread_message
             join message on message.key = unread_message.key"
        ),
    };
    let [plain, bracketed] =
        ["'@' || $3", "'@[' || $3"].map(|name| dialect.contains("lower(body)", name));
    let sql = AssertSqlSafe(format!(
        "select room.id, body from ({elements}) as wanted {unread} where {plain} or {bracketed}"
    ));
    let mut rows = query_as(sql)
        .bind(person)
        .bind(serde_json::to_string(&wanted).map_err(Error::fault)?)
        .bind(username)
        .fetch(store.read());
    while let Some((room, body)) = rows.try_next().await? {
        let body: String = body;
        if !take(room_id(room), &body) {
            break;
        }
    }
    Ok(())
}

fn room_from_row(row: &Row) -> sqlx::Result<Room> {
    let mut room = RoomRow::from_row(row)?.room;
    room.role = Some(role_from_row(row.try_get("role")?));
    room.muted = row.try_get("muted")?;
    room.muted_until = row
        .try_get::<Option<i64>, _>("muted_until")?
        .map(Time::from_millis);
    room.level = level_from_row(row.try_get("level")?);
    room.unread = row.try_get::<i64, _>("unread")?.unsigned_abs();
    Ok(room)
}
