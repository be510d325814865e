//! A certificate from an authority: from Pebble (Let's Encrypt's server for tests), which connects
//! to the port of webchat as the real one does.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use reqwest::{Client, StatusCode, Version};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use serde_json::json;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use crate::harness::{
    HSTS, ServerProcess, TestCertificate, TestUser, run_health_check, tcp_connect,
};
use crate::unique_loopback_address;

/// A Pebble process on an address of its own.
struct PebbleServer {
    dir: TempDir,
    address: Ipv4Addr,
    cert: TestCertificate,
    running: Option<Child>,
}

impl PebbleServer {
    fn new(test: u8) -> Self {
        let address = unique_loopback_address(test);
        let dir = tempfile::tempdir().unwrap();
        let cert = TestCertificate::for_name(&address.to_string());
        cert.write(dir.path());
        Self {
            dir,
            address,
            cert,
            running: None,
        }
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Starts webchat as its client.
    fn start_webchat(&self, data_dir: &Path, more: &[&str]) -> ServerProcess {
        self.start_webchat_at("127.0.0.1:0", data_dir, more)
    }

    fn start_webchat_at(&self, listen: &str, data_dir: &Path, more: &[&str]) -> ServerProcess {
        let directory = format!("https://{}:14000/dir", self.address);
        let root = self.file("cert.pem");
        let args = [
            "--acme",
            "localhost",
            "--acme-directory",
            &directory,
            "--acme-root",
            &root,
        ];
        ServerProcess::start_at(listen, data_dir, &[&args, more].concat())
    }

    /// Starts Pebble. It validates against the port of this process and issues certificates for
    /// this many seconds.
    fn start(&mut self, process: &ServerProcess, seconds: u64) {
        let config = json!({"pebble": {
            "listenAddress": format!("{}:14000", self.address),
            "managementListenAddress": format!("{}:15000", self.address),
            "certificate": self.file("cert.pem"),
            "privateKey": self.file("key.pem"),
            "httpPort": 1,
            "tlsPort": port_of(process),
            "certificateValidityPeriod": seconds,
        }});
        std::fs::write(self.file("pebble.json"), config.to_string()).unwrap();
        let mut pebble = Command::new("pebble");
        // Without its random pauses and failures.
        pebble
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0")])
            .stdout(Stdio::null());
        let pebble = pebble
            .args(["-config", &self.file("pebble.json")])
            .stderr(Stdio::null())
            .spawn();
        self.running = Some(pebble.expect("Pebble does not start"));
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().unwrap();
            running.wait().unwrap();
        }
    }

    /// A client that trusts its certificates and no others.
    async fn client(&self, name: &str, process: &ServerProcess) -> TestUser {
        let http = Client::builder().add_root_certificate(self.cert.as_root());
        let root = http
            .build()
            .unwrap()
            .get(format!("https://{}:15000/roots/0", self.address))
            .send()
            .await
            .unwrap();
        let root = reqwest::Certificate::from_pem(&root.bytes().await.unwrap()).unwrap();
        let http = Client::builder()
            .add_root_certificate(root)
            .redirect(reqwest::redirect::Policy::none());
        TestUser::new(
            name,
            &format!("https://localhost:{}", port_of(process)),
            http.build().unwrap(),
        )
    }
}

impl Drop for PebbleServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn port_of(process: &ServerProcess) -> u16 {
    process.url.rsplit(':').next().unwrap().parse().unwrap()
}

/// Connects without any trusted root. Returns the error of the handshake, which may be an alert
/// from the server.
async fn failed_handshake(process: &ServerProcess) -> rustls::Error {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let socket = tcp_connect(&process.url).await;
    let name = ServerName::try_from("localhost").unwrap();
    let error = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .unwrap_err();
    error
        .into_inner()
        .unwrap()
        .downcast_ref::<rustls::Error>()
        .unwrap()
        .clone()
}

fn stored_files(data_dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(data_dir.join("acme"))
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .map(|file| (file.clone(), std::fs::read(file).unwrap()))
        .collect();
    files.sort();
    files
}

pub async fn acme_certificate_is_obtained_and_reused_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let mut authority = PebbleServer::new(0);
    let mut process = authority.start_webchat(data.path(), &["--redirect", "127.0.0.1:0"]);
    let line = process.wait_for_log("ERROR");
    assert!(
        line.contains("no new certificate for localhost, trying again"),
        "{line}"
    );
    assert_eq!(
        failed_handshake(&process).await,
        rustls::Error::AlertReceived(AlertDescription::AccessDenied)
    );
    assert_eq!(
        run_health_check(process.url.trim_start_matches("https://")).0,
        Some(0),
        "the server runs without a certificate"
    );

    authority.start(&process, 90 * 24 * 60 * 60);
    process.wait_for_log("the new certificate for localhost");
    let ada = authority.client("ada", &process).await;
    let response = ada.get("/", "text/html").await;
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    assert_eq!(response.headers()[HSTS], "max-age=31536000");
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Secure")
    );
    let room = ada.create_room().await;
    let mut stream = ada.follow(&room, "").await;
    ada.post(&room, "hello").await;
    assert_eq!(stream.next_message().await.body(), "hello");

    let files = stored_files(data.path());
    assert_eq!(files.len(), 2, "the account and the certificate: {files:?}");
    for (file, _) in &files {
        assert_eq!(
            std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
    }
    assert_eq!(
        std::fs::metadata(data.path().join("acme"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    process.signal("-TERM");
    assert!(process.wait_for_exit().success());

    let again = authority.start_webchat(data.path(), &[]);
    let grace = authority.client("grace", &again).await;
    authority.stop();
    assert_eq!(grace.history(&room, "").await.len(), 1);
    assert_eq!(
        stored_files(data.path()),
        files,
        "no new certificate was requested"
    );
}

pub async fn acme_certificate_is_renewed_before_it_expires() {
    let data = tempfile::tempdir().unwrap();
    let mut authority = PebbleServer::new(1);
    let process = authority.start_webchat(data.path(), &[]);
    process.wait_for_log("ERROR");
    authority.start(&process, 12);
    // SIGHUP makes webchat request a certificate at once, and not stop.
    process.signal("-HUP");
    process.wait_for_log("the new certificate for localhost");
    let ada = authority.client("ada", &process).await;
    let first = stored_files(data.path());
    let room = ada.create_room().await;
    let mut stream = ada.follow(&room, "").await;

    process.wait_for_log("the new certificate for localhost");
    let late = authority.client("grace", &process).await;
    late.post(&room, "with the new one").await;
    assert_eq!(
        stream.next_message().await.body(),
        "with the new one",
        "an open stream continues"
    );
    let second = stored_files(data.path());
    assert_eq!(first[0], second[0], "the same account");
    assert_ne!(first[1], second[1]);
}

pub async fn unreadable_stored_certificate_is_replaced() {
    let data = tempfile::tempdir().unwrap();
    let mut authority = PebbleServer::new(2);
    let mut process = authority.start_webchat(data.path(), &[]);
    authority.start(&process, 90 * 24 * 60 * 60);
    process.wait_for_log("the new certificate for localhost");
    let cert = stored_files(data.path())[1].0.clone();
    process.signal("-TERM");
    assert!(process.wait_for_exit().success());
    std::fs::write(&cert, "half a certif").unwrap();
    // At the same port, which Pebble validates against.
    let again = authority.start_webchat_at(
        &format!("127.0.0.1:{}", port_of(&process)),
        data.path(),
        &[],
    );
    assert!(
        again
            .wait_for_log("cannot read")
            .contains(cert.to_str().unwrap())
    );
    again.wait_for_log("the new certificate for localhost");
    authority.client("ada", &again).await.create_room().await;
}
