//! The body of an error answer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Time;

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InvalidField {
    /// The field's name in the request.
    pub field: Cow<'static, str>,
    /// The rule that it breaks.
    pub detail: String,
}

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
