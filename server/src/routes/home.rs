//! `/`: the home page, and joining a room from it without JavaScript.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use protocol::{Problem, RoomId};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::Query;
use crate::respond::page;
use crate::state::AppState;

/// The home page. With a room's ID or link in `room` it leads to that room, or says at the field that there is none.
#[utoipa::path(get, path = "/", tag = "pages",
    params(("room" = Option<String>, Query, description = "The ID or the link of a room to join")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To the room"),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show_home(
    State(state): State<AppState>,
    Caller(by): Caller,
    Query(query): Query,
    request: Request,
) -> Result<Response, Error> {
    if let Some(id) = query.text("room")?.and_then(RoomId::find)
        && state.chat.find_room(&by, &id).await.is_ok()
    {
        return Ok(Redirect::to(&format!("/rooms/{id}/")).into_response());
    }
    Ok(page::render(&state, &by, request).await)
}
