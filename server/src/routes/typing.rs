//! `/rooms/{id}/typing/`: reporting that a person is typing.

use axum::extract::State;
use axum::http::StatusCode;
use protocol::schema::Username;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::Payload;
use crate::extract::room_path::RoomPath;
use crate::limit::Action;
use crate::openapi::responses::{BodyRefused, NameRefused, RoomRefused};
use crate::state::AppState;

/// The person who is typing.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ReportTyping {
    /// The person's name.
    #[schema(value_type = Username)]
    username: String,
}

/// Reports that a person is typing.
///
/// Followers of the room receive the event `typing`. The state lasts six seconds; a client that
/// repeats the report every three seconds keeps it. It ends with a message of that name, and when
/// the name leaves.
#[utoipa::path(post, path = "/rooms/{id}/typing/", tag = "messages",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (ReportTyping = "application/json"),
        (ReportTyping = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 204, description = "The followers are notified"),
        NameRefused,
        BodyRefused,
        RoomRefused,
    ))]
pub(crate) async fn report_typing(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    payload: Payload<ReportTyping>,
) -> Result<StatusCode, Error> {
    state.limits.check_caller(Action::Typing, &by, Some(room))?;
    let username = payload.read()?.username;
    state.chat.notify_typing(&by, &room, &username).await?;
    Ok(StatusCode::NO_CONTENT)
}
