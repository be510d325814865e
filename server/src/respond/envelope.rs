//! The answers about accounts: `{"code", "message", "content"}`, with the HTTP status as the code.
//!
//! # Guarantees
//! Every answer of `/register`, `/login` and `/users` has this form, refusals included; so does
//! every refusal of `/chats/USERNAME`.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::Problem;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response as Described;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::openapi::responses::refusal;

/// The form of these answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// The HTTP status.
    #[schema(example = "200")]
    code: String,
    /// What happened.
    message: String,
    /// The result; `null` in a refusal.
    #[schema(inline)]
    content: Option<T>,
}

impl<T> Envelope<T> {
    /// The answer to a request that succeeded.
    pub fn ok(message: impl Into<String>, content: T) -> Self {
        Self {
            code: StatusCode::OK.as_str().to_owned(),
            message: message.into(),
            content: Some(content),
        }
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

/// Whether the refusals of this path come in an envelope, from any part of the server.
pub(crate) fn is_enveloped(path: &str) -> bool {
    let is_chat = |path: &str| {
        path.strip_prefix("/chats/")
            .is_some_and(|name| !name.is_empty() && !name.contains('/'))
    };
    matches!(path, "/register" | "/login" | "/users" | "/users/") || is_chat(path)
}

/// A refusal in its envelope.
pub(crate) fn enclose_refusal(answer: Response, problem: Problem) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let body = Envelope::<()> {
        code: parts.status.as_str().to_owned(),
        message: problem.detail,
        content: None,
    };
    // Texts always serialize.
    (parts, serde_json::to_vec(&body).unwrap_or_default()).into_response()
}

/// A group of refusals in envelopes: a type for `responses(…)`, with the status and the description
/// of each.
macro_rules! refusals {
    ($($(#[$about:meta])* $name:ident { $($status:literal: $description:literal,)+ })+) => {$(
        $(#[$about])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Described>> {
                [$(($status, $description)),+].map(enveloped).into()
            }
        }
    )+};
}

refusals! {
    /// Refusals of the routes that register or sign in an account.
    EnvelopedSignInRefused {
        400: "The username is taken, or the username or the password is wrong",
        413: "The body is too large",
        415: "The body has an unsupported type",
        422: "The body is malformed, or a field is missing or invalid",
        429: "Too many attempts, or too many passwords from this address",
        503: "Too many passwords are checked at the moment",
        507: "The disk of the server is almost full",
    }

    /// Refusals of the pages on which a person registers or signs in.
    EnvelopedPageRefused {
        400: "The query is malformed",
        401: "The token is invalid",
        405: "This address has only a page",
    }

    /// Refusals of the list of accounts.
    EnvelopedListRefused {
        400: "The query is malformed",
        401: "The caller is not signed in",
        422: "A parameter is invalid",
    }

    /// Refusals of a direct chat.
    EnvelopedChatRefused {
        400: "The query is malformed",
        401: "The caller is not signed in",
        403: "The page belongs to another site",
        404: "No account has this username",
        507: "The disk of the server is almost full",
    }
}

/// One refusal in an envelope.
fn enveloped((status, description): (u16, &str)) -> (String, RefOr<Described>) {
    let mut schema = Envelope::<()>::schema();
    if let RefOr::T(Schema::Object(envelope)) = &mut schema {
        let null = ObjectBuilder::new().schema_type(Type::Null).build();
        envelope
            .properties
            .insert("content".to_owned(), null.into());
    }
    refusal(status, description, "application/json", schema)
}
