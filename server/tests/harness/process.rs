//! The webchat program as a process of its own, which tests kill, restart and measure.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Instant;

use protocol::{Message, Room};
use reqwest::Client;
use serde_json::json;

use super::{TEST_TIMEOUT, database_of};

/// Runs `webchat health` against an address. Returns its exit code and its log.
pub fn run_health_check(listen: &str) -> (Option<i32>, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .args(["--listen", listen, "health"])
        .output()
        .unwrap();
    (
        ended.status.code(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

/// The size of a test: the value of an environment variable, or the default.
pub fn size_from_env(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Raises the limit of open files, of this process and of those that it starts later, for this many
/// connections.
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
            "this test needs {wanted} open files; the limit is {limit}"
        );
    }
}

/// What the reader of a process's log does once the server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogReader {
    /// It reads on.
    Reads,
    /// It closes its end of the pipe.
    Leaves,
    /// It stops reading, until [`ServerProcess::read_log`].
    Stops,
}

/// The lines of a process's log.
type LogLines = Lines<BufReader<ChildStderr>>;

/// A running webchat process.
pub struct ServerProcess {
    child: Child,
    pub url: String,
    log: Mutex<mpsc::Receiver<String>>,
    /// Where the lines of the log go, and the lines, while they are not read.
    unread_log: Option<(mpsc::Sender<String>, LogLines)>,
    http: Client,
}

impl ServerProcess {
    /// Starts it on a port of its own.
    pub fn start(data_dir: &Path, more: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", data_dir, more)
    }

    pub fn start_at(listen: &str, data_dir: &Path, more: &[&str]) -> Self {
        Self::start_with_log(listen, data_dir, more, LogReader::Reads)
    }

    pub fn start_with_log(
        listen: &str,
        data_dir: &Path,
        more: &[&str],
        log_reader: LogReader,
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_webchat"));
        command
            .args(["--listen", listen, "--data-dir"])
            .arg(data_dir)
            .args(more)
            .envs(database_of(data_dir).map(|url| ("WEBCHAT_DATABASE", url)));
        Self::start_command(command, log_reader)
    }

    /// Starts it on a port of its own, after the shell has restricted the process.
    pub fn start_restricted(restriction: &str, data_dir: &Path, more: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{restriction} && exec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_webchat"))
            .args(["--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .args(more)
            .envs(database_of(data_dir).map(|url| ("WEBCHAT_DATABASE", url)));
        Self::start_command(command, LogReader::Reads)
    }

    /// Runs a command that starts it.
    pub fn start_command(mut command: Command, log_reader: LogReader) -> Self {
        let mut child = command
            .env("WEBCHAT_RATE_LIMIT", "off")
            // Memory is measured: huge pages would round it up.
            .env("MIMALLOC_ALLOW_THP", "0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (logged, log) = mpsc::channel();
        let url = loop {
            let line = lines
                .next()
                .expect("the process ended before it listened")
                .unwrap();
            let url = find_url(&line);
            logged.send(line).unwrap();
            if let Some(url) = url {
                break url;
            }
        };
        let mut process = Self {
            child,
            url,
            log: Mutex::new(log),
            unread_log: (log_reader != LogReader::Leaves).then_some((logged, lines)),
            http: Client::new(),
        };
        if log_reader == LogReader::Reads {
            process.read_log();
        }
        process
    }

    /// Reads the log from now on.
    pub fn read_log(&mut self) {
        if let Some((logged, lines)) = self.unread_log.take() {
            std::thread::spawn(move || {
                lines
                    .map_while(Result::ok)
                    .for_each(|line| drop(logged.send(line)))
            });
        }
    }

    /// Its ID, for other programs.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line of the log that contains these words.
    pub fn wait_for_log(&self, words: &str) -> String {
        let log = self.log.lock().unwrap();
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            let line = log
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                .unwrap_or_else(|_| panic!("no log line with {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// The lines of the log that were not read yet, up to the first with these words.
    pub fn read_log_until(&self, words: &str) -> String {
        let log = self.log.lock().unwrap();
        let mut text = String::new();
        while !text.contains(words) {
            text += &log.recv_timeout(TEST_TIMEOUT).unwrap();
            text.push('\n');
        }
        text
    }

    /// The lines of the log that were not read yet, up to its end.
    pub fn read_rest_of_log(&self) -> String {
        let log = self.log.lock().unwrap();
        log.iter().map(|line| line + "\n").collect()
    }

    /// Whether the server says that it is ready.
    pub async fn is_ready(&self) -> bool {
        let response = self.http.get(format!("{}/readyz", self.url)).send().await;
        response.unwrap().status() == 200
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
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Its resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        kilobytes.unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    pub async fn create_room(&self) -> String {
        let response = self
            .http
            .post(format!("{}/rooms/", self.url))
            .send()
            .await
            .unwrap();
        response.json::<Room>().await.unwrap().id.to_string()
    }

    /// Posts a message. Returns it if the server acknowledged it.
    pub async fn post(&self, room: &str, username: &str, body: &str) -> Option<Message> {
        let post = MessagePoster {
            http: self.http.clone(),
            url: self.url.clone(),
            room: room.to_owned(),
        };
        post.send(username, body, None).await
    }

    /// A client for a task that posts.
    pub fn poster(&self, room: &str) -> MessagePoster {
        MessagePoster {
            http: Client::new(),
            url: self.url.clone(),
            room: room.to_owned(),
        }
    }

    /// Reads all messages of a room.
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

/// The address in the log line that names it, in text or in JSON.
fn find_url(line: &str) -> Option<String> {
    let (_, url) = line.split_once("listening on ")?;
    url.split('"').next().map(str::to_owned)
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts to one room of a process that may end at any time.
#[derive(Clone)]
pub struct MessagePoster {
    http: Client,
    url: String,
    room: String,
}

impl MessagePoster {
    /// Posts once. Returns the message if the server acknowledged it.
    pub async fn send(&self, username: &str, body: &str, key: Option<&str>) -> Option<Message> {
        let mut post = self
            .http
            .post(format!("{}/rooms/{}/messages/", self.url, self.room));
        if let Some(key) = key {
            post = post.header("idempotency-key", key);
        }
        let response = post
            .json(&json!({"username": username, "body": body}))
            .send()
            .await
            .ok()?;
        if response.status() == 201 {
            response.json().await.ok()
        } else {
            None
        }
    }
}
