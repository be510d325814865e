//! What the browser remembers about its visitor: display name, theme, rooms visited, account.
//!
//! **Not here:** authentication, which only the server does.

pub mod display_name;
pub mod theme;
pub mod visitor;
