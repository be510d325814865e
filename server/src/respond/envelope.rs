//! The answers about accounts: `{"code", "message", "content"}`, with the HTTP status as the code.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::Problem;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The shape of these answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// The HTTP status.
    #[schema(example = "200")]
    code: String,
    /// What happened.
    message: String,
    /// What was asked for; `null` if it was refused.
    content: Option<T>,
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

pub(crate) fn granted<T>(message: impl Into<String>, content: T) -> Envelope<T> {
    Envelope {
        code: StatusCode::OK.as_str().to_owned(),
        message: message.into(),
        content: Some(content),
    }
}

/// Whether the refusals of this address come in an envelope, whoever refuses.
pub(crate) fn is_enveloped(path: &str) -> bool {
    let chat = |path: &str| {
        path.strip_prefix("/chats/")
            .is_some_and(|name| !name.is_empty() && !name.contains('/'))
    };
    matches!(path, "/register" | "/login" | "/users" | "/users/") || chat(path)
}

/// A refusal in its envelope.
pub(crate) fn refused(answer: Response, problem: Problem) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    let code = parts.status.as_str().to_owned();
    let body = Envelope::<Value> {
        code,
        message: problem.detail,
        content: None,
    };
    // Texts always serialise.
    (parts, serde_json::to_vec(&body).unwrap_or_default()).into_response()
}
