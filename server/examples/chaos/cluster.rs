//! Everything that runs: the database, the nodes, nginx, and the relay between nodes and database.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::RngExt;
use rand::rngs::SmallRng;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::Failure;
use crate::checker::Checker;
use crate::nginx::{self, Nginx};
use crate::nodes::{self, Node, Setup};
use crate::postgres::{self, Postgres};
use crate::relay::Relay;

/// The port of the relay.
const RELAY_PORT: u16 = 5432;

// The fields are dropped in this order.
pub struct Cluster {
    /// The address of nginx.
    pub url: String,
    nginx: Nginx,
    pub nodes: Vec<Node>,
    pub relay: Relay,
    pub postgres: Postgres,
    pub http: reqwest::Client,
    dir: TempDir,
}

impl Cluster {
    /// Starts everything. One node has a clock that is an hour off.
    pub async fn start(
        webchat: &Path,
        checker: Arc<Checker>,
        random: &mut SmallRng,
    ) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new()
            .prefix("webchat-chaos-")
            .tempdir()?;
        postgres::open_folder(dir.path())?;
        let host = loopback_address();
        let database_dir = dir.path().join("postgres");
        std::fs::create_dir(&database_dir)?;
        let postgres = Postgres::start(&database_dir, host)?;
        let relay_address = SocketAddr::from((host, RELAY_PORT));
        let relay = Relay::start(relay_address, postgres.address()).await?;
        let setup = Setup {
            webchat: webchat
                .canonicalize()
                .map_err(|error| format!("{}: {error}", webchat.display()))?,
            dir: dir.path().to_owned(),
            host,
            database: format!("postgres://webchat@{relay_address}/postgres"),
        };
        let off = random.random_range(0..nodes::PORTS.len());
        let hours = if random.random() { 1 } else { -1 };
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()?;
        let mut running = Vec::new();
        for (number, port) in nodes::PORTS.into_iter().enumerate() {
            let mut node = Node::new(&setup, port, if number == off { hours } else { 0 })?;
            node.start(&http).await?;
            running.push(node);
        }
        let nginx = Nginx::start(dir.path(), host)?;
        let url = format!("http://{host}:{}", nginx::PORT);
        let cluster = Self {
            url,
            nginx,
            nodes: running,
            relay,
            postgres,
            http,
            dir,
        };
        cluster.wait_for_nginx().await?;
        let port = cluster.nodes[off].port;
        checker.fault(
            "clock an hour off",
            &format!("the clock of node {port} is off by {hours} h"),
        );
        cluster.check_clock(off, hours).await?;
        Ok(cluster)
    }

    async fn wait_for_nginx(&self) -> Result<(), Failure> {
        for _ in 0..100 {
            if self
                .http
                .get(format!("{}/readyz", self.url))
                .send()
                .await
                .is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("nginx does not start".into())
    }

    /// Fails if the clock of a node is not off by this many hours: the header `date` tells.
    async fn check_clock(&self, node: usize, hours: i32) -> Result<(), Failure> {
        let url = format!("{}/healthz", self.nodes[node].url());
        let response = self.http.get(url).send().await?;
        let date = response.headers().get("date").ok_or("no date")?.to_str()?;
        let date = httpdate::parse_http_date(date)?.duration_since(UNIX_EPOCH)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let wanted = now
            .as_secs()
            .saturating_add_signed(i64::from(hours) * 3_600);
        if date.as_secs().abs_diff(wanted) > 60 {
            return Err(
                format!("libfaketime has no effect: {date:?} in place of {wanted} s").into(),
            );
        }
        Ok(())
    }

    pub fn node_urls(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| node.url().to_owned())
            .collect()
    }

    /// Restarts a node as the recipe says, which no client notices but by a stream that ends.
    pub async fn drain(&mut self, node: usize) -> Result<(), Failure> {
        let drain = self.nginx.drain(self.nodes[node].port)?;
        shell(drain.take_out).await?;
        self.nodes[node].signal(Signal::TERM)?;
        let node = &mut self.nodes[node];
        let status = tokio::task::block_in_place(|| node.wait())?;
        if status.is_none_or(|status| !status.success()) {
            return Err(format!("a node ended with {status:?} after SIGTERM").into());
        }
        node.start(&self.http).await?;
        shell(drain.put_back).await
    }

    /// Looks for nodes that ended by themselves, and for panics.
    pub fn check_nodes(&mut self, checker: &Checker) {
        for node in &mut self.nodes {
            if let Some(status) = node.unexpected_end() {
                checker.violation(format!("node {} ended by itself: {status}", node.port));
            }
            for line in node.panics() {
                checker.violation(format!("node {}: {line}", node.port));
            }
        }
    }

    /// Stops the nodes, and looks at their logs.
    pub fn stop(&mut self, checker: &Checker) {
        self.check_nodes(checker);
        for node in &mut self.nodes {
            println!(
                "node {}: {} errors in its log",
                node.port,
                node.count_errors()
            );
            // A node that has ended was noted before.
            let _ = node.signal(Signal::KILL);
            let _ = node.wait();
        }
    }

    /// Keeps the folder with the logs after the end.
    pub fn keep(&mut self) -> PathBuf {
        self.dir.disable_cleanup(true);
        self.dir.path().to_owned()
    }
}

/// Runs lines of a recipe.
async fn shell(commands: String) -> Result<(), Failure> {
    let run = move || Command::new("sh").args(["-e", "-c", &commands]).output();
    let output = tokio::task::spawn_blocking(run).await??;
    if !output.status.success() {
        return Err(format!(
            "the recipe failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(())
}

/// A loopback address that only this process uses, so that its ports are free.
fn loopback_address() -> IpAddr {
    let [.., a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 128 + (a & 63), b, c.max(2)).into()
}
