//! Normalization Form C of Unicode: composed and decomposed letters become the same text.

/// The text in Normalization Form C.
#[cfg(not(target_arch = "wasm32"))]
pub fn nfc(text: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfc(text).collect()
}

/// The text in Normalization Form C. The browser's own function saves loading Unicode tables.
#[cfg(target_arch = "wasm32")]
pub fn nfc(text: &str) -> String {
    js_sys::JsString::from(text).normalize("NFC").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_letters_are_one_text() {
        assert_eq!(nfc("cafe\u{301}"), "café");
        assert_eq!(nfc("café"), "café");
        assert_eq!(nfc("\u{1112}\u{1161}\u{11ab}"), "한");
    }
}
