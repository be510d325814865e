//! `/rooms/{id}/sanctions/` and `/rooms/{id}/audit/`: keeping order in a room.

use std::collections::BTreeSet;

use app::Trail;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chat::{Person, Whom};
use protocol::{Deed, Problem, Refusal, RoomId, Sanction, Sanctioned};
use utoipa::ToSchema;

use crate::AppState;
use crate::caller::Caller;
use crate::error::Error;
use crate::fields::{Fields, Query};
use crate::member::{Inside, answer};
use crate::message::SEQ_MAX;
use crate::refused::{BodyRefused, RoomRefused};
use crate::room::{InRoom, LIMIT_MAX};
use crate::{form, negotiate};

/// Who is kept from something in a room now, for its moderators.
#[utoipa::path(get, path = "/rooms/{id}/sanctions/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "Those who are muted or banned", body = Vec<Sanctioned>),
        (status = 303, description = "To the people, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if negotiate::prefers_html(&headers) {
        return Ok(form::on(None, &format!("/rooms/{room}/members/")));
    }
    Ok(negotiate::json(state.chat.sanctions(&by, &room).await?))
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
pub(crate) async fn create(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = negotiate::prefers_html(&headers);
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
        (Some(person), None) => Whom::Person(person.to_owned()),
        (None, Some(seq)) => Whom::AuthorOf(seq),
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
    Ok(state.chat.sanction(by, &room, &whom, kind, lasts).await?)
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
pub(crate) async fn pardon(
    State(state): State<AppState>,
    Caller(by): Caller,
    Inside(room, person): Inside,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    let pardoned = state
        .chat
        .pardon(&by, &room, &person)
        .await
        .map_err(Error::from);
    let done = (pardoned, |()| StatusCode::NO_CONTENT.into_response());
    answer(&state, &by, room, &headers, fields.ok().as_ref(), done).await
}

/// What moderators and the owner of a room did, the latest first, for its moderators.
#[utoipa::path(get, path = "/rooms/{id}/audit/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("before" = Option<u64>, Query, description = "Only deeds before this one"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "At most so many; 100 if not given"),
    ),
    responses(
        (status = 200, description = "The deeds", content((Vec<Deed> = "application/json"), (String = "text/html"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn audit(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let before = query.number("before", 0, SEQ_MAX)?.unwrap_or(SEQ_MAX);
    let limit =
        usize::try_from(query.number("limit", 1, LIMIT_MAX)?.unwrap_or(100)).unwrap_or(usize::MAX);
    if negotiate::prefers_html(&headers) {
        return trail(&state, &by, room, &headers, before).await;
    }
    Ok(negotiate::json(
        state.chat.audit(&by, &room, before, limit).await?,
    ))
}

async fn trail(
    state: &AppState,
    by: &Person,
    room: RoomId,
    headers: &HeaderMap,
    before: u64,
) -> Result<Response, Error> {
    let deeds = state.chat.audit(by, &room, before, app::DEEDS).await?;
    let names = state.chat.names(by, &room, mentioned(&deeds)).await?;
    let trail = Trail {
        room,
        deeds,
        names,
        now: app::now(),
    };
    Ok(form::fresh(app::trail_page(
        &form::of_room(headers, room),
        &trail,
    )))
}

/// The IDs of those who did something, and to whom.
pub(crate) fn mentioned(deeds: &[Deed]) -> BTreeSet<String> {
    deeds
        .iter()
        .flat_map(|deed| [deed.actor.clone(), deed.whom.clone()])
        .collect()
}
