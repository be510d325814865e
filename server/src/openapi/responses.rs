//! What is refused in the same way by many addresses, as the OpenAPI document describes it.
#![expect(dead_code, reason = "nothing but descriptions")]

use protocol::Problem;
use utoipa::IntoResponses;

/// Every address that reads a body refuses these.
#[derive(IntoResponses)]
pub(crate) enum BodyRefused {
    /// Malformed body
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(Problem),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is of another type
    #[response(status = 415, content_type = "application/problem+json")]
    Type(Problem),
    /// Invalid field
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}

/// Every address in a room refuses these.
#[derive(IntoResponses)]
pub(crate) enum RoomRefused {
    /// The token is not good
    #[response(status = 401, content_type = "application/problem+json")]
    Token(Problem),
    /// Not allowed
    #[response(status = 403, content_type = "application/problem+json")]
    NotAllowed(Problem),
    /// There is no such room, or not what the address names in it
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The room was deleted
    #[response(status = 410, content_type = "application/problem+json")]
    Gone(Problem),
    /// Too many requests, or too many for rooms that do not exist
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(Problem),
}
