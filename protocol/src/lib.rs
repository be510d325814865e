//! The types that server and browser exchange: IDs, messages, rooms, cursors, refusals and limits.
//!
//! # Guarantees
//! - The server and the browser serialize every type in the same way.
//! - The crate compiles natively and for wasm32, and no dependency does I/O.
//!
//! # Not here
//! The rules that need stored data (crate `chat`) and HTTP (crate `server`).

mod account;
pub mod characters;
mod client_id;
mod content;
mod cursor;
mod event;
mod file;
mod file_space;
mod hexadecimal;
mod link_target;
mod mark;
mod member;
mod message;
mod normal_form;
mod notification;
mod overview;
mod person_card;
mod problem;
mod refusal;
mod room;
mod room_end;
#[cfg(feature = "schema")]
pub mod schema;
pub mod text;
mod time;
mod transcript;
mod visible_role;

pub use account::{Account, Author, Credentials, NewAccount};
pub use client_id::client_id;
pub use content::MessageContent;
pub use cursor::{Cursor, Epoch, ParseCursorError, Start};
pub use event::{Change, ChangeKind, EventName};
pub use file::{
    FILES_MAX, File, FileId, FilePreview, PICTURE_TYPES, ParseFileIdError, SOUND_TYPES,
    VIDEO_TYPES, file_path, preview_path,
};
pub use file_space::FileSpace;
pub use hexadecimal::hexadecimal;
pub use link_target::LinkTarget;
pub use mark::{Mark, MarkKind};
pub use member::{AuditEntry, Invitation, NewInvitation, Role, RoomMember, Sanction, SanctionKind};
pub use message::{Message, NewMessage};
pub use normal_form::nfc;
pub use notification::{NotificationLevel, NotificationSettings, QuietHours};
pub use overview::{DirectChat, Overview, PersonOverview};
pub use person_card::{PersonAction, PersonCard, PersonSanction};
pub use problem::{InvalidField, Problem};
pub use refusal::Refusal;
pub use room::{NewRoom, ParseRoomIdError, Room, RoomChange, RoomId};
pub use room_end::RoomEnd;
pub use time::Time;
pub use transcript::transcript_lines;
pub use visible_role::{VisibleRole, find_role, role_entry};
