//! The memory that files take while they are sent and downloaded. The size comes from the environment.

use futures_util::StreamExt;
use protocol::hexadecimal;
use reqwest::{Body, Client, StatusCode};
use sha2::{Digest, Sha256};

use crate::harness::{ServerProcess, size_from_env};
use crate::limits::unread_answers::{forget_peak, peak};

/// How much more memory a file may take, in bytes.
const ALLOWED: u64 = 64 * 1024 * 1024;

/// The size of a piece that a client sends, in bytes.
const PIECE: usize = 1024 * 1024;

#[tokio::test]
async fn memory_for_a_file_does_not_depend_on_its_size() {
    let megabytes = size_from_env("WEBCHAT_FILE_MEGABYTES", 300);
    let dir = tempfile::tempdir().unwrap();
    let flags = [
        "--file-max",
        "100GB",
        "--room-files",
        "100GB",
        "--all-files",
        "100GB",
    ];
    let server = ServerProcess::start(dir.path(), &[&flags[..], &["--free-space", "0B"]].concat());
    let room = server.create_room().await;
    let http = Client::new();
    let before = server.resident();
    forget_peak(server.id());
    let piece: Vec<u8> = (0..PIECE).map(|n| (n % 251) as u8).collect();
    let mut hash = Sha256::new();
    for _ in 0..megabytes {
        hash.update(&piece);
    }
    let digest = hexadecimal(&hash.finalize());
    let pieces = (0..megabytes).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
    let sent = http
        .post(format!("{}/rooms/{room}/files/?name=large", server.url))
        .body(Body::wrap_stream(futures_util::stream::iter(pieces)))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), StatusCode::CREATED);
    let file: protocol::File = sent.json().await.unwrap();
    assert_eq!(
        (file.size, &file.sha256),
        ((megabytes * PIECE) as u64, &digest)
    );
    let sending = peak(server.id()).saturating_sub(before);
    let answer = http
        .get(format!("{}{}", server.url, file.url))
        .send()
        .await
        .unwrap();
    let mut pieces = answer.bytes_stream();
    let mut hash = Sha256::new();
    while let Some(piece) = pieces.next().await {
        hash.update(piece.unwrap());
    }
    assert_eq!(hexadecimal(&hash.finalize()), digest);
    let message = serde_json::json!({"username": "ada", "files": [file.id]});
    let url = format!("{}/rooms/{room}/messages/", server.url);
    let posted = http.post(url).json(&message).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::CREATED);
    let url = format!("{}/rooms/{room}/archive.zip", server.url);
    let mut pieces = http.get(url).send().await.unwrap().bytes_stream();
    let mut size = 0;
    while let Some(piece) = pieces.next().await {
        size += piece.unwrap().len();
    }
    assert!(size > megabytes * PIECE, "{size}");
    let both = peak(server.id()).saturating_sub(before);
    println!("{megabytes} MB: {sending} bytes more while sending, {both} with the downloads");
    assert!(both < ALLOWED, "{both}");
}
