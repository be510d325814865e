//! `/rooms/{id}/messages/`: sending, editing, deleting, reading and following messages.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{
    AccountHolder, Chat, FollowEvent, Follower, IdempotencyKey, MessagesPage, NewFiles, Person,
};
use protocol::schema::{Body, Username};
use protocol::{Message, NewMessage, Refusal, RoomId, Start, text};
use serde::Deserialize;
use texts::refusal;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::accept::{self, EVENTS, JSON};
use crate::extract::caller::Caller;
use crate::extract::client_address::ClientAddress;
use crate::extract::cookies::name_cookie;
use crate::extract::payload::{FileRefs, NamedFile, Payload, SEQ_MAX};
use crate::extract::query::Query;
use crate::extract::resume_point;
use crate::extract::room_path::{InsideRoom, RoomPath};
use crate::limit::Action;
use crate::openapi::responses::{
    BodyRefused, NameRefused, QueryRefused, RoomRefused, StorageRefused, UncheckedRefused,
};
use crate::respond::history;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;
use crate::stream::sse;

/// The longest wait for a message, in seconds.
const WAIT_MAX: u64 = 60;

/// How much of a page of history is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// A message to send.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PostMessage {
    /// The name of the author; a caller with an account can leave it out.
    #[schema(value_type = Username)]
    username: Option<String>,
    /// The text. A message with files can do without.
    #[schema(value_type = Option<String>, nullable = false, max_length = 4000, example = "hello")]
    body: Option<String>,
    /// The files that the caller has sent to this room before, and that are in no message yet.
    #[schema(value_type = Option<Vec<NamedFile>>, nullable = false, max_items = 10)]
    files: Option<FileRefs>,
}

/// Sends a message.
///
/// The answer means that the message is durable. The same `Idempotency-Key` of the same author (an
/// account, a guest, or else an address) in the same room gets the first answer and sends nothing;
/// with another text it is refused. Clients that prefer pages are redirected to the room.
#[utoipa::path(post, path = "/rooms/{id}/messages/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("Idempotency-Key" = Option<String>, Header, nullable = false,
            min_length = 1, max_length = 64, pattern = r"^[!-~]([ -~]*[!-~])?$",
            description = "A text of at most 64 characters, a new one for each message"),
    ),
    request_body(content(
        (PostMessage = "application/json"),
        (PostMessage = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 201, description = "The message, durable", body = Message),
        (status = 303, description = "Back to the room, for clients that prefer pages"),
        NameRefused,
        BodyRefused,
        RoomRefused,
        StorageRefused,
        UncheckedRefused,
    ))]
pub(crate) async fn post_message(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    ClientAddress(address): ClientAddress,
    format: Format,
    headers: HeaderMap,
    payload: Payload<PostMessage>,
) -> Result<Response, Error> {
    let sent = payload.read()?;
    let own = || {
        by.account()
            .map(|member| AccountHolder::username(member).to_owned())
    };
    let username = sent.username.or_else(own);
    let files = sent.files.unwrap_or_default();
    let missing = |field| Refusal::invalid(field, refusal::RULE_MISSING.text());
    let body = match sent.body {
        None if files.ids.is_empty() => return Err(missing("body").into()),
        body => body.unwrap_or_default(),
    };
    let new_message = NewMessage {
        username: username.ok_or_else(|| missing("username"))?,
        body,
    };
    let key = idempotency_key(&headers)?;
    let key = key.map(|text| IdempotencyKey { text, address });
    let body = &new_message.body;
    state.limits.check_message(address, &by, room, body)?;
    let files = NewFiles {
        ids: &files.ids,
        alts: &files.alts,
        digest: None,
    };
    let message = state
        .chat
        .post_message_with_files(&by, &room, &new_message, files, key)
        .await?;
    Ok(posted(format, &by, message))
}

/// The answer to a message that was sent.
pub(super) fn posted(format: Format, by: &Person, message: Message) -> Response {
    let room = message.room;
    if format.is_html() {
        // The browser remembers the name of a guest; the name of an account comes with the session.
        let is_guest = by.account().is_none();
        let cookie = is_guest.then(|| [(header::SET_COOKIE, name_cookie(&message.username))]);
        return (cookie, Redirect::to(&format!("/rooms/{room}/"))).into_response();
    }
    (StatusCode::CREATED, Json(message)).into_response()
}

/// The idempotency key of a request, if it has one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let key = headers
        .get("idempotency-key")
        .map(|key| std::str::from_utf8(key.as_bytes()));
    key.transpose()
        .map_err(|_| Refusal::Malformed("The Idempotency-Key is not UTF-8.".to_owned()))
}

/// A new text for a message.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct EditMessage {
    /// The text.
    #[schema(value_type = Body)]
    body: String,
}

/// Edits a message; only its author can, with the same account or guest's key.
///
/// Followers receive the event `change` of the kind `edit`:
/// `{"kind":"edit","id","room","target","message"}`, with a sequence number of its own (`id`), that
/// of the message (`target`), and the edited message.
#[utoipa::path(patch, path = "/rooms/{id}/messages/{seq}/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("seq" = u64, Path, description = "The message's `id`"),
    ),
    request_body(content(
        (EditMessage = "application/json"),
        (EditMessage = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The edited message", body = Message),
        BodyRefused,
        RoomRefused,
        StorageRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn edit_message(
    State(state): State<AppState>,
    Caller(by): Caller,
    InsideRoom(room, seq): InsideRoom,
    ClientAddress(address): ClientAddress,
    payload: Payload<EditMessage>,
) -> Result<Response, Error> {
    let body = payload.read()?.body;
    state.limits.check_message(address, &by, room, &body)?;
    let edited = state
        .chat
        .edit_message(&by, &room, parse_seq(&seq)?, &body)
        .await?;
    Ok(negotiated::json(edited))
}

/// Deletes a message; its author and moderators can.
///
/// The text is erased from the store. Followers receive the event `change` of the kind `deletion`,
/// of the same form as for an edit.
#[utoipa::path(delete, path = "/rooms/{id}/messages/{seq}/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("seq" = u64, Path, description = "The message's `id`"),
    ),
    responses(
        (status = 200, description = "The deleted message, without its text", body = Message),
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
    let deleted = state
        .chat
        .delete_message(&by, &room, parse_seq(&seq)?)
        .await?;
    Ok(negotiated::json(deleted))
}

/// The sequence number in an address.
fn parse_seq(text: &str) -> Result<u64, Refusal> {
    let seq = text.parse().ok().filter(|seq| *seq <= SEQ_MAX);
    seq.ok_or(Refusal::NotFound(refusal::NO_MESSAGE))
}

/// Reads and follows the messages of a room.
///
/// By default the answer is an event stream: every message after the cursor, then new events, until
/// the room closes. A cursor that the server cannot honour gets the event `reset` and every
/// message. The events `presence` (`{"room","here","count"}`: at most 100 names, and the number of
/// all) and `typing` (`{"room","usernames"}`) carry a whole state each, and `name`
/// (`{"username","name"}`) a changed display name; they have no `id`, so they never move the cursor.
/// A client without a name is not counted. `change` (`{"kind","id","room","target","message"}`)
/// changes an earlier message and has an `id`; its kinds are `edit` and `deletion`, and others may be
/// added: a client moves its cursor past a kind that it does not know. As JSON the answer is one page
/// of history, in order: the newest messages, those before, after or around a sequence number.
#[utoipa::path(get, path = "/rooms/{id}/messages/", tag = "messages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("Last-Event-ID" = Option<String>, Header, nullable = false,
            description = "Follow right after this event; takes precedence over the query"),
        ("last_event_id" = Option<String>, Query,
            description = "The same, for clients that cannot set headers"),
        ("after" = Option<String>, Query, pattern = r"^([0-9]+|[0-9a-f]{8}\.[0-9]+|latest)$",
            description = "Only messages after this sequence number or event ID; `latest` follows without history"),
        ("username" = Option<Username>, Query,
            description = "The reader's name: present in the room while the stream or the wait lasts"),
        ("before" = Option<u64>, Query,
            description = "JSON only: messages before this sequence number"),
        ("around" = Option<u64>, Query, minimum = 1,
            description = "JSON only: the message of this sequence number, half of `limit` before it, and the rest after it; stands alone"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "JSON only: the largest number of messages; 100 by default"),
        ("wait" = Option<u64>, Query, maximum = 60,
            description = "JSON only: how many seconds to wait if there is no message yet"),
    ),
    responses(
        (status = 200,
            description = "The messages",
            content((String = "text/event-stream"), (Vec<Message> = "application/json"))),
        (status = 409,
            description = "Another person has the name; or, as JSON with `wait` or an event ID, the log does not reach that far or is another log",
            body = protocol::Problem, content_type = "application/problem+json"),
        QueryRefused,
        RoomRefused,
    ))]
pub(crate) async fn read_messages(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let username = query.text("username");
    username.map(text::parse_username).transpose()?;
    let reader = Reader { by, room, username };
    if accept::choose(&headers, &[EVENTS, JSON]) == EVENTS {
        let start = resume_point::start(&headers, &query);
        let place = state.streams.enter(address, &reader.by)?;
        let follow = reader.follow(&state.chat, start).await?;
        return Ok(sse::messages(follow, room, place));
    }
    let page = MessagesPage {
        before: query.number("before", 0, SEQ_MAX)?,
        after: None,
        limit: query.limit(100)?,
        bytes: PIECE,
    };
    let around = parse_around(&query)?;
    let wait = Duration::from_secs(query.number("wait", 0, WAIT_MAX)?.unwrap_or(0));
    let poll = LongPoll {
        after: parse_after(&query)?,
        page,
        wait,
    };
    // A request that waits is a stream.
    let place = match wait.is_zero() {
        true => None,
        false => Some(state.streams.enter(address, &reader.by)?),
    };
    let page = poll.run(&state.chat, &reader).await?;
    drop(place);
    let share = state.budgets.reserve(address).await?;
    let messages = state
        .chat
        .read_messages(&reader.by, &room, page, around)
        .await?;
    Ok(share.attach(history::messages(messages).await?))
}

/// The middle of a page of history, which has neither another start nor a wait.
fn parse_around(query: &Query) -> Result<Option<u64>, Refusal> {
    let around = query.number("around", 1, SEQ_MAX)?;
    let others = ["before", "after", "wait"];
    match others.into_iter().find(|name| query.text(name).is_some()) {
        Some(other) if around.is_some() => Err(Refusal::invalid(
            "around",
            format!("cannot be combined with {other}"),
        )),
        _ => Ok(around),
    }
}

/// The reader of a room, present under a name if the client gives one.
struct Reader<'a> {
    by: Person,
    room: RoomId,
    username: Option<&'a str>,
}

impl Reader<'_> {
    async fn follow(&self, chat: &Chat, start: Start) -> Result<Follower, chat::Error> {
        let follow = chat.follow_room(&self.by, &self.room, start).await?;
        follow.with_username(self.username).await
    }
}

/// The start of a page of history, if the query names one.
fn parse_after(query: &Query) -> Result<Option<Start>, Refusal> {
    match query.text("after").map(Start::parse_after) {
        Some(Start::Seq(_)) => Ok(query.number("after", 0, SEQ_MAX)?.map(Start::Seq)),
        Some(Start::Unknown) => Err(Refusal::invalid(
            "after",
            "must be a sequence number, an event ID, or latest",
        )),
        after => Ok(after),
    }
}

/// A request for a page of history that waits for the first message.
struct LongPoll {
    after: Option<Start>,
    page: MessagesPage,
    wait: Duration,
}

impl LongPoll {
    /// Returns which page to read, as soon as it has a message, or after the wait.
    async fn run(self, chat: &Chat, reader: &Reader<'_>) -> Result<MessagesPage, chat::Error> {
        let mut page = self.page;
        // Follow first: no message falls between the first look and the wait.
        let follow = match self.after {
            Some(Start::Seq(seq)) if self.wait.is_zero() => {
                page.after = Some(seq);
                None
            }
            Some(start) => {
                let follow = reader.follow(chat, start).await?;
                page.after = Some(follow.cursor().ok_or(Refusal::StaleCursor)?.seq);
                Some(follow)
            }
            None if self.wait.is_zero() || page.before.is_some() => None,
            None => Some(reader.follow(chat, Start::Seq(0)).await?),
        };
        if let Some(follow) = follow {
            let one = MessagesPage { limit: 1, ..page };
            let messages = chat.list_messages(&reader.by, &reader.room, one).await?;
            if messages.is_empty() {
                wait_for_message(follow, self.wait).await?;
            }
        }
        Ok(page)
    }
}

/// Returns at an event that may have added a message to the page, or after the wait.
async fn wait_for_message(mut follow: Follower, wait: Duration) -> Result<(), chat::Error> {
    let end = Instant::now() + wait;
    while let Ok(news) = timeout_at(end, follow.next()).await {
        match news? {
            // No message: a warning of the room's end, presence, an edit or a deletion.
            FollowEvent::Closing(_) | FollowEvent::Ephemeral(_) => {}
            FollowEvent::Messages(frames) if !frames.has_messages() => {}
            FollowEvent::SignedOut => return Err(Refusal::NotSignedIn.into()),
            _ => break,
        }
    }
    Ok(())
}
