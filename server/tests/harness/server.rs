//! A running server on a port of its own.

use chat::{Chat, Clock};
use reqwest::Client;
use serde_json::{Value, json};
use server::App;
use server::cli::shutdown::Shutdown;
use server::config::Config;
use server::net::listener::bind;
use server::tls::Tls;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::DropGuard;

use super::TestUser;
use super::database::config_of;

/// A server, its data and its clock.
pub struct TestServer {
    pub url: String,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
    /// The ID in the names of the server's cookies.
    instance_id: u32,
    shutdown: Shutdown,
    _stop_on_drop: DropGuard,
    serving: Option<JoinHandle<()>>,
}

impl TestServer {
    pub async fn new() -> Self {
        Self::with(&["--rate-limit", "off"], |_| {}).await
    }

    /// Starts a server with these flags and a changed chat configuration.
    pub async fn with(flags: &[&str], change: impl FnOnce(&mut chat::Config)) -> Self {
        Self::open(flags, change, "http", |app| app).await
    }

    /// Starts a server over TLS.
    pub async fn secure(tls: Tls, redirect: Option<TcpListener>) -> Self {
        Self::open(
            &["--rate-limit", "off"],
            |_| {},
            "https",
            |app| app.secure(tls, redirect),
        )
        .await
    }

    async fn open(
        flags: &[&str],
        change: impl FnOnce(&mut chat::Config),
        scheme: &str,
        wrap: impl FnOnce(App) -> App,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config_of(dir.path());
        change(&mut config);
        let clock = config.clock.clone();
        let flags = Config::read(["webchat"].iter().chain(flags).map(Into::into)).unwrap();
        let chat = Chat::open(config).await.unwrap();
        let instance_id = chat.instance_id();
        let app = wrap(App::new(chat, &flags));
        let bound = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("{scheme}://{}", bound.address);
        let shutdown = Shutdown::default();
        let serving = app.serve(bound.listener, shutdown.clone());
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            url,
            clock,
            dir,
            instance_id,
            _stop_on_drop: shutdown.begin.clone().drop_guard(),
            shutdown,
            serving: Some(serving),
        }
    }

    /// Starts the shutdown. The handle ends with the server.
    pub fn stop(&mut self) -> JoinHandle<()> {
        self.shutdown.begin.cancel();
        self.serving.take().unwrap()
    }

    /// A cookie of this server as browsers send it, and as `Set-Cookie` begins.
    pub fn cookie(&self, name: &str, value: &str) -> String {
        format!("{name}-{:08x}={value}", self.instance_id)
    }

    pub fn visitor(&self, name: &str) -> TestUser {
        let redirect = reqwest::redirect::Policy::none();
        let http = Client::builder().redirect(redirect).build().unwrap();
        TestUser::new(name, &self.url, http)
    }

    /// A client that has an account and sends its token.
    pub async fn account(&self, username: &str) -> TestUser {
        let user = self.visitor(username);
        let input =
            json!({"name": username.to_uppercase(), "username": username, "password": "secret"});
        let response: Value = user
            .post_json("/register", input)
            .await
            .json()
            .await
            .unwrap();
        TestUser {
            token: Some(response["content"]["token"].as_str().unwrap().to_owned()),
            ..user
        }
    }

    /// A client that has no account but a guest key, and sends it.
    pub async fn guest(&self, name: &str) -> TestUser {
        let user = self.visitor(name);
        let response: Value = user
            .post_json("/guests/", json!({}))
            .await
            .json()
            .await
            .unwrap();
        TestUser {
            token: Some(response["token"].as_str().unwrap().to_owned()),
            ..user
        }
    }
}
