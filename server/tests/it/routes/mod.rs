//! The resources of the API, one file a resource.

mod direct_chats;
mod file_downloads;
mod file_list;
mod file_previews;
mod files;
mod lobby;
mod long_poll;
mod message_changes;
mod messages;
mod notification_settings;
mod openapi;
mod overview;
mod pages;
mod room_listing;
mod room_notifications;
mod rooms;
mod upload_refusals;
mod uploads;
