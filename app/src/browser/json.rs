//! Reading JSON.
//!
//! # Guarantees
//! - A value with a missing field or a wrong type is not read at all.
//! - Unknown fields are ignored.
//!
//! # Not here
//! Writing JSON, which `serde_json` does.

use serde::de::DeserializeOwned;

/// How the files of a message begin. Inside a text of the JSON, the quotes would be escaped.
const FILES: &str = "\"files\":[";

/// Reads a JSON text.
pub fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    let rewritten = if json.contains("\\u") || json.contains(FILES) {
        Some(rewrite(json)?)
    } else {
        None
    };
    let json = rewritten.as_deref().unwrap_or(json);
    let mut text = vec![0; json.len()];
    let (value, _) = serde_json_core::from_str_escaped(json, &mut text).ok()?;
    Some(value)
}

/// Writes a JSON text without escapes of characters that have no need of them: `serde_json_core`
/// does not read a character that is escaped as a pair of surrogates. The files of a message follow its
/// text in it.
#[cfg(target_arch = "wasm32")]
fn rewrite(json: &str) -> Option<String> {
    #[wasm_bindgen::prelude::wasm_bindgen(module = "/src/browser/json.js")]
    extern "C" {
        #[wasm_bindgen(catch)]
        fn rewrite(json: &str) -> Result<String, wasm_bindgen::JsValue>;
    }
    rewrite(json).ok()
}

/// The same in native tests.
#[cfg(not(target_arch = "wasm32"))]
fn rewrite(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    Some(value.to_string())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Note {
        text: String,
        seq: Option<u64>,
    }

    fn note(text: &str, seq: Option<u64>) -> Option<Note> {
        let text = text.to_owned();
        Some(Note { text, seq })
    }

    #[test]
    fn text_is_read_with_any_escapes() {
        let raw = "a\n\"b\" \\ 😀\u{1f}\u{7f}é";
        let escaped = r#"{"text": "a\n\"b\" \\ \ud83d\ude00\u001f\u007f\u00e9"}"#;
        let written = format!(r#"{{"text":{}}}"#, serde_json::to_string(raw).unwrap());
        for json in [escaped, &written] {
            assert_eq!(parse(json), note(raw, None), "{json}");
        }
    }

    #[test]
    fn unknown_fields_of_any_type_are_ignored() {
        for value in [
            "1",
            "-1.5e3",
            "null",
            "true",
            r#""\"}""#,
            "[1,[{}]]",
            r#"{"a":[{"b":"]"}]}"#,
        ] {
            let json = format!(r#"{{"new":{value},"text":"a","seq":7,"last":{value}}}"#);
            assert_eq!(parse(&json), note("a", Some(7)), "{json}");
        }
    }

    #[test]
    fn anything_else_is_not_read() {
        for json in [
            "",
            "{}",
            r#"{"text":1}"#,
            r#"{"text":"a","seq":"1"}"#,
            r#"{"text":"a","seq":-1}"#,
            r#"{"text":"a""#,
            r#"{"text":"a"} x"#,
            r#"["a"]"#,
        ] {
            assert_eq!(parse::<Note>(json), None, "{json}");
        }
    }
}
