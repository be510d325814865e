//! `/rooms/{id}/code.svg` and `/invitations/{code}/code.svg`: links as QR codes.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use protocol::{Refusal, RoomId};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::https::{Https, site_origin};
use crate::extract::room_path::{InvitationCode, RoomPath};
use crate::openapi::responses::{HostRefused, InvitationRefused, RoomRefused};
use crate::state::AppState;

/// Shows the link of a room as a QR code, to callers who may see the room.
#[utoipa::path(get, path = "/rooms/{id}/code.svg", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        HostRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_room_code(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    https: Https,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.chat.find_room(&by, &room).await?;
    draw_code(&headers, https, &format!("/rooms/{room}/"), Some(room))
}

/// Shows the link of an invitation as a QR code.
#[utoipa::path(get, path = "/invitations/{code}/code.svg", tag = "order",
    params(("code" = String, Path, description = "The invitation's code")),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        HostRefused,
        InvitationRefused,
    ))]
pub(crate) async fn show_invitation_code(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InvitationCode(code): InvitationCode,
    https: Https,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_invitation_guess(peer.ip()).await?;
    state.chat.find_invitation(&code).await?;
    state.limits.forgive_invitation_guess(peer.ip()).await;
    // Without the room's identicon, which shows the room's ID: a person who has not joined yet need
    // not know it.
    draw_code(&headers, https, &format!("/invitations/{code}/"), None)
}

fn draw_code(
    headers: &HeaderMap,
    https: Https,
    path: &str,
    identicon_of: Option<RoomId>,
) -> Result<Response, Error> {
    let svg = site_origin(headers, https)
        .and_then(|origin| app::qr_code(&format!("{origin}{path}"), identicon_of));
    let no_host = || Refusal::Malformed("The request has no valid Host header.".to_owned());
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, svg.ok_or_else(no_host)?).into_response())
}
