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

use crate::{SanctionKind, Time};

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
    /// The caller is muted in the room or banned from it.
    Sanctioned {
        /// What the caller may not do, and until when.
        text: String,
        /// When the sanction ends; `None` if it does not end.
        until: Option<Time>,
    },
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
    Gone(RoomEnd),
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
    /// Several fields of the request break a rule.
    InvalidFields(Vec<InvalidField>),
    /// The URL accepts WebSocket connections only.
    UpgradeRequired,
    /// The caller has sent too many requests and can send the next one after this duration.
    RateLimited(Duration),
    /// All people together have sent too many messages to the room, which accepts the next one
    /// after this duration.
    RoomRateLimited(Duration),
    /// The address or the person of the caller has as many open streams as it may have.
    TooManyStreams,
    /// The texts of the room are as long as they may be.
    RoomFull,
    /// The disk of the server is almost full.
    DiskFull,
    /// The OpenID Connect provider does not answer, or its answer is invalid. The text says what to
    /// do.
    ProviderUnavailable(String),
    /// The server is shutting down.
    Draining,
    /// A part of the server does not work. The text says which.
    NotReady(String),
}

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InvalidField {
    /// The field's name in the request.
    pub field: Cow<'static, str>,
    /// The rule that it breaks.
    pub detail: String,
}

/// Why a room was deleted. The numbers are those of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomEnd {
    /// No one wrote in it for too long.
    #[default]
    Inactive = 0,
    /// Its owner closed it.
    ClosedByOwner = 1,
    /// An operator of the server closed it.
    ClosedByOperator = 2,
}

impl RoomEnd {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Inactive, Self::ClosedByOwner, Self::ClosedByOperator];
}

impl Refusal {
    /// Returns the values of two checks, or the refusal of all fields that break a rule. A refusal
    /// for another reason comes first.
    ///
    /// # Errors
    /// The refusals of the checks.
    pub fn both<A, B>(a: Result<A, Self>, b: Result<B, Self>) -> Result<(A, B), Self> {
        match (a, b) {
            (Ok(a), Ok(b)) => Ok((a, b)),
            (Err(a), Err(b)) => match (a.invalid_fields(), b.invalid_fields()) {
                (Some(a), Some(b)) => Err(Self::InvalidFields([a, b].concat())),
                (None, _) => Err(a),
                (Some(_), None) => Err(b),
            },
            (Err(refusal), Ok(_)) | (Ok(_), Err(refusal)) => Err(refusal),
        }
    }

    /// The fields that break a rule, if that is the reason.
    fn invalid_fields(&self) -> Option<Vec<InvalidField>> {
        match self {
            Self::Invalid { field, .. } => Some(vec![InvalidField {
                field: Cow::Borrowed(field),
                detail: self.to_string(),
            }]),
            Self::InvalidFields(fields) => Some(fields.clone()),
            _ => None,
        }
    }

    /// Returns the refusal of a field that breaks a rule. `rule` is the predicate of a sentence
    /// about the field: "must have 1 to 32 characters".
    pub fn invalid(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid {
            field,
            rule: rule.into(),
        }
    }

    /// Returns the refusal of a room that is not open: it has ended in this way, or the caller may not
    /// know that it exists.
    pub fn of_ended_room(end: Option<RoomEnd>) -> Self {
        end.map_or(Self::NotFound("room"), Self::Gone)
    }

    /// Returns the refusal of a caller who is muted or banned until a time, or without an end.
    pub fn sanctioned(kind: SanctionKind, until: Option<Time>) -> Self {
        let what = match kind {
            SanctionKind::Mute => "You are muted in this room",
            SanctionKind::Ban => "You are banned from this room",
        };
        let end = until.map_or_else(String::new, |until| {
            // `2026-11-20T06:41:00.123Z` without the fraction.
            let text = until.to_string();
            let time = text.get(..19).unwrap_or(&text).replace('T', " ");
            format!(" until {time} UTC")
        });
        Self::Sanctioned {
            text: format!("{what}{end}."),
            until,
        }
    }

    /// Returns the HTTP status code
    /// ([RFC 9110, section 15](https://www.rfc-editor.org/rfc/rfc9110#section-15)).
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::WrongCredentials => 400,
            Self::NotInLobby(_) | Self::NotSignedIn => 401,
            Self::Forbidden(_) | Self::Sanctioned { .. } => 403,
            Self::NotFound(_) => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::Taken(_) | Self::NameTaken { .. } | Self::StaleCursor => 409,
            Self::Gone(_) => 410,
            Self::ContentTooLarge(_) => 413,
            Self::UnsupportedMediaType
            | Self::JsonSentAsForm
            | Self::UnsupportedContentEncoding => 415,
            Self::Invalid { .. } | Self::InvalidFields(_) => 422,
            Self::UpgradeRequired => 426,
            Self::RateLimited(_) | Self::RoomRateLimited(_) | Self::TooManyStreams => 429,
            Self::ProviderUnavailable(_) | Self::Draining | Self::NotReady(_) => 503,
            Self::RoomFull | Self::DiskFull => 507,
        }
    }

    /// Returns the problem's title.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "Malformed request",
            Self::NotInLobby(_) => "Not joined",
            Self::NotSignedIn => "Not signed in",
            Self::WrongCredentials => "Wrong username or password",
            Self::Forbidden(_) | Self::Sanctioned { .. } => "Not allowed",
            Self::NotFound(_) => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::RequestTimeout => "Request timeout",
            Self::Taken(_) | Self::NameTaken { .. } => "Taken",
            Self::StaleCursor => "Stale cursor",
            Self::Gone(_) => "Room closed",
            Self::ContentTooLarge(_) => "Too large",
            Self::UnsupportedMediaType | Self::JsonSentAsForm => "Unsupported media type",
            Self::UnsupportedContentEncoding => "Unsupported content encoding",
            Self::Invalid { .. } => "Invalid field",
            Self::InvalidFields(_) => "Invalid fields",
            Self::UpgradeRequired => "Upgrade required",
            Self::RateLimited(_) | Self::RoomRateLimited(_) => "Too many requests",
            Self::TooManyStreams => "Too many streams",
            Self::RoomFull => "Room full",
            Self::DiskFull => "Disk full",
            Self::ProviderUnavailable(_) => "Sign-in not available",
            Self::Draining => "Shutting down",
            Self::NotReady(_) => "Not ready",
        }
    }

    /// Returns after which duration the client can send the request again, if waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) | Self::RoomRateLimited(wait) => Some(*wait),
            Self::ProviderUnavailable(_) | Self::TooManyStreams => Some(Duration::from_secs(10)),
            Self::Draining | Self::NotReady(_) => Some(Duration::from_secs(2)),
            Self::DiskFull => Some(Duration::from_secs(60)),
            _ => None,
        }
    }

    /// Returns the body of the answer.
    pub fn problem(&self) -> Problem {
        let errors = self.invalid_fields().unwrap_or_default();
        Problem {
            kind: format!("/docs/#problem-{}", self.status()),
            title: self.title().to_owned(),
            status: self.status(),
            detail: self.to_string(),
            field: errors.first().map(|error| error.field.to_string()),
            errors,
            until: match self {
                Self::Sanctioned { until, .. } => *until,
                _ => None,
            },
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
            Self::Malformed(text)
            | Self::ProviderUnavailable(text)
            | Self::NotReady(text)
            | Self::Sanctioned { text, .. } => f.write_str(text),
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
            Self::Gone(RoomEnd::Inactive) => f.write_str(INACTIVE),
            Self::Gone(RoomEnd::ClosedByOwner) => f.write_str(CLOSED_BY_OWNER),
            Self::Gone(RoomEnd::ClosedByOperator) => f.write_str(CLOSED_BY_OPERATOR),
            Self::ContentTooLarge(limit) => {
                write!(f, "The request body is larger than {limit} bytes.")
            }
            Self::UnsupportedMediaType => f.write_str(UNSUPPORTED_MEDIA_TYPE),
            Self::JsonSentAsForm => f.write_str(JSON_SENT_AS_FORM),
            Self::UnsupportedContentEncoding => f.write_str(UNSUPPORTED_CONTENT_ENCODING),
            Self::Invalid { field, rule } => write!(f, "{field} {rule}."),
            Self::InvalidFields(fields) => {
                let details: Vec<_> = fields.iter().map(|field| field.detail.as_str()).collect();
                f.write_str(&details.join(" "))
            }
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
            Self::TooManyStreams => f.write_str(TOO_MANY_STREAMS),
            Self::RoomFull => f.write_str(ROOM_FULL),
            Self::DiskFull => f.write_str(DISK_FULL),
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
const INACTIVE: &str = "This room was deleted because no one wrote in it for too long. \
    Create a new room.";
const CLOSED_BY_OWNER: &str = "This room was deleted: its owner closed it. Create a new room.";
const CLOSED_BY_OPERATOR: &str =
    "This room was deleted: an operator of this server closed it. Create a new room.";
const UNSUPPORTED_MEDIA_TYPE: &str = "This address does not support the request's media type. \
    Send application/json or application/x-www-form-urlencoded.";
const JSON_SENT_AS_FORM: &str = "The request body is JSON, but its media type is that of a form. \
    Add the header Content-Type: application/json; with curl, -H 'Content-Type: application/json'.";
const UNSUPPORTED_CONTENT_ENCODING: &str = "The server does not decode this Content-Encoding. \
    Send the request body as it is, without one.";
const UPGRADE_REQUIRED: &str = "This address accepts WebSocket connections only. \
    Send a WebSocket upgrade request.";
const ROOM_FULL: &str =
    "This room has as much text as it may have. Delete messages, or open another room.";
const DISK_FULL: &str =
    "The server's disk is almost full, so it accepts no messages. Its operator has to make space.";
const TOO_MANY_STREAMS: &str =
    "Your network or your account has too many open streams. Close one, or try again later.";
const DRAINING: &str = "The server is restarting. Try again in a few seconds.";

impl std::error::Error for Refusal {}

/// The body of an error answer: problem details
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The first field that breaks a rule; absent for other problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Every field that breaks a rule, and the rule; absent for other problems.
    #[serde(default, skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InvalidField>,
    /// When the caller's sanction ends; absent if it does not end, and for other problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub until: Option<Time>,
    /// A free name similar to the requested one, if that is taken; absent for other problems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// After how many seconds the client can send the request again; absent if waiting does not
    /// help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}
