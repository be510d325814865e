//! `/`: the home page, from which a person joins a room also without JavaScript.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use protocol::LinkTarget;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::query::Query;
use crate::openapi::responses::{QueryRefused, TokenRefused};
use crate::respond::page;
use crate::state::AppState;

/// Shows the home page. With a room's ID or link in `room`, or an invitation's link, it redirects
/// there, or shows at the field that there is no such room.
#[utoipa::path(get, path = "/", tag = "pages",
    params(("room" = Option<String>, Query, description = "The link or the ID of a room to join, or the link of an invitation")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 303, description = "To the room or the invitation"),
        TokenRefused,
        QueryRefused,
    ))]
pub(crate) async fn show_home(
    State(state): State<AppState>,
    Caller(by): Caller,
    query: Query,
    request: Request,
) -> Result<Response, Error> {
    let path = match query.text("room").and_then(LinkTarget::find_in) {
        Some(LinkTarget::Room(id)) => {
            let found = state.chat.find_room(&by, &id).await;
            found.ok().map(|room| format!("/rooms/{}/", room.id))
        }
        Some(LinkTarget::Page(path)) => Some(path),
        None => None,
    };
    match path {
        Some(path) => Ok(Redirect::to(&path).into_response()),
        None => Ok(page::render(&state, &by, request).await),
    }
}
