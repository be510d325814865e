//! `/rooms/{id}/invitations/` and `/invitations/{code}/`: links by which people join a room.

use std::net::SocketAddr;

use app::{InvitationFields, InvitationsPage};
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::Person;
use protocol::{Invitation, NewInvitation, Problem, Refusal, Role, Room, RoomId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::https::Https;
use crate::extract::payload::{Fields, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, InvitationCode, RoomPath};
use crate::extract::{accept, https};
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::{form_page, page};
use crate::routes::members::role;
use crate::state::AppState;

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

/// The same as a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads field by field")]
pub(crate) struct InvitationForm {
    /// What those who join may do: reader, or member, which is the default.
    #[schema(required = false, pattern = "^(reader|member)$")]
    role: String,
    /// How long it lasts, like `2days`; without end if it is left out.
    #[schema(required = false, example = "2days")]
    timeout: String,
    /// How many may use it; as many as like if it is left out.
    #[schema(required = false, minimum = 1)]
    uses: u64,
}

/// Makes an invitation to a room; its moderators can.
#[utoipa::path(post, path = "/rooms/{id}/invitations/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(content(
        (ref("#/components/schemas/InvitationWish") = "application/json"),
        (ref("#/components/schemas/InvitationForm") = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 201, description = "The invitation", body = Invitation, headers(("Location" = String, description = "Its address"))),
        (status = 303, description = "Back to the invitations, for clients that ask for pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn create_invitation(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    secure: Https,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = accept::prefers_html(&headers);
    let made = match wish(&fields, form) {
        Ok(wish) => state
            .chat
            .create_invitation(&by, &room, &wish)
            .await
            .map_err(Error::from),
        Err(refusal) => Err(refusal.into()),
    };
    match made {
        Ok(_) if form => Ok(form_page::on(
            Some(&fields),
            &format!("/rooms/{room}/invitations/"),
        )),
        Ok(invitation) => {
            let location = format!("/invitations/{}/", invitation.code);
            Ok((
                StatusCode::CREATED,
                [(header::LOCATION, location)],
                Json(invitation),
            )
                .into_response())
        }
        Err(error) if form => {
            let Ok(page) = page(&state, &by, room, &headers, secure).await else {
                return Err(error);
            };
            let typed = |field| {
                fields
                    .text(field)
                    .map(|text| text.unwrap_or_default().to_owned())
            };
            let page = InvitationsPage {
                entered: Some(InvitationFields {
                    role: typed("role")?,
                    timeout: typed("timeout")?,
                    uses: typed("uses")?,
                }),
                ..page
            };
            let at = |field: Option<&str>| if field == Some("uses") { "uses" } else { "" };
            let sheet = form_page::of_room(&headers, room);
            form_page::again(&headers, error, at, |wrong| {
                app::invitations_page(&sheet.with_error(wrong), &page)
            })
        }
        Err(error) => Err(error),
    }
}

fn wish(fields: &Fields, form: bool) -> Result<NewInvitation, Refusal> {
    // An empty field of a page's form is one that was left out.
    let empty = |field| {
        fields
            .text(field)
            .is_ok_and(|text| form && text.is_some_and(|text| text.trim().is_empty()))
    };
    Ok(NewInvitation {
        role: role(fields)?,
        timeout: if empty("timeout") {
            None
        } else {
            fields.text("timeout")?.map(str::to_owned)
        },
        uses: if empty("uses") {
            None
        } else {
            fields.number("uses", 1, SEQ_MAX)?
        },
    })
}

/// What the page of a room's invitations shows.
async fn page(
    state: &AppState,
    by: &Person,
    room: RoomId,
    headers: &HeaderMap,
    secure: Https,
) -> Result<InvitationsPage, Error> {
    let good = state.chat.list_invitations(by, &room).await?;
    let origin = https::site_origin(headers, secure).unwrap_or_default();
    Ok(InvitationsPage {
        room,
        origin,
        valid: good,
        entered: None,
        now: app::now(),
    })
}

/// The invitations to a room that are still good, for its moderators.
#[utoipa::path(get, path = "/rooms/{id}/invitations/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The invitations", content((Vec<Invitation> = "application/json"), (String = "text/html"))),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_invitations(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    secure: Https,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if accept::prefers_html(&headers) {
        let page = page(&state, &by, room, &headers, secure).await?;
        return Ok(form_page::fresh(app::invitations_page(
            &form_page::of_room(&headers, room),
            &page,
        )));
    }
    Ok(accept::json(state.chat.list_invitations(&by, &room).await?))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/rooms/{id}/invitations/{code}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("code" = String, Path, description = "The invitation's code"),
    ),
    responses(
        (status = 204, description = "It is good no longer"),
        (status = 303, description = "Back to the invitations, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn revoke_invitation(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, code): InsideRoom,
    secure: Https,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    let form = accept::prefers_html(&headers);
    match state
        .chat
        .revoke_invitation(&by, &room, &code)
        .await
        .map_err(Error::from)
    {
        Ok(()) if form => Ok(form_page::on(
            fields.ok().as_ref(),
            &format!("/rooms/{room}/invitations/"),
        )),
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => {
            let Ok(page) = page(&state, &by, room, &headers, secure).await else {
                return Err(error);
            };
            let sheet = form_page::of_room(&headers, room);
            form_page::again(
                &headers,
                error,
                |_| "",
                |wrong| app::invitations_page(&sheet.with_error(wrong), &page),
            )
        }
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
        (status = 200, description = "It is good", content((Welcome = "application/json"), (String = "text/html"))),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such invitation, or no longer", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many guesses", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show_invitation(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    InvitationCode(code): InvitationCode,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_invitation_guess(peer.ip())?;
    let found = state.chat.find_invitation(&code).await.map_err(Error::from);
    let html = accept::prefers_html(&headers);
    if html
        && matches!(found, Err(ref error) if matches!(error.refusal(), Some(Refusal::NotFound(_))))
    {
        return Ok(page::plain(
            StatusCode::NOT_FOUND,
            app::unusable_invitation_page(&form_page::sheet(&headers, None)),
        ));
    }
    let (invitation, name) = found?;
    state.limits.forgive_invitation_guess(peer.ip());
    if !html {
        return Ok(accept::json(Welcome {
            name,
            role: invitation.role,
        }));
    }
    let (sheet, guest) = (form_page::sheet(&headers, None), by.account().is_none());
    let mut page = form_page::fresh(app::invitation_page(
        &sheet,
        &code,
        name.as_deref(),
        invitation.role,
        guest,
    ));
    // Whoever comes with nothing needs a key to be known by.
    page.headers_mut()
        .extend(page::key(&state, &by).map(|key| (header::SET_COOKIE, key)));
    Ok(page)
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
pub(crate) async fn accept_invitation(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Caller(by): Caller,
    InvitationCode(code): InvitationCode,
    headers: HeaderMap,
) -> Result<Response, Error> {
    state.limits.check_invitation_guess(peer.ip())?;
    let html = accept::prefers_html(&headers);
    let room = match state.chat.accept_invitation(&by, &code).await {
        Err(chat::Error::Refusal(Refusal::NotFound(_))) if html => {
            return Ok(page::plain(
                StatusCode::NOT_FOUND,
                app::unusable_invitation_page(&form_page::sheet(&headers, None)),
            ));
        }
        accepted => accepted?,
    };
    state.limits.forgive_invitation_guess(peer.ip());
    if html {
        return Ok(Redirect::to(&format!("/rooms/{}/", room.id)).into_response());
    }
    Ok(accept::json(room))
}
