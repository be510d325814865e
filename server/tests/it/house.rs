//! A running server on a port of its own, and typed people who use it.

use std::time::Duration;

use chat::{Chat, Clock};
use protocol::{Message, Problem, Room};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use server::App;
use server::config::Config;
use server::tls::Tls;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A server, its data and its clock.
pub struct House {
    pub url: String,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl House {
    pub async fn new() -> Self {
        Self::with(&["--rate-limit", "off"], |_| {}).await
    }

    /// A server with these flags, and its chat opened with this change.
    pub async fn with(flags: &[&str], change: impl FnOnce(&mut chat::Config)) -> Self {
        Self::open(flags, change, "http", |app| app).await
    }

    /// A server over TLS.
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
        let mut config = chat::Config::new(dir.path());
        change(&mut config);
        let clock = config.clock.clone();
        let flags = Config::read(["webchat"].iter().chain(flags).map(Into::into)).unwrap();
        let app = wrap(App::new(Chat::open(config).await.unwrap(), &flags));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(app.serve(listener, async {
            let _ = stopped.await;
        }));
        Self {
            url,
            clock,
            dir,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    /// Tells the server to stop; the handle ends when it has.
    pub fn stop(&mut self) -> JoinHandle<()> {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap()
    }

    pub fn person(&self, name: &str) -> Person {
        let redirect = reqwest::redirect::Policy::none();
        let http = Client::builder().redirect(redirect).build().unwrap();
        Person::new(name, &self.url, http)
    }

    /// Somebody with an account, who shows its token with every request.
    pub async fn member(&self, username: &str) -> Person {
        let person = self.person(username);
        let wish =
            json!({"name": username.to_uppercase(), "username": username, "password": "secret"});
        let answer: Value = person
            .post_json("/register", wish)
            .await
            .json()
            .await
            .unwrap();
        Person {
            token: Some(answer["content"]["token"].as_str().unwrap().to_owned()),
            ..person
        }
    }

    /// Somebody without an account, but with a key.
    pub async fn guest(&self, name: &str) -> Person {
        let person = self.person(name);
        let answer: Value = person
            .post_json("/guests/", json!({}))
            .await
            .json()
            .await
            .unwrap();
        Person {
            token: Some(answer["token"].as_str().unwrap().to_owned()),
            ..person
        }
    }
}

/// Somebody with a name and an HTTP client.
#[derive(Clone)]
pub struct Person {
    pub name: String,
    pub url: String,
    pub http: Client,
    /// What shows who it is, if anything does.
    pub token: Option<String>,
}

impl Person {
    pub fn new(name: &str, url: &str, http: Client) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            http,
            token: None,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str, accept: &str) -> Response {
        self.request(Method::GET, path)
            .header("accept", accept)
            .send()
            .await
            .unwrap()
    }

    pub async fn post_json(&self, path: &str, body: Value) -> Response {
        self.request(Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap()
    }

    pub async fn create(&self, wish: Value) -> Room {
        let answer = self.post_json("/rooms/", wish).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    /// A room with nothing special about it.
    pub async fn room(&self) -> String {
        self.create(json!({})).await.id.to_string()
    }

    pub async fn post(&self, room: &str, body: &str) -> Message {
        let answer = self.try_post(room, body).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    pub async fn try_post(&self, room: &str, body: &str) -> Response {
        self.post_json(
            &format!("/rooms/{room}/messages/"),
            json!({"username": self.name, "body": body}),
        )
        .await
    }

    pub async fn history(&self, room: &str, query: &str) -> Vec<Message> {
        let answer = self
            .get(
                &format!("/rooms/{room}/messages/?{query}"),
                "application/json",
            )
            .await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    pub async fn follow(&self, room: &str, query: &str) -> Listener {
        Listener::new(
            self.get(
                &format!("/rooms/{room}/messages/?{query}"),
                "text/event-stream",
            )
            .await,
        )
    }
}

/// What a refusal must look like, whoever gets it.
pub async fn problem(answer: Response, status: u16) -> Problem {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Problem = answer.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.title.is_empty() && !problem.detail.is_empty());
    problem
}

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub id: Option<String>,
    pub data: String,
}

impl Event {
    pub fn message(&self) -> Message {
        assert_eq!(self.name, "message", "{self:?}");
        serde_json::from_str(&self.data).unwrap()
    }
}

/// Somebody at the end of an event stream, who reads it as the standard says.
pub struct Listener {
    pub answer: Response,
    buffer: Vec<u8>,
}

impl Listener {
    pub fn new(answer: Response) -> Self {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            buffer: Vec::new(),
        }
    }

    /// The next event that carries data; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(block) = self.block() {
                let mut event = Event {
                    name: "message".to_owned(),
                    ..Event::default()
                };
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("event", name)) => name.clone_into(&mut event.name),
                        Some(("id", id)) => event.id = Some(id.to_owned()),
                        Some(("data", data)) if event.data.is_empty() => {
                            data.clone_into(&mut event.data)
                        }
                        Some(("data", data)) => event.data.extend(["\n", data]),
                        _ => {}
                    }
                }
                if !event.data.is_empty() {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.answer.chunk())
                .await
                .expect("nothing more comes");
            self.buffer.extend(chunk.unwrap()?);
        }
    }

    pub async fn next_message(&mut self) -> Message {
        self.next().await.expect("the stream has ended").message()
    }

    /// Reads until the stream ends.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    fn block(&mut self) -> Option<String> {
        let end = self.buffer.windows(2).position(|two| two == b"\n\n")?;
        let block = self.buffer.drain(..end + 2).collect();
        Some(String::from_utf8(block).unwrap())
    }
}
