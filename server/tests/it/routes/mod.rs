//! The resources of the API, one file a resource.

mod direct_chats;
mod lobby;
mod long_poll;
mod message_changes;
mod messages;
mod openapi;
mod overview;
mod pages;
mod rooms;
