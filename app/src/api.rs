//! The typed client of the JSON API, as the browser calls it.
//!
//! Promises: one function a request; every "no" of the server arrives as the problem it stated, and silence as
//! [`Failure::Unreachable`], at the latest after [`PATIENCE`]. The server never calls this: it hands its data over with
//! the page (`opening`).

use std::fmt::Display;

use leptos::prelude::window;
use protocol::{Message, NewMessage, NewRoom, Problem, Room, RoomId};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use crate::browser::cookies;
use crate::browser::json::{self, FromJson};
use crate::router::Route;

/// How long an answer may take, in milliseconds.
const PATIENCE: u32 = 20_000;
/// How many messages are asked for at once.
pub const PAGE_SIZE: usize = 100;

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
            Self::Unreachable => {
                "The server cannot be reached. Check the connection and try again.".to_owned()
            }
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
    rest.next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(rest)
        .collect()
}

/// The answer to a request.
pub type Answer<T> = Result<T, Failure>;

/// One room.
pub async fn fetch_room(id: RoomId) -> Answer<Room> {
    get(room_path(id)).await
}

/// Creates a room.
pub async fn create_room(wish: &NewRoom) -> Answer<Room> {
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let given = [
        ("name", wish.name.clone()),
        ("timeout", wish.timeout.clone()),
        ("public", flag(wish.public)),
        ("private", flag(wish.private)),
    ];
    let given: Vec<_> = given
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
        .collect();
    call("POST", "/rooms/", Some(&given), None).await
}

/// The newest messages of a room, oldest first.
pub async fn fetch_newest(id: RoomId) -> Answer<Vec<Message>> {
    get(format_args!("{}messages/?limit={PAGE_SIZE}", room_path(id))).await
}

/// The messages right before one, oldest first.
pub async fn fetch_before(id: RoomId, seq: u64) -> Answer<Vec<Message>> {
    get(format_args!(
        "{}messages/?before={seq}&limit={PAGE_SIZE}",
        room_path(id)
    ))
    .await
}

/// Sends a message; the same key again is the same message again.
pub async fn post_message(id: RoomId, message: &NewMessage, key: &str) -> Answer<Message> {
    let fields = [("username", &*message.username), ("body", &*message.body)];
    call(
        "POST",
        &format!("{}messages/", room_path(id)),
        Some(&fields),
        Some(key),
    )
    .await
}

/// Says that somebody types. Nobody waits for the answer.
pub async fn report_typing(id: RoomId, name: &str) {
    drop(
        call::<JsValue>(
            "POST",
            &format!("{}typing/", room_path(id)),
            Some(&[("username", name)]),
            None,
        )
        .await,
    );
}

/// Says up to where a room has been read. Nobody waits for the answer.
pub async fn report_read(id: RoomId, seq: u64) {
    drop(
        call::<JsValue>(
            "POST",
            &format!("{}seen/", room_path(id)),
            Some(&[("seen", &seq.to_string())]),
            None,
        )
        .await,
    );
}

/// Writes a message anew.
pub async fn edit_message(id: RoomId, seq: u64, body: &str) -> Answer<Message> {
    call(
        "PATCH",
        &format!("{}messages/{seq}/", room_path(id)),
        Some(&[("body", body)]),
        None,
    )
    .await
}

/// Deletes a message.
pub async fn delete_message(id: RoomId, seq: u64) -> Answer<Message> {
    call(
        "DELETE",
        &format!("{}messages/{seq}/", room_path(id)),
        None,
        None,
    )
    .await
}

/// Keeps the author of a message from writing (`mute`) or from being there (`ban`), for a while.
pub async fn impose_sanction(id: RoomId, seq: u64, kind: &str, lasts: &str) -> Answer<JsValue> {
    let wish = [
        ("message", &*seq.to_string()),
        ("kind", kind),
        ("timeout", lasts),
    ];
    call(
        "POST",
        &format!("{}sanctions/", room_path(id)),
        Some(&wish),
        None,
    )
    .await
}

/// A page that the server draws alone, or what it answers to a form on one: the address that it came from at last, and
/// its HTML, whether or not something was refused.
pub async fn fetch_page(url: &str, form: Option<String>) -> Answer<(String, String)> {
    let method = if form.is_some() { "POST" } else { "GET" };
    let (answer, _, html) = ask(method, url, "text/html", form, None)
        .await
        .ok_or(Failure::Unreachable)?;
    Ok((answer.url(), html))
}

/// Whether the server answers.
pub async fn is_server_ready() -> bool {
    ask("GET", "/readyz", "*/*", None, None)
        .await
        .is_some_and(|(answer, ..)| answer.ok())
}

/// Where a room is.
pub fn room_path(id: RoomId) -> String {
    Route::Room(id).path()
}

async fn get<T: FromJson>(url: impl Display) -> Answer<T> {
    call("GET", &url.to_string(), None, None).await
}

/// Asks for data, with the fields of a form and the key that makes it repeatable, if there are any.
async fn call<T: FromJson>(
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
    let (answer, wait, text) = ask(method, url, "application/json", form, key)
        .await
        .ok_or(Failure::Unreachable)?;
    let result = if answer.ok() {
        json::parse(&text).map(Ok)
    } else {
        json::parse(&text).map(|problem| Err(Failure::Refused(Box::new(problem), wait)))
    };
    result.unwrap_or(Err(Failure::Unreachable))
}

/// Asks the server; gives back the answer, how many seconds it says to wait, and its text.
async fn ask(
    method: &str,
    url: &str,
    accept: &str,
    form: Option<String>,
    key: Option<&str>,
) -> Option<(Response, Option<u32>, String)> {
    let (headers, init) = (Headers::new().ok()?, RequestInit::new());
    headers.append("Accept", accept).ok()?;
    if let Some(key) = key {
        headers.append("Idempotency-Key", key).ok()?;
    }
    if let Some(form) = form {
        headers
            .append("Content-Type", "application/x-www-form-urlencoded")
            .ok()?;
        init.set_body(&form.into());
    }
    init.set_method(method);
    init.set_headers(&headers);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let answer = JsFuture::from(window().fetch_with_str_and_init(url, &init))
        .await
        .ok()?;
    let answer: Response = answer.dyn_into().ok()?;
    let wait = answer
        .headers()
        .get("Retry-After")
        .ok()?
        .and_then(|seconds| seconds.parse().ok());
    let text = JsFuture::from(answer.text().ok()?)
        .await
        .ok()?
        .as_string()?;
    Some((answer, wait, text))
}
