//! `/rooms/{id}/audit/`: what the moderators and the owner of a room did.

use std::collections::BTreeSet;

use app::AuditLogPage;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::{AuditEntry, RoomId};

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::SEQ_MAX;
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{QueryRefused, RoomRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;

/// Lists the entries of a room's audit log, the newest first; moderators can read it.
#[utoipa::path(get, path = "/rooms/{id}/audit/", tag = "order",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("before" = Option<u64>, Query, description = "Only entries before this one"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "The largest number of entries; 100 by default"),
    ),
    responses(
        (status = 200,
            description = "The entries",
            content((Vec<AuditEntry> = "application/json"), (String = "text/html"))),
        QueryRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_audit_log(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let before = query.number("before", 0, SEQ_MAX)?.unwrap_or(SEQ_MAX);
    let limit = query.limit(100)?;
    match format {
        Format::Html => show_page(&state, &by, room, &headers, before).await,
        Format::Json => {
            let entries = state.chat.list_audit_log(&by, &room, before, limit).await?;
            Ok(negotiated::json(entries))
        }
    }
}

async fn show_page(
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
        .list_guest_names(by, &room, mentioned_people(&deeds))
        .await?;
    let page = AuditLogPage {
        room,
        entries: deeds,
        names,
        now: app::now(),
    };
    let sheet = form_page::room_sheet(state, by, headers, room).await?;
    Ok(form_page::show(app::audit_log_page(&sheet, &page)))
}

/// The IDs of the people that these entries mention: the actors, and the people that they acted on.
pub(crate) fn mentioned_people(entries: &[AuditEntry]) -> BTreeSet<String> {
    entries
        .iter()
        .flat_map(|entry| [entry.actor.clone(), entry.target.clone()])
        .collect()
}
