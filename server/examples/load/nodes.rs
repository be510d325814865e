//! Measurements of nodes with `PostgreSQL`, each of two sides by turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use crate::cases::Figures;
use crate::cluster::{Cluster, Usage};
use crate::members::Member;
use crate::report::{Results, percentile, rounds};
use crate::servers::Server;
use crate::subscribe::Subscribers;
use crate::{Failure, Options, capacity, notify, publish};

/// How long each side is measured.
const SPAN: Duration = Duration::from_secs(5);

/// Measures everything, with databases of the server that the environment names.
pub async fn measure(options: &Options) -> Result<(), Failure> {
    let server = std::env::var("WEBCHAT_TEST_DATABASE")
        .map_err(|_| "WEBCHAT_TEST_DATABASE is missing: run `make bench-nodes`")?;
    compare_with_pgbench(options, &server).await?;
    compare_hops(options, &server).await?;
    compare_counts(options, &server).await?;
    notify::compare(options, &server).await?;
    if capacity::NAME.contains(&options.only) {
        capacity::measure(options, &server).await?;
    }
    Ok(())
}

/// The same rows written by a node, and by `pgbench` in transactions of the same size.
async fn compare_with_pgbench(options: &Options, server: &str) -> Result<(), Failure> {
    const CASES: [(&str, usize); 2] = [
        ("64 publishers, 64 rooms, at full speed", 64),
        ("512 publishers, 512 rooms, at full speed", 512),
    ];
    let mut results = Results::new(["webchat", "pgbench"]);
    for (case, publishers) in rounds(options, &CASES) {
        let cluster = Cluster::start(options, server, 1).await?;
        let paths = cluster.nodes[0].create_rooms(publishers).await?;
        let before = cluster.begin()?;
        let posted = cluster.publish_flat_out(&paths, SPAN).await? as f64;
        let used = cluster.used_since(&before)?;
        let size = (posted / used.commits).round();
        results.add(case, 0, row_figures(&used, posted, size));

        let rooms = cluster.nodes[0].create_rooms(size as usize).await?.len();
        let script = insert_script(&cluster, rooms)?;
        let before = cluster.begin()?;
        let rate = cluster.database.run_script(&script, 1, SPAN)?;
        let used = cluster.used_since(&before)?;
        let inserted = rate * size * SPAN.as_secs_f64();
        results.add(case, 1, row_figures(&used, inserted, size));
        cluster.stop()?;
    }
    results.print();
    Ok(())
}

fn row_figures(used: &Usage, rows: f64, size: f64) -> Figures {
    let [_, postgres] = used.cpu_of_each(rows);
    vec![
        ("rows/s", rows / used.time.as_secs_f64()),
        ("rows in a transaction", size),
        ("PostgreSQL: CPU µs per row", postgres),
        ("PostgreSQL: bytes of its log per row", used.wal / rows),
    ]
}

/// A transaction that writes a message into each of the newest rooms, and the rows of the rooms.
fn insert_script(cluster: &Cluster, rooms: usize) -> Result<String, Failure> {
    let column = |column| {
        cluster.database.query(&format!(
            "select string_agg({column}::text, ',') from
               (select * from room order by number desc limit {rooms}) as room"
        ))
    };
    let (numbers, ids) = (column("number")?, column("id")?);
    let body = publish::marked_text(0, 0, Duration::ZERO);
    let (now, length) = (1_800_000_000_000_u64, body.len());
    Ok(format!(
        "\\set n :n + 1
         begin;
         insert into message
           (key, author, kind, target, sent_at, client_id, sender, content, username, body)
           select (number << 32) + :n, 0, 0, null, {now} + :n, null, null, null, 'load', '{body}'
           from unnest('{{{numbers}}}'::bigint[]) as room (number);
         update room set head = :n, last_active_at = {now} + :n, expires_at = {now} + 86400000 + :n,
           message_count = :n, text_bytes = text_bytes + {length}
           where id = any('{{{ids}}}'::bigint[]);
         commit;\n"
    ))
}

/// From a publisher on one node to followers on another one, and on the same one.
async fn compare_hops(options: &Options, server: &str) -> Result<(), Failure> {
    const CASES: [(&str, u32); 2] = [
        ("50 rooms with 2 subscribers each, 500 messages/s", 500),
        ("50 rooms with 2 subscribers each, 20 messages/s", 20),
    ];
    let mut results = Results::new(["to another node", "on one node"]);
    for (case, rate) in rounds(options, &CASES) {
        let cluster = Cluster::start(options, server, 2).await?;
        for (side, follower) in [(0, 1), (1, 0)] {
            let (from, to) = (&cluster.nodes[0], &cluster.nodes[follower]);
            results.add(case, side, hop_figures(&cluster, from, to, rate).await?);
        }
        cluster.stop()?;
    }
    results.print();
    Ok(())
}

async fn hop_figures(
    cluster: &Cluster,
    from: &Server,
    to: &Server,
    rate: u32,
) -> Result<Figures, Failure> {
    let paths = Arc::new(from.create_rooms(50).await?);
    let mut subscribers = Subscribers::connect(to, &paths, 2).await?;
    let before = cluster.begin()?;
    let posted = publish::publish_paced(from, paths, 32, rate, SPAN).await?;
    subscribers.wait_for_deliveries(posted * 2).await?;
    let used = cluster.used_since(&before)?;
    let latencies = subscribers.latencies();
    drop(subscribers);
    Ok([
        ("p50 ms", percentile(&latencies, 50)),
        ("p99 ms", percentile(&latencies, 99)),
        (
            "p99 ms of `fdatasync` at the same rate",
            from.sync_time(rate, posted)?,
        ),
    ]
    .into_iter()
    .chain(message_figures(&used, posted as f64))
    .collect())
}

fn message_figures(used: &Usage, messages: f64) -> Figures {
    let [nodes, postgres] = used.cpu_of_each(messages);
    vec![
        ("nodes: CPU µs per message", nodes),
        ("PostgreSQL: CPU µs per message", postgres),
    ]
}

/// What nodes are loaded with.
#[derive(Clone, Copy)]
enum Load {
    Posts,
    Rooms,
    ReadMarkers,
    Deliveries,
}

/// The same load on three nodes, and on one.
async fn compare_counts(options: &Options, server: &str) -> Result<(), Failure> {
    const CASES: [(&str, Load); 4] = [
        (
            "by all nodes: 63 publishers, 63 rooms, at full speed",
            Load::Posts,
        ),
        (
            "by all nodes: 15 connections that create rooms",
            Load::Rooms,
        ),
        (
            "by all nodes: 60 members that report what they have read",
            Load::ReadMarkers,
        ),
        (
            "by all nodes: 60 rooms with 9 subscribers each, 300 messages/s",
            Load::Deliveries,
        ),
    ];
    let mut results = Results::new(["three nodes", "one node"]);
    for (case, load) in rounds(options, &CASES) {
        for (side, count) in [(0, 3), (1, 1)] {
            let cluster = Cluster::start(options, server, count).await?;
            let figures = match load {
                Load::Posts => post_figures(&cluster).await?,
                Load::Rooms => room_figures(&cluster).await?,
                Load::ReadMarkers => read_marker_figures(&cluster).await?,
                Load::Deliveries => delivery_figures(&cluster).await?,
            };
            results.add(case, side, figures);
            cluster.stop()?;
        }
    }
    results.print();
    Ok(())
}

/// Rooms are created by transactions that take the lock alone, as most changes beside the logs are.
async fn room_figures(cluster: &Cluster) -> Result<Figures, Failure> {
    let before = cluster.begin()?;
    let created = cluster.create_rooms_flat_out(15, SPAN).await? as f64;
    let used = cluster.used_since(&before)?;
    let [nodes, postgres] = used.cpu_of_each(created);
    Ok(vec![
        ("rooms/s", created / used.time.as_secs_f64()),
        ("nodes: CPU µs per room", nodes),
        ("PostgreSQL: CPU µs per room", postgres),
    ])
}

/// Read markers are moved by such transactions, too.
async fn read_marker_figures(cluster: &Cluster) -> Result<Figures, Failure> {
    const MEMBERS: usize = 60;
    let mut members = Vec::new();
    for node in cluster.nodes.iter().cycle().take(MEMBERS) {
        members.push(Member::create(node).await?);
    }
    let paths: Vec<String> = members.iter().map(Member::messages).collect();
    cluster.publish_flat_out(&paths, SPAN).await?;
    let before = cluster.begin()?;
    let end = Instant::now() + SPAN;
    let reading = members.into_iter().map(|member| member.read_until(end));
    let read = try_join_all(reading).await?.iter().sum::<u64>() as f64;
    let used = cluster.used_since(&before)?;
    let [nodes, postgres] = used.cpu_of_each(read);
    Ok(vec![
        ("reports/s", read / used.time.as_secs_f64()),
        ("reports in a transaction", read / used.commits),
        ("nodes: CPU µs per report", nodes),
        ("PostgreSQL: CPU µs per report", postgres),
    ])
}

async fn post_figures(cluster: &Cluster) -> Result<Figures, Failure> {
    let paths = cluster.nodes[0].create_rooms(63).await?;
    let before = cluster.begin()?;
    let posted = cluster.publish_flat_out(&paths, SPAN).await? as f64;
    let used = cluster.used_since(&before)?;
    let mut figures = vec![
        ("posts/s", posted / used.time.as_secs_f64()),
        ("messages in a commit", posted / used.commits),
        ("rings/s", used.rings / used.time.as_secs_f64()),
    ];
    figures.extend(message_figures(&used, posted));
    Ok(figures)
}

async fn delivery_figures(cluster: &Cluster) -> Result<Figures, Failure> {
    let paths = Arc::new(cluster.nodes[0].create_rooms(60).await?);
    let each = 9 / cluster.nodes.len();
    let mut subscribers = cluster.subscribe(&paths, each).await?;
    let before = cluster.begin()?;
    let posted = cluster.publish_paced(&paths, 300, SPAN).await?;
    for part in &mut subscribers {
        part.wait_for_deliveries(posted * each as u64).await?;
    }
    let used = cluster.used_since(&before)?;
    let mut latencies: Vec<u32> = subscribers
        .iter()
        .flat_map(Subscribers::latencies)
        .collect();
    latencies.sort_unstable();
    let mut figures = vec![
        ("p50 ms", percentile(&latencies, 50)),
        ("p99 ms", percentile(&latencies, 99)),
        ("rings/s", used.rings / used.time.as_secs_f64()),
    ];
    figures.extend(message_figures(&used, posted as f64));
    Ok(figures)
}
