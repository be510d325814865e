//! `/rooms/{id}/messages/`: sending, reading and following.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{AccountHolder, Chat, FollowEvent, Follower, MessagesPage, Person};
use protocol::schema::{Body, Username};
use protocol::{Message, NewMessage, Problem, Refusal, RoomId, Start, text};
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::extract::accept;
use crate::extract::accept::{EVENTS, JSON};
use crate::extract::caller::Caller;
use crate::extract::cookies::name_cookie;
use crate::extract::payload::{Fields, LIMIT_MAX, Query, SEQ_MAX};
use crate::extract::resume_point::start;
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::limit::Action;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::state::AppState;
use crate::stream::sse;

/// The longest wait for a message, in seconds.
const WAIT_MAX: u64 = 60;

/// Sends a message.
///
/// The answer means that the message is durable. The same `Idempotency-Key` in the same room gives back the first answer
/// and sends nothing. Clients that ask for pages are sent back to the room.
#[utoipa::path(post, path = "/rooms/{id}/messages/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false,
            min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]*[!-~])?$",
            description = "Any text of at most 64 characters, new for each message"),
    ),
    request_body(content((NewMessage = "application/json"), (NewMessage = "application/x-www-form-urlencoded"))),
    responses(
        (status = 201, description = "The message, durable", body = Message),
        (status = 303, description = "Back to the room, for clients that ask for pages"),
        (status = 409, description = "Somebody else has the name; `free` is one like it that nobody has", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
        RoomRefused,
    ))]
pub(crate) async fn post_message(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let own = by.account().map(AccountHolder::username);
    let username = fields
        .text("username")?
        .or(own)
        .ok_or_else(|| Refusal::invalid("username", "is missing"))?
        .to_owned();
    let body = fields.required("body")?.to_owned();
    let key = headers
        .get("idempotency-key")
        .map(|key| std::str::from_utf8(key.as_bytes()));
    let key = key
        .transpose()
        .map_err(|_| Refusal::Malformed("The Idempotency-Key is not UTF-8.".to_owned()))?;
    state
        .limits
        .check_caller(Action::Messages, &by, Some(room))?;
    let message = state
        .chat
        .post_message(&by, &room, &NewMessage { username, body }, key)
        .await?;
    if accept::prefers_html(&headers) {
        // The browser remembers the name of a guest; that of an account comes with the session.
        let cookie = by
            .account()
            .is_none()
            .then(|| [(header::SET_COOKIE, name_cookie(&message.username))]);
        return Ok((cookie, Redirect::to(&format!("/rooms/{room}/"))).into_response());
    }
    Ok((StatusCode::CREATED, Json(message)).into_response())
}

/// Writes a message anew; only its author can, with the account or the key that it was sent with.
///
/// Everybody who follows is told by the event `edit`: `{"event":"edit","id","room","message"}`, with a sequence of its own and the
/// message as it is now.
#[utoipa::path(patch, path = "/rooms/{id}/messages/{seq}/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("seq" = u64, Path, description = "The message's `id`"),
    ),
    request_body(content((Anew = "application/json"), (Anew = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The message as it is now", body = Message),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn edit_message(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, seq): InsideRoom,
    fields: Fields,
) -> Result<Response, Error> {
    let body = fields.required("body")?;
    state
        .limits
        .check_caller(Action::Messages, &by, Some(room))?;
    Ok(accept::json(
        state
            .chat
            .edit_message(&by, &room, self::seq(&seq)?, body)
            .await?,
    ))
}

/// Another text for a message.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `edit` reads field by field")]
pub(crate) struct Anew {
    /// What it says from now on.
    body: Body,
}

/// Deletes a message: its author can, and moderators.
///
/// Its text is gone from the store. Everybody who follows is told by the event `deletion`, as by `edit`.
#[utoipa::path(delete, path = "/rooms/{id}/messages/{seq}/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("seq" = u64, Path, description = "The message's `id`"),
    ),
    responses(
        (status = 200, description = "What is left of the message", body = Message),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn delete_message(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, seq): InsideRoom,
) -> Result<Response, Error> {
    state
        .limits
        .check_caller(Action::Messages, &by, Some(room))?;
    Ok(accept::json(
        state
            .chat
            .delete_message(&by, &room, self::seq(&seq)?)
            .await?,
    ))
}

/// The sequence that an address names.
fn seq(text: &str) -> Result<u64, Refusal> {
    text.parse()
        .ok()
        .filter(|seq| *seq <= SEQ_MAX)
        .ok_or(Refusal::NotFound("such message"))
}

/// Reads and follows a room's messages.
///
/// By default an event stream: every message after the cursor, then what happens, until the room closes. A cursor that
/// cannot be honoured gets an event `reset` and everything. Events `presence` (`{"room","here","count"}`: at most 100
/// names, all of them counted) and `typing` (`{"room","usernames"}`) say who is here and who types, each the whole state;
/// they carry no `id`, so they never move the cursor. Who comes without a name is not among them. `edit` and `deletion`
/// change an earlier message and do carry one. As JSON one page of history, in order: the newest, those before a sequence,
/// or those after one.
#[utoipa::path(get, path = "/rooms/{id}/messages/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false, description = "Follow right after this event; goes before the query"),
        ("last_event_id" = Option<String>, Query, description = "The same, for clients that cannot set headers"),
        ("after" = Option<String>, Query, pattern = r"^([0-9]+|[0-9a-f]{8}\.[0-9]+|latest)$",
            description = "Only messages after this sequence or the ID of this event; `latest` follows without any history"),
        ("username" = Option<Username>, Query, description = "Who listens: here, as long as the stream or the wait lasts"),
        ("before" = Option<u64>, Query, description = "JSON only: messages before this sequence"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "JSON only: at most so many; 100 if not given"),
        ("wait" = Option<u64>, Query, maximum = 60, description = "JSON only: if there is nothing yet, wait for it so many seconds"),
    ),
    responses(
        (status = 200, description = "The messages", content((String = "text/event-stream"), (Vec<Message> = "application/json"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else has the name; or, as JSON and with `wait` or the ID of an event, the log does not reach that far or is another one", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ))]
pub(crate) async fn read_messages(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let username = query.text("username")?;
    username.map(text::username).transpose()?;
    let listener = Listener { by, room, username };
    if accept::choose(&headers, &[EVENTS, JSON]) == EVENTS {
        let follow = listener
            .follow(&state.chat, start(&headers, &query)?)
            .await?;
        return Ok(sse::messages(follow, room));
    }
    let page = MessagesPage {
        before: query.number("before", 0, SEQ_MAX)?,
        after: None,
        limit: usize::try_from(query.number("limit", 1, LIMIT_MAX)?.unwrap_or(100))
            .unwrap_or(usize::MAX),
    };
    let wait = Duration::from_secs(query.number("wait", 0, WAIT_MAX)?.unwrap_or(0));
    let messages = wait_for(&state.chat, &listener, (after(&query)?, page), wait).await?;
    Ok(accept::json(messages))
}

/// Somebody who reads a room, and is here under a name if there is one.
struct Listener<'a> {
    by: Person,
    room: RoomId,
    username: Option<&'a str>,
}

impl Listener<'_> {
    async fn follow(&self, chat: &Chat, start: Start) -> Result<Follower, chat::Error> {
        chat.follow_room(&self.by, &self.room, start)
            .await?
            .with_username(self.username)
            .await
    }
}

/// Where a page of history begins, if its address says so.
fn after(query: &Fields) -> Result<Option<Start>, Refusal> {
    match query.text("after")?.map(Start::after) {
        Some(Start::Seq(_)) => Ok(query.number("after", 0, SEQ_MAX)?.map(Start::Seq)),
        Some(Start::Unknown) => Err(Refusal::invalid(
            "after",
            "must be a sequence, the ID of an event, or latest",
        )),
        after => Ok(after),
    }
}

/// A page that begins somewhere, as soon as there is something in it, or after `wait`.
async fn wait_for(
    chat: &Chat,
    listener: &Listener<'_>,
    (after, mut page): (Option<Start>, MessagesPage),
    wait: Duration,
) -> Result<Vec<Message>, chat::Error> {
    // Listen first: nothing falls between the first look and the wait.
    let follow = match after {
        Some(Start::Seq(seq)) if wait.is_zero() => {
            page.after = Some(seq);
            None
        }
        Some(start) => {
            let follow = listener.follow(chat, start).await?;
            page.after = Some(follow.cursor().ok_or(Refusal::Rewound)?.seq);
            Some(follow)
        }
        None if wait.is_zero() || page.before.is_some() => None,
        None => Some(listener.follow(chat, Start::Seq(0)).await?),
    };
    let messages = chat
        .list_messages(&listener.by, &listener.room, page)
        .await?;
    let (Some(mut follow), true) = (follow, messages.is_empty()) else {
        return Ok(messages);
    };
    let end = Instant::now() + wait;
    // Warnings of the room's end, who is here and changes are no messages; anything else is worth another look.
    while let Ok(news) = timeout_at(end, follow.next()).await {
        match news? {
            FollowEvent::Closing(_) | FollowEvent::Ephemeral(_) => {}
            FollowEvent::SignedOut => return Err(Refusal::NotSignedIn.into()),
            FollowEvent::Messages(frames) if frames.messages().next().is_none() => {}
            _ => break,
        }
    }
    chat.list_messages(&listener.by, &listener.room, page).await
}
