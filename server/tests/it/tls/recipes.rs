//! The recipes for proxies in docs/operating.md, as they stand there: only names, ports and files are this test's.

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

use super::{Cert, heard, own_address};
use crate::house::{House, PATIENCE, Person};

/// A proxy in front of a server, with a certificate.
struct Proxy {
    at: SocketAddr,
    cert: Cert,
    running: Child,
    _dir: TempDir,
}

impl Proxy {
    /// Starts one in front of this house, at an address of its own; `command` makes what is to run from the recipe.
    async fn start(
        house: &House,
        test: u8,
        command: impl FnOnce(&Path, SocketAddr, String) -> Command,
    ) -> Self {
        let at = SocketAddr::from((own_address(test), 8443));
        let (dir, cert) = (tempfile::tempdir().unwrap(), Cert::of(&at.ip().to_string()));
        cert.write(dir.path());
        let server = house.url.trim_start_matches("http://").to_owned();
        let command = command(dir.path(), at, server)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let running = command.expect("this test needs a proxy that make test installs");
        let up = async {
            while TcpStream::connect(at).await.is_err() {
                tokio::task::yield_now().await
            }
        };
        timeout(PATIENCE, up)
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

    /// Somebody who comes from this address.
    fn person(&self, name: &str, from: Ipv4Addr) -> Person {
        let http = Client::builder()
            .add_root_certificate(self.cert.root())
            .local_address(Some(from.into()));
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Person::new(name, &self.url(), http)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

/// The block of code in this language that begins with these words.
fn recipe(language: &str, begin: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("docs/operating.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text
        .split_once(&format!("\n```{language}\n{begin}"))
        .expect("there is such a recipe");
    format!("{begin}{}", rest.split_once("\n```\n").unwrap().0)
}

/// The same recipe with other words in the place of some, each of which must stand there.
fn adapted(mut recipe: String, changes: &[(&str, String)]) -> String {
    for (words, others) in changes {
        assert!(recipe.contains(words), "{words:?} is not in {recipe}");
        recipe = recipe.replace(words, others);
    }
    recipe
}

fn nginx(dir: &Path, at: SocketAddr, server: String) -> Command {
    let file = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let recipe = adapted(
        recipe("nginx", "upstream webchat"),
        &[
            ("127.0.0.1:8080", server),
            ("listen 443 ssl", format!("listen {at} ssl")),
            ("/etc/webchat/cert.pem", file("cert.pem")),
            ("/etc/webchat/key.pem", file("key.pem")),
        ],
    );
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

fn caddy(dir: &Path, at: SocketAddr, server: String) -> Command {
    let file = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let site = format!(
        "https://{at} {{\nbind {}\ntls {} {}\n",
        at.ip(),
        file("cert.pem"),
        file("key.pem")
    );
    let changes = [("chat.example {\n", site), ("127.0.0.1:8080", server)];
    let recipe = adapted(recipe("", "chat.example {"), &changes);
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

#[tokio::test]
async fn nginx_in_front_changes_nothing() {
    let house = House::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await;
    everything_works(&Proxy::start(&house, 3, nginx).await).await;
}

#[tokio::test]
async fn caddy_in_front_changes_nothing() {
    let house = House::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await;
    everything_works(&Proxy::start(&house, 4, caddy).await).await;
}

async fn everything_works(proxy: &Proxy) {
    let [here, there] = [5, 6].map(own_address);
    let ada = proxy.person("ada", here);
    let answer = ada.get("/", "text/html").await;
    assert_eq!(
        (answer.status(), answer.version()),
        (StatusCode::OK, Version::HTTP_2)
    );
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .ends_with("; Secure"),
        "it is said that it came over TLS"
    );

    // A stream is heard as it is said, word by word.
    let room = ada.room().await;
    let mut stream = ada.follow(&room, "").await;
    for text in ["one", "two", "three"] {
        ada.post(&room, text).await;
        assert_eq!(stream.next_message().await.body, text);
    }
    let request = ada
        .request(reqwest::Method::POST, &format!("/rooms/{room}/messages/"))
        .header("origin", proxy.url());
    let answer = request
        .json(&json!({"username": "ada", "body": "from a page"}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(stream.next_message().await.body, "from a page");

    // So is a socket.
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
    heard(&mut socket, |frame| {
        frame.to_text().is_ok_and(|text| text.contains("hello"))
    })
    .await;
    assert_eq!(stream.next_message().await.username, "grace");

    // Limits are for each client, whatever it says of itself.
    let create = async |person: &Person, n: u32| {
        let request = person
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
        create(&proxy.person("grace", there), 0).await,
        StatusCode::CREATED
    );
}
