//! `/rooms/{id}/sanctions/`: the people who are muted in a room or banned from it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chat::SanctionTarget;
use protocol::{Refusal, Sanction, SanctionKind};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::next::Next;
use crate::extract::payload::{Number, Payload, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::negotiated::{self, Format};
use crate::routes::members::PeopleCaller;
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
        (status = 303, description = "Back to the members, or to the author of the message, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create_sanction(
    caller: PeopleCaller,
    format: Format,
    payload: Payload<CreateSanction>,
) -> Result<Response, Error> {
    let sanctioned = apply_sanction(&caller, format, &payload).await;
    let created = |sanction| (StatusCode::CREATED, Json(sanction)).into_response();
    // The card shows the author of the message, also one with another name by now.
    let author = payload.raw("message").and_then(|seq| seq.parse().ok());
    let card = author.map(app::query_of_author);
    let card = card.map(|query| format!("/rooms/{}/person/?{query}", caller.room));
    let next = payload.next().or(card.as_deref());
    caller.answer(sanctioned, next, created).await
}

async fn apply_sanction(
    caller: &PeopleCaller,
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
    let PeopleCaller {
        state, by, room, ..
    } = caller;
    Ok(state
        .chat
        .impose_sanction(by, room, &target, wish.kind, timeout)
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
    caller: PeopleCaller,
    InsideRoom(room, person): InsideRoom,
    Next(next): Next,
) -> Result<Response, Error> {
    let chat = &caller.state.chat;
    let lifted = chat.lift_sanction(&caller.by, &room, &person).await;
    let done = |()| negotiated::no_content();
    caller
        .answer(lifted.map_err(Error::from), next.as_deref(), done)
        .await
}
