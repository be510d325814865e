//! `/rooms/{id}/members/`: who belongs to a room, and what they may do.

use std::collections::BTreeMap;

use app::MembersPage;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chat::Person;
use protocol::{Refusal, Role, RoomId, RoomMember};

use crate::error::Error;
use crate::extract::accept;
use crate::extract::caller::Caller;
use crate::extract::payload::{Fields, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::form_page;
use crate::routes::audit_log;
use crate::state::AppState;

/// Who belongs to a room, the greatest role first.
///
/// The members of a private room learn it; of a room that is open to everybody only its moderators. The page tells others so.
#[utoipa::path(get, path = "/rooms/{id}/members/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The members", content((Vec<RoomMember> = "application/json"), (String = "text/html"))),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_members(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if accept::prefers_html(&headers) {
        let people = people(&state, &by, room).await?;
        return Ok(form_page::fresh(app::members_page(
            &form_page::of_room(&headers, room),
            &people,
        )));
    }
    Ok(accept::json(state.chat.list_members(&by, &room).await?))
}

/// What the page of a room's people shows to somebody.
async fn people(state: &AppState, by: &Person, id: RoomId) -> Result<MembersPage, Error> {
    let chat = &state.chat;
    let room = chat.find_room(by, &id).await?;
    let moderates = room.role >= Some(Role::Moderator);
    let members = if moderates || room.private {
        Some(chat.list_members(by, &id).await?)
    } else {
        None
    };
    let (mut sanctions, mut deeds, mut names) = (Vec::new(), Vec::new(), BTreeMap::new());
    if moderates {
        sanctions = chat.list_sanctions(by, &id).await?;
        deeds = chat
            .list_audit_log(by, &id, SEQ_MAX, app::AUDIT_PAGE_SIZE)
            .await?;
        let mut ids = audit_log::mentioned(&deeds);
        ids.extend(sanctions.iter().map(|sanctioned| sanctioned.id.clone()));
        names = chat.list_guest_names(by, &id, ids).await?;
    }
    Ok(MembersPage {
        room,
        me: by.public_id(),
        members,
        sanctions,
        deeds,
        names,
        now: app::now(),
    })
}

/// Answers what was done about somebody: as data, or with the way back to the page of people, which says what was wrong.
pub(crate) async fn answer<T>(
    state: &AppState,
    by: &Person,
    room: RoomId,
    headers: &HeaderMap,
    fields: Option<&Fields>,
    (done, data): (Result<T, Error>, impl FnOnce(T) -> Response),
) -> Result<Response, Error> {
    let html = accept::prefers_html(headers);
    let error = match done {
        Ok(_) if html => return Ok(form_page::on(fields, &format!("/rooms/{room}/members/"))),
        Ok(done) => return Ok(data(done)),
        Err(error) => error,
    };
    if !html {
        return Err(error);
    }
    // Whoever may not know of the room is told nothing else about it.
    let Ok(people) = people(state, by, room).await else {
        return Err(error);
    };
    let sheet = form_page::of_room(headers, room);
    form_page::again(
        headers,
        error,
        |_| "",
        |wrong| app::members_page(&sheet.with_error(wrong), &people),
    )
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
        (status = 303, description = "Back to the people, for clients that ask for pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn change_role(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, person): InsideRoom,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let changed = async {
        let role = role(&fields)?.ok_or_else(|| Refusal::invalid("role", "is missing"))?;
        Ok(state
            .chat
            .set_member_role(&by, &room, &person, role)
            .await?)
    };
    let done = (changed.await, |()| StatusCode::NO_CONTENT.into_response());
    answer(&state, &by, room, &headers, Some(&fields), done).await
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
        (status = 303, description = "Back to the people, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn remove_member(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, person): InsideRoom,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    let removed = state
        .chat
        .remove_member(&by, &room, &person)
        .await
        .map_err(Error::from);
    let done = (removed, |()| StatusCode::NO_CONTENT.into_response());
    answer(&state, &by, room, &headers, fields.ok().as_ref(), done).await
}
