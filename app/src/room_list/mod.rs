//! Lists of rooms and chats: their data, the sidebar, and the form for a new room.
//!
//! **Guarantees:** every part of the page shares one store. **Not here:** a single room's page (`room`).

pub mod account_links;
pub mod list;
pub mod new_room_form;
pub mod sidebar;
pub mod store;
