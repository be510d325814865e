//! Where a follower resumes: after the last event that it has received, or where the query says.

use axum::http::HeaderMap;
use protocol::Start;

use crate::extract::query::Query;

/// Where a follower starts: after the last event that it names, else after the parameter `after`,
/// else at the beginning.
pub(crate) fn start(headers: &HeaderMap, query: &Query) -> Start {
    match (last_event_id(headers, query), query.text("after")) {
        (Some(id), _) => Start::parse_event_id(id),
        (None, Some(after)) => Start::parse_after(after),
        (None, None) => Start::Seq(0),
    }
}

/// The last event that a client has received: the header `Last-Event-ID`, or a parameter for
/// clients that cannot set headers.
pub(crate) fn last_event_id<'a>(headers: &'a HeaderMap, query: &'a Query) -> Option<&'a str> {
    let header = headers
        .get("last-event-id")
        .map(|id| id.to_str().unwrap_or("?"));
    header
        .filter(|id| !id.is_empty())
        .or_else(|| query.text("last_event_id").filter(|id| !id.is_empty()))
}
