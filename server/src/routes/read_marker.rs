//! `/rooms/{id}/seen/`: how far the caller has read a room.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::{Number, Payload, SEQ_MAX};
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::state::AppState;

/// How far the caller has read a room.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct MoveReadMarker {
    /// The sequence number of the last message that the caller has read.
    #[schema(value_type = u64, minimum = 0, maximum = 9223372036854775807u64)]
    seen: Number<0, SEQ_MAX>,
}

/// Moves the caller's read marker in a room that the caller belongs to.
///
/// `seen` is the sequence number of the last message that the caller has read. The marker never
/// moves back.
#[utoipa::path(post, path = "/rooms/{id}/seen/", tag = "people",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (MoveReadMarker = "application/json"),
        (MoveReadMarker = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 204, description = "The marker is moved"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn move_read_marker(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    payload: Payload<MoveReadMarker>,
) -> Result<StatusCode, Error> {
    let Number(seen) = payload.read()?.seen;
    state.chat.move_read_marker(&by, &room, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
