//! Cookies: read on the server and in the browser, written in the browser.
//!
//! # Guarantees
//! Any text can be stored and read back. In the browser, the names end with what the document says,
//! so that servers on other ports of the same host have cookies of their own.

use leptos::prelude::document;
use wasm_bindgen::JsCast;

/// The decoded value of a cookie in a `Cookie` header; `None` if it is missing or not valid UTF-8.
pub fn read_cookie(header: &str, name: &str) -> Option<String> {
    let (_, value) = header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)?;
    percent_decode(value)
}

/// The attribute of the document, as `shell` writes it, with the end of the names of this server's
/// cookies.
const SUFFIX_ATTRIBUTE: &str = "data-cookies";

/// The name of a cookie of this server. In the browser only.
fn own_name(name: &str) -> String {
    let root = document().document_element();
    let suffix = root.and_then(|root| root.get_attribute(SUFFIX_ATTRIBUTE));
    name.to_owned() + &suffix.unwrap_or_default()
}

/// Sets a cookie for a year. In the browser only.
pub fn set_cookie(name: &str, value: &str) {
    let cookie = format!(
        "{}={}; Path=/; Max-Age=31536000; SameSite=Lax",
        own_name(name),
        percent_encode(value)
    );
    // A browser may refuse cookies; then nothing is remembered.
    let _ = document()
        .unchecked_into::<web_sys::HtmlDocument>()
        .set_cookie(&cookie);
}

/// The current value of a cookie. In the browser only.
pub fn stored_cookie(name: &str) -> Option<String> {
    read_cookie(
        &document()
            .unchecked_into::<web_sys::HtmlDocument>()
            .cookie()
            .ok()?,
        &own_name(name),
    )
}

/// Encodes everything but ASCII letters, digits, `-`, `.` and `_` as `%` and two hexadecimal digits
/// for each byte ([RFC 3986, section 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).
pub fn percent_encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    out.push(char::from(byte))
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
            out
        })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_read_back() {
        for text in [
            "ada",
            "Ada Lovelace",
            "100%",
            "a;b=c",
            "é👍",
            "\"quoted\"",
            "",
        ] {
            let header = format!("other=1; name={}; more", percent_encode(text));
            assert_eq!(read_cookie(&header, "name").as_deref(), Some(text));
        }
    }

    #[test]
    fn missing_or_invalid_value_is_none() {
        for header in ["", "names=a", "name", "name=%", "name=%zz", "name=%ff"] {
            assert_eq!(read_cookie(header, "name"), None, "{header}");
        }
    }
}
