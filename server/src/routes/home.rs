//! `/`: the home page, from which a person joins a room also without JavaScript.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use protocol::RoomId;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::query::Query;
use crate::openapi::responses::{QueryRefused, TokenRefused};
use crate::respond::page;
use crate::state::AppState;

/// Shows the home page. With a room's ID or link in `room` it redirects to the room, or shows at
/// the field that there is no such room.
#[utoipa::path(get, path = "/", tag = "pages",
    params(("room" = Option<String>, Query, description = "The ID or the link of a room to join")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To the room"),
        TokenRefused,
        QueryRefused,
    ))]
pub(crate) async fn show_home(
    State(state): State<AppState>,
    Caller(by): Caller,
    query: Query,
    request: Request,
) -> Result<Response, Error> {
    if let Some(id) = query.text("room").and_then(RoomId::find_in)
        && state.chat.find_room(&by, &id).await.is_ok()
    {
        return Ok(Redirect::to(&format!("/rooms/{id}/")).into_response());
    }
    Ok(page::render(&state, &by, request).await)
}
