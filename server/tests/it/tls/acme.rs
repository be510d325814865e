//! A certificate from an authority: from Pebble (Let's Encrypt's server for tests), which looks at the port of webchat
//! as the real one does.

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

use super::{Cert, HSTS, own_address};
use crate::house::Person;
use crate::program::{Program, health};

/// An authority at an address of its own.
struct Authority {
    dir: TempDir,
    address: Ipv4Addr,
    cert: Cert,
    running: Option<Child>,
}

impl Authority {
    fn new(test: u8) -> Self {
        let address = own_address(test);
        let (dir, cert) = (tempfile::tempdir().unwrap(), Cert::of(&address.to_string()));
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

    /// webchat, asking it for a certificate.
    fn client(&self, data_dir: &Path, more: &[&str]) -> Program {
        self.client_at("127.0.0.1:0", data_dir, more)
    }

    fn client_at(&self, listen: &str, data_dir: &Path, more: &[&str]) -> Program {
        let (directory, root) = (
            format!("https://{}:14000/dir", self.address),
            self.file("cert.pem"),
        );
        let args = [
            "--acme",
            "localhost",
            "--acme-directory",
            &directory,
            "--acme-root",
            &root,
        ];
        Program::start_at(listen, data_dir, &[&args, more].concat())
    }

    /// Lets it begin, and look at this program, with certificates that last so many seconds.
    fn start(&mut self, program: &Program, seconds: u64) {
        let config = json!({"pebble": {
            "listenAddress": format!("{}:14000", self.address),
            "managementListenAddress": format!("{}:15000", self.address),
            "certificate": self.file("cert.pem"),
            "privateKey": self.file("key.pem"),
            "httpPort": 1,
            "tlsPort": port(program),
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
        self.running = Some(pebble.expect("this test needs Pebble, which make test installs"));
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().unwrap();
            running.wait().unwrap();
        }
    }

    /// Somebody who trusts its certificates, and no others.
    async fn person(&self, name: &str, program: &Program) -> Person {
        let http = Client::builder().add_root_certificate(self.cert.root());
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
        Person::new(
            name,
            &format!("https://localhost:{}", port(program)),
            http.build().unwrap(),
        )
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.stop();
    }
}

fn port(program: &Program) -> u16 {
    program.url.rsplit(':').next().unwrap().parse().unwrap()
}

/// What happens to somebody who connects and trusts nobody: the alert that ends the handshake, from either side.
async fn refused(program: &Program) -> rustls::Error {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let socket = super::connect(&program.url).await;
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

fn kept(data_dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(data_dir.join("acme"))
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .map(|file| (file.clone(), std::fs::read(file).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn it_gets_a_certificate_and_keeps_it() {
    let (data, mut authority) = (tempfile::tempdir().unwrap(), Authority::new(0));
    let mut program = authority.client(data.path(), &["--redirect", "127.0.0.1:0"]);
    let line = program.logged("ERROR");
    assert!(
        line.contains("no new certificate for localhost, trying again"),
        "{line}"
    );
    assert_eq!(
        refused(&program).await,
        rustls::Error::AlertReceived(AlertDescription::AccessDenied)
    );
    assert_eq!(
        health(program.url.trim_start_matches("https://")).0,
        Some(0),
        "it serves, and waits"
    );

    authority.start(&program, 90 * 24 * 60 * 60);
    program.logged("the new certificate for localhost");
    let ada = authority.person("ada", &program).await;
    let answer = ada.get("/", "text/html").await;
    assert_eq!(
        (answer.status(), answer.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    assert_eq!(answer.headers()[HSTS], "max-age=31536000");
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("; Secure")
    );
    let room = ada.room().await;
    let mut stream = ada.follow(&room, "").await;
    ada.post(&room, "hello").await;
    assert_eq!(stream.next_message().await.body, "hello");

    let files = kept(data.path());
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
    program.signal("-TERM");
    assert!(program.ended().success());

    let again = authority.client(data.path(), &[]);
    let grace = authority.person("grace", &again).await;
    authority.stop();
    assert_eq!(grace.history(&room, "").await.len(), 1);
    assert_eq!(kept(data.path()), files, "nobody was asked");
}

#[tokio::test]
async fn a_certificate_is_renewed_before_it_ends() {
    let (data, mut authority) = (tempfile::tempdir().unwrap(), Authority::new(1));
    let program = authority.client(data.path(), &[]);
    program.logged("ERROR");
    authority.start(&program, 12);
    // It asks at once, and goes on.
    program.signal("-HUP");
    program.logged("the new certificate for localhost");
    let (ada, first) = (authority.person("ada", &program).await, kept(data.path()));
    let room = ada.room().await;
    let mut stream = ada.follow(&room, "").await;

    program.logged("the new certificate for localhost");
    let late = authority.person("grace", &program).await;
    late.post(&room, "with the new one").await;
    assert_eq!(
        stream.next_message().await.body,
        "with the new one",
        "an open stream goes on"
    );
    let second = kept(data.path());
    assert_eq!(first[0], second[0], "the same account");
    assert_ne!(first[1], second[1]);
}

#[tokio::test]
async fn what_is_kept_and_cannot_be_read_is_got_anew() {
    let (data, mut authority) = (tempfile::tempdir().unwrap(), Authority::new(2));
    let mut program = authority.client(data.path(), &[]);
    authority.start(&program, 90 * 24 * 60 * 60);
    program.logged("the new certificate for localhost");
    let cert = kept(data.path())[1].0.clone();
    program.signal("-TERM");
    assert!(program.ended().success());
    std::fs::write(&cert, "half a certif").unwrap();
    // At the same port, where the authority looks.
    let again = authority.client_at(&format!("127.0.0.1:{}", port(&program)), data.path(), &[]);
    assert!(again.logged("cannot read").contains(cert.to_str().unwrap()));
    again.logged("the new certificate for localhost");
    authority.person("ada", &again).await.room().await;
}
