//! What the browser remembers for the server to see: cookies, read on the server and written in the browser.
//!
//! Promises: any text survives the way there and back. Leaves to others: what is kept in them (`visitor`).

use leptos::prelude::document;
use wasm_bindgen::JsCast;

/// The value of a cookie in a `Cookie` header, decoded; `None` if it is not there or not text.
pub fn read_cookie(header: &str, name: &str) -> Option<String> {
    let (_, value) = header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)?;
    decode(value)
}

/// Keeps a value for a year. In the browser only.
pub fn set_cookie(name: &str, value: &str) {
    let cookie = format!(
        "{name}={}; Path=/; Max-Age=31536000; SameSite=Lax",
        percent_encode(value)
    );
    // A browser that refuses cookies forgets, which is its right.
    let _ = document()
        .unchecked_into::<web_sys::HtmlDocument>()
        .set_cookie(&cookie);
}

/// The value of a cookie as the browser has it now. In the browser only.
pub fn stored_cookie(name: &str) -> Option<String> {
    read_cookie(
        &document()
            .unchecked_into::<web_sys::HtmlDocument>()
            .cookie()
            .ok()?,
        name,
    )
}

/// Everything but letters, digits, `-`, `.` and `_` as `%` and two digits for each byte
/// ([RFC 3986, section 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).
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

fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives() {
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
    fn what_is_not_there_or_not_text_is_nothing() {
        for header in ["", "names=a", "name", "name=%", "name=%zz", "name=%ff"] {
            assert_eq!(read_cookie(header, "name"), None, "{header}");
        }
    }
}
