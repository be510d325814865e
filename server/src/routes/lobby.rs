//! `/join`, `/messages`, `/send`, `/leave`: the lobby, in plain text.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::characters::shows_nothing;
use protocol::schema::{Body, LobbyName};
use protocol::{Refusal, Start};

use crate::error::Error;
use crate::extract::client_address::ClientAddress;
use crate::extract::query::Query;
use crate::extract::resume_point;
use crate::limit::Action;
use crate::middleware::csrf::Navigation;
use crate::openapi::responses::{
    CrossSiteRefused, LobbyAbsent, LobbyNameRefused, LobbyNameTaken, LobbyRefused,
    LobbyTextRefused, NameRefused, StorageRefused,
};
use crate::state::AppState;
use crate::stream::sse;

/// Joins the lobby under a name.
#[utoipa::path(post, path = "/join", tag = "lobby",
    params(("id" = LobbyName, Query, description = "The name")),
    responses(
        (status = 200,
            description = "The line that the lobby receives",
            body = String, content_type = "text/plain; charset=utf-8"),
        LobbyRefused,
        LobbyTextRefused,
        LobbyNameTaken,
        StorageRefused,
    ))]
pub(crate) async fn join_lobby(
    State(state): State<AppState>,
    query: Query,
) -> Result<String, Error> {
    let name = parse_name(&query)?;
    let lobby = state.chat.open_lobby().await?;
    let room = Some(lobby.room_id());
    state
        .limits
        .check_caller(Action::Messages, &Person::Anonymous, room)?;
    Ok(lobby.join(name).await.map_err(rename_fields)?)
}

/// Follows the lobby: every line since the name joined, then new lines, as events of plain text.
///
/// The stream ends after some time without a line, and when its name leaves.
#[utoipa::path(get, path = "/messages", tag = "lobby",
    params(
        ("id" = LobbyName, Query, description = "The name that has joined"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false,
            description = "Follow right after this event"),
    ),
    responses(
        (status = 200,
            description = "The lines", body = String, content_type = "text/event-stream"),
        LobbyRefused,
        LobbyNameRefused,
        CrossSiteRefused,
    ))]
pub(crate) async fn follow_lobby(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    _: Navigation,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let name = parse_name(&query)?;
    let start = resume_point::start(&headers, &query);
    let start = (start != Start::Seq(0)).then_some(start);
    let listener = state.chat.open_lobby().await?.listen(name, start).await?;
    let place = state.streams.enter(address, &Person::Anonymous)?;
    Ok(sse::lobby(listener, state.stream_timeout, place))
}

/// Sends a line to the lobby.
#[utoipa::path(post, path = "/send", tag = "lobby",
    params(
        ("id" = LobbyName, Query, description = "The name that has joined"),
        ("message" = Body, Query, description = "The text"),
    ),
    responses(
        (status = 200,
            description = "The line that the lobby receives",
            body = String, content_type = "text/plain; charset=utf-8"),
        LobbyRefused,
        LobbyNameRefused,
        LobbyTextRefused,
        NameRefused,
        StorageRefused,
    ))]
pub(crate) async fn send_to_lobby(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    query: Query,
) -> Result<String, Error> {
    let name = parse_name(&query)?;
    let message = required_text(&query, "message")?;
    let lobby = state.chat.open_lobby().await?;
    let (by, room) = (Person::Anonymous, lobby.room_id());
    state.limits.check_message(address, &by, room, message)?;
    Ok(lobby.send(name, message).await.map_err(rename_fields)?)
}

/// Leaves the lobby: the name becomes free, and its streams end.
#[utoipa::path(post, path = "/leave", tag = "lobby",
    params(("id" = LobbyName, Query, description = "The name that has joined")),
    responses(
        (status = 200,
            description = "The line that the lobby receives",
            body = String, content_type = "text/plain; charset=utf-8"),
        LobbyRefused,
        LobbyAbsent,
    ))]
pub(crate) async fn leave_lobby(
    State(state): State<AppState>,
    query: Query,
) -> Result<String, Error> {
    let name = parse_name(&query)?;
    Ok(state.chat.open_lobby().await?.leave(name).await?)
}

/// Leaves the lobby, like `POST`.
#[utoipa::path(delete, path = "/leave", tag = "lobby",
    params(("id" = LobbyName, Query, description = "The name that has joined")),
    responses(
        (status = 200,
            description = "The line that the lobby receives",
            body = String, content_type = "text/plain; charset=utf-8"),
        LobbyRefused,
        LobbyAbsent,
    ))]
pub(crate) async fn delete_from_lobby(
    state: State<AppState>,
    query: Query,
) -> Result<String, Error> {
    leave_lobby(state, query).await
}

/// The refusal of a field under the name of its parameter.
fn rename_fields(error: chat::Error) -> chat::Error {
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

fn parse_name(query: &Query) -> Result<&str, Refusal> {
    required_text(query, "id")
}

/// A parameter that must not be blank.
fn required_text<'a>(query: &'a Query, name: &str) -> Result<&'a str, Refusal> {
    let text = query.text(name).filter(|text| !shows_nothing(text));
    text.ok_or_else(|| Refusal::Malformed(format!("Give {name}, which is missing or empty.")))
}
