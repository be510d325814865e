//! Nodes of a new database, and what they use.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::http::Connection;
use crate::postgres::Database;
use crate::publish;
use crate::servers::Server;
use crate::subscribe::Subscribers;
use crate::{Failure, Options};

/// Nodes of a new database. All of them and the database share all cores.
pub struct Cluster {
    pub nodes: Vec<Server>,
    pub database: Database,
}

/// What was used up to a moment, or between two of them.
pub struct Usage {
    pub time: Duration,
    /// The processor time of all nodes.
    pub nodes: Duration,
    /// The processor time of the database.
    pub postgres: Duration,
    /// Transactions of the nodes with messages or other changes.
    pub commits: f64,
    /// Notifications of the nodes.
    pub rings: f64,
    /// Bytes of the write-ahead log.
    pub wal: f64,
}

impl Cluster {
    pub async fn start(options: &Options, server: &str, count: usize) -> Result<Self, Failure> {
        let database = Database::create(server)?;
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(Server::start_node(options, &database).await?);
        }
        Ok(Self { nodes, database })
    }

    pub fn stop(self) -> Result<(), Failure> {
        for node in self.nodes {
            node.stop()?;
        }
        Ok(())
    }

    /// Begins to measure, with all changes in the files of the database.
    pub fn begin(&self) -> Result<Usage, Failure> {
        self.database.query("checkpoint")?;
        let mut used = self.used()?;
        used.time = publish::START.elapsed();
        Ok(used)
    }

    /// What was used since a moment.
    pub fn used_since(&self, before: &Usage) -> Result<Usage, Failure> {
        let now = self.used()?;
        Ok(Usage {
            time: now.time - before.time,
            nodes: now.nodes - before.nodes,
            postgres: now.postgres.saturating_sub(before.postgres),
            commits: now.commits - before.commits,
            rings: now.rings - before.rings,
            wal: now.wal - before.wal,
        })
    }

    fn used(&self) -> Result<Usage, Failure> {
        let time = publish::START.elapsed();
        let nodes = self.nodes.iter().map(Server::cpu_time);
        let nodes = nodes.sum::<Result<Duration, Failure>>()?;
        let postgres = self.database.cpu_time()?;
        let number = |sql| self.database.number(sql);
        Ok(Usage {
            time,
            nodes,
            postgres,
            commits: number("select coalesce(sum(commits), 0) from node_commits")?,
            rings: number(
                "select coalesce(sum(newest), 0) from
                   (select max(number) as newest from node_ring group by node) as node",
            )?,
            wal: number("select pg_current_wal_lsn() - '0/0'")?,
        })
    }

    /// Posts over all nodes alike, one publisher for each path, for `span`.
    pub async fn publish_flat_out(&self, paths: &[String], span: Duration) -> Result<u64, Failure> {
        let shares = paths.chunks(paths.len().div_ceil(self.nodes.len()));
        let publishing = self
            .nodes
            .iter()
            .zip(shares)
            .map(|(node, paths)| publish::publish_flat_out(node, paths.to_vec(), span));
        Ok(try_join_all(publishing).await?.iter().sum())
    }

    /// Creates rooms over all nodes alike, in many connections, for `span`. Returns how many.
    pub async fn create_rooms_flat_out(
        &self,
        connections: usize,
        span: Duration,
    ) -> Result<usize, Failure> {
        let end = Instant::now() + span;
        let creating = (0..connections).map(async |number| {
            let node = &self.nodes[number % self.nodes.len()];
            let mut connection = Connection::open(node.address).await?;
            let mut created = 0;
            while Instant::now() < end {
                connection.post("/rooms/", "{}").await?;
                created += 1;
            }
            Ok::<_, Failure>(created)
        });
        Ok(try_join_all(creating).await?.iter().sum())
    }

    /// Posts `rate` messages a second over all nodes alike.
    pub async fn publish_paced(
        &self,
        paths: &Arc<Vec<String>>,
        rate: u32,
        span: Duration,
    ) -> Result<u64, Failure> {
        let count = self.nodes.len();
        let each = rate / u32::try_from(count)?;
        let publishing = self
            .nodes
            .iter()
            .map(|node| publish::publish_paced(node, paths.clone(), 48 / count, each, span));
        Ok(try_join_all(publishing).await?.iter().sum())
    }

    /// Connects `each` subscribers by each node to each path.
    pub async fn subscribe(
        &self,
        paths: &[String],
        each: usize,
    ) -> Result<Vec<Subscribers>, Failure> {
        let connecting = self
            .nodes
            .iter()
            .map(|node| Subscribers::connect(node, paths, each));
        try_join_all(connecting).await
    }
}

impl Usage {
    /// Microseconds of processor time for each of `count`: of the nodes, and of the database.
    pub fn cpu_of_each(&self, count: f64) -> [f64; 2] {
        [self.nodes, self.postgres].map(|time| time.as_secs_f64() * 1e6 / count)
    }
}

/// Waits until a statement of a database returns `t`.
pub async fn wait_until(database: &Database, sql: &str) -> Result<(), Failure> {
    let end = Instant::now() + Duration::from_secs(60);
    while database.query(sql)? != "t" {
        if Instant::now() > end {
            return Err(format!("not within a minute: {sql}").into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}
