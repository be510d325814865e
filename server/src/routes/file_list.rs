//! `GET /rooms/{id}/files/`: all files of a room.

use app::FileListPage;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::Message;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::SEQ_MAX;
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{QueryRefused, RoomRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;

/// The most messages of one answer.
const LIMIT_MAX: usize = 100;

/// Lists the messages of a room that have files, the newest first.
#[utoipa::path(get, path = "/rooms/{id}/files/", tag = "files",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("before" = Option<u64>, Query, description = "Only messages before this one"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "The largest number of messages; 50 by default, and 100 at most"),
    ),
    responses(
        (status = 200,
            description = "The messages",
            content((Vec<Message> = "application/json"), (String = "text/html"))),
        QueryRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn list_files(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let before = query.number("before", 0, SEQ_MAX)?.unwrap_or(SEQ_MAX);
    let limit = query.limit(app::FILE_LIST_SIZE)?.min(LIMIT_MAX);
    let list = state
        .chat
        .list_messages_with_files(&by, &room, before, limit);
    let messages = list.await?;
    if format.is_html() {
        let page = FileListPage {
            room,
            is_full: messages.len() == limit,
            messages,
            now: app::now(),
        };
        let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
        return Ok(form_page::show(app::file_list_page(&sheet, &page)));
    }
    Ok(negotiated::json(messages))
}
