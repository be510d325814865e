//! `/rooms/{id}/listing/`: whether a room is among the caller's own rooms.

use app::{RoomListingPage, RoomPlace};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::RoomId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::Payload;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::negotiated::{self, Format};
use crate::respond::{form_page, page};
use crate::state::AppState;

/// Whether a room is among the caller's own rooms.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing {
    /// Whether the overview shows the room; `null` if the caller has not chosen, so that the overview
    /// shows it only where the request names it. The rooms of a member, and those that the caller
    /// has written in, are among their own.
    listed: Option<bool>,
}

/// Shows whether a room is among the caller's own rooms.
#[utoipa::path(get, path = "/rooms/{id}/listing/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "Whether the room is listed",
            content((Listing = "application/json"), (String = "text/html"))),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_listing(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if format == Format::Json {
        let listing = state.chat.load_listing(&by, &room).await?;
        let listed = listing.is_listed();
        return Ok(negotiated::json(Listing { listed }));
    }
    let page = load_page(&state, &by, &headers, room).await?;
    let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
    Ok(form_page::show(app::room_listing_page(&sheet, &page)))
}

async fn load_page(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    id: RoomId,
) -> Result<RoomListingPage, Error> {
    let room = state.chat.find_room(by, &id).await?;
    let listing = state.chat.load_listing(by, &id).await?;
    let is_visited = || page::visitor(headers).visits.contains(&id);
    let place = match by.public_id().filter(|_| listing.is_member) {
        Some(me) => RoomPlace::Member { me },
        None if listing.is_listed().unwrap_or_else(is_visited) => RoomPlace::Listed,
        None => RoomPlace::Elsewhere,
    };
    Ok(RoomListingPage { room, place })
}

/// A choice whether a room is among the caller's own rooms.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChooseListing {
    /// Whether to keep the room; otherwise it is hidden until the caller writes there or keeps it.
    listed: bool,
}

/// Keeps a room among the caller's own rooms, or hides it.
///
/// The caller needs an account or a guest key. A member leaves a room instead of hiding it.
#[utoipa::path(put, path = "/rooms/{id}/listing/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (ChooseListing = "application/json"),
        (ChooseListing = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "Whether the room is listed", body = Listing),
        (status = 303, description = "Back to the page, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn choose_listing(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    payload: Payload<ChooseListing>,
) -> Result<Response, Error> {
    let path = format!("/rooms/{room}/listing/");
    format
        .answer(
            apply_choice(&state, &by, room, &payload).await,
            |_| negotiated::redirect(payload.next(), &path),
            |listed| {
                let listed = Some(listed);
                negotiated::json(Listing { listed })
            },
            async |error| {
                let page = load_page(&state, &by, &headers, room).await;
                let draw = app::room_listing_page;
                form_page::rerender_room_page(error, &state, &by, &headers, room, page, draw).await
            },
        )
        .await
}

async fn apply_choice(
    state: &AppState,
    by: &Person,
    room: RoomId,
    payload: &Payload<ChooseListing>,
) -> Result<bool, Error> {
    let is_listed = payload.read()?.listed;
    state.chat.set_listing(by, &room, is_listed).await?;
    Ok(is_listed)
}
