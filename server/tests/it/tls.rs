//! Over TLS: the same answers over HTTP/2 and HTTP/1.1. The clients here are shared by the tests of whom it waits for and
//! of what an operator does, of getting certificates, and of proxies.

mod acme;
mod operating;
pub mod patience;
mod recipes;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method, StatusCode, Version};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use server::tls::Tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::connections::idle;
use crate::house::{House, Listener, PATIENCE, Person};

const HSTS: &str = "strict-transport-security";

/// An address of the loopback network that is one test's alone, so that its ports are free.
fn own_address(test: u8) -> Ipv4Addr {
    let [.., a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 1 + (a & 15) * 8 + test, b, c)
}

/// A certificate for this machine, signed by itself.
struct Cert {
    name: String,
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

impl Cert {
    fn new() -> Self {
        Self::of("127.0.0.1")
    }

    /// A certificate for another name.
    fn of(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (der, pem) = (made.cert.der().clone(), made.cert.pem());
        Self {
            name: name.to_owned(),
            der,
            pem,
            key: made.signing_key.serialize_pem(),
        }
    }

    fn write(&self, dir: &Path) {
        std::fs::write(dir.join("cert.pem"), &self.pem).unwrap();
        std::fs::write(dir.join("key.pem"), &self.key).unwrap();
    }

    /// A server with this certificate.
    async fn house(&self, redirect: Option<TcpListener>) -> House {
        let dir = tempfile::tempdir().unwrap();
        self.write(dir.path());
        let tls = Tls::open(&dir.path().join("cert.pem"), &dir.path().join("key.pem"))
            .await
            .unwrap();
        House::secure(tls, redirect).await
    }

    fn root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap()
    }

    /// Somebody who trusts this certificate, and no other.
    fn person(&self, name: &str, url: &str, version: Version) -> Person {
        let http = Client::builder()
            .add_root_certificate(self.root())
            .redirect(reqwest::redirect::Policy::none());
        let http = if version == Version::HTTP_11 {
            http.http1_only()
        } else {
            http
        };
        Person::new(name, url, http.build().unwrap())
    }

    /// A connection that has agreed on this protocol.
    async fn connect(&self, url: &str, protocol: &[u8]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from(self.name.clone()).unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, connect(url).await)
            .await
            .unwrap()
    }
}

async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("https://"))
        .await
        .unwrap()
}

#[tokio::test]
async fn requests_are_answered_over_http_2_and_http_1_1() {
    let (cert, text) = (Cert::new(), "x".repeat(4_000));
    let house = cert.house(None).await;
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let ada = cert.person("ada", &house.url, version);
        let room = ada.room().await;
        for _ in 0..100 {
            ada.post(&room, &text).await;
        }
        assert_eq!(
            ada.history(&room, "limit=1000").await.len(),
            100,
            "long answers come whole"
        );
        for (path, status) in [
            ("/healthz", 200),
            ("/", 200),
            ("/rooms", 308),
            ("/nowhere", 404),
        ] {
            let answer = ada.get(path, "text/html").await;
            assert_eq!(
                (answer.status().as_u16(), answer.version()),
                (status, version)
            );
            assert_eq!(answer.headers()[HSTS], "max-age=31536000", "{path}");
        }
    }
}

#[tokio::test]
async fn an_old_client_is_answered() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let mut tls = cert.connect(&house.url, b"http/1.0").await;
    tls.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    // How a connection over TLS ends is of no interest here.
    let _ = timeout(PATIENCE, tls.read_to_string(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("ok\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_page_may_write_to_where_it_came_from() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let ada = cert.person("ada", &house.url, version);
        let messages = format!("/rooms/{}/messages/", ada.room().await);
        for (origin, status) in [(house.url.as_str(), 201), ("https://evil.example", 403)] {
            let post = ada
                .request(Method::POST, &messages)
                .header("origin", origin);
            let answer = post
                .json(&json!({"username": "ada", "body": "hello"}))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status().as_u16(), status, "{version:?} {origin}");
        }
    }
}

#[tokio::test]
async fn nothing_is_promised_for_https_without_it() {
    let house = House::new().await;
    let answer = house.person("ada").get("/healthz", "*/*").await;
    assert!(!answer.headers().contains_key(HSTS));
}

#[tokio::test]
async fn a_connection_goes_on_after_what_nobody_reads() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let mut tls = cert.connect(&house.url, b"http/1.1").await;
    for connection in ["keep-alive", "keep-alive", "close"] {
        let head = format!(
            "POST /guests/ HTTP/1.1\r\nhost: x\r\nconnection: {connection}\r\ncontent-length: 2\r\n\r\n"
        );
        tls.write_all(head.as_bytes()).await.unwrap();
        idle().await;
        tls.write_all(b"{}").await.unwrap();
    }
    let mut answers = String::new();
    // How a connection over TLS ends is of no interest here.
    let _ = timeout(PATIENCE, tls.read_to_string(&mut answers))
        .await
        .unwrap();
    assert_eq!(
        answers.matches("HTTP/1.1 201 Created\r\n").count(),
        3,
        "{answers}"
    );
}

#[tokio::test]
async fn a_stream_has_history_and_news_and_ends_with_the_server() {
    let cert = Cert::new();
    for version in [Version::HTTP_2, Version::HTTP_11] {
        let mut house = cert.house(None).await;
        let ada = cert.person("ada", &house.url, version);
        let room = ada.room().await;
        ada.post(&room, "before").await;
        let mut stream = ada.follow(&room, "").await;
        assert_eq!(
            (
                stream.answer.version(),
                stream.next_message().await.body.as_str()
            ),
            (version, "before")
        );
        assert!(!stream.answer.headers().contains_key("content-length"));
        ada.post(&room, "now").await;
        assert_eq!(stream.next_message().await.body, "now");
        let stopped = house.stop();
        assert_eq!(stream.rest().await, []);
        timeout(PATIENCE, stopped).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn one_connection_has_many_streams() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let ada = cert.person("ada", &house.url, Version::HTTP_2);
    let room = ada.room().await;
    let (mut client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(follow(&mut client, &house, &room, "").await);
    }
    ada.post(&room, "to all").await;
    for stream in &mut streams {
        until(stream, "to all").await;
    }
    assert_eq!(client.current_max_send_streams(), 100, "but not any number");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_and_the_connection_goes_on() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let (client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let status = async |cookie: String| {
        let request = hyper::Request::get(format!("{}/healthz", house.url))
            .header("cookie", cookie)
            .body(())
            .unwrap();
        let (answer, _) = client
            .clone()
            .ready()
            .await
            .unwrap()
            .send_request(request, true)
            .unwrap();
        timeout(PATIENCE, answer)
            .await
            .unwrap()
            .map(|answer| answer.status().as_u16())
    };
    assert_eq!(status("a=".repeat(60_000)).await.unwrap(), 431);
    assert_eq!(status("a=1".to_owned()).await.unwrap(), 200);
}

#[tokio::test]
async fn the_head_of_a_stream_can_be_asked_for_alone() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let room = cert.person("ada", &house.url, Version::HTTP_2).room().await;
    let (mut client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let head = hyper::Request::head(format!("{}/rooms/{room}/messages/", house.url))
        .body(())
        .unwrap();
    let (answer, _) = client.send_request(head, true).unwrap();
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(
        timeout(PATIENCE, answer.into_body().data())
            .await
            .expect("it goes on")
            .is_none()
    );
}

#[tokio::test]
async fn a_stream_that_its_client_leaves_is_over() {
    let cert = Cert::new();
    let house = cert.house(None).await;
    let ada = cert.person("ada", &house.url, Version::HTTP_11);
    let room = ada.room().await;
    let mut listener = ada.follow(&room, "username=ada").await;
    let (mut client, _) = shake(cert.connect(&house.url, b"h2").await).await;
    let left = follow(&mut client, &house, &room, "username=grace").await;
    here(&house, &mut listener, &["ada", "grace"]).await;
    drop(left);
    here(&house, &mut listener, &["ada"]).await;
}

/// Waits until these are here, while the server's time flies.
async fn here(house: &House, listener: &mut Listener, names: &[&str]) {
    let told = async {
        loop {
            tokio::select! {
                event = listener.next() => {
                    let event = event.expect("the stream has ended");
                    let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
                    if event.name == "presence" && data["here"] == json!(names) { return }
                }
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    for _ in 0..20 { house.clock.advance(Duration::from_millis(500)); }
                }
            }
        }
    };
    timeout(PATIENCE, told)
        .await
        .unwrap_or_else(|_| panic!("never are {names:?} here"));
}

#[tokio::test]
async fn people_talk_over_a_websocket() {
    let cert = Cert::new();
    let mut house = cert.house(None).await;
    let ada = cert.person("ada", &house.url, Version::HTTP_2);
    let room = ada.room().await;
    let tls = cert.connect(&house.url, b"http/1.1").await;
    let url = house.url.replace("https", "wss");
    let mut request = format!("{url}/rooms/{room}/socket?username=grace")
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("origin", house.url.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, tls).await.unwrap();
    socket.send(Frame::text("hello")).await.unwrap();
    heard(&mut socket, |frame| {
        frame.to_text().is_ok_and(|text| text.contains("hello"))
    })
    .await;
    assert_eq!(ada.history(&room, "").await[0].username, "grace");
    let stopped = house.stop();
    heard(&mut socket, |frame| matches!(frame, Frame::Close(Some(_)))).await;
    timeout(PATIENCE, stopped).await.unwrap().unwrap();
}

/// Reads up to this frame.
async fn heard(
    socket: &mut WebSocketStream<TlsStream<TcpStream>>,
    wanted: impl Fn(&Frame) -> bool,
) {
    while !wanted(
        &timeout(PATIENCE, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap(),
    ) {}
}

type H2 = h2::client::SendRequest<Bytes>;

/// HTTP/2, with room for many answers on the connection, and little for each.
async fn shake(tls: TlsStream<TcpStream>) -> (H2, tokio::task::JoinHandle<Result<(), h2::Error>>) {
    let (client, connection) = h2::client::Builder::new()
        .initial_connection_window_size(1 << 24)
        .handshake(tls)
        .await
        .unwrap();
    (client, tokio::spawn(connection))
}

async fn follow(client: &mut H2, house: &House, room: &str, query: &str) -> h2::RecvStream {
    let request = hyper::Request::get(format!("{}/rooms/{room}/messages/?{query}", house.url))
        .body(())
        .unwrap();
    let (answer, _) = client
        .clone()
        .ready()
        .await
        .unwrap()
        .send_request(request, true)
        .unwrap();
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    answer.into_body()
}

/// Reads up to these words.
async fn until(stream: &mut h2::RecvStream, words: &str) {
    let mut text = String::new();
    while !text.contains(words) {
        let chunk = timeout(PATIENCE, stream.data())
            .await
            .unwrap_or_else(|_| panic!("no {words:?} in {text:?}"));
        let chunk = chunk.expect("the stream has ended").unwrap();
        stream.flow_control().release_capacity(chunk.len()).unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}
