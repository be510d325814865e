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

use texts::app as t;
use texts::{Text, refusal};

use crate::problem::{InvalidField, Problem};
use crate::{FileSpace, RoomEnd, SanctionKind, Time};

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
    Forbidden(Text),
    /// The caller is muted in the room or banned from it.
    Sanctioned {
        /// Whether the caller is muted or banned.
        kind: SanctionKind,
        /// When the sanction ends; `None` if it does not end.
        until: Option<Time>,
    },
    /// The named thing does not exist and never did.
    NotFound(Text),
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
    /// The bytes of a file, or of all files together, would be more than this number.
    FilesTooLarge(FileSpace, u64),
    /// The disk of the server is too full for files.
    NoSpaceForFiles,
    /// The caller, or all callers together, have as many uploads under way as they may have.
    TooManyUploads,
    /// The bytes do not follow those of the upload that have arrived, or another request goes on with
    /// it.
    UploadMoved,
    /// The bytes of the request do not have the checksum that it names.
    ChecksumMismatch,
    /// The request does not name the version of the upload protocol that the server speaks.
    UploadVersion,
    /// The bytes of an upload do not have the media type of such bytes.
    UploadMediaType,
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

    /// Returns the rule that a field breaks, as a sentence, if that is the reason.
    pub fn broken_rule(&self) -> Option<String> {
        match self {
            Self::Invalid { field, rule } => Some(broken_rule(field, rule)),
            _ => None,
        }
    }

    /// Returns the refusal of a room that is not open: it has ended in this way, or the caller may not
    /// know that it exists.
    pub fn of_ended_room(end: Option<RoomEnd>) -> Self {
        end.map_or(Self::NotFound(refusal::NO_ROOM), Self::Gone)
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
            Self::Taken(_) | Self::NameTaken { .. } | Self::StaleCursor | Self::UploadMoved => 409,
            Self::Gone(_) => 410,
            Self::UploadVersion => 412,
            Self::ContentTooLarge(_)
            | Self::FilesTooLarge(FileSpace::File | FileSpace::Room, _) => 413,
            Self::UnsupportedMediaType
            | Self::UploadMediaType
            | Self::JsonSentAsForm
            | Self::UnsupportedContentEncoding => 415,
            Self::Invalid { .. } | Self::InvalidFields(_) => 422,
            Self::UpgradeRequired => 426,
            Self::RateLimited(_)
            | Self::RoomRateLimited(_)
            | Self::TooManyStreams
            | Self::TooManyUploads => 429,
            Self::ChecksumMismatch => 460,
            Self::ProviderUnavailable(_) | Self::Draining | Self::NotReady(_) => 503,
            Self::RoomFull
            | Self::DiskFull
            | Self::NoSpaceForFiles
            | Self::FilesTooLarge(FileSpace::Server, _) => 507,
        }
    }

    /// Returns the problem's title.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => refusal::TITLE_MALFORMED.text(),
            Self::NotInLobby(_) => refusal::TITLE_NOT_JOINED.text(),
            Self::NotSignedIn => refusal::TITLE_NOT_SIGNED_IN.text(),
            Self::WrongCredentials => refusal::TITLE_WRONG_CREDENTIALS.text(),
            Self::Forbidden(_) | Self::Sanctioned { .. } => refusal::TITLE_NOT_ALLOWED.text(),
            Self::NotFound(_) => refusal::TITLE_NOT_FOUND.text(),
            Self::MethodNotAllowed => refusal::TITLE_METHOD_NOT_ALLOWED.text(),
            Self::RequestTimeout => refusal::TITLE_REQUEST_TIMEOUT.text(),
            Self::Taken(_) | Self::NameTaken { .. } => refusal::TITLE_TAKEN.text(),
            Self::StaleCursor => refusal::TITLE_STALE_CURSOR.text(),
            Self::Gone(_) => refusal::TITLE_ROOM_CLOSED.text(),
            Self::ContentTooLarge(_)
            | Self::FilesTooLarge(FileSpace::File | FileSpace::Room, _) => {
                refusal::TITLE_TOO_LARGE.text()
            }
            Self::FilesTooLarge(FileSpace::Server, _) | Self::NoSpaceForFiles => {
                refusal::TITLE_NO_SPACE_FOR_FILES.text()
            }
            Self::TooManyUploads => refusal::TITLE_TOO_MANY_UPLOADS.text(),
            Self::UploadMoved => refusal::TITLE_UPLOAD_MOVED.text(),
            Self::ChecksumMismatch => refusal::TITLE_CHECKSUM_MISMATCH.text(),
            Self::UploadVersion => refusal::TITLE_UPLOAD_VERSION.text(),
            Self::UnsupportedMediaType | Self::UploadMediaType | Self::JsonSentAsForm => {
                refusal::TITLE_UNSUPPORTED_MEDIA_TYPE.text()
            }
            Self::UnsupportedContentEncoding => refusal::TITLE_UNSUPPORTED_ENCODING.text(),
            Self::Invalid { .. } => refusal::TITLE_INVALID_FIELD.text(),
            Self::InvalidFields(_) => refusal::TITLE_INVALID_FIELDS.text(),
            Self::UpgradeRequired => refusal::TITLE_UPGRADE_REQUIRED.text(),
            Self::RateLimited(_) | Self::RoomRateLimited(_) => {
                refusal::TITLE_TOO_MANY_REQUESTS.text()
            }
            Self::TooManyStreams => refusal::TITLE_TOO_MANY_STREAMS.text(),
            Self::RoomFull => refusal::TITLE_ROOM_FULL.text(),
            Self::DiskFull => refusal::TITLE_DISK_FULL.text(),
            Self::ProviderUnavailable(_) => refusal::TITLE_SIGN_IN_UNAVAILABLE.text(),
            Self::Draining => refusal::TITLE_SHUTTING_DOWN.text(),
            Self::NotReady(_) => refusal::TITLE_NOT_READY.text(),
        }
    }

    /// Returns after which duration the client can send the request again, if waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited(wait) | Self::RoomRateLimited(wait) => Some(*wait),
            Self::ProviderUnavailable(_) | Self::TooManyStreams | Self::TooManyUploads => {
                Some(Duration::from_secs(10))
            }
            Self::Draining | Self::NotReady(_) => Some(Duration::from_secs(2)),
            Self::DiskFull | Self::NoSpaceForFiles | Self::FilesTooLarge(FileSpace::Server, _) => {
                Some(Duration::from_secs(60))
            }
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

/// Says that the caller is muted or banned until a time, or without an end.
fn sanction_text(kind: SanctionKind, until: Option<Time>) -> String {
    let Some(until) = until else {
        return match kind {
            SanctionKind::Mute => refusal::MUTED,
            SanctionKind::Ban => refusal::BANNED,
        }
        .text()
        .to_owned();
    };
    // `2026-11-20T06:41:00.123Z` without the fraction.
    let text = until.to_string();
    let time = text.get(..19).unwrap_or(&text).replace('T', " ");
    match kind {
        SanctionKind::Mute => refusal::MUTED_UNTIL,
        SanctionKind::Ban => refusal::BANNED_UNTIL,
    }
    .fill([&time])
}

fn broken_rule(field: &'static str, rule: &str) -> String {
    t::FIELD_RULE.fill([field_name(field), rule])
}

/// The name of a field for a sentence: in English its name in the request.
fn field_name(field: &'static str) -> &'static str {
    let name = match field {
        "body" => t::FIELD_BODY,
        "description" => t::FIELD_DESCRIPTION,
        "from" => t::FIELD_FROM,
        "message" => t::FIELD_MESSAGE,
        "name" => t::FIELD_NAME,
        "new" => t::FIELD_NEW,
        "old" => t::FIELD_OLD,
        "password" => t::FIELD_PASSWORD,
        "person" => t::FIELD_PERSON,
        "role" => t::FIELD_ROLE,
        "slow_mode" => t::FIELD_SLOW_MODE,
        "timeout" => t::FIELD_TIMEOUT,
        "to" => t::FIELD_TO,
        "username" => t::FIELD_USERNAME,
        "uses" => t::FIELD_USES,
        "zone" => t::FIELD_ZONE,
        _ => return field,
    };
    name.text()
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
            Self::NotInLobby(text) => f.write_str(text),
            Self::Forbidden(reason) => f.write_str(reason.text()),
            Self::Sanctioned { kind, until } => f.write_str(&sanction_text(*kind, *until)),
            Self::NotSignedIn => f.write_str(refusal::NOT_SIGNED_IN.text()),
            Self::WrongCredentials => f.write_str(refusal::WRONG_CREDENTIALS.text()),
            Self::NotFound(what) => f.write_str(&refusal::THERE_IS_NO.fill([what.text()])),
            Self::MethodNotAllowed => f.write_str(refusal::METHOD_NOT_ALLOWED.text()),
            Self::RequestTimeout => f.write_str(refusal::REQUEST_TIMEOUT.text()),
            Self::Taken(what) => f.write_str(&refusal::IS_TAKEN.fill([what])),
            Self::NameTaken { name, free } => f.write_str(&refusal::NAME_TAKEN.fill([name, free])),
            Self::StaleCursor => f.write_str(refusal::STALE_CURSOR.text()),
            Self::Gone(RoomEnd::Inactive) => f.write_str(refusal::INACTIVE.text()),
            Self::Gone(RoomEnd::ClosedByOwner) => f.write_str(refusal::CLOSED_BY_OWNER.text()),
            Self::Gone(RoomEnd::ClosedByOperator) => {
                f.write_str(refusal::CLOSED_BY_OPERATOR.text())
            }
            Self::ContentTooLarge(limit) => {
                f.write_str(&refusal::BODY_TOO_LARGE.fill([&limit.to_string()]))
            }
            Self::FilesTooLarge(space, limit) => f.write_str(&space.say_limit(*limit)),
            Self::NoSpaceForFiles => f.write_str(refusal::NO_SPACE_FOR_FILES.text()),
            Self::TooManyUploads => f.write_str(refusal::TOO_MANY_UPLOADS.text()),
            Self::UploadMoved => f.write_str(refusal::UPLOAD_MOVED.text()),
            Self::ChecksumMismatch => f.write_str(refusal::CHECKSUM_MISMATCH.text()),
            Self::UploadVersion => f.write_str(refusal::UPLOAD_VERSION.text()),
            Self::UploadMediaType => f.write_str(refusal::UPLOAD_MEDIA_TYPE.text()),
            Self::UnsupportedMediaType => f.write_str(refusal::UNSUPPORTED_MEDIA_TYPE.text()),
            Self::JsonSentAsForm => f.write_str(refusal::JSON_SENT_AS_FORM.text()),
            Self::UnsupportedContentEncoding => {
                f.write_str(refusal::UNSUPPORTED_CONTENT_ENCODING.text())
            }
            Self::Invalid { field, rule } => f.write_str(&broken_rule(field, rule)),
            Self::InvalidFields(fields) => {
                let details: Vec<_> = fields.iter().map(|field| field.detail.as_str()).collect();
                f.write_str(&details.join(" "))
            }
            Self::UpgradeRequired => f.write_str(refusal::UPGRADE_REQUIRED.text()),
            Self::RateLimited(wait) => {
                let seconds = whole_seconds(*wait);
                f.write_str(&refusal::RATE_LIMITED.fill([&seconds.to_string()]))
            }
            Self::RoomRateLimited(wait) => {
                let seconds = whole_seconds(*wait);
                f.write_str(&refusal::ROOM_RATE_LIMITED.fill([&seconds.to_string()]))
            }
            Self::TooManyStreams => f.write_str(refusal::TOO_MANY_STREAMS.text()),
            Self::RoomFull => f.write_str(refusal::ROOM_FULL.text()),
            Self::DiskFull => f.write_str(refusal::DISK_FULL.text()),
            Self::Draining => f.write_str(refusal::DRAINING.text()),
        }
    }
}

impl std::error::Error for Refusal {}
