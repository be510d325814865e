//! What webchat alone is measured by: a large room joined, a large database opened, readers on slow
//! lines, many people who sign in at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use crate::http::{self, Connection};
use crate::report::{median, percentile};
use crate::servers::{Kind, Server};
use crate::subscribe::Audience;
use crate::{Failure, Options, publish};

/// The size of the large room, in messages.
const LARGE: u64 = 100_000;

/// The size of the large database, in rooms and in messages of each.
const ROOMS: usize = 10_000;
const EACH: u64 = 100;

/// How many readers are on slow lines, and how fast those are, in bytes each tenth of a second.
const TRICKLING: usize = 100;
const TRICKLE: usize = 64 * 1024 / 10;

/// How many people sign in at once.
const SIGNING_IN: usize = 50;

pub async fn take(options: &Options) -> Result<(), Failure> {
    println!("\n| record | figure |\n| --- | --- |");
    join(options).await?;
    open(options).await?;
    trickle(options).await?;
    sign_in(options).await
}

fn show(record: &str, figure: String) {
    println!("| {record} | {figure} |");
}

/// Fills rooms with so many messages each, as fast as they are taken.
async fn fill(server: &Server, paths: Vec<String>, each: u64) -> Result<(), Failure> {
    const PUBLISHERS: usize = 64;
    let paths = Arc::new(paths);
    let mut publishers = JoinSet::new();
    let total = paths.len() as u64 * each;
    for publisher in 0..PUBLISHERS {
        let mut connection = Connection::open(server.address).await?;
        let paths = paths.clone();
        let kind = server.kind;
        publishers.spawn(async move {
            for number in (publisher as u64..total).step_by(PUBLISHERS) {
                let text = publish::text(publisher, number, publish::START.elapsed());
                connection
                    .post(
                        &paths[usize::try_from(number)? % paths.len()],
                        &kind.wrap(&text),
                    )
                    .await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = publishers.join_next().await {
        done??;
    }
    Ok(())
}

async fn join(options: &Options) -> Result<(), Failure> {
    let server = Server::start(Kind::Webchat, options).await?;
    let paths = server.rooms(1).await?;
    fill(&server, paths.clone(), LARGE).await?;
    let mut connection = Connection::open(server.address).await?;
    let page = paths[0].trim_end_matches("messages/");
    let asked = [
        ("its page", page, "text/html"),
        ("its newest 100 as JSON", &paths[0], "application/json"),
    ];
    for (name, path, accept) in asked {
        let mut times = Vec::new();
        for _ in 0..21 {
            let begin = Instant::now();
            connection.get(path, accept).await?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        let slowest = times.iter().copied().fold(0.0, f64::max);
        show(
            &format!("a room of {LARGE} messages, {name}"),
            format!("{:.1} ms, slowest {slowest:.1} ms", median(times)),
        );
    }
    server.stop()?;
    Ok(())
}

async fn open(options: &Options) -> Result<(), Failure> {
    let server = Server::start(Kind::Webchat, options).await?;
    let paths = server.rooms(ROOMS).await?;
    fill(&server, paths, EACH).await?;
    let dir = server.stop()?;
    let begin = Instant::now();
    let server = Server::start_in(Kind::Webchat, options, dir).await?;
    Connection::open(server.address)
        .await?
        .get("/readyz", "*/*")
        .await?;
    let figure = format!(
        "{:.0} ms, {:.1} MB resident",
        begin.elapsed().as_secs_f64() * 1e3,
        mb(server.resident()?)
    );
    show(
        &format!(
            "started with {ROOMS} rooms and {} messages, until ready",
            ROOMS as u64 * EACH
        ),
        figure,
    );
    server.stop()?;
    Ok(())
}

async fn trickle(options: &Options) -> Result<(), Failure> {
    for slow in [0, TRICKLING] {
        let server = Server::start(Kind::Webchat, options).await?;
        let paths = Arc::new(server.rooms(1).await?);
        let mut lines = JoinSet::new();
        for _ in 0..slow {
            let mut line =
                http::follow(server.address, &format!("{}?after=latest", paths[0])).await?;
            lines.spawn(async move {
                let mut bytes = vec![0; TRICKLE];
                let mut pace = tokio::time::interval(Duration::from_millis(100));
                while line.read_exact(&mut bytes).await.is_ok() {
                    pace.tick().await;
                }
            });
        }
        let mut audience = Audience::gather(&server, &paths, 100).await?;
        let before = server.resident()?;
        let posted = publish::paced(&server, paths, 8, 1_000, Duration::from_secs(8)).await?;
        audience.hear_all(posted * 100).await?;
        audience.check()?;
        let latencies = audience.latencies();
        let grown = mb(server.resident()?.saturating_sub(before));
        let p99 = percentile(&latencies, 99);
        let record =
            format!("1,000 messages/s to 100 subscribers, beside {slow} that read 64 KB/s");
        show(&record, format!("p99 {p99:.1} ms, {grown:.1} MB more"));
        server.stop()?;
    }
    Ok(())
}

async fn sign_in(options: &Options) -> Result<(), Failure> {
    let server = Server::start(Kind::Webchat, options).await?;
    let mut people = Vec::new();
    for number in 0..SIGNING_IN {
        let mut connection = Connection::open(server.address).await?;
        let known = format!(r#"{{"username":"person{number}","password":"secret"}}"#);
        connection
            .post(
                "/register",
                &known.replacen('{', r#"{"name":"Somebody","#, 1),
            )
            .await?;
        people.push((connection, known));
    }
    let begin = Instant::now();
    let mut signing_in = JoinSet::new();
    for (mut connection, known) in people {
        signing_in.spawn(async move {
            connection.post("/login", &known).await?;
            Ok::<_, Failure>(begin.elapsed().as_secs_f64() * 1e3)
        });
    }
    let mut times = Vec::new();
    while let Some(time) = signing_in.join_next().await {
        times.push(time??);
    }
    let all = times.iter().copied().fold(0.0, f64::max);
    let figure = format!(
        "{:.0} ms (median), {all:.0} ms until all are, {:.1} MB at most",
        median(times),
        mb(server.peak()?)
    );
    show(&format!("{SIGNING_IN} people sign in at once"), figure);
    server.stop()?;
    Ok(())
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
