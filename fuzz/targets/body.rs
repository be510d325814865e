//! Bodies of requests: the first line of the input is the `Content-Type`, the rest is the body.

#![no_main]

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use protocol::NewMessage;
use server::fuzzing::read_message;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
}

fuzz_target!(|data: &[u8]| {
    let end = data
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(data.len());
    let body = data.get(end + 1..).unwrap_or_default();
    let Ok(content_type) = HeaderValue::from_bytes(&data[..end]) else {
        return;
    };
    let message = read(content_type, body.to_vec());
    let Ok(message) = message else { return };
    let json = serde_json::to_vec(&message).unwrap();
    let is_read_back = |kind: &'static str, body: Vec<u8>| {
        let read = read(HeaderValue::from_static(kind), body);
        assert_eq!(read.as_ref(), Ok(&message), "{kind}");
    };
    is_read_back("application/json", json.clone());
    is_read_back("application/problem+json; charset=utf-8", json);
    is_read_back(
        "application/x-www-form-urlencoded",
        form(&message).into_bytes(),
    );
});

fn read(content_type: HeaderValue, body: Vec<u8>) -> Result<NewMessage, String> {
    let request = Request::post("/").header("content-type", content_type);
    let request = request.body(Body::from(body)).unwrap();
    RUNTIME.with(|runtime| runtime.block_on(read_message(request)))
}

fn form(message: &NewMessage) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!(
        "username={}&body={}",
        encode(&message.username),
        encode(&message.body)
    )
}
