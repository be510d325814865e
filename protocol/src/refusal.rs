//! Refusals: the reasons why the server does not do what a valid client asks for.
//!
//! # Guarantees
//! Each refusal has an HTTP status, and a text that says what happened and what the client can do.
//!
//! # Not here
//! Faults of the server, which answer 500 (crate `server`).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The reason why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be parsed. The text says why.
    Malformed(String),
    /// The caller has not joined the lobby. The text says what to do.
    NotInLobby(&'static str),
    /// The caller is not signed in, or the session has ended.
    NotSignedIn,
    /// No account has this username and password.
    WrongCredentials,
    /// The caller does not have the permission. The text says why.
    Forbidden(&'static str),
    /// The named thing does not exist and never did.
    NotFound(&'static str),
    /// The URL exists, but does not support the request's method.
    MethodNotAllowed,
    /// The request body did not arrive in time.
    RequestTimeout,
    /// Another person has the named thing.
    Taken(String),
    /// Another person has this name in the room.
    NameTaken {
        /// The requested name.
        name: String,
        /// A similar name that is free. If many similar names are taken, it may be taken too.
        free: String,
    },
    /// The client's cursor is ahead of the log or from another epoch.
    StaleCursor,
    /// The room was deleted.
    Gone,
    /// The request body is larger than this number of bytes.
    ContentTooLarge(usize),
    /// The URL does not accept a request body of this media type.
    UnsupportedMediaType,
    /// The request body is JSON, but its media type is that of a form.
    JsonSentAsForm,
    /// The request body has a content encoding that the server does not decode.
    UnsupportedContentEncoding,
    /// A field of the request breaks a rule.
    Invalid {
        /// The field's name in the request.
        field: &'static str,
        /// The rule with its limit, as a predicate: "must have 1 to 32 characters".
        rule: Cow<'static, str>,
    },
    /// The URL accepts WebSocket connections only.
    UpgradeRequired,
    /// The caller has sent too many requests and can send the next one after this duration.
    RateLimited(Duration),
    /// All people together have sent too many messages to the room, which accepts the next one
    /// after this duration.
    RoomRateLimited(Duration),
    /// The OpenID Connect provider does not answer, or its answer is invalid. The text says what to
    /// do.
    ProviderUnavailable(String),
    /// The server is shutting down.
    Draining,
    /// A part of the server does not work. The text says which.
    NotReady(String),
}

impl Refusal {
    /// Returns the refusal of a field that breaks a rule. `rule` is the predicate of a sentence
    /// about the field: "must have 1 to 32 characters".
    pub fn invalid(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid {
            field,
            rule: rule.into(),
        }
    }

    /// Returns the HTTP status code
    /// ([RFC 9110, section 15](https://www.rfc-editor.org/rfc/rfc9110#section-15)).
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::WrongCredentials => 400,
            Self::NotInLobby(_) | Self::NotSignedIn => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::Taken(_) | Self::NameTaken { .. } | Self::StaleCursor => 409,
            Self::Gone => 410,
            Self::ContentTooLarge(_) => 413,
            Self::UnsupportedMediaType
            | Self::JsonSentAsForm
            | Self::UnsupportedContentEncoding => 415,
            Self::Invalid { .. } => 422,
            Self::UpgradeRequired => 426,
            Self::RateLimited(_) | Self::RoomRateLimited(_) => 429,
            Self::ProviderUnavailable(_) | Self::Draining | Self::NotReady(_) => 503,
        }
    }

    /// Returns the problem's title.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "Malformed request",
            Self::NotInLobby(_) => "Not joined",
            Self::NotSignedIn => "Not signed in",
            Self::WrongCredentials => "Wrong username or password",
            Self::Forbidden(_) => "Not allowed",
            Self::NotFound(_) => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::RequestTimeout => "Request timeout",
            Self::Taken(_) | Self::NameTaken { .. } => "Taken",
            Self::StaleCursor => "Stale cursor",
            Self::Gone => "Room closed",
            Self::ContentTooLarge(_) => "Too large",
            Self::UnsupportedMediaType | Self::JsonSentAsForm => "Unsupported media type",
            Self::UnsupportedContentEncoding => "Unsupported content encoding",
            Self::Invalid { .. } => "Invalid field",
            Self::UpgradeRequired => "Upgrade required",
            Self::RateLimited(_) | Self::RoomRateLimited(_) => "Too many requests",
            Self::ProviderUnavailable(_) => "Sign-in not available",
            Self::Draining => "Shutting down",
            Self::NotReady(_) => "Not ready",
        }
    }

    /// Returns after which duration the client can send the request again, if waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) | Self::RoomRateLimited(wait) => Some(*wait),
            Self::ProviderUnavailable(_) => Some(Duration::from_secs(10)),
            Self::Draining | Self::NotReady(_) => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    /// Returns the body of the answer.
    pub fn problem(&self) -> Problem {
        let field = match self {
            Self::Invalid { field, .. } => Some((*field).to_owned()),
            _ => None,
        };
        Problem {
            kind: format!("/docs/#problem-{}", self.status()),
            title: self.title().to_owned(),
            status: self.status(),
            detail: self.to_string(),
            field,
            free: match self {
                Self::NameTaken { free, .. } => Some(free.clone()),
                _ => None,
            },
            retry_after: self.retry_after().map(whole_seconds),
        }
    }
}

/// Rounds a wait up to whole seconds, at least 1. The header `Retry-After` has no fractions
/// ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(text) | Self::ProviderUnavailable(text) | Self::NotReady(text) => {
                f.write_str(text)
            }
            Self::NotInLobby(text) | Self::Forbidden(text) => f.write_str(text),
            Self::NotSignedIn => f.write_str(NOT_SIGNED_IN),
            Self::WrongCredentials => f.write_str(WRONG_CREDENTIALS),
            Self::NotFound(what) => write!(f, "There is no {what} here. Check the address."),
            Self::MethodNotAllowed => f.write_str(METHOD_NOT_ALLOWED),
            Self::RequestTimeout => f.write_str(REQUEST_TIMEOUT),
            Self::Taken(what) => write!(f, "{what} is taken."),
            Self::NameTaken { name, free } => {
                write!(
                    f,
                    "The name {name} is taken in this room. The name {free} is free."
                )
            }
            Self::StaleCursor => f.write_str(STALE_CURSOR),
            Self::Gone => f.write_str(GONE),
            Self::ContentTooLarge(limit) => {
                write!(f, "The request body is larger than {limit} bytes.")
            }
            Self::UnsupportedMediaType => f.write_str(UNSUPPORTED_MEDIA_TYPE),
            Self::JsonSentAsForm => f.write_str(JSON_SENT_AS_FORM),
            Self::UnsupportedContentEncoding => f.write_str(UNSUPPORTED_CONTENT_ENCODING),
            Self::Invalid { field, rule } => write!(f, "{field} {rule}."),
            Self::UpgradeRequired => f.write_str(UPGRADE_REQUIRED),
            Self::RateLimited(wait) => {
                let seconds = whole_seconds(*wait);
                write!(f, "Too many requests. Try again in {seconds} s.")
            }
            Self::RoomRateLimited(wait) => {
                let seconds = whole_seconds(*wait);
                write!(
                    f,
                    "This room receives too many messages. Try again in {seconds} s."
                )
            }
            Self::Draining => f.write_str(DRAINING),
        }
    }
}

const NOT_SIGNED_IN: &str = "You are not signed in. Sign in and try again.";
const WRONG_CREDENTIALS: &str = "There is no account with this username and password.";
const METHOD_NOT_ALLOWED: &str = "This address does not support the request's method. \
    The Allow header lists the supported methods.";
const REQUEST_TIMEOUT: &str = "The request body did not arrive in time. Send the request again.";
const STALE_CURSOR: &str = "The room's log does not contain your cursor, for example because a backup \
    was restored. Read the log from the start with after=0.";
const GONE: &str = "This room was deleted: it was inactive for too long, or its owner closed it. \
    Create a new room.";
const UNSUPPORTED_MEDIA_TYPE: &str = "This address does not support the request's media type. \
    Send application/json or application/x-www-form-urlencoded.";
const JSON_SENT_AS_FORM: &str = "The request body is JSON, but its media type is that of a form. \
    Add the header Content-Type: application/json; with curl, -H 'Content-Type: application/json'.";
const UNSUPPORTED_CONTENT_ENCODING: &str = "The server does not decode this Content-Encoding. \
    Send the request body as it is, without one.";
const UPGRADE_REQUIRED: &str = "This address accepts WebSocket connections only. \
    Send a WebSocket upgrade request.";
const DRAINING: &str = "The server is restarting. Try again in a few seconds.";

impl std::error::Error for Refusal {}

/// The body of an error answer: problem details
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The URL that explains this kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, in a few words.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What happened, and what the client can do.
    pub detail: String,
    /// The field that breaks a rule; absent for other problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A free name similar to the requested one, if that is taken; absent for other problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// After how many seconds the client can send the request again; absent if waiting does not
    /// help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}
