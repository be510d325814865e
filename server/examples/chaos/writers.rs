//! The writers: each posts one message after the other, with an `Idempotency-Key`, and repeats it until
//! it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::Message;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;

use crate::Failure;
use crate::checker::Checker;

/// How long a writer waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// The longest pause between two messages of a writer, and between two attempts, in milliseconds.
const PAUSE: u64 = 800;
const RETRY_PAUSE: u64 = 500;

pub struct Writers {
    is_ending: Arc<AtomicBool>,
    running: JoinSet<()>,
}

impl Writers {
    pub async fn start(
        count: usize,
        url: &str,
        rooms: &Arc<Vec<String>>,
        checker: &Arc<Checker>,
        random: &mut SmallRng,
    ) -> Result<Self, Failure> {
        let is_ending = Arc::new(AtomicBool::new(false));
        let mut running = JoinSet::new();
        let http = new_client(PATIENCE)?;
        for number in 0..count {
            let mut writer = Writer {
                number,
                http: http.clone(),
                url: url.to_owned(),
                rooms: rooms.clone(),
                checker: checker.clone(),
                random: SmallRng::seed_from_u64(random.random()),
                guest: None,
            };
            if number % 2 == 0 {
                writer.become_guest().await?;
            }
            running.spawn(writer.run(is_ending.clone()));
        }
        Ok(Self { is_ending, running })
    }

    /// Ends the writers after what they are sending.
    pub async fn finish(self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.running.join_all().await;
    }
}

struct Writer {
    number: usize,
    http: Client,
    url: String,
    rooms: Arc<Vec<String>>,
    checker: Arc<Checker>,
    random: SmallRng,
    /// The token of a guest key; without one the author is anonymous.
    guest: Option<String>,
}

/// A message that is sent until it is acknowledged.
struct Parcel {
    room: usize,
    text: String,
    key: String,
}

impl Writer {
    async fn become_guest(&mut self) -> Result<(), Failure> {
        let response = self
            .http
            .post(format!("{}/guests/", self.url))
            .send()
            .await?;
        let guest: serde_json::Value = response.error_for_status()?.json().await?;
        self.guest = Some(
            guest["token"]
                .as_str()
                .ok_or("a guest without a token")?
                .to_owned(),
        );
        Ok(())
    }

    async fn run(mut self, is_ending: Arc<AtomicBool>) {
        let mut message = 0_u64;
        while !is_ending.load(Ordering::Relaxed) {
            if self.checker.is_quiet() {
                self.pause(RETRY_PAUSE).await;
                continue;
            }
            let parcel = Parcel {
                room: self.random.random_range(0..self.rooms.len()),
                text: format!("writer {} message {message}", self.number),
                key: format!("{:032x}", self.random.random::<u128>()),
            };
            self.checker.sends(self.number, Some(parcel.text.clone()));
            self.deliver(&parcel).await;
            self.checker.sends(self.number, None);
            message += 1;
            self.pause(PAUSE).await;
        }
    }

    /// Sends a message until it is acknowledged; a few are given up after a failure.
    async fn deliver(&mut self, parcel: &Parcel) {
        let number = self.number;
        loop {
            match self.post(parcel).await {
                Ok(Some(seq)) => {
                    self.checker
                        .acknowledged(number, parcel.room, seq, &parcel.text);
                    return self.repeat_sometimes(parcel, seq).await;
                }
                Ok(None) => return,
                Err(why) => {
                    self.checker
                        .request_failed(&format!("writer {number}"), &why);
                    if self.random.random_bool(0.02) {
                        return self.checker.count(|counters| counters.abandoned += 1);
                    }
                    self.checker.count(|counters| counters.retries += 1);
                    self.pause(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// Repeats a message that was acknowledged, which changes nothing.
    async fn repeat_sometimes(&mut self, parcel: &Parcel, seq: u64) {
        if !self.random.random_bool(0.05) {
            return;
        }
        if let Ok(Some(again)) = self.post(parcel).await {
            self.checker.count(|counters| counters.repeated += 1);
            if again != seq {
                let text = &parcel.text;
                self.checker.violation(format!(
                    "{text:?} was acknowledged as {seq} and then as {again}"
                ));
            }
        }
    }

    /// The place of the message, if it was acknowledged; an error if it has to be repeated. Nothing
    /// after an answer that is a violation.
    async fn post(&self, parcel: &Parcel) -> Result<Option<u64>, String> {
        let room = &self.rooms[parcel.room];
        let mut request = self
            .http
            .post(format!("{}/rooms/{room}/messages/", self.url));
        if let Some(token) = &self.guest {
            request = request.bearer_auth(token);
        }
        let name = format!("writer{}", self.number);
        let body = json!({"username": name, "body": parcel.text});
        let request = request.header("idempotency-key", &parcel.key).json(&body);
        let response = request.send().await.map_err(|error| describe(&error))?;
        match response.status() {
            StatusCode::CREATED => {
                let message: Message = response.json().await.map_err(|error| describe(&error))?;
                if message.body() != parcel.text {
                    let other = message.body();
                    self.checker
                        .violation(format!("{:?} was answered with {other:?}", parcel.text));
                }
                Ok(Some(message.id))
            }
            status @ (StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT) => Err(status.to_string()),
            status => {
                let answer = response.text().await.unwrap_or_default();
                self.checker.violation(format!(
                    "{:?} was answered with {status}: {answer}",
                    parcel.text
                ));
                Ok(None)
            }
        }
    }

    async fn pause(&mut self, longest: u64) {
        let pause = self.random.random_range(0..longest);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// A client with a new connection for each request: nginx closes idle ones when it reloads, which looks
/// like a failure to a request that is sent at the same moment.
pub fn new_client(timeout: Duration) -> Result<Client, Failure> {
    let builder = Client::builder().timeout(timeout);
    Ok(builder.pool_max_idle_per_host(0).build()?)
}

/// An error with its causes.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
