//! Databases of a `PostgreSQL` server, questions to them, and scripts of `pgbench`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::command::run;
use crate::{Failure, process};

/// A new database, which is removed when it is dropped.
pub struct Database {
    /// The address of the database that makes and removes others.
    server: String,
    name: String,
    url: String,
    /// The first process of the server.
    process: u32,
}

impl Database {
    /// Makes one on a server.
    pub fn create(server: &str) -> Result<Self, Failure> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("load{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let (address, _) = server.rsplit_once('/').ok_or("a URL without a database")?;
        query(server, &format!("create database {name}"))?;
        let dir = query(server, "show data_directory")?;
        let file = fs::read_to_string(Path::new(&dir).join("postmaster.pid"))?;
        Ok(Self {
            url: format!("{address}/{name}"),
            process: file.lines().next().unwrap_or_default().parse()?,
            server: server.to_owned(),
            name,
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Executes statements. Returns the rows.
    pub fn query(&self, sql: &str) -> Result<String, Failure> {
        query(&self.url, sql)
    }

    /// The number that a statement returns.
    pub fn number(&self, sql: &str) -> Result<f64, Failure> {
        Ok(self.query(sql)?.parse()?)
    }

    /// The processor time that the server has used.
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        process::cpu_time_of_all(self.process)
    }

    /// Runs a script of `pgbench` in many connections. Returns its transactions a second.
    pub fn run_script(&self, script: &str, clients: usize, span: Duration) -> Result<f64, Failure> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("script");
        fs::write(&file, script)?;
        let mut pgbench = Command::new("pgbench");
        pgbench.args([
            "--no-vacuum",
            "--protocol=prepared",
            "--define=n=0",
            "--file",
        ]);
        pgbench.arg(file).arg(format!("--client={clients}"));
        pgbench.arg(format!("--time={}", span.as_secs()));
        let output = run(pgbench.arg(&self.url))?;
        let rate = output.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rate| rate.split(' ').next());
        Ok(rate.ok_or("no rate of pgbench")?.parse()?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server is thrown away at the end.
        let _ = query(
            &self.server,
            &format!("drop database {} with (force)", self.name),
        );
    }
}

fn query(url: &str, sql: &str) -> Result<String, Failure> {
    let mut psql = Command::new("psql");
    psql.args([
        "--no-psqlrc",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "--command",
        sql,
    ]);
    Ok(run(psql.arg(url))?.trim().to_owned())
}
