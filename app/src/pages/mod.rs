//! Pages that are plain forms, rendered by the server alone and without the app.
//!
//! **Guarantees:** complete without a script. **Not here:** finding the data and checking the forms (`server`).

pub mod audit_log;
pub mod direct_chats;
pub mod form;
pub mod invitations;
pub mod member_names;
pub mod members;
pub mod profile;
pub mod room_settings;
pub mod sanctions;
pub mod sign_in;
