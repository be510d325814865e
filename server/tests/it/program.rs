//! The program itself, as a process of its own: to be killed, restarted and weighed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, mpsc};

use protocol::{Message, Room};
use reqwest::Client;
use serde_json::json;

use crate::house::PATIENCE;

/// What `webchat health` says of whoever listens there: its exit code and its log.
pub fn health(listen: &str) -> (Option<i32>, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .args(["--listen", listen, "health"])
        .output()
        .unwrap();
    (
        ended.status.code(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

/// A size of a test, which an environment variable can change.
pub fn size(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Lets this process, and those that it starts from now on, have so many connections.
pub fn allow_connections(count: usize) {
    let limit = Command::new("sh")
        .args(["-c", "ulimit -n"])
        .output()
        .unwrap()
        .stdout;
    let limit = String::from_utf8(limit).unwrap();
    let wanted = count + 200;
    if limit
        .trim()
        .parse()
        .is_ok_and(|limit: usize| limit < wanted)
    {
        let me = std::process::id().to_string();
        let raised = Command::new("prlimit")
            .args(["--pid", &me, &format!("--nofile={wanted}:")])
            .status();
        assert!(
            raised.is_ok_and(|status| status.success()),
            "this test needs {wanted} open files, of {limit}"
        );
    }
}

/// The webchat binary, running.
pub struct Program {
    child: Child,
    pub url: String,
    log: Mutex<mpsc::Receiver<String>>,
    http: Client,
}

impl Program {
    /// Starts it on a port of its own.
    pub fn start(data_dir: &Path, more: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", data_dir, more)
    }

    pub fn start_at(listen: &str, data_dir: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_webchat"))
            .env("WEBCHAT_RATE_LIMIT", "off")
            .args(["--listen", listen, "--data-dir"])
            .arg(data_dir)
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (logged, log) = mpsc::channel();
        let url = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            let url = line.find("http").map(|at| line[at..].to_owned());
            logged.send(line).unwrap();
            if let Some(url) = url {
                break url;
            }
        };
        // Its log must be read on, or it would wait for its reader.
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| drop(logged.send(line)))
        });
        Self {
            child,
            url,
            log: Mutex::new(log),
            http: Client::new(),
        }
    }

    /// The next line of its log that has these words.
    pub fn logged(&self, words: &str) -> String {
        let log = self.log.lock().unwrap();
        loop {
            let line = log
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("it never says {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// The memory that it has in use, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        kilobytes.unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    pub async fn room(&self) -> String {
        let answer = self
            .http
            .post(format!("{}/rooms/", self.url))
            .send()
            .await
            .unwrap();
        answer.json::<Room>().await.unwrap().id.to_string()
    }

    /// Posts, and gives back the message if it was acknowledged.
    pub async fn post(&self, room: &str, username: &str, body: &str) -> Option<Message> {
        let post = Post {
            http: self.http.clone(),
            url: self.url.clone(),
            room: room.to_owned(),
        };
        post.send(username, body, None).await
    }

    /// For tasks that post.
    pub fn poster(&self, room: &str) -> Post {
        Post {
            http: Client::new(),
            url: self.url.clone(),
            room: room.to_owned(),
        }
    }

    /// Everything that a room holds.
    pub async fn history(&self, room: &str) -> Vec<Message> {
        let mut stored: Vec<Message> = Vec::new();
        loop {
            let after = stored.len();
            let page = self.http.get(format!(
                "{}/rooms/{room}/messages/?after={after}&limit=1000",
                self.url
            ));
            let page = page
                .header("accept", "application/json")
                .send()
                .await
                .unwrap();
            let page: Vec<Message> = page.json().await.unwrap();
            if page.is_empty() {
                return stored;
            }
            stored.extend(page);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts to one room of a program, which may be gone at any time.
#[derive(Clone)]
pub struct Post {
    http: Client,
    url: String,
    room: String,
}

impl Post {
    /// Posts once, and gives back the message if it was acknowledged.
    pub async fn send(&self, username: &str, body: &str, key: Option<&str>) -> Option<Message> {
        let mut post = self
            .http
            .post(format!("{}/rooms/{}/messages/", self.url, self.room));
        if let Some(key) = key {
            post = post.header("idempotency-key", key);
        }
        let answer = post
            .json(&json!({"username": username, "body": body}))
            .send()
            .await
            .ok()?;
        if answer.status() == 201 {
            answer.json().await.ok()
        } else {
            None
        }
    }
}
