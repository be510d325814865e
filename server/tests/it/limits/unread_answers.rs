//! Clients that ask for much and read nothing.

use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use hyper::Request;
use reqwest::Version;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;

use crate::harness::{ServerProcess, TestCertificate, TestUser, expect_json};

/// How much more memory the unread answers of one client may take, in bytes.
const ALLOWED: u64 = 32 * 1024 * 1024;

const MESSAGES: usize = 1_000;

/// Requests of another client while the answers are unread: by then the server has had the time to
/// make them.
const OTHER_REQUESTS: usize = 50;

/// A server process with a room that has as many messages as a page can have.
struct LargeServer {
    process: ServerProcess,
    certificate: TestCertificate,
    ada: TestUser,
    room: String,
    code: String,
    _dir: tempfile::TempDir,
}

impl LargeServer {
    /// Starts the server; each message says the text.
    async fn start(text: &str) -> Self {
        let certificate = TestCertificate::new();
        let dir = tempfile::tempdir().unwrap();
        certificate.write(dir.path());
        let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let (cert, key) = (file("cert.pem"), file("key.pem"));
        let flags = ["--tls-cert", &cert, "--tls-key", &key];
        let data = dir.path().join("data");
        let process = ServerProcess::start(&data, &flags);
        let visitor = certificate.client("ada", &process.url, Version::HTTP_2);
        let wish = json!({"name": "Ada", "username": "ada", "password": "secret"});
        let session = expect_json(visitor.post_json("/register", wish).await).await;
        let ada = TestUser {
            token: session["content"]["token"].as_str().map(str::to_owned),
            ..visitor
        };
        let room = ada
            .create_room_with(json!({"public": true}))
            .await
            .id
            .to_string();
        let posts = stream::iter(0..MESSAGES).map(|_| ada.post(&room, text));
        posts.buffer_unordered(20).collect::<Vec<_>>().await;
        let path = format!("/rooms/{room}/invitations/");
        let invitation = expect_json(ada.post_json(&path, json!({})).await).await;
        drop(process);
        let flags = [&flags[..], &["--rate-limit", "on"]].concat();
        let process = ServerProcess::start(&data, &flags);
        let ada = TestUser {
            url: process.url.clone(),
            ..ada
        };
        Self {
            code: invitation["code"].as_str().unwrap().to_owned(),
            process,
            certificate,
            ada,
            room,
            _dir: dir,
        }
    }

    /// The targets of all GET requests in the API's description, as long as they can be.
    async fn targets(&self) -> Vec<String> {
        let document = expect_json(self.ada.get("/openapi.json", "*/*").await).await;
        let paths = document["paths"].as_object().unwrap();
        let paths = paths.iter().filter(|(_, item)| !item["get"].is_null());
        paths
            .map(|(path, item)| self.target(path, &item["get"]))
            .chain(["/nowhere".to_owned()])
            .collect()
    }

    fn target(&self, path: &str, operation: &Value) -> String {
        let path = path
            .replace("{id}", &self.room)
            .replace("{code}", &self.code)
            .replace("{username}", "ada");
        let parameters = operation["parameters"].as_array();
        let has_limit = parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "limit"));
        match has_limit {
            true => format!("{path}?limit=1000"),
            false => path,
        }
    }

    fn request(&self, target: &str, accept: &str) -> Request<()> {
        Request::get(format!("{}{target}", self.process.url))
            .header("accept", accept)
            .header("accept-encoding", "gzip")
            .header(
                "authorization",
                format!("Bearer {}", self.ada.token.as_ref().unwrap()),
            )
            .body(())
            .unwrap()
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        self.certificate.connect(&self.process.url, b"h2").await
    }

    /// Sends so many requests over so many connections, and reads no answer. Returns by how many
    /// bytes the memory of the process has grown at most.
    async fn growth(&self, target: &str, accept: &str, connections: usize, requests: usize) -> u64 {
        let before = self.process.resident();
        forget_peak(self.process.id());
        let mut open = JoinSet::new();
        let mut unread = Vec::new();
        for _ in 0..connections {
            let (client, connection) = h2::client::Builder::new()
                .initial_window_size(0)
                .handshake::<_, Bytes>(self.connect().await)
                .await
                .unwrap();
            open.spawn(connection);
            for _ in 0..requests {
                let mut client = client.clone().ready().await.unwrap();
                unread.push(
                    client
                        .send_request(self.request(target, accept), true)
                        .unwrap(),
                );
            }
        }
        for _ in 0..OTHER_REQUESTS {
            let health = self.ada.get("/healthz", "*/*").await;
            assert_eq!(health.status(), 200);
        }
        let growth = peak(self.process.id()).saturating_sub(before);
        drop(unread);
        open.shutdown().await;
        growth
    }

    /// Checks that unread answers of this target take little memory.
    async fn check(&self, target: &str) {
        for accept in ["application/json", "text/html", "text/event-stream"] {
            // The first answer fills caches. That of a stream does not end.
            drop(self.ada.get(target, accept).await);
            for (connections, requests) in [(1, 100), (40, 1)] {
                let growth = self.growth(target, accept, connections, requests).await;
                assert!(
                    growth < ALLOWED,
                    "{target} as {accept}, {requests} times on {connections} connections: \
                     {growth} bytes more"
                );
            }
        }
    }
}

/// Makes the system measure the greatest memory of a process from now on.
pub fn forget_peak(process: u32) {
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
}

/// The greatest memory of a process, in bytes.
pub fn peak(process: u32) -> u64 {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(Path::new(&path)).unwrap();
    let mut lines = status.lines();
    let peak = lines.find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.unwrap().trim().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_take_little_memory() {
    let server = LargeServer::start(&"\u{1f600}".repeat(4_000)).await;
    for target in server.targets().await {
        server.check(&target).await;
    }
}

/// Each of these texts has more than thirty times as many bytes of marks as of text.
#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_with_many_marks_take_little_memory() {
    let server = LargeServer::start(&"*a* ".repeat(100)).await;
    let room = format!("/rooms/{}/", server.room);
    server.check(&room).await;
    server.check(&format!("{room}messages/?limit=1000")).await;
    server
        .check(&format!("{room}messages/?limit=1000&around=500"))
        .await;
}
