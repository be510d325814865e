//! The words on the wire, shared by the server and the browser.
//!
//! Promises: what is here serialises the same on both sides, compiles natively and for wasm32, and depends on
//! nothing that does I/O. Leaves to others: what the words mean for stored rooms (`chat`), and HTTP (`server`).

mod account;
mod cursor;
mod member;
mod message;
mod overview;
mod refusal;
mod room;
#[cfg(feature = "schema")]
pub mod schema;
pub mod text;
mod time;

pub use account::{Account, Author, Conversation, Credentials, NewAccount};
pub use cursor::{Cursor, Epoch, ParseCursorError, Start};
pub use member::{Deed, Invitation, NewInvitation, Role, RoomMember, Sanction, Sanctioned};
pub use message::{Change, ChangeKind, Message, NewMessage};
pub use overview::Overview;
pub use refusal::{Problem, Refusal};
pub use room::{NewRoom, ParseRoomIdError, Room, RoomChange, RoomId};
pub use time::Time;
