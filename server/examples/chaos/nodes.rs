//! The nodes: webchat processes with the flags of the unit in docs/operating.md.

use std::fs::{self, File};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Failure, recipe};

/// The ports of the nodes.
pub const PORTS: [u16; 3] = [8081, 8082, 8083];

/// How long a node may take to become ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a node needs to start.
pub struct Setup {
    pub webchat: PathBuf,
    /// The folder of all nodes, which is theirs in place of `/var/lib/webchat`.
    pub dir: PathBuf,
    pub host: IpAddr,
    pub database: String,
}

pub struct Node {
    pub port: u16,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
    url: String,
}

impl Node {
    /// A node with its clock off by this many hours. It does not run yet.
    pub fn new(setup: &Setup, port: u16, hours: i32) -> Result<Self, Failure> {
        let unit = recipe::read("ini", "[Unit]\nDescription=webchat on port")?;
        let (_, start) = unit.split_once("\nExecStart=").ok_or("no ExecStart")?;
        let (start, _) = start
            .replace("\\\n", " ")
            .split_once('\n')
            .map(own)
            .ok_or("no end")?;
        let changes = [
            ("127.0.0.1:%i", format!("{}:{port}", setup.host)),
            ("%i", port.to_string()),
            ("/var/lib/webchat", setup.dir.display().to_string()),
            (
                "/usr/local/bin/webchat",
                setup.webchat.display().to_string(),
            ),
        ];
        let start = recipe::adapt(start, &changes)?;
        let mut words = start.split_whitespace();
        let mut command = Command::new(words.next().ok_or("no program")?);
        command.args(words).args(["--rate-limit", "off"]);
        command.env("WEBCHAT_DATABASE", &setup.database);
        fs::create_dir_all(setup.dir.join("archive"))?;
        if hours != 0 {
            command
                .env("LD_PRELOAD", find_faketime()?)
                .env("FAKETIME", format!("{hours:+}h"));
            // Two versions of the library have two names for it.
            command
                .env("DONT_FAKE_MONOTONIC", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            command.env("FAKETIME_NO_CACHE", "1");
        }
        Ok(Self {
            port,
            command,
            log: setup.dir.join(format!("node-{port}.log")),
            child: None,
            url: format!("http://{}:{port}", setup.host),
        })
    }

    /// Starts it, as often as its supervisor would, until it is ready.
    pub async fn start(&mut self, http: &reqwest::Client) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while !self.is_ready(http).await {
            let has_ended = match &mut self.child {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if has_ended {
                self.spawn()?;
            }
            if Instant::now() > end {
                return Err(format!("node {} is not ready within {PATIENCE:?}", self.port).into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    fn spawn(&mut self) -> Result<(), Failure> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        self.command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.child = Some(self.command.spawn()?);
        Ok(())
    }

    async fn is_ready(&self, http: &reqwest::Client) -> bool {
        let request = http
            .get(format!("{}/readyz", self.url))
            .timeout(Duration::from_secs(2));
        request
            .send()
            .await
            .is_ok_and(|response| response.status() == 200)
    }

    /// The address of this node alone.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let child = self.child.as_ref().ok_or("the node does not run")?;
        let pid = Pid::from_raw(i32::try_from(child.id())?).ok_or("no process")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits until it has ended, which this program has asked for.
    pub fn wait(&mut self) -> Result<Option<ExitStatus>, Failure> {
        Ok(self
            .child
            .take()
            .map(|mut child| child.wait())
            .transpose()?)
    }

    /// How it has ended by itself, if it has.
    pub fn unexpected_end(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok().flatten()
    }

    /// The lines of its log that say that something panicked.
    pub fn panics(&self) -> Vec<String> {
        self.find_in_log("panicked")
    }

    /// The number of errors in its log.
    pub fn count_errors(&self) -> usize {
        self.find_in_log("ERROR").len()
    }

    fn find_in_log(&self, words: &str) -> Vec<String> {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines = log.lines().filter(|line| line.contains(words));
        lines.map(str::to_owned).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Its folder is removed anyway.
        let _ = self.signal(Signal::KILL);
        let _ = self.wait();
    }
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

/// The library that gives a process another clock.
fn find_faketime() -> Result<PathBuf, Failure> {
    let folders = fs::read_dir("/usr/lib")?
        .flatten()
        .map(|entry| entry.path());
    let mut libraries = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    let found = libraries.find(|library| Path::exists(library));
    found.ok_or_else(|| "libfaketime is missing (Debian: faketime)".into())
}
