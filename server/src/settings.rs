//! `/rooms/{id}/settings/`: the page on which an owner changes what a room is like.

use app::Settings;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::{Problem, Refusal, Room};

use crate::AppState;
use crate::caller::Caller;
use crate::error::Error;
use crate::fields::{Fields, Query};
use crate::form;
use crate::refused::RoomRefused;
use crate::room::InRoom;

/// The page of a room's settings: a form for its owner, what it is like for everybody else.
#[utoipa::path(get, path = "/rooms/{id}/settings/", tag = "pages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("saved" = Option<String>, Query, description = "Says that they have just been changed"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let settings = Settings {
        room: state.chat.room(&by, &room).await?,
        timeout: String::new(),
        longest: state.chat.timeout(),
        saved: query.text("saved")?.is_some(),
    };
    Ok(form::fresh(app::settings_page(
        &form::of_room(&headers, room),
        &settings,
    )))
}

/// The page again, with what was typed and what is wrong with it.
pub(crate) async fn again(
    state: &AppState,
    Caller(by): &Caller,
    headers: &HeaderMap,
    InRoom(id): InRoom,
    fields: &Fields,
    error: Error,
) -> Result<Response, Error> {
    // Whoever may not know of the room is told nothing else about it.
    let Ok(room) = state.chat.room(by, &id).await else {
        return Err(error);
    };
    let typed = |field| {
        fields
            .text(field)
            .map(|text| text.unwrap_or_default().to_owned())
    };
    let settings = Settings {
        room: with(room, fields)?,
        timeout: typed("timeout")?,
        longest: state.chat.timeout(),
        saved: false,
    };
    let at = |field: Option<&str>| match field {
        Some("name") => "name",
        Some("description") => "description",
        _ => "",
    };
    let sheet = form::of_room(headers, id);
    form::again(headers, error, at, |wrong| {
        app::settings_page(&sheet.with(wrong), &settings)
    })
}

/// The room as it would be with these fields, right or wrong.
fn with(room: Room, fields: &Fields) -> Result<Room, Refusal> {
    let text = |field, so_far: Option<String>| {
        Ok::<_, Refusal>(fields.text(field)?.map(str::to_owned).or(so_far))
    };
    let (public, private) = crate::room::access(fields).unwrap_or_default();
    Ok(Room {
        name: text("name", room.name)?,
        description: text("description", room.description)?,
        public: public.unwrap_or(room.public),
        private: private.unwrap_or(room.private),
        read_only: fields
            .flag("read_only")
            .ok()
            .flatten()
            .unwrap_or(room.read_only),
        slow_mode: fields
            .number("slow_mode", 0, u64::MAX)
            .ok()
            .flatten()
            .unwrap_or(room.slow_mode),
        ..room
    })
}
