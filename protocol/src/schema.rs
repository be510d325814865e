//! OpenAPI schemas of the texts that [`text`](crate::text) checks.
//!
//! The server trims white space before it counts characters. So the patterns allow leading and
//! trailing white space, and the patterns of short texts contain the length limits. The patterns of
//! names allow no joiners and no variants, which the server allows where a script needs them.

use utoipa::ToSchema;

/// The name under which a person writes: 1 to 32 characters on one line after trimming, none of them
/// invisible.
#[derive(Debug, ToSchema)]
#[schema(example = "ada")]
#[schema(pattern = "\
    ^[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*\
    [^\\s\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f\\x00-\\x1f\
    \\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\
    \\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\
    \u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]\
    (\
    [^\\xa0\\u1680\\u2000-\\u200a\\u202f\\u205f\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\
    \\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\
    \\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\
    \u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]\
    {0,30}\
    [^\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}])?\
    [\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*$")]
pub struct Username(pub String);

/// A room's name: 1 to 80 characters on one line after trimming, none of them invisible.
#[derive(Debug, ToSchema)]
#[schema(example = "tea")]
#[schema(pattern = "\
    ^[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*\
    [^\\s\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f\\x00-\\x1f\
    \\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\
    \\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\
    \u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]\
    (\
    [^\\xa0\\u1680\\u2000-\\u200a\\u202f\\u205f\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\
    \\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\
    \\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\
    \u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]\
    {0,78}\
    [^\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}])?\
    [\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*$")]
pub struct RoomName(pub String);

/// A message's text: 1 to 4,000 characters after trimming; newline and tab are the only control
/// characters allowed.
#[derive(Debug, ToSchema)]
#[schema(min_length = 1, max_length = 4000, example = "hello")]
#[schema(pattern = "\
    ^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]*\
    [^\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}]\
    [^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]*[\\t-\\r \\x85]*$")]
pub struct Body(pub String);

/// A person's name, for display: 1 to 64 characters on one line after trimming, none of them
/// invisible.
#[derive(Debug, ToSchema)]
#[schema(example = "Ada Lovelace")]
#[schema(pattern = "\
    ^[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*\
    [^\\s\\u0300-\\u036f\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f\\x00-\\x1f\
    \\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\
    \\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\
    \u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]\
    (\
    [^\\xa0\\u1680\\u2000-\\u200a\\u202f\\u205f\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\
    \\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\
    \\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\
    \u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]\
    {0,62}\
    [^\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\
    \\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\
    \\ufff0-\\ufffb\u{13430}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\
    \u{e0000}-\u{e0fff}])?\
    [\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*$")]
pub struct PersonName(pub String);

/// An account's username, in upper or lower case: 3 to 32 of the letters a to z, digits, `-` and
/// `_`.
#[derive(Debug, ToSchema)]
#[schema(example = "ada", pattern = "^[A-Za-z0-9_-]{3,32}$")]
pub struct AccountName(pub String);

/// A password: 6 to 256 characters, no control characters; the operator can set a higher minimum.
#[derive(Debug, ToSchema)]
#[schema(min_length = 6, max_length = 256, format = Password)]
#[schema(pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*$")]
pub struct Password(pub String);
