//! The faults: how each begins and ends.

use std::time::Duration;

use clap::ValueEnum;
use rand::RngExt;
use rand::rngs::SmallRng;
use rustix::process::Signal;
use tokio::task::block_in_place;

use crate::Failure;
use crate::cluster::Cluster;
use crate::nodes;
use crate::postgres::Stop;

/// The connections of nodes that listen.
const TERMINATE_LISTENERS: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
    where application_name like 'webchat %' and query ilike 'listen %'";

/// All other connections of nodes, among them those of the writers.
const TERMINATE_WRITERS: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
    where application_name like 'webchat %' and query not ilike 'listen %'";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A node is killed, and starts again.
    KillNode,
    /// A node stops in order while nginx still uses it, and starts again.
    StopNode,
    /// A node is halted for ten seconds, and goes on.
    HaltNode,
    /// The database ends the connections that listen.
    TerminateListeners,
    /// The database ends all other connections.
    TerminateWriters,
    /// The database restarts in order.
    RestartDatabase,
    /// The database crashes and starts again.
    CrashDatabase,
    /// The database crashes, and its standby takes over.
    FailOver,
    /// The standby crashes and starts again; no commit ends meanwhile.
    CrashStandby,
    /// The network between nodes and database fails.
    CutDatabase,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::KillNode,
        Self::StopNode,
        Self::HaltNode,
        Self::TerminateListeners,
        Self::TerminateWriters,
        Self::RestartDatabase,
        Self::CrashDatabase,
        Self::FailOver,
        Self::CrashStandby,
        Self::CutDatabase,
    ];

    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it concerns one node, and not the database.
    pub fn is_of_node(self) -> bool {
        matches!(self, Self::KillNode | Self::StopNode | Self::HaltNode)
    }
}

/// A fault with all its random choices.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub kind: Kind,
    node: usize,
    /// How long it lasts.
    pub span: Duration,
}

impl Fault {
    pub fn new(kind: Kind, random: &mut SmallRng) -> Self {
        let millis = match kind {
            Kind::HaltNode => 10_000,
            Kind::CrashStandby => random.random_range(200..1_500),
            _ => random.random_range(200..3_000),
        };
        Self {
            kind,
            node: random.random_range(0..nodes::PORTS.len()),
            span: Duration::from_millis(millis),
        }
    }

    pub fn text(&self) -> String {
        let name = self.kind.name();
        let span = self.span.as_secs_f64();
        if self.kind.is_of_node() {
            format!("{name} {} for {span:.1} s", nodes::PORTS[self.node])
        } else {
            format!("{name} for {span:.1} s")
        }
    }

    pub async fn begin(&self, cluster: &mut Cluster) -> Result<(), Failure> {
        match self.kind {
            Kind::KillNode => self.end_node(cluster, Signal::KILL),
            Kind::StopNode => self.end_node(cluster, Signal::TERM),
            Kind::HaltNode => cluster.nodes[self.node].signal(Signal::STOP),
            Kind::TerminateListeners => terminate(cluster, TERMINATE_LISTENERS),
            Kind::TerminateWriters => terminate(cluster, TERMINATE_WRITERS),
            Kind::RestartDatabase => block_in_place(|| cluster.postgres.stop_primary(Stop::Fast)),
            Kind::CrashDatabase => {
                block_in_place(|| cluster.postgres.stop_primary(Stop::Immediate))
            }
            Kind::FailOver => block_in_place(|| {
                cluster.postgres.wait_until_safe()?;
                cluster.postgres.stop_primary(Stop::Immediate)
            }),
            Kind::CrashStandby => block_in_place(|| cluster.postgres.stop_standby()),
            Kind::CutDatabase => {
                cluster.relay.switch(None);
                Ok(())
            }
        }
    }

    pub async fn end(&self, cluster: &mut Cluster) -> Result<(), Failure> {
        match self.kind {
            Kind::KillNode | Kind::StopNode => {
                let node = &mut cluster.nodes[self.node];
                let status = block_in_place(|| node.wait())?;
                if self.kind == Kind::StopNode && !status.is_some_and(|status| status.success()) {
                    return Err(format!("a node ended with {status:?} after SIGTERM").into());
                }
                node.start(&cluster.http).await
            }
            Kind::HaltNode => cluster.nodes[self.node].signal(Signal::CONT),
            Kind::TerminateListeners => terminate(cluster, TERMINATE_LISTENERS),
            Kind::TerminateWriters => terminate(cluster, TERMINATE_WRITERS),
            Kind::RestartDatabase | Kind::CrashDatabase => {
                block_in_place(|| cluster.postgres.start_primary())
            }
            Kind::FailOver => {
                block_in_place(|| cluster.postgres.promote())?;
                cluster.relay.switch(Some(cluster.postgres.address()));
                Ok(())
            }
            Kind::CrashStandby => block_in_place(|| cluster.postgres.start_standby()),
            Kind::CutDatabase => {
                cluster.relay.switch(Some(cluster.postgres.address()));
                Ok(())
            }
        }
    }

    /// Makes the cluster whole again, after all clients have recovered.
    pub fn clear(&self, cluster: &mut Cluster) -> Result<(), Failure> {
        if self.kind == Kind::FailOver {
            return block_in_place(|| cluster.postgres.add_standby());
        }
        block_in_place(|| cluster.postgres.wait_until_safe())
    }

    fn end_node(&self, cluster: &mut Cluster, signal: Signal) -> Result<(), Failure> {
        cluster.nodes[self.node].signal(signal)
    }
}

fn terminate(cluster: &mut Cluster, sql: &str) -> Result<(), Failure> {
    block_in_place(|| cluster.postgres.query(sql))?;
    Ok(())
}
