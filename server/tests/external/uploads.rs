//! Uploads with tus-js-client under Node, while the server and the client are killed.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{ServerProcess, size_from_env};
use crate::{find_missing_program, unique_loopback_address};

/// How much more memory an upload may take, in bytes.
const ALLOWED: u64 = 64 * 1024 * 1024;

const FLAGS: [&str; 8] = [
    "--file-max",
    "100GB",
    "--room-files",
    "100GB",
    "--all-files",
    "100GB",
    "--free-space",
    "0B",
];

fn end2end() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../end2end")
}

/// Says what is missing for uploads with tus-js-client.
pub fn find_missing_client() -> Option<String> {
    let missing = "tus-js-client is not installed (make test installs it)";
    let client = end2end().join("node_modules/tus-js-client");
    find_missing_program("node").or((!client.exists()).then(|| missing.to_owned()))
}

/// A client that uploads a file, and what it prints.
struct Uploader {
    process: Child,
    lines: BufReader<ChildStdout>,
}

impl Uploader {
    fn start(url: &str, room: &str, token: &str, file: &Path, options: &Value) -> Self {
        let endpoint = format!("{url}/rooms/{room}/uploads/");
        let mut process = Command::new("node")
            .arg("clients/uploader.mjs")
            .args([&endpoint, token])
            .arg(file)
            .arg(options.to_string())
            .current_dir(end2end())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// The next thing that happens; `None` when the client has ended.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        (self.lines.read_line(&mut line).unwrap() > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    /// Waits until so many bytes are sent, or the upload is complete.
    fn wait_for_bytes(&mut self, count: u64) {
        while let Some(event) = self.next() {
            let is_sent = event["sent"].as_u64().is_some_and(|sent| sent >= count);
            if is_sent || event["done"].is_string() {
                return;
            }
        }
        panic!("the client has ended");
    }

    /// Waits for the end of the upload. Returns its URL.
    fn finish(mut self) -> String {
        let mut url = None;
        while let Some(event) = self.next() {
            assert!(event["failed"].is_null(), "{event}");
            url = event["done"].as_str().map(str::to_owned).or(url);
        }
        url.expect("the client has ended without an upload")
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes a file that no part of another place has. Returns its digest.
fn write_file(path: &Path, megabytes: usize) -> String {
    let mut file = std::fs::File::create(path).unwrap();
    let mut hash = Sha256::new();
    let mut block = [0; 32];
    for _ in 0..megabytes {
        let mut megabyte = Vec::with_capacity(1024 * 1024);
        while megabyte.len() < 1024 * 1024 {
            block = Sha256::digest(block).into();
            megabyte.extend(std::iter::repeat_n(block, 128).flatten());
        }
        hash.update(&megabyte);
        file.write_all(&megabyte).unwrap();
    }
    hexadecimal(&hash.finalize())
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The most resident memory of a process so far, in bytes.
fn peak(process: &ServerProcess) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    kilobytes.unwrap().trim().parse::<u64>().unwrap() * 1024
}

async fn new_guest(http: &Client, url: &str) -> String {
    let guest = http.post(format!("{url}/guests/")).send().await.unwrap();
    let guest: Value = guest.json().await.unwrap();
    guest["token"].as_str().unwrap().to_owned()
}

/// Names the file of an upload in a message. Returns the file.
async fn attach(http: &Client, server: &str, room: &str, token: &str, upload: &str) -> Value {
    let id = upload.rsplit('/').next().unwrap();
    let answer = http
        .post(format!("{server}/rooms/{room}/messages/"))
        .bearer_auth(token)
        .json(&json!({"username": "ada", "files": [id]}))
        .send()
        .await
        .unwrap();
    let message: Value = answer.json().await.unwrap();
    assert_eq!(message["files"][0]["id"], json!(id), "{message}");
    message["files"][0].clone()
}

/// The server is killed `WEBCHAT_KILLS` times, and the client once, while a file of
/// `WEBCHAT_FILE_MEGABYTES` is sent.
pub async fn upload_survives_kills_of_server_and_client() {
    let megabytes = size_from_env("WEBCHAT_FILE_MEGABYTES", 100);
    let kills = size_from_env("WEBCHAT_KILLS", 3);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.bin");
    let digest = write_file(&path, megabytes);
    let data = dir.path().join("data");
    let listen = format!("{}:8080", unique_loopback_address(9));
    let mut server = ServerProcess::start_at(&listen, &data, &FLAGS);
    let http = Client::new();
    let (room, token) = (
        server.create_room().await,
        new_guest(&http, &server.url).await,
    );
    let url = server.url.clone();
    let options = json!({"urls": dir.path().join("urls.json")});
    let start = || Uploader::start(&url, &room, &token, &path, &options);
    let mut client = start();
    let size = megabytes as u64 * 1024 * 1024;
    for kill in 0..kills as u64 {
        client.wait_for_bytes(size * (kill + 1) / (kills as u64 + 1));
        if kill == kills as u64 / 2 {
            client = start();
            assert_eq!(client.next().unwrap(), json!({"previous": 1}));
        }
        server.signal("-KILL");
        server.wait_for_exit();
        server = ServerProcess::start_at(&listen, &data, &FLAGS);
        assert!(
            peak(&server) < 2 * ALLOWED,
            "the server begins with {} bytes",
            peak(&server)
        );
    }
    let before = server.resident();
    let upload = client.finish();
    let after = peak(&server);
    assert!(after < before + ALLOWED, "{before} {after}");
    // The connection of the other client is one of a server that was killed.
    let file = attach(&Client::new(), &url, &room, &token, &upload).await;
    assert_eq!(
        (&file["size"], &file["sha256"]),
        (&json!(size), &json!(digest))
    );
    assert_eq!(file["name"], "large.bin");
    let left = std::fs::read_dir(data.join("uploads")).unwrap().count();
    assert_eq!(left, 0, "staged files");
    let parts = std::fs::read_dir(data.join("files").join(&room))
        .unwrap()
        .count();
    assert_eq!(parts, 1, "the file alone");
}

/// The options by which the client sends other requests, and files of a few sizes.
pub async fn every_way_of_the_client_works() {
    let dir = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&dir.path().join("data"), &FLAGS);
    let http = Client::new();
    let (room, token) = (
        server.create_room().await,
        new_guest(&http, &server.url).await,
    );
    for (name, megabytes, options) in [
        ("empty", 0, json!({})),
        ("one request", 3, json!({})),
        ("chunks", 5, json!({"chunkSize": 1_000_000})),
        (
            "with the creation",
            5,
            json!({"uploadDataDuringCreation": true}),
        ),
        (
            "chunks with the creation",
            5,
            json!({"uploadDataDuringCreation": true, "chunkSize": 1_000_000}),
        ),
        (
            "by POST",
            5,
            json!({"overridePatchMethod": true, "chunkSize": 1_000_000}),
        ),
    ] {
        let path = dir.path().join(name);
        let digest = write_file(&path, megabytes);
        let uploader = Uploader::start(&server.url, &room, &token, &path, &options);
        let upload = uploader.finish();
        let file = attach(&http, &server.url, &room, &token, &upload).await;
        assert_eq!(file["sha256"], json!(digest), "{name}");
    }
}
