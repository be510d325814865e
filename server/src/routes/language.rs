//! `/language/`: the language of the pages.

use app::language_page;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use protocol::Refusal;
use serde::Deserialize;
use texts::{Language, refusal};
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::cookies::{LANGUAGE, language_cookie, read_cookie};
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::openapi::responses::{BodyRefused, QueryRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};

/// The choice of a language.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChooseLanguage {
    /// The tag of a language that the server has; empty for the browser's own choice.
    #[schema(example = "de")]
    language: String,
}

/// Shows the languages of the pages.
#[utoipa::path(get, path = "/language/", tag = "pages",
    params(("next" = Option<String>, Query, description = "The way back, a path of this site")),
    responses((status = 200, description = "The page", content_type = "text/html", body = String),
        QueryRefused,
    ))]
pub(crate) async fn show_languages(headers: HeaderMap, query: Query) -> Response {
    let chosen = read_cookie(&headers, LANGUAGE).and_then(Language::find);
    let page = form_page::sheet(&headers, query.text("next"));
    form_page::show(language_page(&page, chosen))
}

/// Chooses the language of the pages and of the refusals for this browser, as a cookie.
#[utoipa::path(post, path = "/language/", tag = "pages",
    request_body(content((ChooseLanguage = "application/json"), (ChooseLanguage = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "The language is chosen"),
        (status = 303, description = "To `next`, for clients that prefer pages"),
        BodyRefused,
    ))]
pub(crate) async fn choose_language(
    format: Format,
    payload: Payload<ChooseLanguage>,
) -> Result<Response, Error> {
    let next = payload.next().map(str::to_owned);
    let ChooseLanguage { language } = payload.read()?;
    let known = Language::find(&language);
    if known.is_none() && !language.is_empty() {
        return Err(Refusal::invalid("language", refusal::RULE_LANGUAGE.text()).into());
    }
    let cookie = language_cookie(known.map(Language::tag));
    let headers = AppendHeaders([(header::SET_COOKIE, cookie)]);
    let answer = format.done(next.as_deref(), "/", negotiated::no_content);
    Ok((headers, answer).into_response())
}
