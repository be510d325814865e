//! The types of the rows, and their conversion from and to the columns of the database.

use std::time::Duration;

use protocol::{
    Author, Invitation, Message, NotificationLevel, Refusal, Role, Room, RoomEnd, RoomId,
    SanctionKind, Time,
};

use super::file_rows::StoredContent;
use super::sql::{FromRow, Row};
use crate::lifetime::Lifetime;

/// The milliseconds of a minute. The activity of a member's room is stored by the minute.
pub(crate) const MINUTE: i64 = 60_000;

/// The columns of a [`RoomRow`].
pub(crate) const ROOM_COLUMNS: &str =
    "id, name, public, timeout_ms, created_at, last_active_at, expires_at, head, message_count,
     description, access, read_only, slow_mode_ms";

/// The lifetime in the columns of a room.
pub(crate) fn lifetime_from_row(end: i64, timeout: i64) -> Lifetime {
    Lifetime {
        end: Time::from_millis(end),
        timeout: Duration::from_millis(timeout.unsigned_abs()),
    }
}

/// Who may find a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every caller who knows the ID.
    Open = 0,
    /// The members.
    Private = 1,
    /// The two participants of the direct chat.
    Direct = 2,
}

/// A room as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct RoomRow {
    pub room: Room,
    pub timeout: Duration,
    /// The newest sequence number.
    pub head: u64,
    /// Whether it is a direct chat.
    pub direct: bool,
    /// What the person for whom the room was found has chosen for their list of rooms.
    pub listing: Listing,
}

/// Whether a person has chosen that a room is among their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// The person has not chosen.
    #[default]
    Unset = 0,
    /// The person keeps the room, or has written in it.
    Kept = 1,
    /// The person has hidden or left the room.
    Hidden = 2,
}

/// The choice that is stored as `stored`.
pub(crate) fn listing_from_row(stored: Option<i64>) -> Listing {
    match stored {
        Some(1) => Listing::Kept,
        Some(2) => Listing::Hidden,
        _ => Listing::Unset,
    }
}

/// The notification level that is stored as `stored`.
pub(crate) fn level_from_row(stored: Option<i64>) -> NotificationLevel {
    let mut levels = NotificationLevel::ALL.into_iter();
    levels
        .find(|level| Some(*level as i64) == stored)
        .unwrap_or_default()
}

/// The ID as it is stored.
pub(crate) fn key(id: RoomId) -> i64 {
    i64::from_be_bytes(id.bytes())
}

/// The ID that is stored as `key`.
pub(crate) fn room_id(key: i64) -> RoomId {
    RoomId::from_bytes(key.to_be_bytes())
}

/// A duration as it is stored: whole milliseconds, at least one, at most the greatest time.
pub(crate) fn millis(duration: Duration) -> i64 {
    Time::from_millis(0).after(duration).millis().max(1)
}

/// A limit as a number of the database.
pub(super) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A sequence number as it is stored.
pub(super) fn stored_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A room that was found for a person.
pub(crate) struct FoundRoom {
    pub row: RoomRow,
    /// The role of the person; `None` if the person is not a member.
    pub role: Option<Role>,
    /// The sanction of the person in the room.
    pub sanction: Option<ActiveSanction>,
}

/// The columns of a new room.
pub(crate) struct NewRoomRow {
    pub name: Option<String>,
    pub public: bool,
    /// The timeout that the creator asked for.
    pub requested_timeout: Option<Duration>,
    /// The timeout of the server, used if the creator asked for none.
    pub longest: Duration,
    pub access: Access,
}

/// The role that is stored as `stored`.
pub(crate) fn role_from_row(stored: i64) -> Role {
    usize::try_from(stored)
        .ok()
        .and_then(|index| Role::ALL.get(index).copied())
        .unwrap_or(Role::Reader)
}

/// The sanction of a person in a room, which has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ActiveSanction {
    pub kind: SanctionKind,
    /// `None` for a sanction without an end.
    pub until: Option<Time>,
}

impl ActiveSanction {
    /// A sanction as it is stored.
    pub fn from_row(kind: i64, until: Option<i64>) -> Self {
        Self {
            kind: sanction_from_row(kind),
            until: until.map(Time::from_millis),
        }
    }

    /// The refusal for the person.
    pub fn refusal(self) -> Refusal {
        Refusal::Sanctioned {
            kind: self.kind,
            until: self.until,
        }
    }
}

/// The end of a room that is stored as `stored`.
pub(crate) fn room_end_from_row(stored: i64) -> RoomEnd {
    let mut ends = RoomEnd::ALL.into_iter();
    ends.find(|end| *end as i64 == stored).unwrap_or_default()
}

/// The sanction that is stored as `stored`.
pub(crate) fn sanction_from_row(stored: i64) -> SanctionKind {
    if stored == SanctionKind::Ban as i64 {
        SanctionKind::Ban
    } else {
        SanctionKind::Mute
    }
}

/// An invitation to a room.
pub(crate) struct InvitationRow {
    pub room: RoomId,
    pub room_name: Option<String>,
    pub invitation: Invitation,
}

/// The two accounts of a direct room in the order of their IDs. Both are the same for notes to
/// oneself.
#[derive(Clone, Copy)]
pub(crate) struct AccountPair {
    pub low: i64,
    pub high: i64,
}

impl AccountPair {
    pub fn of(one: i64, other: i64) -> Self {
        Self {
            low: one.min(other),
            high: one.max(other),
        }
    }
}

/// The kind of author that a message shows, by the ID of the author; `None` for an anonymous one.
pub(crate) fn author_from_row(id: i64) -> Option<Author> {
    match id {
        0 => None,
        1.. => Some(Author::Account),
        _ => Some(Author::Guest),
    }
}

/// A page of a room's messages.
#[derive(Clone, Copy, Debug)]
pub struct MessagesPage {
    /// Only messages before this sequence number.
    pub before: Option<u64>,
    /// Only messages after this sequence number. The page then has the oldest of them, and
    /// otherwise the newest.
    pub after: Option<u64>,
    /// The most messages in the page.
    pub limit: usize,
    /// The page ends with the message by which it has this many bytes as JSON.
    pub bytes: usize,
}

impl Default for MessagesPage {
    fn default() -> Self {
        Self {
            before: None,
            after: None,
            limit: 100,
            bytes: 128 * 1024,
        }
    }
}

/// The key of an entry: the number of its room in the upper half, its sequence number in the lower
/// half.
pub(crate) fn message_key(room_number: i64, seq: u64) -> i64 {
    (room_number << 32) | key_seq(seq)
}

/// A sequence number in the key of an entry. Those that no log reaches become the greatest one.
pub(crate) fn key_seq(seq: u64) -> i64 {
    i64::from(u32::try_from(seq).unwrap_or(u32::MAX))
}

/// The sequence number in the key of an entry.
pub(super) fn key_seq_of(message: i64) -> i64 {
    message & i64::from(u32::MAX)
}

/// A message as it is stored.
pub(crate) struct MessageRow(pub Message);

impl FromRow for MessageRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let deleted: bool = row.try_get("deleted")?;
        let room = room_id(row.try_get("room")?);
        let stored = StoredContent {
            body: row.try_get("body")?,
            files: row.try_get("files")?,
        };
        Ok(Self(Message {
            id: row.try_get::<i64, _>("seq")?.unsigned_abs(),
            room,
            username: row.try_get("username")?,
            name: row.try_get("author_name")?,
            author: author_from_row(row.try_get("author")?),
            client_id: row.try_get("client_id")?,
            sent_at: Time::from_millis(row.try_get("sent_at")?),
            edited_at: row
                .try_get::<Option<i64>, _>("edited_at")?
                .map(Time::from_millis),
            content: (!deleted).then(|| stored.content(room)).transpose()?,
            own: false,
        }))
    }
}

/// The columns of a [`MessageRow`] except `room`, in a query that calls the table `shown`. The name
/// of an account is the one that it has now.
pub(crate) const MESSAGE_COLUMNS: &str = "shown.key & 4294967295 as seq, shown.username,
    shown.body, shown.files, shown.sent_at, shown.author, shown.edited_at, shown.client_id,
    shown.deleted_at is not null as deleted,
    (select name from account where account.id = shown.author) as author_name";

/// A page of the public rooms, the most recently active first.
#[derive(Clone, Copy, Debug)]
pub struct RoomsPage {
    /// Only rooms after this one, given by its last activity and its ID.
    pub after: Option<(Time, RoomId)>,
    /// The most rooms in the page.
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

/// A session of an account, as far as it shows whether the session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AccountSession {
    pub account: i64,
    /// The generation of the account's sessions.
    pub generation: i64,
    /// The session's own ID, if it is known.
    pub id: Option<i64>,
}

/// An account as it is stored.
pub(crate) struct AccountRow {
    pub id: i64,
    pub username: String,
    pub name: String,
    /// `None` if the account has no password.
    pub password_hash: Option<String>,
    pub operator: bool,
    pub generation: i64,
}

/// The columns of a new account, which has no sessions yet and is no operator.
pub(crate) struct NewAccountRow<'a> {
    pub id: i64,
    pub username: &'a str,
    /// What the username looks like.
    pub skeleton: &'a str,
    pub name: &'a str,
    /// `None` for an account without a password.
    pub password_hash: Option<&'a str>,
    pub created_at: Time,
}

/// The columns of an account that the comparison of usernames reads.
#[derive(Clone, Debug)]
pub(crate) struct AccountSkeletonRow {
    pub id: i64,
    pub username: String,
    /// What the username looks like.
    pub skeleton: String,
    /// In milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// An identity that an account is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The provider.
    pub issuer: String,
    /// When the account was linked.
    pub linked_at: Time,
}

/// Which accounts to list.
#[derive(Clone, Debug)]
pub struct AccountsPage {
    /// List only accounts whose name or username contains this text.
    pub search: String,
    /// List only usernames that sort after this one.
    pub after: String,
    /// List at most this many.
    pub limit: usize,
}

impl Default for AccountsPage {
    fn default() -> Self {
        Self {
            search: String::new(),
            after: String::new(),
            limit: 1_000,
        }
    }
}

/// A member of a room.
pub(crate) struct MemberRow {
    pub person: i64,
    /// The username of an account, or the name that a guest writes under in the room.
    pub name: Option<String>,
    pub role: Role,
    pub joined_at: Time,
}

/// A sanction in a room.
pub(crate) struct SanctionRow {
    pub person: i64,
    /// The username of the person's account, if there is one.
    pub username: Option<String>,
    pub kind: SanctionKind,
    /// `None` for a sanction without an end.
    pub until: Option<Time>,
}
