//! `/rooms/{id}/members/`: who belongs to a room, and what they may do.

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use protocol::{Problem, Refusal, Role, RoomId, RoomMember};

use crate::AppState;
use crate::caller::Caller;
use crate::error::Error;
use crate::fields::Fields;
use crate::negotiate;
use crate::refused::{BodyRefused, RoomRefused};
use crate::room::InRoom;

/// What an address names inside a room: a person, or the code of an invitation.
#[derive(Clone, Debug)]
pub(crate) struct Inside(pub RoomId, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Inside {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let found = parts.extract::<Path<(String, String)>>().await.ok();
        let found = found.and_then(|Path((id, name))| Some(Self(id.parse().ok()?, name)));
        Ok(found.ok_or(Refusal::NotFound("room"))?)
    }
}

/// Who belongs to a room, the greatest role first.
///
/// The members of a private room learn it; of a room that is open to everybody only its moderators.
#[utoipa::path(get, path = "/rooms/{id}/members/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The members", body = Vec<RoomMember>),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
) -> Result<Response, Error> {
    Ok(negotiate::json(state.chat.members(&by, &room).await?))
}

/// What somebody is to be in a room.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `change` reads field by field")]
pub(crate) struct NewRole {
    /// What they may do from now on.
    role: Role,
}

/// Gives somebody who belongs to a room another role; only its owner can. Who makes another one the owner becomes a moderator.
#[utoipa::path(patch, path = "/rooms/{id}/members/{person}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("person" = String, Path, description = "As in the list of members"),
    ),
    request_body(content((NewRole = "application/json"), (NewRole = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "Done"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn change(
    State(state): State<AppState>,
    Caller(by): Caller,
    Inside(room, person): Inside,
    fields: Fields,
) -> Result<StatusCode, Error> {
    let role = role(&fields)?.ok_or_else(|| Refusal::invalid("role", "is missing"))?;
    state.chat.set_role(&by, &room, &person, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The role that the fields name, if they do.
pub(crate) fn role(fields: &Fields) -> Result<Option<Role>, Refusal> {
    let named = fields.text("role")?.map(Role::named);
    let unknown = || Refusal::invalid("role", "must be reader, member, moderator or owner");
    named.map(|role| role.ok_or_else(unknown)).transpose()
}

/// Removes somebody from a room: moderators those with a lesser role, and each themselves.
#[utoipa::path(delete, path = "/rooms/{id}/members/{person}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("person" = String, Path, description = "As in the list of members"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Caller(by): Caller,
    Inside(room, person): Inside,
) -> Result<StatusCode, Error> {
    state.chat.remove_member(&by, &room, &person).await?;
    Ok(StatusCode::NO_CONTENT)
}
