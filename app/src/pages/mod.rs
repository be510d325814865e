//! Pages with forms that the server renders alone, without the app.
//!
//! # Guarantees
//! Every page works without a script.
//!
//! # Not here
//! Loading the data and checking the forms (`server`).

pub mod audit_log;
pub mod direct_chats;
pub mod file_list;
pub mod form;
pub mod invitations;
pub mod language;
pub mod member_names;
pub mod members;
pub mod notification_settings;
pub mod person;
pub mod person_actions;
pub mod profile;
pub mod room_listing;
pub mod room_notifications;
pub mod room_settings;
pub mod sanctions;
pub mod sign_in;
pub mod sign_in_methods;
