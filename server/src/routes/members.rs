//! `/rooms/{id}/members/`: the members of a room, and their roles.

use std::collections::BTreeMap;

use app::MembersPage;
use axum::extract::{FromRequestParts, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use chat::Person;
use protocol::{Role, RoomId, RoomMember};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::next::Next;
use crate::extract::payload::{Payload, SEQ_MAX};
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::routes::audit_log::mentioned_people;
use crate::state::AppState;

/// Lists the members of a room, the highest role first.
///
/// In a private room every member can list them, in any other room its moderators. The page says so
/// to other callers.
#[utoipa::path(get, path = "/rooms/{id}/members/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The members",
            content((Vec<RoomMember> = "application/json"), (String = "text/html"))),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_members(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
) -> Result<Response, Error> {
    match format {
        Format::Html => {
            let people = load_people(&state, &by, room).await?;
            let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
            Ok(form_page::show(app::members_page(&sheet, &people)))
        }
        Format::Json => Ok(negotiated::json(state.chat.list_members(&by, &room).await?)),
    }
}

/// The content of the page about a room's people, as far as the caller may see it.
async fn load_people(state: &AppState, by: &Person, id: RoomId) -> Result<MembersPage, Error> {
    let chat = &state.chat;
    let room = chat.find_room(by, &id).await?;
    let moderates = room.role >= Some(Role::Moderator);
    let mut people = MembersPage {
        me: by.public_id(),
        members: None,
        sanctions: Vec::new(),
        deeds: Vec::new(),
        names: BTreeMap::new(),
        now: app::now(),
        room,
    };
    if moderates || people.room.private {
        people.members = Some(chat.list_members(by, &id).await?);
    }
    if moderates {
        people.sanctions = chat.list_sanctions(by, &id).await?;
        people.deeds = chat
            .list_audit_log(by, &id, SEQ_MAX, app::AUDIT_PAGE_SIZE)
            .await?;
        let mut ids = mentioned_people(&people.deeds);
        ids.extend(
            people
                .sanctions
                .iter()
                .map(|sanctioned| sanctioned.id.clone()),
        );
        people.names = chat.list_guest_names(by, &id, ids).await?;
    }
    Ok(people)
}

/// The caller of a route that changes a room's people.
pub(crate) struct PeopleCaller {
    pub state: AppState,
    pub by: Person,
    pub room: RoomId,
    headers: HeaderMap,
}

impl FromRequestParts<AppState> for PeopleCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let Caller(by) = Caller::from_request_parts(parts, state).await?;
        let room = RoomPath::from_first_part(parts).await?;
        Ok(Self {
            state: state.clone(),
            by,
            room,
            headers: parts.headers.clone(),
        })
    }
}

impl PeopleCaller {
    /// Answers a change of a room's people: with the way back to their page, with the page and the
    /// error, or with `data`.
    pub async fn answer<T>(
        &self,
        outcome: Result<T, Error>,
        next: Option<&str>,
        data: impl FnOnce(T) -> Response,
    ) -> Result<Response, Error> {
        let page = format!("/rooms/{}/members/", self.room);
        Format::of(&self.headers)
            .answer(
                outcome,
                |_| negotiated::redirect(next, &page),
                data,
                async |error| self.rerender_people(error).await,
            )
            .await
    }

    async fn rerender_people(&self, error: Error) -> Result<Response, Error> {
        let people = load_people(&self.state, &self.by, self.room).await;
        let Self {
            state,
            by,
            headers,
            room,
        } = self;
        let draw = app::members_page;
        form_page::rerender_room_page(error, state, by, headers, *room, people, draw).await
    }
}

/// A new role for a member.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChangeRole {
    /// The role.
    role: Role,
}

/// Changes the role of a member; only the room's owner can. An owner who makes another member the
/// owner becomes a moderator.
#[utoipa::path(patch, path = "/rooms/{id}/members/{person}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("person" = String, Path, description = "The member's ID, from the list of members"),
    ),
    request_body(content(
        (ChangeRole = "application/json"),
        (ChangeRole = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 204, description = "The member has the role"),
        (status = 303, description = "Back to the members, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn change_role(
    caller: PeopleCaller,
    InsideRoom(room, person): InsideRoom,
    payload: Payload<ChangeRole>,
) -> Result<Response, Error> {
    let change = async || {
        let role = payload.read()?.role;
        let chat = &caller.state.chat;
        Ok(chat
            .set_member_role(&caller.by, &room, &person, role)
            .await?)
    };
    let done = |()| negotiated::no_content();
    caller.answer(change().await, payload.next(), done).await
}

/// Removes a member from a room: moderators can remove members with a lower role, and every member
/// can leave.
#[utoipa::path(delete, path = "/rooms/{id}/members/{person}/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("person" = String, Path, description = "The member's ID, from the list of members"),
    ),
    responses(
        (status = 204, description = "The member is removed"),
        (status = 303, description = "Back to the members, for clients that prefer pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn remove_member(
    caller: PeopleCaller,
    InsideRoom(room, person): InsideRoom,
    Next(next): Next,
) -> Result<Response, Error> {
    let chat = &caller.state.chat;
    let removed = chat.remove_member(&caller.by, &room, &person).await;
    let done = |()| negotiated::no_content();
    caller
        .answer(removed.map_err(Error::from), next.as_deref(), done)
        .await
}
