//! The handlers, one file a resource, named as its path.
//!
//! # Guarantees
//! Every handler is described for the OpenAPI document.
//!
//! # Not here
//! The layers around the handlers (`router`), and the rules (`chat`).

pub(crate) mod accounts;
pub(crate) mod api_docs;
pub(crate) mod audit_log;
pub(crate) mod direct_chats;
pub(crate) mod events;
pub(crate) mod export;
mod file_form;
pub(crate) mod file_list;
pub(crate) mod file_previews;
pub(crate) mod files;
pub(crate) mod guests;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod invitations;
pub(crate) mod language;
pub(crate) mod lobby;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod notification_settings;
pub(crate) mod oidc;
pub(crate) mod overview;
pub(crate) mod password;
pub(crate) mod person;
pub(crate) mod profile;
pub(crate) mod provider_link;
pub(crate) mod qr_code;
pub(crate) mod read_marker;
pub(crate) mod room_listing;
pub(crate) mod room_notifications;
pub(crate) mod room_settings;
pub(crate) mod room_socket;
pub(crate) mod rooms;
pub(crate) mod sanctions;
pub(crate) mod sign_out;
pub(crate) mod typing;
pub(crate) mod uploads;
