//! The servers under test: starting them, creating rooms, and reading their use of resources.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::Connection;
use crate::postgres::Database;
use crate::publish::{START, schedule};
use crate::report::percentile;
use crate::{Failure, Options, process};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Webchat,
    Nchan,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Webchat, Self::Nchan];

    pub fn name(self) -> &'static str {
        match self {
            Self::Webchat => "webchat",
            Self::Nchan => "nchan",
        }
    }

    /// The body of a post. Subscribers of both servers get `text` in about the same number of
    /// bytes.
    pub fn wrap(self, text: &str) -> String {
        match self {
            Kind::Webchat => format!(r#"{{"username":"load","body":"{text}"}}"#),
            Kind::Nchan => format!(
                r#"{{"id":10000,"room":"0123456789abcdef","username":"load","body":"{text}","sent_at":"2026-01-01T00:00:00.000Z"}}"#
            ),
        }
    }
}

/// A running server, with a core and a data directory of its own.
pub struct Server {
    pub kind: Kind,
    pub address: SocketAddr,
    child: Child,
    /// The ID of the process that handles requests.
    worker: u32,
    pub dir: TempDir,
}

impl Server {
    pub async fn start(kind: Kind, options: &Options) -> Result<Self, Failure> {
        Self::start_in(kind, options, tempfile::tempdir()?).await
    }

    /// Starts a server in a directory that may have the data of an earlier run.
    pub async fn start_in(kind: Kind, options: &Options, dir: TempDir) -> Result<Self, Failure> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("taskset");
        command.args(["-c", &options.core.to_string()]);
        match kind {
            Kind::Webchat => {
                command.arg(&options.webchat);
                set_up_webchat(&mut command, address, dir.path());
            }
            Kind::Nchan => set_up_nchan(&mut command, address, dir.path())?,
        }
        Self::spawn(kind, command, address, dir).await
    }

    /// Starts a node of a database, on all cores.
    pub async fn start_node(options: &Options, database: &Database) -> Result<Self, Failure> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let dir = tempfile::tempdir()?;
        let mut command = Command::new(&options.webchat);
        set_up_webchat(&mut command, address, dir.path());
        command.args(["--archive", "off", "--database", database.url()]);
        Self::spawn(Kind::Webchat, command, address, dir).await
    }

    async fn spawn(
        kind: Kind,
        mut command: Command,
        address: SocketAddr,
        dir: TempDir,
    ) -> Result<Self, Failure> {
        let child = command
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.path().join("log"))?)
            .spawn()?;
        let mut server = Self {
            kind,
            address,
            worker: child.id(),
            child,
            dir,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + Duration::from_secs(60);
        while Connection::open(self.address).await.is_err() || !self.find_worker() {
            if Instant::now() > end || self.child.try_wait()?.is_some() {
                let log = fs::read_to_string(self.dir.path().join("log"))?;
                return Err(format!("{} does not start: {log}", self.kind.name()).into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Finds the process that handles requests: with nginx, the child of the first process.
    fn find_worker(&mut self) -> bool {
        let first = self.child.id();
        let worker = process::children(first).into_iter().next();
        self.worker = worker.unwrap_or(first);
        self.kind == Kind::Webchat || worker.is_some()
    }

    /// Stops the server. Returns its directory.
    pub fn stop(self) -> Result<TempDir, Failure> {
        let mut server = self;
        Command::new("kill")
            .arg(server.child.id().to_string())
            .status()?;
        server.child.wait()?;
        Ok(server.dir)
    }

    /// Creates rooms. Returns the paths of their messages.
    pub async fn create_rooms(&self, count: usize) -> Result<Vec<String>, Failure> {
        let mut connection = Connection::open(self.address).await?;
        let mut paths = Vec::new();
        for number in 0..count {
            paths.push(self.create_room(&mut connection, number).await?);
        }
        Ok(paths)
    }

    async fn create_room(
        &self,
        connection: &mut Connection,
        number: usize,
    ) -> Result<String, Failure> {
        if self.kind == Kind::Nchan {
            return Ok(format!("/rooms/{number:016x}/messages/"));
        }
        let room: serde_json::Value =
            serde_json::from_str(&connection.post("/rooms/", "{}").await?)?;
        Ok(format!(
            "/rooms/{}/messages/",
            room["id"].as_str().ok_or("a room without an ID")?
        ))
    }

    /// The delay of an `fdatasync` of 4 KB on the disk of the server when `rate` are due each
    /// second: the 99th percentile of `count`, in milliseconds. When the disk stalls, all that are
    /// due meanwhile are late, as messages are.
    pub fn sync_time(&self, rate: u32, count: u64) -> Result<f64, Failure> {
        let mut file = fs::File::create(self.dir.path().join("sync"))?;
        let mut times = Vec::new();
        for (_, due) in schedule(rate, count) {
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(u32::try_from((START.elapsed() - due).as_micros())?);
        }
        times.sort_unstable();
        Ok(percentile(&times, 99))
    }

    /// The processor time used since the start.
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        process::cpu_time(self.worker)
    }

    /// Resident memory, in bytes.
    pub fn resident_memory(&self) -> Result<u64, Failure> {
        self.read_status("VmRSS:")
    }

    /// The peak of resident memory, in bytes.
    pub fn peak_memory(&self) -> Result<u64, Failure> {
        self.read_status("VmHWM:")
    }

    fn read_status(&self, name: &str) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.worker))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .ok_or("no such line in a process's status")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

fn set_up_webchat(command: &mut Command, address: SocketAddr, dir: &Path) {
    command
        .args(["--rate-limit", "off", "--log", "warn", "--listen"])
        .arg(address.to_string())
        .arg("--data-dir")
        .arg(dir.join("data"))
        .args(["--file-max", "1GB", "--room-files", "1GB"]);
}

fn set_up_nchan(command: &mut Command, address: SocketAddr, dir: &Path) -> Result<(), Failure> {
    let config = dir.join("nginx.conf");
    let text = include_str!("nchan.conf").replace("ADDRESS", &address.to_string());
    fs::write(&config, text.replace("DIR", &dir.display().to_string()))?;
    command
        .arg("nginx")
        .arg("-c")
        .arg(config)
        .arg("-p")
        .arg(dir)
        .arg("-e")
        .arg(dir.join("error.log"));
    Ok(())
}

/// How often, since the machine was started, a connection found no place in the queue of a
/// listening socket.
pub fn listen_overflows() -> Result<u64, Failure> {
    let table = fs::read_to_string("/proc/net/netstat")?;
    let mut lines = table.lines().filter(|line| line.starts_with("TcpExt:"));
    let names = lines.next().unwrap_or_default().split(' ');
    let values = lines.next().unwrap_or_default().split(' ');
    let mut pairs = names.zip(values);
    let found = pairs.find(|(name, _)| *name == "ListenOverflows");
    let (_, value) = found.ok_or("no count of overflows")?;
    Ok(value.parse()?)
}
