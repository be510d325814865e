//! Where a follower resumes: after the last event that it has seen, or where the query says.

use axum::http::HeaderMap;
use protocol::{Refusal, Start};

use crate::extract::payload::Fields;

/// Where a follower begins: what it says it saw last, or where its address says, or at the beginning.
pub(crate) fn start(headers: &HeaderMap, query: &Fields) -> Result<Start, Refusal> {
    let seen = last_event_id(headers, query)?;
    Ok(match (seen, query.text("after")?) {
        (Some(seen), _) => Start::event_id(seen),
        (None, Some(after)) => Start::after(after),
        (None, None) => Start::Seq(0),
    })
}

/// What a client says it saw last: by header, or by query for those who cannot set headers.
pub(crate) fn last_event_id<'a>(
    headers: &'a HeaderMap,
    query: &'a Fields,
) -> Result<Option<&'a str>, Refusal> {
    let header = headers
        .get("last-event-id")
        .map(|id| id.to_str().unwrap_or("?"))
        .filter(|id| !id.is_empty());
    Ok(header.or(query.text("last_event_id")?.filter(|id| !id.is_empty())))
}
