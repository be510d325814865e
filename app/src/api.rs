//! The browser's client for the JSON API.
//!
//! # Guarantees
//! - One function for each request.
//! - A refusal arrives as the server's problem document; without an answer a call fails with
//!   [`Failure::Unreachable`] after at most [`TIMEOUT`].
//!
//! # Not here
//! The server's own rendering: it embeds its data in the page (`initial_state`).

use std::fmt::Display;

use leptos::prelude::window;
use protocol::{Message, NewMessage, NewRoom, Problem, Room, RoomId};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use crate::browser::cookies;
use crate::browser::json::{self, FromJson};
use crate::router::Route;

/// How long a request may take, in milliseconds.
const TIMEOUT: u32 = 20_000;
/// How many messages one request returns.
pub const PAGE_SIZE: usize = 100;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server refused; with the seconds of `Retry-After`, if there are any.
    Refused(Box<Problem>, Option<u32>),
    /// No answer, or none that could be read.
    Unreachable,
}

impl Failure {
    /// What happened and what to do, as text for the visitor.
    pub fn text(&self) -> String {
        match self {
            Self::Refused(problem, _) => capitalize(&problem.detail),
            Self::Unreachable => {
                "The server cannot be reached. Check the connection and try again.".to_owned()
            }
        }
    }

    /// A free name like the requested one, if that is taken.
    pub fn free_name(&self) -> Option<String> {
        match self {
            Self::Refused(problem, _) => problem.free.clone(),
            Self::Unreachable => None,
        }
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem, _) => Some(problem.status),
            Self::Unreachable => None,
        }
    }
}

/// The text with a capital first letter: details begin with the name of a field.
fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(rest)
        .collect()
}

/// The result of a request.
pub type Answer<T> = Result<T, Failure>;

/// Fetches a room.
pub async fn fetch_room(id: RoomId) -> Answer<Room> {
    fetch_json(room_path(id)).await
}

/// Creates a room.
pub async fn create_room(room: &NewRoom) -> Answer<Room> {
    let flag = |value: Option<bool>| value.map(|value| value.to_string());
    let fields = [
        ("name", room.name.clone()),
        ("timeout", room.timeout.clone()),
        ("public", flag(room.public)),
        ("private", flag(room.private)),
    ];
    let fields: Vec<_> = fields
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
        .collect();
    request_json("POST", "/rooms/", Some(&fields), None).await
}

/// Fetches the newest messages of a room, oldest first.
pub async fn fetch_newest(id: RoomId) -> Answer<Vec<Message>> {
    fetch_json(format_args!("{}messages/?limit={PAGE_SIZE}", room_path(id))).await
}

/// Fetches the messages before one, oldest first.
pub async fn fetch_before(id: RoomId, seq: u64) -> Answer<Vec<Message>> {
    fetch_json(format_args!(
        "{}messages/?before={seq}&limit={PAGE_SIZE}",
        room_path(id)
    ))
    .await
}

/// Sends a message under an idempotency key.
pub async fn post_message(id: RoomId, message: &NewMessage, key: &str) -> Answer<Message> {
    let fields = [("username", &*message.username), ("body", &*message.body)];
    request_json(
        "POST",
        &format!("{}messages/", room_path(id)),
        Some(&fields),
        Some(key),
    )
    .await
}

/// Reports that the visitor types; failures are ignored.
pub async fn report_typing(id: RoomId, name: &str) {
    drop(
        request_json::<JsValue>(
            "POST",
            &format!("{}typing/", room_path(id)),
            Some(&[("username", name)]),
            None,
        )
        .await,
    );
}

/// Reports up to which message the visitor has read a room; failures are ignored.
pub async fn report_read(id: RoomId, seq: u64) {
    drop(
        request_json::<JsValue>(
            "POST",
            &format!("{}seen/", room_path(id)),
            Some(&[("seen", &seq.to_string())]),
            None,
        )
        .await,
    );
}

/// Changes the text of a message.
pub async fn edit_message(id: RoomId, seq: u64, body: &str) -> Answer<Message> {
    request_json(
        "PATCH",
        &format!("{}messages/{seq}/", room_path(id)),
        Some(&[("body", body)]),
        None,
    )
    .await
}

/// Deletes a message.
pub async fn delete_message(id: RoomId, seq: u64) -> Answer<Message> {
    request_json(
        "DELETE",
        &format!("{}messages/{seq}/", room_path(id)),
        None,
        None,
    )
    .await
}

/// Mutes or bans the author of a message for some time; `kind` is `mute` or `ban`.
pub async fn impose_sanction(id: RoomId, seq: u64, kind: &str, timeout: &str) -> Answer<JsValue> {
    let fields = [
        ("message", &*seq.to_string()),
        ("kind", kind),
        ("timeout", timeout),
    ];
    request_json(
        "POST",
        &format!("{}sanctions/", room_path(id)),
        Some(&fields),
        None,
    )
    .await
}

/// A page that was rendered by the server alone.
pub struct HtmlPage {
    /// Its URL after all redirects.
    pub url: String,
    /// The HTML.
    pub html: String,
}

/// Fetches such a page, or sends a form on one; also returns the page of a refusal.
pub async fn fetch_page(url: &str, form: Option<String>) -> Answer<HtmlPage> {
    let method = if form.is_some() { "POST" } else { "GET" };
    let answer = send_request(Request {
        method,
        url,
        accept: "text/html",
        form,
        key: None,
    });
    let answer = answer.await.ok_or(Failure::Unreachable)?;
    Ok(HtmlPage {
        url: answer.response.url(),
        html: answer.text,
    })
}

/// Whether the server is ready to answer requests.
pub async fn is_server_ready() -> bool {
    let answer = send_request(Request {
        method: "GET",
        url: "/readyz",
        accept: "*/*",
        form: None,
        key: None,
    });
    answer.await.is_some_and(|answer| answer.response.ok())
}

/// The path of a room.
pub fn room_path(id: RoomId) -> String {
    Route::Room(id).path()
}

async fn fetch_json<T: FromJson>(url: impl Display) -> Answer<T> {
    request_json("GET", &url.to_string(), None, None).await
}

/// Sends a request and parses its answer; with form fields and an idempotency key, if there are
/// any.
async fn request_json<T: FromJson>(
    method: &str,
    url: &str,
    form: Option<&[(&str, &str)]>,
    key: Option<&str>,
) -> Answer<T> {
    let form = form.map(|fields| {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", cookies::percent_encode(value)))
            .collect();
        pairs.join("&")
    });
    let answer = send_request(Request {
        method,
        url,
        accept: "application/json",
        form,
        key,
    });
    let answer = answer.await.ok_or(Failure::Unreachable)?;
    if answer.response.ok() {
        return json::parse(&answer.text).ok_or(Failure::Unreachable);
    }
    let problem = json::parse(&answer.text).ok_or(Failure::Unreachable)?;
    Err(Failure::Refused(Box::new(problem), answer.retry_after))
}

/// What is sent to the server.
struct Request<'a> {
    method: &'a str,
    url: &'a str,
    accept: &'a str,
    /// The body of a form, already encoded.
    form: Option<String>,
    /// The idempotency key.
    key: Option<&'a str>,
}

/// The server's answer.
struct ServerAnswer {
    response: Response,
    /// The seconds of `Retry-After`.
    retry_after: Option<u32>,
    text: String,
}

/// Sends a request and reads its answer to the end.
async fn send_request(request: Request<'_>) -> Option<ServerAnswer> {
    let init = request_init(&request)?;
    let response = JsFuture::from(window().fetch_with_str_and_init(request.url, &init))
        .await
        .ok()?;
    let response: Response = response.dyn_into().ok()?;
    let retry_after = response.headers().get("Retry-After").ok()?;
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    Some(ServerAnswer {
        response,
        retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
        text: text.as_string()?,
    })
}

fn request_init(request: &Request<'_>) -> Option<RequestInit> {
    let headers = Headers::new().ok()?;
    let init = RequestInit::new();
    headers.append("Accept", request.accept).ok()?;
    if let Some(key) = request.key {
        headers.append("Idempotency-Key", key).ok()?;
    }
    if let Some(form) = &request.form {
        headers
            .append("Content-Type", "application/x-www-form-urlencoded")
            .ok()?;
        init.set_body(&form.into());
    }
    init.set_method(request.method);
    init.set_headers(&headers);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT)));
    Some(init)
}
