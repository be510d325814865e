//! Certificate files: at the start, and another one while the server runs.

use std::path::Path;

use reqwest::{Method, Version};

use crate::harness::{ServerProcess, TestCertificate};

#[tokio::test]
async fn reloaded_certificate_applies_to_new_connections() {
    let dir = tempfile::tempdir().unwrap();
    let old = TestCertificate::new();
    let new = TestCertificate::new();
    old.write(dir.path());
    let [cert, key] =
        ["cert.pem", "key.pem"].map(|name| dir.path().join(name).to_str().unwrap().to_owned());
    let mut process = ServerProcess::start(dir.path(), &["--tls-cert", &cert, "--tls-key", &key]);
    let ada = old.client("ada", &process.url, Version::HTTP_2);
    let room = ada.create_room().await;
    let mut stream = ada.follow(&room, "").await;

    new.write(dir.path());
    process.signal("-HUP");
    process.wait_for_log("new certificate");
    let grace = new.client("grace", &process.url, Version::HTTP_2);
    grace.post(&room, "with the new one").await;
    assert_eq!(
        stream.next_message().await.body(),
        "with the new one",
        "an open stream continues"
    );
    let late = old.client("barbara", &process.url, Version::HTTP_2);
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
        TestCertificate {
            name: String::new(),
            der: new.der.clone(),
            pem: cert.to_owned(),
            key: key.clone(),
        }
        .write(dir.path());
        process.signal("-HUP");
        let line = process.wait_for_log("ERROR");
        assert!(
            line.contains("keeping the old certificate") && line.contains("--tls-"),
            "{line}"
        );
        let next = new.client("next", &process.url, Version::HTTP_2);
        next.post(&room, "still").await;
        assert_eq!(stream.next_message().await.body(), "still");
    }
    process.signal("-TERM");
    assert_eq!(stream.rest().await, []);
    assert!(process.wait_for_exit().success());
}

#[test]
fn unusable_certificate_files_are_reported_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let cert = TestCertificate::new();
    let other = TestCertificate::new();
    TestCertificate {
        key: other.key,
        ..cert
    }
    .write(dir.path());
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name));
    let run = |cert: &Path, key: &Path| {
        let mut process = std::process::Command::new(env!("CARGO_BIN_EXE_webchat"));
        process
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.path().join("data"));
        let ended = process
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
