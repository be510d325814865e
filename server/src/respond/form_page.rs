//! Pages that are forms: drawn when they are asked for, and again with what was wrong when they are refused.
//!
//! Promises: a refused form has the status of its refusal. Leaves to others: how it looks (`app`).

use app::{FieldError, FormPage};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use protocol::RoomId;

use crate::error::Error;
use crate::extract::accept;
use crate::extract::next::local_path;
use crate::extract::payload::Fields;
use crate::respond::{assets, page};

/// What a page of forms is drawn with.
pub(crate) fn sheet(headers: &HeaderMap, next: Option<&str>) -> FormPage {
    let theme = page::visitor(headers).theme;
    FormPage {
        assets: assets::urls(),
        theme,
        next: local_path(next).to_owned(),
        error: None,
    }
}

/// The same for a page about a room, to which it leads back.
pub(crate) fn of_room(headers: &HeaderMap, room: RoomId) -> FormPage {
    sheet(headers, Some(&format!("/rooms/{room}/")))
}

/// A page of forms, fresh.
pub(crate) fn fresh(html: String) -> Response {
    page::plain(StatusCode::OK, html)
}

/// The way on after a form: to where its field `next` says, else to `page`.
pub(crate) fn on(fields: Option<&Fields>, page: &str) -> Response {
    let next = fields.and_then(|fields| fields.text("next").ok().flatten());
    Redirect::to(next.map_or(page, |next| local_path(Some(next)))).into_response()
}

/// The same form again, for clients that ask for pages. `at` says beside which of its fields a refusal is said that is
/// about this one, or about none.
///
/// # Errors
/// The error itself for other clients, and if no form would help.
pub(crate) fn again(
    headers: &HeaderMap,
    error: Error,
    at: impl FnOnce(Option<&str>) -> &'static str,
    draw: impl FnOnce(FieldError) -> String,
) -> Result<Response, Error> {
    let Some(refusal) = error.refusal().filter(|refusal| refusal.status() != 401) else {
        return Err(error);
    };
    if !accept::prefers_html(headers) {
        return Err(error);
    }
    let problem = refusal.problem();
    let words = sentence(&problem.detail);
    let wrong = FieldError {
        field: at(problem.field.as_deref()),
        text: words,
        is_invalid: problem.status != 429,
    };
    Ok(instead(error, draw(wrong)))
}

/// A page that says an error in its own way.
pub(crate) fn instead(error: Error, html: String) -> Response {
    let refused = error.into_response();
    let mut page = page::plain(refused.status(), html);
    if let Some(wait) = refused.headers().get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, wait.clone());
    }
    page
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
