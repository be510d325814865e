//! Lists of rooms and chats: their data, the sidebar, and the form for a new room.
//!
//! # Guarantees
//! All components share one store.
//!
//! # Not here
//! The page of a room (`room`).

pub mod account_links;
pub mod list;
pub mod new_room_form;
pub mod sidebar;
pub mod store;
pub mod unread;
