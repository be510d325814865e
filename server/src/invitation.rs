//! `/rooms/{id}/invitations/` and `/invitations/{code}/`: links by which people join a room.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Json, RequestPartsExt};
use protocol::{Invitation, NewInvitation, Problem, Refusal, Role, Room};
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;
use crate::caller::Caller;
use crate::error::Error;
use crate::fields::Fields;
use crate::member::{Inside, role};
use crate::message::SEQ_MAX;
use crate::negotiate;
use crate::refused::{BodyRefused, RoomRefused};
use crate::room::InRoom;

/// The wish for an invitation; every field may be left out.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads field by field")]
pub(crate) struct InvitationWish {
    /// What those who join may do: reader, or member, which is the default.
    #[schema(pattern = "^(reader|member)$")]
    role: Option<String>,
    /// How long it lasts, like `2days`; without end if it is left out.
    #[schema(example = "2days")]
    timeout: Option<String>,
    /// How many may use it; as many as like if it is left out.
    #[schema(minimum = 1)]
    uses: Option<u64>,
}

/// Makes an invitation to a room; its moderators can.
#[utoipa::path(post, path = "/rooms/{id}/invitations/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content((ref("#/components/schemas/InvitationWish") = "application/json"))),
    responses(
        (status = 201, description = "The invitation", body = Invitation, headers(("Location" = String, description = "Its address"))),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    fields: Fields,
) -> Result<Response, Error> {
    let wish = NewInvitation {
        role: role(&fields)?,
        timeout: fields.text("timeout")?.map(str::to_owned),
        uses: fields.number("uses", 1, SEQ_MAX)?,
    };
    let invitation = state.chat.invite(&by, &room, &wish).await?;
    let location = format!("/invitations/{}/", invitation.code);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(invitation)).into_response())
}

/// The invitations to a room that are still good, for its moderators.
#[utoipa::path(get, path = "/rooms/{id}/invitations/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The invitations", body = Vec<Invitation>),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
) -> Result<Response, Error> {
    Ok(negotiate::json(state.chat.invitations(&by, &room).await?))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/rooms/{id}/invitations/{code}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("code" = String, Path, description = "The invitation's code"),
    ),
    responses(
        (status = 204, description = "It is good no longer"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn take_back(
    State(state): State<AppState>,
    Caller(by): Caller,
    Inside(room, code): Inside,
) -> Result<StatusCode, Error> {
    state.chat.take_back(&by, &room, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The code that an address names.
pub(crate) struct Code(String);

impl<S: Send + Sync> FromRequestParts<S> for Code {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let code = parts.extract::<Path<String>>().await;
        Ok(Self(code.map_err(|_| Refusal::NotFound("such invitation"))?.0))
    }
}

/// What an invitation is good for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Welcome {
    /// What the room is called, if it has a name.
    name: Option<String>,
    /// What those who join may do.
    role: Role,
}

/// What an invitation is good for, before it is used.
#[utoipa::path(get, path = "/invitations/{code}/", tag = "order",
    params(("code" = String, Path, description = "The invitation's code")),
    responses(
        (status = 200, description = "It is good", body = Welcome),
        (status = 404, description = "There is no such invitation, or no longer", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many guesses", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Code(code): Code,
) -> Result<Response, Error> {
    state.limits.check_guess(peer.ip())?;
    let (invitation, name) = state.chat.invitation(&code).await?;
    state.limits.forgive_guess(peer.ip());
    Ok(negotiate::json(Welcome { name, role: invitation.role }))
}

/// Joins the room of an invitation, with an account or a guest's key.
#[utoipa::path(post, path = "/invitations/{code}/", tag = "order",
    params(("code" = String, Path, description = "The invitation's code")),
    responses(
        (status = 200, description = "The room", body = Room),
        (status = 303, description = "To the room, for clients that ask for pages"),
        (status = 401, description = "Neither an account nor a key", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Banned", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such invitation, or no longer", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many guesses", body = Problem, content_type = "application/problem+json"),
    ), security((), ("token" = [])))]
pub(crate) async fn accept(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    Code(code): Code,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_guess(peer.ip())?;
    let room = state.chat.accept(&by, &code).await?;
    state.limits.forgive_guess(peer.ip());
    if negotiate::prefers_html(&headers) {
        return Ok(Redirect::to(&format!("/rooms/{}/", room.id)).into_response());
    }
    Ok(negotiate::json(room))
}
