//! The typed client of the JSON API, as the browser calls it.
//!
//! Promises: one function a request; every "no" of the server arrives as the problem it stated, and silence as
//! [`Failure::Unreachable`], at the latest after [`PATIENCE`]. The server never calls this: it hands its data over with
//! the page (`opening`).

use std::fmt::Display;

use gloo_net::http::{Request, RequestBuilder, Response};
use protocol::{Message, NewMessage, NewRoom, Problem, Room, RoomId};
use web_sys::AbortSignal;

use crate::cookie;
use crate::way::Page;
use crate::wire::{self, Wire};

/// How long an answer may take, in milliseconds.
const PATIENCE: u32 = 20_000;
/// How many messages are asked for at once.
pub const PAGE: usize = 100;

/// Why there is no answer to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server said no; wait so many seconds before asking again, if it said that.
    Refused(Box<Problem>, Option<u32>),
    /// Nothing that could be understood came back.
    Unreachable,
}

impl Failure {
    /// What happened and what to do, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Refused(problem, _) => sentence(&problem.detail),
            Self::Unreachable => "The server cannot be reached. Check the connection and try again.".to_owned(),
        }
    }

    /// A free name like the one that was asked for, if that is what was wrong.
    pub fn free(&self) -> Option<String> {
        match self {
            Self::Refused(problem, _) => problem.free.clone(),
            Self::Unreachable => None,
        }
    }

    /// The HTTP status, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem, _) => Some(problem.status),
            Self::Unreachable => None,
        }
    }
}

/// The same beginning with a capital: rules begin with the name of a field.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(rest).collect()
}

/// The answer to a request.
pub type Answer<T> = Result<T, Failure>;

/// One room.
pub async fn room(id: RoomId) -> Answer<Room> {
    get(path(id)).await
}

/// Creates a room.
pub async fn create(wish: &NewRoom) -> Answer<Room> {
    let request = waiting(Request::post("/rooms/")).json(wish).map_err(|_| Failure::Unreachable)?;
    read(request.send().await).await
}

/// The newest messages of a room, oldest first.
pub async fn newest(id: RoomId) -> Answer<Vec<Message>> {
    get(format_args!("{}messages/?limit={PAGE}", path(id))).await
}

/// The messages right before one, oldest first.
pub async fn before(id: RoomId, seq: u64) -> Answer<Vec<Message>> {
    get(format_args!("{}messages/?before={seq}&limit={PAGE}", path(id))).await
}

/// Sends a message; the same key again is the same message again.
pub async fn post(id: RoomId, message: &NewMessage, key: &str) -> Answer<Message> {
    let request = waiting(Request::post(&format!("{}messages/", path(id))))
        .header("Idempotency-Key", key)
        .json(message)
        .map_err(|_| Failure::Unreachable)?;
    read(request.send().await).await
}

/// Says that somebody types. Nobody waits for the answer.
pub async fn types(id: RoomId, name: &str) {
    let request = waiting(Request::post(&format!("{}typing/", path(id))))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("username={}", cookie::encode(name)));
    if let Ok(request) = request {
        drop(request.send().await);
    }
}

/// Says up to where the conversation with somebody has been read. Nobody waits for the answer.
pub async fn seen(username: &str, seq: u64) {
    let request = waiting(Request::post(&format!("/chats/{username}/seen/")))
        .header("Content-Type", "application/json")
        .body(format!("{{\"seen\":{seq}}}"));
    if let Ok(request) = request {
        drop(request.send().await);
    }
}

/// Whether the server answers.
pub async fn answers() -> bool {
    waiting(Request::get("/readyz")).send().await.is_ok_and(|answer| answer.ok())
}

/// Where a room is.
pub fn path(id: RoomId) -> String {
    Page::Room(id).path()
}

async fn get<T: Wire>(url: impl Display) -> Answer<T> {
    read(waiting(Request::get(&url.to_string())).send().await).await
}

fn waiting(request: RequestBuilder) -> RequestBuilder {
    request.header("Accept", "application/json").abort_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)))
}

async fn read<T: Wire>(answer: Result<Response, gloo_net::Error>) -> Answer<T> {
    let answer = answer.map_err(|_| Failure::Unreachable)?;
    let wait = answer.headers().get("Retry-After").and_then(|seconds| seconds.parse().ok());
    let text = answer.text().await.map_err(|_| Failure::Unreachable)?;
    let result = if answer.ok() {
        wire::parse(&text).map(Ok)
    } else {
        wire::parse(&text).map(|problem| Err(Failure::Refused(Box::new(problem), wait)))
    };
    result.unwrap_or(Err(Failure::Unreachable))
}
