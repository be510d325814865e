//! The rows of rooms, from their creation to their erasure.
//!
//! # Guarantees
//! - From the commit that freezes a room on, nothing is written to the room.
//! - An erased room answers `410 Gone` for a day.
//!
//! # Not here
//! - When a room is frozen, archived and erased: `lifecycle`.

use std::time::Duration;

use protocol::{NotificationLevel, Room, RoomEnd, RoomId, Time};

use sqlx::AssertSqlSafe;

use crate::Error;
use crate::metrics::RoomCounts;
use crate::store::rows::{
    Access, Listing, NewRoomRow, ROOM_COLUMNS, RoomRow, RoomsPage, count, key, millis,
    room_end_from_row, room_id,
};
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Store, WriteTransaction, files};

/// How long a deleted room answers `410 Gone` before it answers `404 Not Found`.
const TOMBSTONE_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How many rows are erased in one transaction, so that posts to other rooms do not wait long for
/// the erasure of a large room.
const ERASE_BATCH: i64 = 2_000;

/// A room whose end has begun.
pub(crate) struct EndingRoom {
    pub row: RoomRow,
    /// Whether the archive is complete; otherwise the room is frozen.
    pub is_archived: bool,
    pub end: RoomEnd,
}

impl FromRow for RoomRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let room = Room {
            id: room_id(row.try_get("id")?),
            name: row.try_get("name")?,
            public: row.try_get("public")?,
            created_at: Time::from_millis(row.try_get("created_at")?),
            last_active_at: Time::from_millis(row.try_get("last_active_at")?),
            expires_at: Time::from_millis(row.try_get("expires_at")?),
            message_count: row.try_get::<i64, _>("message_count")?.unsigned_abs(),
            description: row.try_get("description")?,
            private: row.try_get::<i64, _>("access")? == Access::Private as i64,
            read_only: row.try_get("read_only")?,
            slow_mode: row.try_get::<i64, _>("slow_mode_ms")?.unsigned_abs() / 1_000,
            role: None,
            muted: false,
            muted_until: None,
            unread: 0,
            mentions: 0,
            level: NotificationLevel::default(),
            read_seq: None,
            roles: Vec::new(),
            with: None,
        };
        let timeout: i64 = row.try_get("timeout_ms")?;
        let direct = row.try_get::<i64, _>("access")? == Access::Direct as i64;
        let head = row.try_get::<i64, _>("head")?.unsigned_abs();
        Ok(Self {
            room,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
            head,
            direct,
            listing: Listing::default(),
        })
    }
}

/// Inserts a room with a random ID.
pub(crate) async fn insert_room(
    tx: &mut WriteTransaction,
    now: Time,
    new: NewRoomRow,
) -> Result<Room, Error> {
    let id = RoomId::from_bytes(getrandom::u64()?.to_be_bytes());
    let number = next_room_number(tx).await?;
    let timeout = new.requested_timeout.unwrap_or(new.longest);
    let sql = AssertSqlSafe(format!(
        "insert into room
           (id, number, name, public, requested_timeout_ms, timeout_ms, created_at, last_active_at,
            expires_at, due_at, head, state, access)
         values ($1, $9, $2, $3, $4, $5, $6, $6, $7, $7, 0, 0, $8) returning {ROOM_COLUMNS}"
    ));
    let row: RoomRow = query_as(sql)
        .bind(key(id))
        .bind(new.name)
        .bind(new.public)
        .bind(new.requested_timeout.map(millis))
        .bind(millis(timeout))
        .bind(now.millis())
        .bind(now.after(timeout).millis())
        .bind(new.access as i64)
        .bind(number)
        .fetch_one(tx.connection())
        .await?;
    Ok(row.room)
}

/// The number of a new room. No room gets it again, so a key never names two messages.
async fn next_room_number(tx: &mut WriteTransaction) -> Result<i64, Error> {
    let sql = "update meta set value = value + 1 where name = 'last_room_number' returning value";
    Ok(query_as(sql).fetch_one(tx.connection()).await?)
}

/// A page of the open public rooms, the most recently active first.
pub(crate) async fn load_page(store: &Store, page: RoomsPage) -> Result<Vec<Room>, Error> {
    let after = page.after;
    let sql = AssertSqlSafe(format!(
        "select {ROOM_COLUMNS} from room
         where public and state = 0 and (last_active_at, id) < ($1, $2)
         order by last_active_at desc, id desc limit $3"
    ));
    let rooms: Vec<RoomRow> = query_as(sql)
        .bind(after.map_or(i64::MAX, |(last_active_at, _)| last_active_at.millis()))
        .bind(after.map_or(i64::MAX, |(_, id)| key(id)))
        .bind(count(page.limit))
        .fetch_all(store.read())
        .await?;
    Ok(rooms.into_iter().map(|row| row.room).collect())
}

/// Applies the timeout of the server to the rooms of earlier runs: to the direct chats, or to all
/// other rooms. A shorter timeout that the creator asked for stays.
pub(crate) async fn apply_timeout(
    store: &Store,
    longest: Duration,
    direct: bool,
) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let timeout = "case when requested_timeout_ms < $1 then requested_timeout_ms else $1 end";
    let sql = AssertSqlSafe(format!(
        "update room set timeout_ms = {timeout}, due_at = 0, expires_at =
           case when last_active_at + {timeout} < $2 then last_active_at + {timeout} else $2 end
         where state = 0 and (access = 2) = $3 and timeout_ms <> {timeout}"
    ));
    let last = Time::from_millis(i64::MAX).millis();
    query(sql)
        .bind(millis(longest))
        .bind(last)
        .bind(direct)
        .execute(tx.connection())
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Lets the direct chats of an account expire whose other account is deleted already. Such a chat
/// ends with the second of its accounts.
pub(crate) async fn expire_abandoned_direct_rooms(
    tx: &mut WriteTransaction,
    account: i64,
    now: Time,
) -> Result<(), Error> {
    let sql = "update room set expires_at = $2, due_at = $2 where access = 2 and state = 0
               and id in (select room from member where person = $1)
               and not exists (select 1 from member where room = id and person <> $1)";
    query(sql)
        .bind(account)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// When the next room may be due. A room that was written to since is due later.
pub(crate) async fn next_due(store: &Store) -> Result<Option<Time>, Error> {
    let sql = "select min(due_at) from room where state = 0";
    let due: Option<i64> = query_as(sql).fetch_one(store.read()).await?;
    Ok(due.map(Time::from_millis))
}

/// Freezes the open rooms that are due: from the commit on nothing is written to them, and they
/// answer `410 Gone`. Returns whether there were any.
pub(crate) async fn freeze_due(tx: &mut WriteTransaction, now: Time) -> Result<bool, Error> {
    let sql = "update room set state = 1 where state = 0 and due_at <= $1 and expires_at <= $1";
    let frozen = query(sql)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    // The rooms that were written to since are due later.
    let sql = "update room set due_at = expires_at where state = 0 and due_at <= $1";
    query(sql)
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(frozen > 0)
}

/// Counts the rooms.
pub(crate) async fn count_by_state(store: &Store) -> Result<RoomCounts, Error> {
    let sql =
        "select count(*) filter (where state = 0), count(*) filter (where state <> 0) from room";
    let (open, ending) = query_as(sql).fetch_one(store.read()).await?;
    Ok(RoomCounts { open, ending })
}

/// The rooms whose end has begun, the earliest first.
pub(crate) async fn load_ending_rooms(store: &Store, limit: i64) -> Result<Vec<EndingRoom>, Error> {
    let sql = AssertSqlSafe(format!(
        "select {ROOM_COLUMNS}, state, ended_by from room
         where state in (1, 2) order by expires_at limit $1"
    ));
    let rows = query(sql).bind(limit).fetch_all(store.read()).await?;
    let read = |row: &Row| {
        Ok(EndingRoom {
            row: RoomRow::from_row(row)?,
            is_archived: row.try_get::<i64, _>("state")? == 2,
            end: room_end_from_row(row.try_get("ended_by")?),
        })
    };
    rows.iter().map(read).collect()
}

/// Freezes an open room at once.
pub(crate) async fn freeze(
    tx: &mut WriteTransaction,
    id: RoomId,
    now: Time,
    end: RoomEnd,
) -> Result<(), Error> {
    let sql =
        "update room set state = 1, expires_at = $2, due_at = $2, ended_by = $3 where id = $1";
    query(sql)
        .bind(key(id))
        .bind(now.millis())
        .bind(end as i64)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Reopens a frozen room until `expires_at`, and forgets who closed it: the next end of the room has
/// a reason of its own.
pub(crate) async fn reopen(
    tx: &mut WriteTransaction,
    id: RoomId,
    expires_at: Time,
) -> Result<(), Error> {
    let sql = "update room set state = 0, expires_at = $2, due_at = $2, ended_by = 0
               where id = $1 and state = 1";
    query(sql)
        .bind(key(id))
        .bind(expires_at.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Erases all rows of a room whose archive is complete or disabled, in several transactions, the
/// last of which the caller commits. A tombstone stays for a day, with the members of a room that
/// was hidden from others.
pub(crate) async fn erase(store: &Store, id: RoomId, now: Time) -> Result<WriteTransaction, Error> {
    let mut tx = store.begin().await?;
    note_archived(&mut tx, id).await?;
    insert_tombstone(&mut tx, id, now).await?;
    loop {
        let erased = erase_messages(&mut tx, id).await?;
        if erased < ERASE_BATCH.unsigned_abs() {
            break;
        }
        tx.commit().await?;
        tx = store.begin().await?;
    }
    erase_other_rows(&mut tx, id).await?;
    query("delete from room where id = $1")
        .bind(key(id))
        .execute(tx.connection())
        .await?;
    tx.mark_erasure();
    Ok(tx)
}

/// Notes that the archive of a room is complete or disabled.
pub(crate) async fn note_archived(tx: &mut WriteTransaction, id: RoomId) -> Result<(), Error> {
    query("update room set state = 2 where id = $1")
        .bind(key(id))
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn insert_tombstone(tx: &mut WriteTransaction, id: RoomId, now: Time) -> Result<(), Error> {
    let tombstone = "insert into room_tombstone (room, expires_at, hidden, ended_by)
                     select id, $2, access <> 0, ended_by from room where id = $1 on conflict do nothing";
    query(tombstone)
        .bind(key(id))
        .bind(now.after(TOMBSTONE_LIFETIME).millis())
        .execute(tx.connection())
        .await?;
    let members = "insert into room_tombstone_member (room, person)
                   select room, person from member join room on room.id = member.room
                   where room = $1 and access <> 0 on conflict do nothing";
    query(members)
        .bind(key(id))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Erases the rows that belong to a room, except its messages.
async fn erase_other_rows(tx: &mut WriteTransaction, id: RoomId) -> Result<(), Error> {
    for sql in [
        "delete from room_alias where room = $1",
        "delete from lobby_name where room = $1",
        "delete from room_author where room = $1",
        "delete from name_claim where room = $1",
        "delete from member where room = $1",
        "delete from direct_room where room = $1",
        "delete from invitation where room = $1",
        "delete from sanction where room = $1",
        "delete from last_write where room = $1",
        "delete from room_preference where room = $1",
        "delete from audit_log where room = $1",
    ] {
        query(sql).bind(key(id)).execute(tx.connection()).await?;
    }
    files::delete_rows_of_room(tx, id).await
}

/// Erases the oldest messages of a room. Returns how many.
async fn erase_messages(tx: &mut WriteTransaction, id: RoomId) -> Result<u64, Error> {
    let sql = "delete from message where key in (
                 select key from message
                 where key > (select number from room where id = $1) << 32
                   and key < ((select number from room where id = $1) + 1) << 32
                 order by key limit $2)";
    Ok(query(sql)
        .bind(key(id))
        .bind(ERASE_BATCH)
        .execute(tx.connection())
        .await?)
}

/// Deletes the tombstones of the rooms that were erased more than a day ago.
pub(crate) async fn delete_expired_tombstones(store: &Store, now: Time) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    for sql in [
        "delete from room_tombstone_member
         where room in (select room from room_tombstone where expires_at <= $1)",
        "delete from room_tombstone where expires_at <= $1",
    ] {
        query(sql)
            .bind(now.millis())
            .execute(tx.connection())
            .await?;
    }
    tx.commit().await?;
    Ok(())
}
