//! Components and helpers that several pages share.
//!
//! # Guarantees
//! Nothing here depends on the connection or on the state of a room.

pub mod avatar;
pub mod copy_button;
pub mod drawn_element;
pub mod element_tree;
#[cfg(feature = "ssr")]
pub mod file_size;
pub mod icon;
pub mod identicon;
pub mod later;
pub mod lifetime_field;
mod next_element;
#[cfg(feature = "ssr")]
pub mod qr_code;
pub mod stable_list;
pub mod theme_switch;
pub mod time_left;
pub mod visibility_field;
pub mod without_app;
