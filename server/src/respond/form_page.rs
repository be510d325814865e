//! Pages with forms: drawn when a client asks for them, and again with the error when a form is
//! refused.
//!
//! # Guarantees
//! A refused form has the status of its refusal.
//!
//! # Not here
//! The look of the pages (`app`).

use app::{FieldError, FormPage, Unread};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat::Person;
use protocol::RoomId;

use crate::error::Error;
use crate::extract::next::local_path;
use crate::respond::{assets, page};
use crate::state::AppState;

/// The frame of a page with forms that leads back to `next`, for a caller who is not signed in yet.
pub(crate) fn sheet(headers: &HeaderMap, next: Option<&str>) -> FormPage {
    FormPage {
        assets: assets::urls(),
        theme: page::visitor(headers).theme,
        unread: Unread::default(),
        next: local_path(next).to_owned(),
        errors: Vec::new(),
    }
}

/// The frame of a page with forms that leads back to `next`, with what is unread in its title.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn sheet_of(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    next: Option<&str>,
) -> Result<FormPage, Error> {
    let overview = state.chat.load_overview(by, &[]).await?;
    Ok(FormPage {
        unread: Unread::of(&overview, None),
        ..sheet(headers, next)
    })
}

/// The frame of a page about a room, which leads back to the room.
///
/// # Errors
/// A fault of the database.
pub(crate) async fn room_sheet(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    room: RoomId,
) -> Result<FormPage, Error> {
    sheet_of(state, by, headers, Some(&format!("/rooms/{room}/"))).await
}

/// A page with forms as the client first sees it.
pub(crate) fn show(html: String) -> Response {
    page::plain(StatusCode::OK, html)
}

/// The page of a refused form, with its errors. `place` is the field of the form beside which an
/// error stands, given a field that the refusal names.
///
/// # Errors
/// The error itself where the same form cannot help: a fault, or a caller who is not signed in.
pub(crate) fn rerender_with_error(
    error: Error,
    place: impl Fn(Option<&str>) -> &'static str,
    draw: impl FnOnce(Vec<FieldError>) -> String,
) -> Result<Response, Error> {
    let Some(refusal) = error.refusal().filter(|refusal| refusal.status() != 401) else {
        return Err(error);
    };
    let problem = refusal.problem();
    let wrong = |field: Option<&str>, text: &str| FieldError {
        field: place(field),
        text: capitalize(text),
        is_invalid: problem.status != 429,
    };
    let of_fields = problem.errors.iter();
    let mut wrong_fields: Vec<_> = of_fields
        .map(|error| wrong(Some(&error.field), &error.detail))
        .collect();
    if wrong_fields.is_empty() {
        wrong_fields.push(wrong(None, &problem.detail));
    }
    Ok(error_page(error, draw(wrong_fields)))
}

/// The same for a page about a room with one form. A caller who may not see the `page` learns
/// nothing else about the room.
///
/// # Errors
/// Those of [`rerender_with_error`], and the error itself without the page.
pub(crate) async fn rerender_room_page<P>(
    error: Error,
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    room: RoomId,
    page: Result<P, Error>,
    draw: fn(&FormPage, &P) -> String,
) -> Result<Response, Error> {
    let Ok(page) = page else {
        return Err(error);
    };
    let sheet = room_sheet(state, by, headers, room).await?;
    rerender_with_error(
        error,
        |_| "",
        |wrong| draw(&sheet.with_errors(wrong), &page),
    )
}

/// A page with the status and the waiting time of an error.
pub(crate) fn error_page(error: Error, html: String) -> Response {
    let refused = error.into_response();
    let mut page = page::plain(refused.status(), html);
    if let Some(wait) = refused.headers().get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    page
}

/// The text with a capital first letter: the text of a rule begins with the name of its field.
fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}
