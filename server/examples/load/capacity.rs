//! The parts from which docs/capacity.md computes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, wait_until};
use crate::http::Connection;
use crate::publish::{START, marked_text};
use crate::report::{format_number, median};
use crate::subscribe::Subscribers;
use crate::{Failure, Options};

/// What `--only` selects these measurements by.
pub const NAME: &str = "capacity";

/// How many rooms are followed, or how many people are online.
const MANY: usize = 5_000;

/// How long a node is watched.
const SPAN: Duration = Duration::from_secs(5);

/// The figures of one part, by name.
type Part = Vec<(&'static str, f64)>;

/// Measures each part in several rounds, and prints the medians.
pub async fn measure(options: &Options, server: &str) -> Result<(), Failure> {
    let mut rounds: Vec<Part> = Vec::new();
    for round in 1..=options.rounds {
        eprintln!("round {round}: {NAME}");
        let mut parts = measure_idle_nodes(options, server).await?;
        parts.extend(measure_followers(options, server).await?);
        parts.extend(measure_people(options, server).await?);
        parts.extend(measure_history(options, server).await?);
        for (name, value) in &parts {
            eprintln!("    {name}: {}", format_number(*value));
        }
        rounds.push(parts);
    }
    println!("\n| part | figure |\n| --- | ---: |");
    for (place, (name, _)) in rounds[0].iter().enumerate() {
        let values = rounds.iter().map(|parts| parts[place].1).collect();
        println!("| {name} | {} |", format_number(median(values)));
    }
    Ok(())
}

/// Nodes without clients, and what each of them needs to hear the others.
async fn measure_idle_nodes(options: &Options, server: &str) -> Result<Part, Failure> {
    let cluster = Cluster::start(options, server, 3).await?;
    let before = cluster.begin()?;
    tokio::time::sleep(SPAN).await;
    let idle = cluster.used_since(&before)?;
    let [nodes, postgres] = idle.cpu_of_each(idle.time.as_secs_f64() * 3.0);
    let mut part = vec![
        ("idle node: its CPU, µs per second", nodes),
        ("idle node: PostgreSQL's CPU, µs per second", postgres),
        (
            "idle node: bytes of PostgreSQL's log per second",
            idle.wal / idle.time.as_secs_f64() / 3.0,
        ),
    ];
    let paths = Arc::new(cluster.nodes[0].create_rooms(50).await?);
    let hearing = |cluster: &Cluster| -> Result<Duration, Failure> {
        Ok(cluster.nodes[1].cpu_time()? + cluster.nodes[2].cpu_time()?)
    };
    let (before, heard) = (cluster.begin()?, hearing(&cluster)?);
    crate::publish::publish_paced(&cluster.nodes[0], paths, 16, 500, SPAN).await?;
    let heard = hearing(&cluster)? - heard;
    let used = cluster.used_since(&before)?;
    let of_rings = heard.as_secs_f64() * 1e6 - nodes * 2.0 * used.time.as_secs_f64();
    part.push((
        "a ring of rooms that a node does not follow: its CPU, µs",
        of_rings / 2.0 / used.rings,
    ));
    cluster.stop()?;
    Ok(part)
}

/// Followers of one room and of many, and what a node does that has not listened for a while.
async fn measure_followers(options: &Options, server: &str) -> Result<Part, Failure> {
    let cluster = Cluster::start(options, server, 2).await?;
    let node = &cluster.nodes[1];
    let paths = cluster.nodes[0].create_rooms(MANY).await?;
    let grown = async |paths: &[String], each| {
        let before = node.resident_memory()?;
        let subscribers = Subscribers::connect(node, paths, each).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let grown = node.resident_memory()?.saturating_sub(before);
        Ok::<_, Failure>((subscribers, grown as f64 / MANY as f64))
    };
    // Before it is measured, the node has had as many connections.
    drop(grown(&paths[..1], MANY).await?);
    let (of_one, in_one_room) = grown(&paths[..1], MANY).await?;
    let (of_many, in_many_rooms) = grown(&paths, 1).await?;
    let mut part = vec![
        ("another follower of a room: bytes", in_one_room),
        ("the first follower of a room: bytes", in_many_rooms),
    ];
    part.extend(measure_catch_up(&cluster).await?);
    drop((of_one, of_many));
    cluster.stop()?;
    Ok(part)
}

/// What a node reads that has not listened for a moment: it rings when it has finished.
async fn measure_catch_up(cluster: &Cluster) -> Result<Part, Failure> {
    let database = &cluster.database;
    let before = cluster.begin()?;
    database.query(
        "create table seen as select node, max(number) as number from node_ring group by node;
         create table cut as select clock_timestamp() as at;
         select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and query like 'LISTEN%'",
    )?;
    let rings = "from node_ring left join seen using (node)
         where node_ring.number > coalesce(seen.number, 0)";
    wait_until(
        database,
        &format!("select count(distinct node) = 2 {rings}"),
    )
    .await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let used = cluster.used_since(&before)?;
    let time = database.number(&format!(
        "select 1e3 * extract(epoch from max(first) - (select at from cut)) from
           (select min(at) as first {rings} group by node) as node"
    ))?;
    let [nodes, postgres] = used.cpu_of_each(1e3);
    Ok(vec![
        (
            "5,000 rooms after a cut of LISTEN: ms until all are read, 500 of them a pause",
            time,
        ),
        (
            "5,000 rooms after a cut of LISTEN: the nodes' CPU, ms",
            nodes,
        ),
        (
            "5,000 rooms after a cut of LISTEN: PostgreSQL's CPU, ms",
            postgres,
        ),
    ])
}

/// A person who comes into each of many rooms that another node follows, against a follower without
/// a name.
async fn measure_people(options: &Options, server: &str) -> Result<Part, Failure> {
    let mut costs = Vec::new();
    for (query, present) in [("", 0), ("&username=ada", MANY)] {
        let cluster = Cluster::start(options, server, 2).await?;
        let paths = cluster.nodes[0].create_rooms(MANY).await?;
        let _elsewhere = Subscribers::connect(&cluster.nodes[1], &paths, 1).await?;
        let before = cluster.begin()?;
        let _here = Subscribers::connect_with(&cluster.nodes[0], &paths, 1, query).await?;
        let sql = format!("select coalesce(sum(count), 0) = {present} from node_presence");
        wait_until(&cluster.database, &sql).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        costs.push(cluster.used_since(&before)?.cpu_of_each(MANY as f64));
        cluster.stop()?;
    }
    let [[nodes, postgres], [nodes_named, postgres_named]] = [costs[0], costs[1]];
    Ok(vec![
        ("a follower comes: its node's CPU, µs", nodes),
        ("a follower comes: PostgreSQL's CPU, µs", postgres),
        (
            "the same with a name, more: both nodes' CPU, µs",
            nodes_named - nodes,
        ),
        (
            "the same with a name, more: PostgreSQL's CPU, µs",
            postgres_named - postgres,
        ),
    ])
}

/// Messages as pages send them, with idempotency keys.
async fn measure_history(options: &Options, server: &str) -> Result<Part, Failure> {
    const PUBLISHERS: usize = 64;
    let cluster = Cluster::start(options, server, 1).await?;
    let node = &cluster.nodes[0];
    let paths = node.create_rooms(PUBLISHERS).await?;
    let before = cluster.begin()?;
    let end = Instant::now() + SPAN;
    let posting = paths.iter().enumerate().map(async |(publisher, path)| {
        let mut connection = Connection::open(node.address).await?;
        let mut posted = 0;
        while Instant::now() < end {
            let text = marked_text(publisher, posted, START.elapsed());
            let key = format!("idempotency-key: {publisher:016x}{posted:016x}\r\n");
            connection
                .post_with(path, &key, &node.kind.wrap(&text))
                .await?;
            posted += 1;
        }
        Ok::<_, Failure>(posted)
    });
    let posted = futures_util::future::try_join_all(posting).await?;
    let posted = posted.iter().sum::<u64>() as f64;
    let used = cluster.used_since(&before)?;
    let bytes = cluster
        .database
        .number("select pg_total_relation_size('message')")?;
    let [nodes, postgres] = used.cpu_of_each(posted);
    let part = vec![
        (
            "64 publishers with keys: posts/s",
            posted / used.time.as_secs_f64(),
        ),
        ("a post: the node's CPU, µs", nodes),
        ("a post: PostgreSQL's CPU, µs", postgres),
        (
            "a message of 54 characters: bytes in its table and indexes",
            bytes / posted,
        ),
        (
            "a message of 54 characters: bytes of PostgreSQL's log",
            used.wal / posted,
        ),
    ];
    cluster.stop()?;
    Ok(part)
}
