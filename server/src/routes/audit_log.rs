//! `/rooms/{id}/audit/`: what moderators and the owner of a room did.

use std::collections::BTreeSet;

use app::AuditLogPage;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::{Deed, Problem, RoomId};

use crate::error::Error;
use crate::extract::accept;
use crate::extract::caller::Caller;
use crate::extract::payload::{LIMIT_MAX, Query, SEQ_MAX};
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::RoomRefused;
use crate::respond::form_page;
use crate::state::AppState;

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
pub(crate) async fn list_audit_log(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let before = query.number("before", 0, SEQ_MAX)?.unwrap_or(SEQ_MAX);
    let limit =
        usize::try_from(query.number("limit", 1, LIMIT_MAX)?.unwrap_or(100)).unwrap_or(usize::MAX);
    if accept::prefers_html(&headers) {
        return trail(&state, &by, room, &headers, before).await;
    }
    Ok(accept::json(
        state.chat.list_audit_log(&by, &room, before, limit).await?,
    ))
}

async fn trail(
    state: &AppState,
    by: &Person,
    room: RoomId,
    headers: &HeaderMap,
    before: u64,
) -> Result<Response, Error> {
    let deeds = state
        .chat
        .list_audit_log(by, &room, before, app::AUDIT_PAGE_SIZE)
        .await?;
    let names = state
        .chat
        .list_guest_names(by, &room, mentioned(&deeds))
        .await?;
    let trail = AuditLogPage {
        room,
        entries: deeds,
        names,
        now: app::now(),
    };
    Ok(form_page::fresh(app::audit_log_page(
        &form_page::of_room(headers, room),
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
