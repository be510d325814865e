//! Certificates, and clients that trust them.

use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use reqwest::{Client, Version};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use server::tls::Tls;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::{TEST_TIMEOUT, TestServer, TestUser};

pub const HSTS: &str = "strict-transport-security";

/// A self-signed certificate for 127.0.0.1.
pub struct TestCertificate {
    pub name: String,
    pub der: CertificateDer<'static>,
    pub pem: String,
    pub key: String,
}

impl TestCertificate {
    pub fn new() -> Self {
        Self::for_name("127.0.0.1")
    }

    /// A self-signed certificate for this name.
    pub fn for_name(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let der = made.cert.der().clone();
        let pem = made.cert.pem();
        Self {
            name: name.to_owned(),
            der,
            pem,
            key: made.signing_key.serialize_pem(),
        }
    }

    pub fn write(&self, dir: &Path) {
        std::fs::write(dir.join("cert.pem"), &self.pem).unwrap();
        std::fs::write(dir.join("key.pem"), &self.key).unwrap();
    }

    /// Starts a server with this certificate.
    pub async fn start_server(&self, redirect: Option<TcpListener>) -> TestServer {
        let dir = tempfile::tempdir().unwrap();
        self.write(dir.path());
        let tls = Tls::from_files(&dir.path().join("cert.pem"), &dir.path().join("key.pem"))
            .await
            .unwrap();
        TestServer::secure(tls, redirect).await
    }

    pub fn as_root(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap()
    }

    /// A client that trusts this certificate and no other.
    pub fn client(&self, name: &str, url: &str, version: Version) -> TestUser {
        let http = Client::builder()
            .add_root_certificate(self.as_root())
            .redirect(reqwest::redirect::Policy::none());
        let http = if version == Version::HTTP_11 {
            http.http1_only()
        } else {
            http
        };
        TestUser::new(name, url, http.build().unwrap())
    }

    /// Opens a TLS connection with this ALPN protocol.
    pub async fn connect(&self, url: &str, protocol: &[u8]) -> TlsStream<TcpStream> {
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
            .connect(name, tcp_connect(url).await)
            .await
            .unwrap()
    }
}

pub async fn tcp_connect(url: &str) -> TcpStream {
    TcpStream::connect(url.trim_start_matches("https://"))
        .await
        .unwrap()
}

/// Reads frames up to one that matches.
pub async fn read_until_frame(
    socket: &mut WebSocketStream<TlsStream<TcpStream>>,
    wanted: impl Fn(&Frame) -> bool,
) {
    while !wanted(
        &timeout(TEST_TIMEOUT, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap(),
    ) {}
}
