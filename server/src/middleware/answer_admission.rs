//! Reserves capacity for each answer before it is made.
//!
//! # Guarantees
//! Every answer to a request that reads has a share of the client's budget until it is sent, except
//! for event streams, WebSockets, checks of health and the files of the site, which are in the
//! program. Answers to other requests are not compressed, and the long ones have a share too.
//!
//! # Not here
//! The budgets (`limit::answer_budget`).

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::Error;
use crate::limit;
use crate::limit::answer_budget::Share;
use crate::middleware::admission;
use crate::state::AppState;

/// The routes that need no share here: one reserves it itself, and the answers of the others are a
/// few bytes, which a client with unread answers must get too.
const EXEMPT: [&str; 3] = ["/rooms/{id}/messages/", "/healthz", "/readyz"];

/// The routes whose answers are streams, however the client asks.
const STREAMS: [&str; 2] = ["/stream", "/messages"];

/// The routes whose answers are streams or WebSockets if the client asks for that.
const MAYBE_STREAMS: [&str; 5] = [
    "/rooms/",
    "/overview/",
    "/rooms/{id}/socket",
    "/room",
    "/chats/{username}",
];

/// An answer to a request that writes is long from this size on, in bytes.
const LONG: u64 = 4 * 1024;

/// An extension of an answer that is a file of the site.
#[derive(Clone, Copy)]
pub(crate) struct SiteFile;

/// Runs the handler if the request is admitted, once there is capacity for the answer.
pub(crate) async fn answer(state: &AppState, mut request: Request, next: Next) -> Response {
    let address = limit::peer(request.extensions());
    if !request.method().is_safe() {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
        let answer = admission::admit(state, request, next).await;
        if answer.body().size_hint().lower() < LONG {
            return answer;
        }
        // The change is made, so the answer is sent in any case.
        return match state.budgets.reserve_made(address, &answer) {
            Ok(share) => share.hold(answer),
            Err(_) => answer,
        };
    }
    if is_exempt(&request) {
        let mut answer = admission::admit(state, request, next).await;
        return match Share::take_from(&mut answer) {
            Some(share) => share.hold(answer),
            None => answer,
        };
    }
    if may_become_stream(&request) {
        let answer = admission::admit(state, request, next).await;
        if is_stream(&answer) {
            return answer;
        }
        return match state.budgets.reserve_made(address, &answer) {
            Ok(share) => share.hold(answer),
            Err(refusal) => Error::from(refusal).into_response(),
        };
    }
    match state.budgets.reserve(address).await {
        Ok(share) => {
            let answer = admission::admit(state, request, next).await;
            match answer.extensions().get::<SiteFile>() {
                Some(SiteFile) => answer,
                None => share.hold(answer),
            }
        }
        Err(refusal) => Error::from(refusal).into_response(),
    }
}

fn is_exempt(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    path.is_some_and(|path| EXEMPT.contains(&path.as_str()))
}

/// Whether the answer may be a stream, for which capacity would be kept without end.
fn may_become_stream(request: &Request) -> bool {
    let Some(path) = request.extensions().get::<MatchedPath>() else {
        return false;
    };
    let accept = request.headers().get(header::ACCEPT);
    let asks_for_stream = request.headers().contains_key(header::UPGRADE)
        || accept.is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    STREAMS.contains(&path.as_str()) || asks_for_stream && MAYBE_STREAMS.contains(&path.as_str())
}

fn is_stream(answer: &Response) -> bool {
    answer.status() == StatusCode::SWITCHING_PROTOCOLS
        || answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream")
}
