//! Forms and queries: `a=1&b=2`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use server::fuzzing::{decode_form, parse_number};

fuzz_target!(|text: &str| {
    if let Some(number) = parse_number(text) {
        assert_eq!(parse_number(&number.to_string()), Some(number));
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
    }
    let Ok(fields) = decode_form(text) else {
        return;
    };
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value.as_str().unwrap())))
        .collect();
    assert_eq!(
        decode_form(&pairs.join("&")),
        Ok(fields),
        "encoded fields are read back"
    );
});
