//! `/rooms/{id}/notifications/`: which messages of a room notify the caller.
//!
//! # Not here
//! The pause and the quiet hours, which hold for all rooms (`notification_settings`).

use app::RoomNotificationsPage;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::{NotificationLevel, RoomId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::Payload;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;

/// Which messages of a room notify the caller.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RoomNotifications {
    /// `mentions`, the default: direct messages, and messages that mention the caller. `all`: every
    /// message. `none`: no message; the room is muted.
    level: NotificationLevel,
}

/// Shows which messages of a room notify the caller.
#[utoipa::path(get, path = "/rooms/{id}/notifications/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The level",
            content((RoomNotifications = "application/json"), (String = "text/html"))),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_room_notifications(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if format == Format::Json {
        let level = state.chat.load_notification_level(&by, &room).await?;
        return Ok(negotiated::json(RoomNotifications { level }));
    }
    let page = load_page(&state, &by, room).await?;
    let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
    Ok(form_page::show(app::room_notifications_page(&sheet, &page)))
}

async fn load_page(
    state: &AppState,
    by: &Person,
    room: RoomId,
) -> Result<RoomNotificationsPage, Error> {
    let room = state.chat.find_room(by, &room).await?;
    Ok(RoomNotificationsPage {
        room: room.id,
        is_direct: room.with.is_some(),
        level: room.level,
    })
}

/// Sets which messages of a room notify the caller, who needs an account or a guest key.
#[utoipa::path(put, path = "/rooms/{id}/notifications/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (RoomNotifications = "application/json"),
        (RoomNotifications = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The level", body = RoomNotifications),
        (status = 303, description = "Back to the page, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn set_room_notifications(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    payload: Payload<RoomNotifications>,
) -> Result<Response, Error> {
    let path = format!("/rooms/{room}/notifications/");
    format
        .answer(
            apply_level(&state, &by, room, &payload).await,
            |_| negotiated::redirect(payload.next(), &path),
            |level| negotiated::json(RoomNotifications { level }),
            async |error| {
                let page = load_page(&state, &by, room).await;
                let draw = app::room_notifications_page;
                form_page::rerender_room_page(error, &state, &by, &headers, room, page, draw).await
            },
        )
        .await
}

async fn apply_level(
    state: &AppState,
    by: &Person,
    room: RoomId,
    payload: &Payload<RoomNotifications>,
) -> Result<NotificationLevel, Error> {
    let level = payload.read()?.level;
    state.chat.set_notification_level(by, &room, level).await?;
    Ok(level)
}
