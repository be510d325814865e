//! `/rooms/{id}/code.svg` and `/invitations/{code}/code.svg`: links as QR codes.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use protocol::{Problem, Refusal, RoomId};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::https;
use crate::extract::https::Https;
use crate::extract::room_path::{InvitationCode, RoomPath};
use crate::openapi::responses::RoomRefused;
use crate::state::AppState;

/// The link of a room as a QR code, for those who may know of the room.
#[utoipa::path(get, path = "/rooms/{id}/code.svg", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        (status = 400, description = "The request does not say where this server is", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_room_code(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    secure: Https,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.chat.find_room(&by, &room).await?;
    picture(&headers, secure, &format!("/rooms/{room}/"), Some(room))
}

/// The link of an invitation as a QR code.
#[utoipa::path(get, path = "/invitations/{code}/code.svg", tag = "order",
    params(("code" = String, Path, description = "The invitation's code")),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        (status = 400, description = "The request does not say where this server is", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such invitation, or no longer", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many guesses", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show_invitation_code(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InvitationCode(code): InvitationCode,
    secure: Https,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_invitation_guess(peer.ip())?;
    state.chat.find_invitation(&code).await?;
    state.limits.forgive_invitation_guess(peer.ip());
    // With the product's seal: who has not joined yet need not know the room's ID, which its own one shows.
    picture(&headers, secure, &format!("/invitations/{code}/"), None)
}

fn picture(
    headers: &HeaderMap,
    secure: Https,
    path: &str,
    seal: Option<RoomId>,
) -> Result<Response, Error> {
    let origin = https::site_origin(headers, secure);
    let svg = origin.and_then(|origin| app::qr_code(&format!("{origin}{path}"), seal));
    let svg =
        svg.ok_or_else(|| Refusal::Malformed("The Host of the request is none.".to_owned()))?;
    Ok((
        [
            (header::CONTENT_TYPE, "image/svg+xml"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        svg,
    )
        .into_response())
}
