//! The proxy recipes of docs/operating.md, word by word but for names, ports and files.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use futures_util::SinkExt;
use reqwest::{Client, StatusCode, Version};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::harness::{TEST_TIMEOUT, TestCertificate, TestServer, TestUser, read_until_frame};
use crate::{recipe, unique_loopback_address};

/// A proxy in front of a server, with a certificate.
struct TestProxy {
    at: SocketAddr,
    cert: TestCertificate,
    running: Child,
    _dir: TempDir,
}

impl TestProxy {
    /// Starts a proxy in front of a server, on an address of its own. `command` makes its command
    /// from the recipe.
    async fn start(
        server: &TestServer,
        test: u8,
        command: impl FnOnce(&Path, SocketAddr, String) -> Command,
    ) -> Self {
        let at = SocketAddr::from((unique_loopback_address(test), 8443));
        let dir = tempfile::tempdir().unwrap();
        let cert = TestCertificate::for_name(&at.ip().to_string());
        cert.write(dir.path());
        let server = server.url.trim_start_matches("http://").to_owned();
        let command = command(dir.path(), at, server)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let running = command.expect("the proxy does not start");
        let up = async {
            while TcpStream::connect(at).await.is_err() {
                tokio::task::yield_now().await
            }
        };
        timeout(TEST_TIMEOUT, up)
            .await
            .expect("the proxy does not start");
        Self {
            at,
            cert,
            running,
            _dir: dir,
        }
    }

    fn url(&self) -> String {
        format!("https://{}", self.at)
    }

    /// A client that connects from this address.
    fn client(&self, name: &str, from: Ipv4Addr) -> TestUser {
        let http = Client::builder()
            .add_root_certificate(self.cert.as_root())
            .local_address(Some(from.into()));
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        TestUser::new(name, &self.url(), http)
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

fn nginx_command(dir: &Path, at: SocketAddr, server: String) -> Command {
    let file = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let changes = [
        ("127.0.0.1:8080", server),
        ("listen 443 ssl", format!("listen {at} ssl")),
        ("/etc/webchat/cert.pem", file("cert.pem")),
        ("/etc/webchat/key.pem", file("key.pem")),
    ];
    let recipe = recipe::read("nginx", "upstream webchat {\n    server").unwrap();
    let recipe = recipe::adapt(recipe, &changes).unwrap();
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {};", file(kind)));
    let config = format!(
        "daemon off; master_process off; pid {}; error_log stderr; events {{}}\nhttp {{ access_log off; {}\n{recipe}\n}}",
        file("pid"),
        paths.join(" ")
    );
    std::fs::write(dir.join("nginx.conf"), config).unwrap();
    let mut command = Command::new("nginx");
    command.args(["-c", &file("nginx.conf"), "-p", &file("")]);
    command
}

fn caddy_command(dir: &Path, at: SocketAddr, server: String) -> Command {
    let file = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let site = format!(
        "https://{at} {{\nbind {}\ntls {} {}\n",
        at.ip(),
        file("cert.pem"),
        file("key.pem")
    );
    let changes = [("chat.example {\n", site), ("127.0.0.1:8080", server)];
    let recipe = recipe::adapt(recipe::read("", "chat.example {").unwrap(), &changes).unwrap();
    std::fs::write(
        dir.join("Caddyfile"),
        format!("{{\nadmin off\nauto_https off\n}}\n{recipe}\n"),
    )
    .unwrap();
    let mut command = Command::new("caddy");
    command.args([
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        &file("Caddyfile"),
    ]);
    command
        .env("HOME", dir)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME");
    command
}

pub async fn nginx_recipe_changes_nothing_for_clients() {
    let server = TestServer::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await;
    assert_clients_notice_no_proxy(&TestProxy::start(&server, 3, nginx_command).await).await;
}

pub async fn caddy_recipe_changes_nothing_for_clients() {
    let server = TestServer::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await;
    assert_clients_notice_no_proxy(&TestProxy::start(&server, 4, caddy_command).await).await;
}

async fn assert_clients_notice_no_proxy(proxy: &TestProxy) {
    let [here, there] = [5, 6].map(unique_loopback_address);
    let ada = proxy.client("ada", here);
    let response = ada.get("/", "text/html").await;
    assert_eq!(
        (response.status(), response.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .ends_with("; Secure"),
        "the proxy reports TLS"
    );

    // The proxy passes each event of a stream on at once.
    let room = ada.create_room().await;
    let mut stream = ada.follow(&room, "").await;
    for text in ["one", "two", "three"] {
        ada.post(&room, text).await;
        assert_eq!(stream.next_message().await.body(), text);
    }
    let request = ada
        .request(reqwest::Method::POST, &format!("/rooms/{room}/messages/"))
        .header("origin", proxy.url());
    let response = request
        .json(&json!({"username": "ada", "body": "from a page"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(stream.next_message().await.body(), "from a page");

    // Sockets pass.
    let tls = proxy.cert.connect(&proxy.url(), b"http/1.1").await;
    let socket = format!(
        "wss://{}/rooms/{room}/socket?username=grace&after=latest",
        proxy.at
    );
    let mut request = socket.into_client_request().unwrap();
    request
        .headers_mut()
        .insert("origin", proxy.url().parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, tls).await.unwrap();
    socket.send(Frame::text("hello")).await.unwrap();
    read_until_frame(&mut socket, |frame| {
        frame.to_text().is_ok_and(|text| text.contains("hello"))
    })
    .await;
    assert_eq!(stream.next_message().await.username, "grace");

    // Limits count by client address, whatever the client's own header says.
    let create = async |user: &TestUser, n: u32| {
        let request = user
            .request(reqwest::Method::POST, "/rooms/")
            .header("x-forwarded-for", format!("192.0.2.{}", n % 200));
        request.send().await.unwrap().status()
    };
    let mut n = 0;
    while create(&ada, n).await == StatusCode::CREATED {
        n += 1;
        assert!(n < 400, "no limit");
    }
    assert_eq!(
        create(&proxy.client("grace", there), 0).await,
        StatusCode::CREATED
    );
}
