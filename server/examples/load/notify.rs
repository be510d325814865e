//! What notifications cost the database: a transaction with one against the same without, by turns.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::report::{Results, rounds};
use crate::{Failure, Options};

const SPAN: Duration = Duration::from_secs(2);

/// A ring that nodes read and pass over, because it was heard before: as long as one with three rooms.
const RING: &str = r#"{"from":1,"number":0,"events":[{"log_advanced":{"room":"0123456789abcdef","seq":100}},{"log_advanced":{"room":"0123456789abcdef","seq":100}},{"log_advanced":{"room":"0123456789abcdef","seq":100}}]}"#;

/// What a case measures.
#[derive(Clone, Copy)]
struct Load {
    nodes: usize,
    clients: usize,
    /// Whether each transaction writes a row, too, and waits for the disk.
    is_durable: bool,
}

const fn load(nodes: usize, clients: usize, is_durable: bool) -> Load {
    Load {
        nodes,
        clients,
        is_durable,
    }
}

pub async fn compare(options: &Options, server: &str) -> Result<(), Failure> {
    const CASES: [(&str, Load); 5] = [
        ("1 connection, 1 node listens", load(1, 1, false)),
        ("4 connections, 1 node listens", load(1, 4, false)),
        ("16 connections, 1 node listens", load(1, 16, false)),
        ("16 connections, 3 nodes listen", load(3, 16, false)),
        (
            "16 connections that also insert, 1 node listens",
            load(1, 16, true),
        ),
    ];
    let mut results = Results::new(["with NOTIFY", "without"]);
    for (case, load) in rounds(options, &CASES) {
        let cluster = Cluster::start(options, server, load.nodes).await?;
        let database = &cluster.database;
        database.query("create table load (number bigint)")?;
        for (side, statement) in [
            (0, format!("select pg_notify('webchat public', '{RING}');")),
            (1, format!("select length('{RING}');")),
        ] {
            let script = if load.is_durable {
                format!("begin; insert into load values (1); {statement} commit;\n")
            } else {
                format!("{statement}\n")
            };
            let before = cluster.begin()?;
            let rate = database.run_script(&script, load.clients, SPAN)?;
            let used = cluster.used_since(&before)?;
            let [nodes, postgres] = used.cpu_of_each(rate * SPAN.as_secs_f64());
            let figures = vec![
                ("transactions/s", rate),
                ("PostgreSQL: CPU µs per transaction", postgres),
                ("nodes: CPU µs per transaction", nodes),
            ];
            results.add(case, side, figures);
        }
        cluster.stop()?;
    }
    results.print();
    Ok(())
}
