//! `/rooms/{id}/seen/`: how far the caller has read a room.

use axum::extract::State;
use axum::http::StatusCode;
use protocol::Refusal;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::{Fields, SEQ_MAX};
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::state::AppState;

/// Says up to where a room has been read, by whoever belongs to it.
///
/// `seen` is the sequence of the last message that was read; what was read stays read.
#[utoipa::path(post, path = "/rooms/{id}/seen/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content((Seen = "application/json"), (Seen = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "Read"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn move_read_marker(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    fields: Fields,
) -> Result<StatusCode, Error> {
    let seen = fields
        .number("seen", 0, SEQ_MAX)?
        .ok_or_else(|| Refusal::invalid("seen", "is missing"))?;
    state.chat.move_read_marker(&by, &room, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Up to where a room has been read.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `seen` reads field by field")]
pub(crate) struct Seen {
    /// The sequence of the last message that was read.
    #[schema(minimum = 0, maximum = 9223372036854775807u64)]
    seen: u64,
}
