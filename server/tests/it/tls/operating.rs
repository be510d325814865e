//! What an operator does: a certificate at the start, another one while it serves, and the way from plain HTTP.

use std::path::Path;

use reqwest::{Client, Method, StatusCode, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Cert, HSTS};
use crate::house::PATIENCE;
use crate::program::Program;

#[tokio::test]
async fn a_new_certificate_is_for_new_connections() {
    let (dir, old, new) = (tempfile::tempdir().unwrap(), Cert::new(), Cert::new());
    old.write(dir.path());
    let [cert, key] =
        ["cert.pem", "key.pem"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    let mut program = Program::start(dir.path(), &["--tls-cert", &cert, "--tls-key", &key]);
    let ada = old.person("ada", &program.url, Version::HTTP_2);
    let room = ada.room().await;
    let mut stream = ada.follow(&room, "").await;

    new.write(dir.path());
    program.signal("-HUP");
    program.logged("new certificate");
    let grace = new.person("grace", &program.url, Version::HTTP_2);
    grace.post(&room, "with the new one").await;
    assert_eq!(
        stream.next_message().await.body,
        "with the new one",
        "an open stream goes on"
    );
    let late = old.person("barbara", &program.url, Version::HTTP_2);
    assert!(
        late.request(Method::GET, "/healthz")
            .send()
            .await
            .unwrap_err()
            .is_connect()
    );

    for (cert, key) in [
        ("no certificate", &new.key),
        (&new.pem, &old.key),
        (&new.pem, &String::new()),
    ] {
        Cert {
            name: String::new(),
            der: new.der.clone(),
            pem: cert.to_owned(),
            key: key.clone(),
        }
        .write(dir.path());
        program.signal("-HUP");
        let line = program.logged("ERROR");
        assert!(
            line.contains("keeping the old certificate") && line.contains("--tls-"),
            "{line}"
        );
        let next = new.person("next", &program.url, Version::HTTP_2);
        next.post(&room, "still").await;
        assert_eq!(stream.next_message().await.body, "still");
    }
    program.signal("-TERM");
    assert_eq!(stream.rest().await, []);
    assert!(program.ended().success());
}

#[tokio::test]
async fn who_comes_without_tls_is_sent_over() {
    let cert = Cert::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from = listener.local_addr().unwrap();
    let mut house = cert.house(Some(listener)).await;
    let port = house.url.rsplit(':').next().unwrap().to_owned();
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    for (host, name) in [
        ("chat.example", "chat.example"),
        ("chat.example:80", "chat.example"),
        ("[::1]:80", "[::1]"),
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = http
                .request(method, format!("http://{from}/rooms/a%20b?x=1&y"))
                .header("host", host);
            let answer = answer.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(
                answer.headers()["location"],
                format!("https://{name}:{port}/rooms/a%20b?x=1&y")
            );
            assert!(!answer.headers().contains_key(HSTS));
        }
    }
    for head in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
    ] {
        assert!(
            said(from, head).await.starts_with("HTTP/1.0 400")
                || said(from, head).await.starts_with("HTTP/1.1 400")
        );
    }
    let answer = said(
        from,
        "OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(
        answer.contains(&format!("location: https://x:{port}/\r\n")),
        "{answer}"
    );
    timeout(PATIENCE, house.stop()).await.unwrap().unwrap();
}

/// What comes back for a request, up to the first empty line.
async fn said(to: std::net::SocketAddr, head: &str) -> String {
    let mut socket = TcpStream::connect(to).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(PATIENCE, socket.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn what_cannot_be_used_is_said_at_the_start() {
    let (dir, cert, other) = (tempfile::tempdir().unwrap(), Cert::new(), Cert::new());
    Cert {
        key: other.key,
        ..cert
    }
    .write(dir.path());
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name));
    let run = |cert: &Path, key: &Path| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_webchat"));
        program
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.path());
        let ended = program
            .arg("--tls-cert")
            .arg(cert)
            .arg("--tls-key")
            .arg(key)
            .output()
            .unwrap();
        (
            ended.status.code(),
            String::from_utf8(ended.stderr).unwrap(),
        )
    };
    for (cert, key, flag) in [
        (&cert, &key, "--tls-key"),
        (&key, &key, "--tls-cert"),
        (&cert, &dir.path().join("none"), "--tls-key"),
    ] {
        let (code, log) = run(cert, key);
        assert!(
            code == Some(1) && log.trim_end().lines().count() == 1 && log.contains(flag),
            "{code:?} {log}"
        );
    }
}
