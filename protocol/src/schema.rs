//! OpenAPI schemas of the texts that [`text`](crate::text) checks.
//!
//! The server trims white space before it counts characters. So the patterns allow leading and
//! trailing white space, and the patterns of short texts contain the length limits.

use utoipa::ToSchema;

/// The name under which a person writes: 1 to 32 characters after trimming, no control characters.
#[derive(Debug, ToSchema)]
#[schema(example = "ada")]
#[schema(
    pattern = r"^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]{0,30}[^\s\x00-\x1f\x7f-\x9f])?[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
)]
pub struct Username(pub String);

/// A room's name: 1 to 80 characters after trimming, no control characters.
#[derive(Debug, ToSchema)]
#[schema(example = "tea")]
#[schema(
    pattern = r"^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]{0,78}[^\s\x00-\x1f\x7f-\x9f])?[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
)]
pub struct RoomName(pub String);

/// A message's text: 1 to 4,000 characters after trimming; newline and tab are the only control
/// characters allowed.
#[derive(Debug, ToSchema)]
#[schema(min_length = 1, max_length = 4000, example = "hello")]
#[schema(
    pattern = r"^[\t-\r \x85]*[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*[\t-\r \x85]*$"
)]
pub struct Body(pub String);

/// A person's name, for display: 1 to 64 characters after trimming, no control characters.
#[derive(Debug, ToSchema)]
#[schema(example = "Ada Lovelace")]
#[schema(
    pattern = r"^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]{0,62}[^\s\x00-\x1f\x7f-\x9f])?[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$"
)]
pub struct PersonName(pub String);

/// An account's username, in upper or lower case: 3 to 32 of the letters a to z, digits, `-` and
/// `_`.
#[derive(Debug, ToSchema)]
#[schema(example = "ada", pattern = "^[A-Za-z0-9_-]{3,32}$")]
pub struct AccountName(pub String);

/// A password: 6 to 256 characters; the operator can set a higher minimum.
#[derive(Debug, ToSchema)]
#[schema(min_length = 6, max_length = 256, format = Password)]
pub struct Password(pub String);
