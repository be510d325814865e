//! `/rooms/{id}/sanctions/` and `/rooms/{id}/audit/`: keeping order in a room.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chat::{Person, SanctionTarget};
use protocol::{Refusal, RoomId, Sanction, Sanctioned};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::accept;
use crate::extract::caller::Caller;
use crate::extract::payload::{Fields, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::form_page;
use crate::routes::members::answer;
use crate::state::AppState;

/// Who is kept from something in a room now, for its moderators.
#[utoipa::path(get, path = "/rooms/{id}/sanctions/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "Those who are muted or banned", body = Vec<Sanctioned>),
        (status = 303, description = "To the people, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_sanctions(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if accept::prefers_html(&headers) {
        return Ok(form_page::on(None, &format!("/rooms/{room}/members/")));
    }
    Ok(accept::json(state.chat.list_sanctions(&by, &room).await?))
}

/// Who is to be kept from what; one of `person` and `message` says who.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads field by field")]
pub(crate) struct NewSanction {
    /// As in the list of members.
    person: Option<String>,
    /// The `id` of a message that they wrote.
    #[schema(minimum = 1)]
    message: Option<u64>,
    /// From writing, or from being there.
    kind: Sanction,
    /// How long, like `10m`; for good if it is left out.
    #[schema(example = "10m")]
    timeout: Option<String>,
}

/// The same as a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads field by field")]
pub(crate) struct NewSanctionForm {
    /// As in the list of members.
    #[schema(required = false)]
    person: String,
    /// The `id` of a message that they wrote.
    #[schema(required = false, minimum = 1)]
    message: u64,
    /// From writing, or from being there.
    kind: Sanction,
    /// How long, like `10m`; for good if it is left out.
    #[schema(required = false, example = "10m")]
    timeout: String,
}

/// Mutes or bans somebody with a lesser role, for a while or for good.
///
/// It holds for the account or the guest's key, under whatever name. A ban ends the streams and sockets of that person.
#[utoipa::path(post, path = "/rooms/{id}/sanctions/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content((NewSanction = "application/json"), (NewSanctionForm = "application/x-www-form-urlencoded"))),
    responses(
        (status = 201, description = "It holds", body = Sanctioned),
        (status = 303, description = "Back to the people, for clients that ask for pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create_sanction(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = accept::prefers_html(&headers);
    let held = hold(&state, &by, room, &fields, form).await;
    let done = (held, |held| {
        (StatusCode::CREATED, Json(held)).into_response()
    });
    answer(&state, &by, room, &headers, Some(&fields), done).await
}

async fn hold(
    state: &AppState,
    by: &Person,
    room: RoomId,
    fields: &Fields,
    form: bool,
) -> Result<Sanctioned, Error> {
    let whom = match (
        fields.text("person")?,
        fields.number("message", 1, SEQ_MAX)?,
    ) {
        (Some(person), None) => SanctionTarget::Person(person.to_owned()),
        (None, Some(seq)) => SanctionTarget::AuthorOf(seq),
        _ => {
            return Err(
                Refusal::invalid("person", "or message must be given, and not both").into(),
            );
        }
    };
    let kind = match fields.required("kind")? {
        "mute" => Sanction::Mute,
        "ban" => Sanction::Ban,
        _ => return Err(Refusal::invalid("kind", "must be mute or ban").into()),
    };
    // On a page, no time is for good.
    let lasts = fields
        .text("timeout")?
        .filter(|text| !(form && text.is_empty()));
    Ok(state
        .chat
        .impose_sanction(by, &room, &whom, kind, lasts)
        .await?)
}

/// Takes a sanction back.
#[utoipa::path(delete, path = "/rooms/{id}/sanctions/{person}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("person" = String, Path, description = "As in the list of sanctions"),
    ),
    responses(
        (status = 204, description = "It holds no longer"),
        (status = 303, description = "Back to the people, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn lift_sanction(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, person): InsideRoom,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    let pardoned = state
        .chat
        .lift_sanction(&by, &room, &person)
        .await
        .map_err(Error::from);
    let done = (pardoned, |()| StatusCode::NO_CONTENT.into_response());
    answer(&state, &by, room, &headers, fields.ok().as_ref(), done).await
}
