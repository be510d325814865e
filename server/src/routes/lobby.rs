//! `/join`, `/messages`, `/send`, `/leave`: the lobby, in plain text.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::schema::{Body, Username};
use protocol::{Problem, Refusal, Start};

use crate::error::Error;
use crate::extract::payload::{Fields, Query};
use crate::extract::resume_point;
use crate::limit::Action;
use crate::state::AppState;
use crate::stream::sse;

/// Joins the lobby under a name.
#[utoipa::path(post, path = "/join", tag = "lobby",
    params(("id" = Username, Query, description = "The name")),
    responses(
        (status = 200, description = "The line that everybody hears", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has that name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid name", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn join_lobby(
    State(state): State<AppState>,
    Query(query): Query,
) -> Result<String, Error> {
    let (name, lobby) = (name(&query)?, state.chat.open_lobby().await?);
    state
        .limits
        .check_caller(Action::Messages, &Person::Anonymous, Some(lobby.room_id()))?;
    Ok(lobby.join(name).await.map_err(as_sent)?)
}

/// Listens to the lobby: everything since joining, then what is said, as lines of text.
///
/// The stream ends when nothing is said for a while, and when its name leaves.
#[utoipa::path(get, path = "/messages", tag = "lobby",
    params(
        ("id" = Username, Query, description = "The name that joined"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false, description = "Listen right after this event"),
    ),
    responses(
        (status = 200, description = "The lines", body = String, content_type = "text/event-stream"),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody joined under that name", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn follow_lobby(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let name = name(&query)?.trim();
    let start = resume_point::start(&headers, &query)?;
    let start = (start != Start::Seq(0)).then_some(start);
    let listener = state.chat.open_lobby().await?.listen(name, start).await?;
    Ok(sse::lobby(listener, state.stream_timeout))
}

/// Says something in the lobby.
#[utoipa::path(post, path = "/send", tag = "lobby",
    params(
        ("id" = Username, Query, description = "The name that joined"),
        ("message" = Body, Query, description = "What to say"),
    ),
    responses(
        (status = 200, description = "The line that everybody hears", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 400, description = "No name, or nothing to say", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody joined under that name", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Meanwhile somebody has an account of that name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid message", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn send_to_lobby(
    State(state): State<AppState>,
    Query(query): Query,
) -> Result<String, Error> {
    let (name, message) = (name(&query)?.trim(), given(&query, "message")?);
    let lobby = state.chat.open_lobby().await?;
    state
        .limits
        .check_caller(Action::Messages, &Person::Anonymous, Some(lobby.room_id()))?;
    Ok(lobby.send(name, message).await.map_err(as_sent)?)
}

/// Leaves the lobby; the name is free again, and its streams end.
#[utoipa::path(post, path = "/leave", tag = "lobby",
    params(("id" = Username, Query, description = "The name that joined")),
    responses(
        (status = 200, description = "The line that everybody hears", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody joined under that name", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn leave_lobby(
    State(state): State<AppState>,
    Query(query): Query,
) -> Result<String, Error> {
    Ok(state
        .chat
        .open_lobby()
        .await?
        .leave(name(&query)?.trim())
        .await?)
}

/// Leaves the lobby, like `POST`.
#[utoipa::path(delete, path = "/leave", tag = "lobby",
    params(("id" = Username, Query, description = "The name that joined")),
    responses(
        (status = 200, description = "The line that everybody hears", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 400, description = "No name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nobody joined under that name", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_from_lobby(
    state: State<AppState>,
    query: Query,
) -> Result<String, Error> {
    leave_lobby(state, query).await
}

/// A refusal of a field, under the name that it has here.
fn as_sent(error: chat::Error) -> chat::Error {
    match error {
        chat::Error::Refusal(Refusal::Invalid {
            field: "username",
            rule,
        }) => Refusal::invalid("id", rule).into(),
        chat::Error::Refusal(Refusal::Invalid {
            field: "body",
            rule,
        }) => Refusal::invalid("message", rule).into(),
        other => other,
    }
}

fn name(query: &Fields) -> Result<&str, Refusal> {
    given(query, "id")
}

/// A parameter that must say something.
fn given<'a>(query: &'a Fields, field: &'static str) -> Result<&'a str, Refusal> {
    let text = query.text(field)?.filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| Refusal::Malformed(format!("Say {field}, which is missing or empty.")))
}
