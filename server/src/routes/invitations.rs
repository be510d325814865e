//! `/rooms/{id}/invitations/` and `/invitations/{code}/`: links by which people join a room.

use std::net::SocketAddr;

use app::{FormPage, InvitationFields, InvitationsPage};
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat::Person;
use protocol::{Invitation, NewInvitation, Refusal, Role, Room, RoomId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::https::{Https, site_origin};
use crate::extract::next::Next;
use crate::extract::payload::{Number, Payload, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, InvitationCode, RoomPath};
use crate::openapi::responses::{BodyRefused, InvitationRefused, RoomRefused, TokenRefused};
use crate::respond::negotiated::{self, Format};
use crate::respond::{form_page, page};
use crate::state::AppState;

/// A new invitation. Every field is optional.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateInvitation {
    /// The role of the people who join: `reader` or `member`; `member` by default.
    #[schema(value_type = Option<String>, pattern = "^(reader|member)$")]
    role: Option<Role>,
    /// How long the invitation is valid, like `2days`; forever by default.
    #[schema(example = "2days")]
    timeout: Option<String>,
    /// How many people can use it; any number by default.
    #[schema(value_type = Option<u64>, minimum = 1)]
    uses: Option<Number<1, SEQ_MAX>>,
}

/// Creates an invitation to a room; moderators can.
#[utoipa::path(post, path = "/rooms/{id}/invitations/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (ref("#/components/schemas/CreateInvitation") = "application/json"),
        (ref("#/components/schemas/CreateInvitation") = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 201,
            description = "The invitation",
            body = Invitation, headers(("Location" = String, description = "The invitation's address"))),
        (status = 303, description = "Back to the invitations, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create_invitation(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    https: Https,
    format: Format,
    headers: HeaderMap,
    payload: Payload<CreateInvitation>,
) -> Result<Response, Error> {
    let created = invite(&state, &by, room, format, &payload).await;
    let page = format!("/rooms/{room}/invitations/");
    format
        .answer(
            created,
            |_| negotiated::redirect(payload.next(), &page),
            |invitation| {
                let location = format!("/invitations/{}/", invitation.code);
                let location = [(header::LOCATION, location)];
                (StatusCode::CREATED, location, Json(invitation)).into_response()
            },
            async |error| {
                let Ok(mut page) = load_page(&state, &by, room, &headers, https).await else {
                    return Err(error);
                };
                let entered = |field| payload.raw_text(field).to_owned();
                page.entered = Some(InvitationFields {
                    role: entered("role"),
                    timeout: entered("timeout"),
                    uses: entered("uses"),
                });
                let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
                rerender_page(sheet, &page, error)
            },
        )
        .await
}

async fn invite(
    state: &AppState,
    by: &Person,
    room: RoomId,
    format: Format,
    payload: &Payload<CreateInvitation>,
) -> Result<Invitation, Error> {
    let wish = match format {
        Format::Html => payload.read_form(&["timeout", "uses"])?,
        Format::Json => payload.read()?,
    };
    let new_invitation = NewInvitation {
        role: wish.role,
        timeout: wish.timeout,
        uses: wish.uses.map(|Number(uses)| uses),
    };
    Ok(state
        .chat
        .create_invitation(by, &room, &new_invitation)
        .await?)
}

/// The content of the page about a room's invitations.
async fn load_page(
    state: &AppState,
    by: &Person,
    room: RoomId,
    headers: &HeaderMap,
    https: Https,
) -> Result<InvitationsPage, Error> {
    Ok(InvitationsPage {
        room,
        origin: site_origin(headers, https).unwrap_or_default(),
        valid: state.chat.list_invitations(by, &room).await?,
        entered: None,
        now: app::now(),
    })
}

fn rerender_page(sheet: FormPage, page: &InvitationsPage, error: Error) -> Result<Response, Error> {
    let place = |field: Option<&str>| match field {
        Some("uses") => "uses",
        _ => "",
    };
    form_page::rerender_with_error(error, place, |wrong| {
        app::invitations_page(&sheet.with_errors(wrong), page)
    })
}

/// Lists the valid invitations to a room; moderators can.
#[utoipa::path(get, path = "/rooms/{id}/invitations/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The invitations",
            content((Vec<Invitation> = "application/json"), (String = "text/html"))),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_invitations(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    https: Https,
    format: Format,
    headers: HeaderMap,
) -> Result<Response, Error> {
    match format {
        Format::Html => {
            let page = load_page(&state, &by, room, &headers, https).await?;
            let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
            Ok(form_page::show(app::invitations_page(&sheet, &page)))
        }
        Format::Json => Ok(negotiated::json(
            state.chat.list_invitations(&by, &room).await?,
        )),
    }
}

/// Revokes an invitation.
#[utoipa::path(delete, path = "/rooms/{id}/invitations/{code}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("code" = String, Path, description = "The invitation's code"),
    ),
    responses(
        (status = 204, description = "The invitation is no longer valid"),
        (status = 303, description = "Back to the invitations, for clients that prefer pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn revoke_invitation(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, code): InsideRoom,
    https: Https,
    format: Format,
    headers: HeaderMap,
    Next(next): Next,
) -> Result<Response, Error> {
    let revoked = state.chat.revoke_invitation(&by, &room, &code).await;
    let page = format!("/rooms/{room}/invitations/");
    format
        .answer(
            revoked.map_err(Error::from),
            |()| negotiated::redirect(next.as_deref(), &page),
            |()| negotiated::no_content(),
            async |error| match load_page(&state, &by, room, &headers, https).await {
                Ok(page) => {
                    let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
                    rerender_page(sheet, &page, error)
                }
                Err(_) => Err(error),
            },
        )
        .await
}

/// What an invitation offers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationOffer {
    /// The room's name, if it has one.
    name: Option<String>,
    /// The role of the people who join.
    role: Role,
}

/// Shows what an invitation offers, before it is used.
#[utoipa::path(get, path = "/invitations/{code}/", tag = "order",
    params(("code" = String, Path, description = "The invitation's code")),
    responses(
        (status = 200,
            description = "The invitation is valid",
            content((InvitationOffer = "application/json"), (String = "text/html"))),
        TokenRefused,
        InvitationRefused,
    ))]
pub(crate) async fn show_invitation(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    InvitationCode(code): InvitationCode,
    format: Format,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_invitation_guess(peer.ip()).await?;
    let (invitation, name) = match state.chat.find_invitation(&code).await {
        Err(chat::Error::Refusal(Refusal::NotFound(_))) if format.is_html() => {
            return Ok(show_no_invitation(&headers));
        }
        found => found?,
    };
    state.limits.forgive_invitation_guess(peer.ip()).await;
    let role = invitation.role;
    if format == Format::Json {
        return Ok(negotiated::json(InvitationOffer { name, role }));
    }
    let sheet = form_page::sheet_of(&state, &by, &headers, None).await?;
    let is_guest = by.account().is_none();
    let html = app::invitation_page(&sheet, &code, name.as_deref(), role, is_guest);
    let mut page = form_page::show(html);
    // A caller without a key gets one, so that the server recognizes the browser when it joins.
    let key = page::new_guest_cookie(&state, &by);
    page.headers_mut()
        .extend(key.map(|key| (header::SET_COOKIE, key)));
    Ok(page)
}

fn show_no_invitation(headers: &HeaderMap) -> Response {
    let sheet = form_page::sheet(headers, None);
    page::plain(StatusCode::NOT_FOUND, app::unusable_invitation_page(&sheet))
}

/// Joins the room of an invitation, with an account or a guest's key.
#[utoipa::path(post, path = "/invitations/{code}/", tag = "order",
    params(("code" = String, Path, description = "The invitation's code")),
    responses(
        (status = 200, description = "The room", body = Room),
        (status = 303, description = "To the room, for clients that prefer pages"),
        RoomRefused,
        InvitationRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn accept_invitation(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    InvitationCode(code): InvitationCode,
    format: Format,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_invitation_guess(peer.ip()).await?;
    let room = match state.chat.accept_invitation(&by, &code).await {
        Err(chat::Error::Refusal(Refusal::NotFound(_))) if format.is_html() => {
            return Ok(show_no_invitation(&headers));
        }
        accepted => accepted?,
    };
    state.limits.forgive_invitation_guess(peer.ip()).await;
    let page = format!("/rooms/{}/", room.id);
    Ok(format.done(None, &page, || negotiated::json(room)))
}
