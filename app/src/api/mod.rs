//! The browser's client for the JSON API.
//!
//! # Guarantees
//! - One function for each request.
//! - A refusal arrives as the server's problem document; without an answer a call fails with
//!   [`Failure::Unreachable`] after at most [`TIMEOUT`], and [`Failure::Foreign`] says that
//!   something on the way answered instead.
//!
//! # Not here
//! The server's own rendering: it embeds its data in the page (`initial_state`).

mod failure;
mod retry_after;

use std::pin::Pin;

use gloo_net::http::{Request, RequestBuilder, Response};
use protocol::{Message, NewMessage, NewRoom, Room, RoomId, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use web_sys::AbortSignal;

pub use crate::api::failure::{Failure, capitalize};
use crate::api::retry_after::parse_retry_after;
use crate::browser::json;
use crate::router::Route;
use crate::time::clock;

/// How long a request may take, in milliseconds.
const TIMEOUT: u32 = 20_000;
/// How many messages one request returns.
pub const PAGE_SIZE: usize = 100;

/// The result of a request.
pub type Answer<T> = Result<T, Failure>;

/// Fetches a room.
pub async fn fetch_room(id: RoomId) -> Answer<Room> {
    fetch_json(&room_path(id)).await
}

/// Creates a room.
pub async fn create_room(room: &NewRoom) -> Answer<Room> {
    parse(send_json(Request::post("/rooms/"), room).await)
}

/// Fetches the newest messages of a room, oldest first.
pub async fn fetch_newest(id: RoomId) -> Answer<Vec<Message>> {
    fetch_json(&format!("{}messages/?limit={PAGE_SIZE}", room_path(id))).await
}

/// Fetches the messages before one, oldest first.
pub async fn fetch_before(id: RoomId, seq: u64) -> Answer<Vec<Message>> {
    fetch_page_of(id, "before", seq).await
}

/// Fetches the messages after one, oldest first.
pub async fn fetch_after(id: RoomId, seq: u64) -> Answer<Vec<Message>> {
    fetch_page_of(id, "after", seq).await
}

/// Fetches a message with those before and after it, oldest first.
pub async fn fetch_around(id: RoomId, seq: u64) -> Answer<Vec<Message>> {
    fetch_page_of(id, "around", seq).await
}

async fn fetch_page_of(id: RoomId, start: &str, seq: u64) -> Answer<Vec<Message>> {
    let room = room_path(id);
    fetch_json(&format!("{room}messages/?{start}={seq}&limit={PAGE_SIZE}")).await
}

/// Sends a message under an idempotency key.
pub async fn post_message(id: RoomId, message: &NewMessage, key: &str) -> Answer<Message> {
    let request = Request::post(&format!("{}messages/", room_path(id)));
    parse(send_json(request.header("Idempotency-Key", key), message).await)
}

/// Reports that the visitor types; failures are ignored.
pub async fn report_typing(id: RoomId, username: &str) {
    #[derive(Serialize)]
    struct Typing<'a> {
        username: &'a str,
    }
    let request = Request::post(&format!("{}typing/", room_path(id)));
    drop(send_json(request, &Typing { username }).await);
}

/// Reports up to which message the visitor has read a room; failures are ignored.
pub async fn report_read(id: RoomId, seq: u64) {
    #[derive(Serialize)]
    struct ReadMarker {
        seen: u64,
    }
    let request = Request::post(&format!("{}seen/", room_path(id)));
    drop(send_json(request, &ReadMarker { seen: seq }).await);
}

/// Changes the text of a message.
pub async fn edit_message(id: RoomId, seq: u64, body: &str) -> Answer<Message> {
    #[derive(Serialize)]
    struct Edit<'a> {
        body: &'a str,
    }
    let request = Request::patch(&message_path(id, seq));
    parse(send_json(request, &Edit { body }).await)
}

/// Deletes a message.
pub async fn delete_message(id: RoomId, seq: u64) -> Answer<Message> {
    let request = for_json(Request::delete(&message_path(id, seq)));
    parse(receive_json(request.build()).await)
}

/// A page that was rendered by the server alone.
pub struct HtmlPage {
    /// Its URL after all redirects.
    pub url: String,
    /// The HTML.
    pub html: String,
}

/// Fetches such a page, or sends a form on one, already encoded; also returns the page of a
/// refusal.
pub async fn fetch_page(url: &str, form: Option<String>) -> Answer<HtmlPage> {
    let request = match form {
        None => with_timeout(Request::get(url), "text/html").build(),
        Some(form) => with_timeout(Request::post(url), "text/html")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form),
    };
    let answer = send(request).await?;
    Ok(HtmlPage {
        url: answer.response.url(),
        html: answer.text,
    })
}

/// Whether the server is ready to answer requests.
pub async fn is_server_ready() -> bool {
    probe().await.is_some_and(|response| response.ok())
}

/// Asks for the server's time, which each of its answers says.
pub fn fetch_time() -> Pin<Box<dyn Future<Output = Option<Time>>>> {
    Box::pin(async { sending_time(&probe().await?) })
}

/// The server's answer to the question whether it is ready.
async fn probe() -> Option<Response> {
    let request = with_timeout(Request::get("/readyz"), "*/*").build();
    Some(send(request).await.ok()?.response)
}

/// The path of a room.
pub fn room_path(id: RoomId) -> String {
    Route::Room(id).path()
}

fn message_path(id: RoomId, seq: u64) -> String {
    format!("{}messages/{seq}/", room_path(id))
}

/// The same request, which fails after [`TIMEOUT`]; `accept` is the media type to answer with.
fn with_timeout(request: RequestBuilder, accept: &str) -> RequestBuilder {
    request
        .header("Accept", accept)
        .abort_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT)))
}

fn for_json(request: RequestBuilder) -> RequestBuilder {
    with_timeout(request, "application/json")
}

async fn fetch_json<T: DeserializeOwned>(path: &str) -> Answer<T> {
    parse(receive_json(for_json(Request::get(path)).build()).await)
}

/// Sends a value; returns the text of a successful answer.
async fn send_json(request: RequestBuilder, value: &impl Serialize) -> Answer<String> {
    receive_json(for_json(request).json(value)).await
}

/// Sends a request; returns the text of a successful answer.
async fn receive_json(request: Built) -> Answer<String> {
    let answer = send(request).await?;
    if answer.response.ok() {
        return Ok(answer.text);
    }
    let pause = asked_pause(&answer.response);
    let foreign = || Failure::Foreign(answer.response.status(), pause);
    Err(json::parse(&answer.text).map_or_else(foreign, |problem| Failure::Refused(problem, pause)))
}

/// The seconds of an answer's `Retry-After`. A date in it is by the clock that made it.
fn asked_pause(response: &Response) -> Option<u32> {
    let now = sending_time(response).unwrap_or_else(clock::now);
    let value = response.headers().get("Retry-After")?;
    parse_retry_after(&value, now, clock::parse_date)
}

/// When an answer was sent, by the clock of its sender.
fn sending_time(response: &Response) -> Option<Time> {
    clock::parse_date(&response.headers().get("Date")?)
}

fn parse<T: DeserializeOwned>(answer: Answer<String>) -> Answer<T> {
    json::parse(&answer?).ok_or(Failure::Unreachable)
}

/// A request that can be sent, unless a part of it is invalid.
type Built = Result<Request, gloo_net::Error>;

/// The server's answer.
struct ServerAnswer {
    response: Response,
    text: String,
}

/// Sends a request and reads its answer to the end.
async fn send(request: Built) -> Answer<ServerAnswer> {
    let receive = async {
        let response = request?.send().await?;
        let text = response.text().await?;
        Ok::<_, gloo_net::Error>(ServerAnswer { response, text })
    };
    receive.await.map_err(|_| Failure::Unreachable)
}
