//! Headers with quality values: each line of the input is a header.

#![no_main]

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use server::fuzzing::{choose, preferences};

const OFFERS: [&str; 3] = ["text/event-stream", "application/json", "text/html"];

fuzz_target!(|data: &[u8]| {
    let headers: HeaderMap = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| Some((ACCEPT, HeaderValue::from_bytes(line).ok()?)))
        .collect();
    let read = preferences(&headers, ACCEPT);
    assert!(read.iter().all(|(_, quality)| *quality <= 1_000));
    check_standard(&headers, &read);
    check_printed(&headers, &read);
    for offers in [&OFFERS[..], &OFFERS[1..]] {
        check_choice(&headers, &read, offers);
    }
});

/// A quality in the form of the standard is read exactly.
fn check_standard(headers: &HeaderMap, read: &[(String, u16)]) {
    let values = headers.get_all(ACCEPT).iter();
    let elements = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for (element, (_, quality)) in elements.zip(read) {
        if let Some((name, digits)) = element.split_once(";q=0.")
            && !name.contains(';')
            && (1..=3).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            let thousandths = format!("{digits:0<3}").parse();
            assert_eq!(Ok(*quality), thousandths, "{element:?}");
        }
    }
}

/// Preferences that are printed in the standard form are the same preferences.
fn check_printed(headers: &HeaderMap, read: &[(String, u16)]) {
    let print = |(name, quality): &(String, u16)| {
        format!("{name};q={}.{:03}", quality / 1_000, quality % 1_000)
    };
    let printed: Vec<String> = read.iter().map(print).collect();
    let Ok(value) = HeaderValue::from_str(&printed.join(", ")) else {
        return;
    };
    let printed = HeaderMap::from_iter([(ACCEPT, value)]);
    if !read.is_empty() {
        assert_eq!(preferences(&printed, ACCEPT), read);
    }
    assert_eq!(choose(&printed, &OFFERS), choose(headers, &OFFERS));
}

fn check_choice(headers: &HeaderMap, read: &[(String, u16)], offers: &[&str]) {
    let chosen = choose(headers, offers);
    assert!(offers.contains(&chosen), "the choice is an offer");
    let wants = |offer: &str| {
        let kind = offer.split_once('/').map(|(kind, _)| format!("{kind}/*"));
        let quality = |range: &str| read.iter().rev().find(|(name, _)| name == range);
        let ranges = [Some(offer), kind.as_deref(), Some("*/*")];
        ranges
            .into_iter()
            .flatten()
            .find_map(quality)
            .map_or(0, |(_, quality)| *quality)
    };
    let best = offers.iter().map(|offer| wants(offer)).max().unwrap();
    let expected = offers.iter().find(|offer| wants(offer) == best).unwrap();
    assert_eq!(chosen, *expected, "the most specific range decides");
}
