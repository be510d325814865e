//! The named values of a form or a query.

use percent_encoding::percent_decode_str;
use protocol::Refusal;
use serde_json::{Map, Value};

/// Decodes `a=1&b=2`.
///
/// # Errors
/// [`Refusal::Malformed`] if the text is not UTF-8.
pub(crate) fn decode_form(text: &str) -> Result<Map<String, Value>, Refusal> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let fields = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(name)?, Value::String(decode(value)?)))
    });
    fields.collect()
}

/// Decodes a JSON object.
///
/// # Errors
/// [`Refusal::Malformed`] if the bytes are no JSON object.
pub(super) fn decode_json(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::Malformed(
            "The body must be a JSON object.".to_owned(),
        )),
        Err(error) => Err(Refusal::Malformed(format!(
            "The body is not JSON: {error}."
        ))),
    }
}

fn decode(text: &str) -> Result<String, Refusal> {
    let text = text.replace('+', " ");
    let text = percent_decode_str(&text).decode_utf8();
    text.map(|text| text.into_owned())
        .map_err(|_| Refusal::Malformed("The fields are not UTF-8.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_other_than_an_object_is_refused() {
        for body in [&b"[]"[..], b"1", b"{", b"{\"a\": \"\xff\"}"] {
            assert!(decode_json(body).is_err());
        }
        assert!(decode_json(b"{\"a\": 1}").is_ok());
    }
}
