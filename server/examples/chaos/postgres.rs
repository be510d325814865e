//! A `PostgreSQL` primary and its synchronous standby, each with a folder and a port of its own.
//!
//! # Guarantees
//! - While [`Postgres::is_safe`], the standby has whatever was acknowledged.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;
use crate::command::run;

/// The ports of the two servers.
const PORTS: [u16; 2] = [5433, 5434];

/// How long a server may take to start, to stop, or to follow.
const PATIENCE: Duration = Duration::from_secs(60);

/// The file with the name of the standby that commits wait for.
const SYNC_FILE: &str = "synchronous.conf";

/// How a server stops.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// It ends its connections first.
    Fast,
    /// It ends at once, as in a crash.
    Immediate,
}

pub struct Postgres {
    programs: PathBuf,
    dir: PathBuf,
    host: IpAddr,
    running: [Option<Child>; 2],
    /// Which of the two is the primary.
    primary: usize,
}

impl Postgres {
    /// Starts both.
    pub fn start(dir: &Path, host: IpAddr) -> Result<Self, Failure> {
        let mut postgres = Self {
            programs: find_programs()?,
            dir: dir.to_owned(),
            host,
            running: [None, None],
            primary: 0,
        };
        if rustix::process::geteuid().is_root() {
            // The servers refuse to run as root.
            run(Command::new("chown").arg("postgres").arg(dir))?;
        }
        let data = postgres.data(0);
        let mut init = postgres.program("initdb");
        init.arg("--pgdata").arg(&data);
        run(init.args([
            "--username=webchat",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]))?;
        let settings = format!(
            "include_if_exists = '{SYNC_FILE}'\nmax_connections = 200\nwal_keep_size = '1GB'\n\
            wal_receiver_status_interval = '1s'\nwal_retrieve_retry_interval = '200ms'\nfsync = off\n"
        );
        let config = data.join("postgresql.conf");
        let text = fs::read_to_string(&config)? + &settings;
        fs::write(&config, text)?;
        postgres.start_server(0)?;
        postgres.add_standby()?;
        Ok(postgres)
    }

    /// The address of the primary.
    pub fn address(&self) -> SocketAddr {
        (self.host, PORTS[self.primary]).into()
    }

    /// Runs a statement on the primary. Returns its rows.
    pub fn query(&self, sql: &str) -> Result<String, Failure> {
        self.query_server(self.primary, sql)
    }

    /// Stops the primary.
    pub fn stop_primary(&mut self, how: Stop) -> Result<(), Failure> {
        self.stop_server(self.primary, how)
    }

    /// Starts the primary again, as what it was.
    pub fn start_primary(&mut self) -> Result<(), Failure> {
        self.start_server(self.primary)
    }

    pub fn stop_standby(&mut self) -> Result<(), Failure> {
        self.stop_server(1 - self.primary, Stop::Immediate)
    }

    pub fn start_standby(&mut self) -> Result<(), Failure> {
        self.start_server(1 - self.primary)
    }

    /// Makes the standby the primary, after the primary has ended.
    pub fn promote(&mut self) -> Result<(), Failure> {
        let standby = 1 - self.primary;
        self.query_server(standby, "select pg_promote(true, 30)")?;
        self.primary = standby;
        self.wait_for("select not pg_is_in_recovery()")
    }

    /// Makes a standby of the other server, with a copy of the data, and lets commits wait for it.
    pub fn add_standby(&mut self) -> Result<(), Failure> {
        let standby = 1 - self.primary;
        let data = self.data(standby);
        if data.exists() {
            fs::remove_dir_all(&data)?;
        }
        let from = format!(
            "host={} port={} user=webchat application_name=standby",
            self.host, PORTS[self.primary]
        );
        let mut copy = self.program("pg_basebackup");
        copy.arg("--pgdata").arg(&data).arg("--dbname").arg(from);
        run(copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]))?;
        fs::write(data.join(SYNC_FILE), "")?;
        self.start_server(standby)?;
        self.wait_for("select count(*) = 1 from pg_stat_replication where state = 'streaming'")?;
        fs::write(
            self.data(self.primary).join(SYNC_FILE),
            "synchronous_standby_names = '*'\n",
        )?;
        self.query("select pg_reload_conf()")?;
        self.wait_until_safe()
    }

    /// Waits until the standby has all commits.
    pub fn wait_until_safe(&self) -> Result<(), Failure> {
        self.wait_for(
            "select count(*) = 1 from pg_stat_replication where sync_state = 'sync' \
            and replay_lsn >= sent_lsn",
        )
    }

    fn wait_for(&self, sql: &str) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while !self.query(sql).is_ok_and(|rows| rows.trim() == "t") {
            if Instant::now() > end {
                return Err(format!("PostgreSQL: not within {PATIENCE:?}: {sql}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn query_server(&self, server: usize, sql: &str) -> Result<String, Failure> {
        let mut psql = self.program("psql");
        psql.arg("--host").arg(self.host.to_string());
        psql.arg("--port").arg(PORTS[server].to_string());
        psql.args([
            "--username=webchat",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
        ]);
        run(psql
            .args(["--dbname=postgres", "--command", sql])
            .env("PGCONNECT_TIMEOUT", "5"))
    }

    fn start_server(&mut self, server: usize) -> Result<(), Failure> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.join(format!("postgres{server}.log")))?;
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data(server));
        command
            .arg("-h")
            .arg(self.host.to_string())
            .arg("-p")
            .arg(PORTS[server].to_string());
        command.arg("-k").arg(&self.dir);
        let child = command
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()?;
        self.running[server] = Some(child);
        let end = Instant::now() + PATIENCE;
        while self.query_server(server, "select 1").is_err() {
            let ended = self.running[server].as_mut().map(Child::try_wait);
            if Instant::now() > end || matches!(ended, Some(Ok(Some(_)))) {
                return Err(format!("PostgreSQL {server} does not start").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn stop_server(&mut self, server: usize, how: Stop) -> Result<(), Failure> {
        if let Some(mut child) = self.running[server].take() {
            let signal = match how {
                Stop::Fast => Signal::INT,
                Stop::Immediate => Signal::QUIT,
            };
            let pid = i32::try_from(child.id())?;
            kill_process(Pid::from_raw(pid).ok_or("no process")?, signal)?;
            child.wait()?;
        }
        Ok(())
    }

    fn data(&self, server: usize) -> PathBuf {
        self.dir.join(format!("data{server}"))
    }

    /// A program of `PostgreSQL`, as the user whose server it is.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        if !rustix::process::geteuid().is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        command.arg(path);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for server in [1 - self.primary, self.primary] {
            // Its folder is removed anyway.
            let _ = self.stop_server(server, Stop::Immediate);
        }
    }
}

/// The folder of the programs of the newest version.
fn find_programs() -> Result<PathBuf, Failure> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let versions = versions.map(|entry| entry.path().join("bin"));
    let found = versions.filter(|bin| bin.join("postgres").exists()).max();
    found.ok_or_else(|| "PostgreSQL is missing (Debian: postgresql)".into())
}

/// Lets other users reach what is in a folder.
pub fn open_folder(dir: &Path) -> Result<(), Failure> {
    Ok(fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?)
}
