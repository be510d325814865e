//! `/rooms/{id}/typing/`: saying that somebody types.

use axum::extract::State;
use axum::http::StatusCode;
use protocol::Problem;
use protocol::schema::Username;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::Fields;
use crate::extract::room_path::RoomPath;
use crate::limit::Action;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::state::AppState;

/// Who types.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `post` reads field by field")]
pub(crate) struct Typist {
    /// Under this name.
    username: Username,
}

/// Says that somebody types.
///
/// Those who follow the room are told with the event `typing`. It lasts six seconds unless it is said again, which is worth
/// doing every three; it ends with a message of that name, and when the name leaves.
#[utoipa::path(post, path = "/rooms/{id}/typing/", tag = "messages",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content((Typist = "application/json"), (Typist = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "Those who follow are told"),
        (status = 409, description = "Somebody else has the name", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
        RoomRefused,
    ))]
pub(crate) async fn report_typing(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    fields: Fields,
) -> Result<StatusCode, Error> {
    state.limits.check_caller(Action::Typing, &by, Some(room))?;
    state
        .chat
        .notify_typing(&by, &room, fields.required("username")?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
