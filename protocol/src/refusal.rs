//! The expected "no"s: each knows its HTTP status and says what happened and what to do.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a well-meant request is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request cannot be understood; says why.
    Malformed(String),
    /// Who asks has not said who it is, or has not joined; says what to do.
    NotJoined(&'static str),
    /// Who asks is not signed in, or no longer.
    NotSignedIn,
    /// Username and password are not those of any account.
    WrongCredentials,
    /// Who asks may not; says why.
    Forbidden(&'static str),
    /// There is no such thing, and never was; names it.
    NotFound(&'static str),
    /// The address exists, but not for this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    TooSlow,
    /// Somebody else has it; names it.
    Taken(String),
    /// Somebody else has this name here; says which one is free.
    NameTaken {
        /// The name that was asked for.
        name: String,
        /// One like it that nobody has, unless there are so many that none was found: then one of theirs.
        free: String,
    },
    /// The log does not reach as far as the reader says to have read, or is another one.
    Rewound,
    /// The room was deleted.
    Gone,
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The body is of a type that is not read here.
    UnsupportedMediaType,
    /// It is understood, but a field breaks a rule.
    Invalid {
        /// The field, as the client wrote it.
        field: &'static str,
        /// Which rule, with its limit; reads on after the field's name.
        rule: Cow<'static, str>,
    },
    /// The address is for WebSocket.
    UpgradeRequired,
    /// Too many requests; free again after this long.
    TooMany(Duration),
    /// Too much is written in one room, by however many; free again after this long.
    RoomBusy(Duration),
    /// Another server, which says who somebody is, does not answer or not as agreed; says what to do.
    Provider(String),
    /// The server is about to stop.
    Draining,
}

impl Refusal {
    /// A field that breaks a rule; `rule` reads on after the field's name.
    pub fn invalid(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid {
            field,
            rule: rule.into(),
        }
    }

    /// The HTTP status code ([RFC 9110, section 15](https://www.rfc-editor.org/rfc/rfc9110#section-15)).
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::WrongCredentials => 400,
            Self::NotJoined(_) | Self::NotSignedIn => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::MethodNotAllowed => 405,
            Self::TooSlow => 408,
            Self::Taken(_) | Self::NameTaken { .. } | Self::Rewound => 409,
            Self::Gone => 410,
            Self::TooLarge(_) => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid { .. } => 422,
            Self::UpgradeRequired => 426,
            Self::TooMany(_) | Self::RoomBusy(_) => 429,
            Self::Provider(_) | Self::Draining => 503,
        }
    }

    /// What kind of refusal it is, in a few words.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "Malformed request",
            Self::NotJoined(_) => "Not joined",
            Self::NotSignedIn => "Not signed in",
            Self::WrongCredentials => "Wrong username or password",
            Self::Forbidden(_) => "Not allowed",
            Self::NotFound(_) => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::TooSlow => "Request timeout",
            Self::Taken(_) | Self::NameTaken { .. } => "Taken",
            Self::Rewound => "Another log",
            Self::Gone => "Room closed",
            Self::TooLarge(_) => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Invalid { .. } => "Invalid field",
            Self::UpgradeRequired => "Upgrade required",
            Self::TooMany(_) | Self::RoomBusy(_) => "Too many requests",
            Self::Provider(_) => "Sign-in not available",
            Self::Draining => "Shutting down",
        }
    }

    /// When it makes sense to ask again, if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany(wait) | Self::RoomBusy(wait) => Some(*wait),
            Self::Provider(_) => Some(Duration::from_secs(10)),
            Self::Draining => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    /// The refusal as the body of an answer.
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

/// A wait as it is told: in whole seconds, and never too short.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) | Self::Provider(why) => f.write_str(why),
            Self::NotJoined(what) | Self::Forbidden(what) => f.write_str(what),
            Self::NotFound(what) => write!(f, "There is no {what} here."),
            Self::MethodNotAllowed => f.write_str(
                "This address does not answer that method; the Allow header names those it does.",
            ),
            Self::TooSlow => f.write_str("The body of the request did not arrive in time."),
            Self::NotSignedIn => f.write_str("Sign in first."),
            Self::WrongCredentials => {
                f.write_str("There is no account with this username and password.")
            }
            Self::Taken(what) => write!(f, "{what} is taken."),
            Self::NameTaken { name, free } => {
                write!(f, "Somebody else has the name {name} here; {free} is free.")
            }
            Self::Rewound => {
                f.write_str("This is not the log that you have read; begin anew with after=0.")
            }
            Self::Gone => {
                f.write_str("This room was deleted: it fell quiet, or its owner closed it.")
            }
            Self::TooLarge(limit) => write!(f, "The body is larger than {limit} bytes."),
            Self::UnsupportedMediaType => {
                f.write_str("Send application/json or application/x-www-form-urlencoded.")
            }
            Self::Invalid { field, rule } => write!(f, "{field} {rule}."),
            Self::UpgradeRequired => {
                f.write_str("This address speaks WebSocket; ask it to upgrade.")
            }
            Self::TooMany(wait) => write!(
                f,
                "Too many requests; try again in {} s.",
                whole_seconds(*wait)
            ),
            Self::RoomBusy(wait) => {
                write!(
                    f,
                    "Too much is written in this room at once; try again in {} s.",
                    whole_seconds(*wait)
                )
            }
            Self::Draining => f.write_str("The server is restarting; try again in a moment."),
        }
    }
}

impl std::error::Error for Refusal {}

/// The body of every answer that is not a success: [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Where this kind of problem is explained.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is, in a few words.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The field at fault, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A name that is free, when the one that was asked for is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<String>,
    /// After how many seconds it makes sense to ask again, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}
