//! `/rooms/{id}/sanctions/`: the people who are muted in a room or banned from it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chat::{Person, SanctionTarget};
use protocol::{Refusal, RoomId, Sanction, SanctionKind};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::next::Next;
use crate::extract::payload::{Number, Payload, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::negotiated::{self, Format};
use crate::routes::members::{PeopleCaller, answer_change};
use crate::state::AppState;

/// Lists the people who are muted in a room or banned from it; moderators can.
#[utoipa::path(get, path = "/rooms/{id}/sanctions/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The sanctions in force", body = Vec<Sanction>),
        (status = 303, description = "To the members, for clients that prefer pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_sanctions(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
) -> Result<Response, Error> {
    match format {
        Format::Html => Ok(negotiated::redirect(
            None,
            &format!("/rooms/{room}/members/"),
        )),
        Format::Json => Ok(negotiated::json(
            state.chat.list_sanctions(&by, &room).await?,
        )),
    }
}

/// A new sanction. Either `person` or `message` names the person.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateSanction {
    /// The person's ID, from the list of members.
    person: Option<String>,
    /// The `id` of a message that the person wrote.
    #[schema(value_type = Option<u64>, minimum = 1)]
    message: Option<Number<1, SEQ_MAX>>,
    /// `mute`: the person cannot write. `ban`: the person cannot enter.
    kind: SanctionKind,
    /// How long the sanction lasts, like `10m`; forever by default.
    #[schema(example = "10m")]
    timeout: Option<String>,
}

/// Mutes or bans a person with a lower role, for a time or forever.
///
/// The sanction applies to the account or to the guest's key, under any name. A ban ends the
/// streams and the WebSockets of the person.
#[utoipa::path(post, path = "/rooms/{id}/sanctions/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (CreateSanction = "application/json"),
        (CreateSanction = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 201, description = "The sanction is in force", body = Sanction),
        (status = 303, description = "Back to the members, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create_sanction(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    payload: Payload<CreateSanction>,
) -> Result<Response, Error> {
    let sanctioned = apply_sanction(&state, &by, room, format, &payload).await;
    let caller = PeopleCaller {
        state: &state,
        by: &by,
        room,
        headers: &headers,
    };
    answer_change(&caller, payload.next(), sanctioned, |sanctioned| {
        (StatusCode::CREATED, Json(sanctioned)).into_response()
    })
    .await
}

async fn apply_sanction(
    state: &AppState,
    by: &Person,
    room: RoomId,
    format: Format,
    payload: &Payload<CreateSanction>,
) -> Result<Sanction, Error> {
    let wish = match format {
        Format::Html => payload.read_form(&["timeout"])?,
        Format::Json => payload.read()?,
    };
    let target = match (wish.person, wish.message) {
        (Some(person), None) => SanctionTarget::Person(person),
        (None, Some(Number(seq))) => SanctionTarget::AuthorOf(seq),
        _ => {
            let rule = "or message must be given, and not both";
            return Err(Refusal::invalid("person", rule).into());
        }
    };
    let timeout = wish.timeout.as_deref();
    Ok(state
        .chat
        .impose_sanction(by, &room, &target, wish.kind, timeout)
        .await?)
}

/// Lifts a sanction.
#[utoipa::path(delete, path = "/rooms/{id}/sanctions/{person}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("person" = String, Path, description = "The person's ID, from the list of sanctions"),
    ),
    responses(
        (status = 204, description = "The sanction is lifted"),
        (status = 303, description = "Back to the members, for clients that prefer pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn lift_sanction(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, person): InsideRoom,
    headers: HeaderMap,
    Next(next): Next,
) -> Result<Response, Error> {
    let lifted = state.chat.lift_sanction(&by, &room, &person).await;
    let caller = PeopleCaller {
        state: &state,
        by: &by,
        room,
        headers: &headers,
    };
    let lifted = lifted.map_err(Error::from);
    answer_change(&caller, next.as_deref(), lifted, |()| {
        negotiated::no_content()
    })
    .await
}
