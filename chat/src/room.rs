//! Rooms: how they begin, how they are found, and how they are erased.
//!
//! A room's row is `open` until it expires, `frozen` while its archive is written, `archived` while its rows are erased;
//! only an open room answers. What remains for a day is a row in `gone`.

use std::time::Duration;

use protocol::{NewRoom, Refusal, Role, Room, RoomId, Time, text};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection, SqliteExecutor};

use crate::duration::parse_duration;
use crate::person::Person;
use crate::store::Store;
use crate::{Clock, Error, member};

/// How long a deleted room answers `410 Gone` before it answers `404 Not Found`.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// Rows erased in one transaction, so that posts to other rooms never wait long for a large room's end.
const ERASED_AT_ONCE: i64 = 2_000;

pub(crate) const COLUMNS: &str =
    "id, name, public, timeout_ms, created_at, last_active_at, expires_at, head, messages, description, access,
                       read_only, slow_ms";

/// Who may know of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody who knows its ID.
    Open = 0,
    /// Its members.
    Private = 1,
    /// The two whose conversation it is.
    Direct = 2,
}

/// One page of the public rooms, most recently active first.
#[derive(Clone, Copy, Debug)]
pub struct RoomsPage {
    /// Only rooms behind this one: its last activity and its ID.
    pub after: Option<(Time, RoomId)>,
    /// At most so many.
    pub limit: usize,
}

impl Default for RoomsPage {
    fn default() -> Self {
        Self {
            after: None,
            limit: 100,
        }
    }
}

/// A room as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub room: Room,
    pub timeout: Duration,
    /// Its newest sequence.
    pub head: u64,
    /// Whether it is a conversation of two.
    pub direct: bool,
}

/// How long a room lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    /// When it ends, unless somebody writes.
    pub end: Time,
    /// How long it may stay without a new message.
    pub timeout: Duration,
}

impl Life {
    /// When its followers are warned: a tenth of its lifetime before its end, an hour before at the earliest.
    pub fn closing_at(self) -> Time {
        let notice = (self.timeout / 10).min(Duration::from_secs(3_600));
        Time::from_millis(self.end.millis() - millis(notice))
    }
}

impl Stored {
    pub fn life(&self) -> Life {
        Life {
            end: self.room.expires_at,
            timeout: self.timeout,
        }
    }
}

impl FromRow<'_, SqliteRow> for Stored {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        let room = Room {
            id: room_id(row.try_get("id")?),
            name: row.try_get("name")?,
            public: row.try_get("public")?,
            created_at: Time::from_millis(row.try_get("created_at")?),
            last_active_at: Time::from_millis(row.try_get("last_active_at")?),
            expires_at: Time::from_millis(row.try_get("expires_at")?),
            message_count: row.try_get::<i64, _>("messages")?.unsigned_abs(),
            description: row.try_get("description")?,
            private: row.try_get::<i64, _>("access")? == Access::Private as i64,
            read_only: row.try_get("read_only")?,
            slow_mode: row.try_get::<i64, _>("slow_ms")?.unsigned_abs() / 1_000,
            role: None,
            unread: 0,
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
        })
    }
}

/// The ID as the database keeps it.
pub(crate) fn key(id: RoomId) -> i64 {
    i64::from_be_bytes(id.bytes())
}

/// The ID that the database keeps as `key`.
pub(crate) fn room_id(key: i64) -> RoomId {
    RoomId::from_bytes(key.to_be_bytes())
}

/// A lifetime as the database keeps it: whole milliseconds, at least one, at most what a time can say.
pub(crate) fn millis(duration: Duration) -> i64 {
    Time::from_millis(0).after(duration).millis().max(1)
}

/// Checks a wish for a room against the rules; `longest` is the server's own timeout.
pub(crate) fn check(by: &Person, wish: &NewRoom, longest: Duration) -> Result<New, Refusal> {
    let name = wish.name.as_deref().map(text::room_name).transpose()?;
    let asked = wish
        .timeout
        .as_deref()
        .map(|text| check_timeout(text, longest))
        .transpose()?;
    let private = wish.private.unwrap_or(false);
    if private && *by == Person::Anyone {
        return Err(Refusal::NotSignedIn);
    }
    let access = if private {
        Access::Private
    } else {
        Access::Open
    };
    Ok(New {
        name,
        public: wish.public.unwrap_or(false) && !private,
        asked,
        longest,
        access,
    })
}

pub(crate) fn check_timeout(text: &str, longest: Duration) -> Result<Duration, Refusal> {
    let longest_text = humantime::format_duration(longest);
    let advice = format!("must be a duration of at most {longest_text}, for example 30m");
    match parse_duration(text.trim()) {
        Ok(asked) if asked <= longest => Ok(asked),
        Ok(_) => Err(Refusal::invalid(
            "timeout",
            format!("is longer than this server keeps rooms; it {advice}"),
        )),
        Err(error) => Err(Refusal::invalid("timeout", format!("{error}; it {advice}"))),
    }
}

/// Stores a new room, its creator's if they can be known again, and gives it back.
pub(crate) async fn create(
    tx: &mut SqliteConnection,
    now: Time,
    by: &Person,
    new: New,
) -> Result<Room, Error> {
    let mut room = insert(tx, now, new).await?;
    if *by != Person::Anyone {
        member::add(tx, now, room.id, by.id(), Role::Owner).await?;
        room.role = Some(Role::Owner);
    }
    Ok(room)
}

/// What a new room is to be like.
pub(crate) struct New {
    pub name: Option<String>,
    pub public: bool,
    /// How long it may stay without a new message, if its creator said so.
    pub asked: Option<Duration>,
    /// How long it may stay otherwise.
    pub longest: Duration,
    pub access: Access,
}

pub(crate) async fn insert(tx: &mut SqliteConnection, now: Time, new: New) -> Result<Room, Error> {
    let id = RoomId::from_bytes(getrandom::u64()?.to_be_bytes());
    let timeout = new.asked.unwrap_or(new.longest);
    let sql = sqlx::AssertSqlSafe(format!(
        "insert into room
           (id, name, public, asked_ms, timeout_ms, created_at, last_active_at, expires_at, due_at, head, state, access)
         values ($1, $2, $3, $4, $5, $6, $6, $7, $7, 0, 0, $8) returning {COLUMNS}"
    ));
    let stored: Stored = sqlx::query_as(sql)
        .bind(key(id))
        .bind(new.name)
        .bind(new.public)
        .bind(new.asked.map(millis))
        .bind(millis(timeout))
        .bind(now.millis())
        .bind(now.after(timeout).millis())
        .bind(new.access as i64)
        .fetch_one(tx)
        .await?;
    Ok(stored.room)
}

/// The open room that is found by `name`, created if there is none.
pub(crate) async fn named(
    store: &Store,
    clock: &Clock,
    name: &str,
    longest: Duration,
) -> Result<Room, Error> {
    if let Some(room) = find_named(store.read(), name).await? {
        return Ok(room);
    }
    let mut tx = store.begin().await?;
    // Somebody else may have been quicker.
    if let Some(room) = find_named(&mut *tx, name).await? {
        return Ok(room);
    }
    let new = New {
        name: Some(name.to_owned()),
        public: false,
        asked: None,
        longest,
        access: Access::Open,
    };
    let room = insert(&mut tx, clock.now(), new).await?;
    sqlx::query("insert into named (name, room) values ($1, $2) on conflict (name) do update set room = excluded.room")
        .bind(name)
        .bind(key(room.id))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(room)
}

pub(crate) async fn find_named(
    executor: impl SqliteExecutor<'_>,
    name: &str,
) -> Result<Option<Room>, Error> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from room where state = 0 and id = (select room from named where name = $1)"
    ));
    let stored: Option<Stored> = sqlx::query_as(sql)
        .bind(name)
        .fetch_optional(executor)
        .await?;
    Ok(stored.map(|stored| stored.room))
}

/// The open room with this ID, if `by` may know of it.
pub(crate) async fn find(
    store: &Store,
    clock: &Clock,
    by: &Person,
    id: RoomId,
) -> Result<Stored, Error> {
    let mut connection = store.read().acquire().await?;
    find_in(&mut connection, clock.now(), by, id).await
}

/// The same, in a transaction that is going to act on it.
pub(crate) async fn find_in(
    connection: &mut SqliteConnection,
    now: Time,
    by: &Person,
    id: RoomId,
) -> Result<Stored, Error> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, (select role from membership where room = $1 and person = $2) as role,
           exists (select 1 from sanction where room = $1 and person = $2 and kind = 1 and coalesce(until, $3 + 1) > $3)
             as banned
         from room where id = $1 and state = 0
         and (access = 0 or exists (select 1 from membership where room = $1 and person = $2))"
    ));
    let found: Option<SqliteRow> = sqlx::query(sql)
        .bind(key(id))
        .bind(by.id())
        .bind(now.millis())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = found else {
        return Err(missing(connection, id).await?.into());
    };
    if row.try_get("banned")? {
        return Err(BANNED.into());
    }
    let mut stored = Stored::from_row(&row)?;
    let role: Option<i64> = row.try_get("role")?;
    // An operator keeps order wherever everybody may come.
    let operator =
        row.try_get::<i64, _>("access")? == 0 && by.member().is_some_and(|member| member.operator);
    stored.room.role = if operator {
        Some(Role::Owner)
    } else {
        role.map(role_of)
    };
    Ok(stored)
}

/// What the database means by a role.
pub(crate) fn role_of(stored: i64) -> Role {
    usize::try_from(stored)
        .ok()
        .and_then(|index| Role::ALL.get(index).copied())
        .unwrap_or(Role::Reader)
}

/// What whoever is banned is told, to read or to write.
pub(crate) const BANNED: Refusal = Refusal::Forbidden("You are banned from this room.");

impl Stored {
    /// Makes sure that whoever asks has this role or a greater one.
    pub fn ask(&self, least: Role) -> Result<(), Refusal> {
        match self.room.role {
            Some(role) if role >= least => Ok(()),
            _ if least == Role::Owner => Err(Refusal::Forbidden(
                "Only the owner of this room may do that.",
            )),
            _ => Err(Refusal::Forbidden(
                "Only moderators of this room may do that.",
            )),
        }
    }
}

/// Why there is no open room with this ID: it never was, or it is gone.
async fn missing(executor: &mut SqliteConnection, id: RoomId) -> Result<Refusal, Error> {
    // One that is open and yet not found is hidden from who asks.
    let sql = "select exists (select 1 from gone where room = $1)
                 or exists (select 1 from room where id = $1 and state <> 0)";
    let was: bool = sqlx::query_scalar(sql)
        .bind(key(id))
        .fetch_one(executor)
        .await?;
    Ok(if was {
        Refusal::Gone
    } else {
        Refusal::NotFound("room")
    })
}

/// A page of the open public rooms.
pub(crate) async fn page(store: &Store, page: RoomsPage) -> Result<Vec<Room>, Error> {
    let (time, id) = page
        .after
        .map_or((i64::MAX, i64::MAX), |(time, id)| (time.millis(), key(id)));
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from room where public and state = 0 and (last_active_at, id) < ($1, $2)
         order by last_active_at desc, id desc limit $3"
    ));
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let rooms: Vec<Stored> = sqlx::query_as(sql)
        .bind(time)
        .bind(id)
        .bind(limit)
        .fetch_all(store.read())
        .await?;
    Ok(rooms.into_iter().map(|stored| stored.room).collect())
}

/// Applies a timeout to the rooms of earlier runs, which may have had another: to conversations of two, or to all others.
pub(crate) async fn apply_timeout(
    store: &Store,
    longest: Duration,
    direct: bool,
) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let sql = "update room set timeout_ms = min(coalesce(asked_ms, $1), $1),
                 expires_at = min(last_active_at + min(coalesce(asked_ms, $1), $1), $2), due_at = 0
               where state = 0 and (access = 2) = $3 and timeout_ms <> min(coalesce(asked_ms, $1), $1)";
    let last = Time::from_millis(i64::MAX).millis();
    sqlx::query(sql)
        .bind(millis(longest))
        .bind(last)
        .bind(direct)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// When to look next for rooms that are due to expire.
pub(crate) async fn next_due(store: &Store) -> Result<Option<Time>, Error> {
    let sql = "select min(due_at) from room where state = 0";
    let due: Option<i64> = sqlx::query_scalar(sql).fetch_one(store.read()).await?;
    Ok(due.map(Time::from_millis))
}

/// Freezes every open room that is due: from the commit on nothing is written to them, and they answer `410 Gone`.
/// Says whether there was one.
pub(crate) async fn freeze_due(store: &Store, now: Time) -> Result<bool, Error> {
    let mut tx = store.begin().await?;
    let sql = "update room set state = 1 where state = 0 and due_at <= $1 and expires_at <= $1";
    let frozen = sqlx::query(sql)
        .bind(now.millis())
        .execute(&mut *tx)
        .await?
        .rows_affected();
    // Those that were written to since have moved on.
    let sql = "update room set due_at = expires_at where state = 0 and due_at <= $1";
    sqlx::query(sql)
        .bind(now.millis())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(frozen > 0)
}

/// Rooms on their way out, frozen ones and archived ones; `true` says that the archive is already complete.
pub(crate) async fn leaving(store: &Store, limit: i64) -> Result<Vec<(Stored, bool)>, Error> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS}, state from room where state in (1, 2) order by expires_at limit $1"
    ));
    let rows = sqlx::query(sql).bind(limit).fetch_all(store.read()).await?;
    let read = |row: &SqliteRow| Ok((Stored::from_row(row)?, row.try_get::<i64, _>("state")? == 2));
    rows.iter().map(read).collect()
}

/// Opens a frozen room again, until `expires_at`, because it could not be archived, and then does what follows of it.
pub(crate) async fn thaw(
    store: &Store,
    id: RoomId,
    expires_at: Time,
    then: impl FnOnce(),
) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let sql = "update room set state = 0, expires_at = $2, due_at = $2 where id = $1 and state = 1";
    sqlx::query(sql)
        .bind(key(id))
        .bind(expires_at.millis())
        .execute(&mut *tx)
        .await?;
    tx.commit_then(then).await
}

/// Erases every row of a room whose archive is complete (or not wanted), and remembers for a day that it was.
pub(crate) async fn erase(store: &Store, id: RoomId, now: Time) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    sqlx::query("update room set state = 2 where id = $1")
        .bind(key(id))
        .execute(&mut *tx)
        .await?;
    sqlx::query("insert into gone (room, until) values ($1, $2) on conflict do nothing")
        .bind(key(id))
        .bind(now.after(REMEMBERED).millis())
        .execute(&mut *tx)
        .await?;
    loop {
        let erased = erase_some(&mut tx, id).await?;
        if erased < ERASED_AT_ONCE.unsigned_abs() {
            break;
        }
        tx.commit().await?;
        tx = store.begin().await?;
    }
    for sql in [
        "delete from named where room = $1",
        "delete from member where room = $1",
        "delete from holder where room = $1",
        "delete from membership where room = $1",
        "delete from direct where room = $1",
        "delete from invitation where room = $1",
        "delete from sanction where room = $1",
        "delete from pace where room = $1",
        "delete from audit where room = $1",
    ] {
        sqlx::query(sql).bind(key(id)).execute(&mut *tx).await?;
    }
    sqlx::query("delete from room where id = $1")
        .bind(key(id))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    store.deleted().note();
    Ok(())
}

async fn erase_some(connection: &mut SqliteConnection, id: RoomId) -> Result<u64, Error> {
    let sql = "delete from message where room = $1
               and seq in (select seq from message where room = $1 order by seq limit $2)";
    Ok(sqlx::query(sql)
        .bind(key(id))
        .bind(ERASED_AT_ONCE)
        .execute(connection)
        .await?
        .rows_affected())
}

/// Forgets the rooms that were deleted more than a day ago.
pub(crate) async fn forget_gone(store: &Store, now: Time) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    sqlx::query("delete from gone where until <= $1")
        .bind(now.millis())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}
