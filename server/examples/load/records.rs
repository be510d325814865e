//! Measurements of webchat alone: joining a large room, starting with a large database, readers on
//! slow connections, many simultaneous sign-ins.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use crate::http::{self, Connection};
use crate::report::{median, percentile};
use crate::servers::{Kind, Server};
use crate::subscribe::Subscribers;
use crate::{Failure, Options, publish};

/// The size of the large room, in messages.
const ROOM_MESSAGES: u64 = 100_000;

/// The size of the large database, in rooms and in messages of each.
const DATABASE_ROOMS: usize = 10_000;
const DATABASE_MESSAGES_PER_ROOM: u64 = 100;

/// How many readers are slow, and how many bytes each reads in a tenth of a second.
const SLOW_READERS: usize = 100;
const SLOW_READER_BYTES: usize = 64 * 1024 / 10;

/// How many accounts sign in at once.
const SIGN_INS: usize = 50;

pub async fn measure(options: &Options) -> Result<(), Failure> {
    println!("\n| record | figure |\n| --- | --- |");
    measure_join(options).await?;
    measure_start(options).await?;
    measure_slow_readers(options).await?;
    measure_sign_ins(options).await
}

fn print_row(record: &str, figure: String) {
    println!("| {record} | {figure} |");
}

/// Posts `each` messages to each room, as fast as they are acknowledged.
async fn post_messages(server: &Server, paths: Vec<String>, each: u64) -> Result<(), Failure> {
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
                let text = publish::marked_text(publisher, number, publish::START.elapsed());
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

async fn measure_join(options: &Options) -> Result<(), Failure> {
    let server = Server::start(Kind::Webchat, options).await?;
    let paths = server.create_rooms(1).await?;
    post_messages(&server, paths.clone(), ROOM_MESSAGES).await?;
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
        print_row(
            &format!("a room of {ROOM_MESSAGES} messages, {name}"),
            format!("{:.1} ms, slowest {slowest:.1} ms", median(times)),
        );
    }
    server.stop()?;
    Ok(())
}

async fn measure_start(options: &Options) -> Result<(), Failure> {
    let server = Server::start(Kind::Webchat, options).await?;
    let paths = server.create_rooms(DATABASE_ROOMS).await?;
    post_messages(&server, paths, DATABASE_MESSAGES_PER_ROOM).await?;
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
        megabytes(server.resident_memory()?)
    );
    print_row(
        &format!(
            "started with {DATABASE_ROOMS} rooms and {} messages, until ready",
            DATABASE_ROOMS as u64 * DATABASE_MESSAGES_PER_ROOM
        ),
        figure,
    );
    server.stop()?;
    Ok(())
}

async fn measure_slow_readers(options: &Options) -> Result<(), Failure> {
    for slow in [0, SLOW_READERS] {
        let server = Server::start(Kind::Webchat, options).await?;
        let paths = Arc::new(server.create_rooms(1).await?);
        let mut lines = JoinSet::new();
        for _ in 0..slow {
            let mut line =
                http::follow(server.address, &format!("{}?after=latest", paths[0])).await?;
            lines.spawn(async move {
                let mut bytes = vec![0; SLOW_READER_BYTES];
                let mut pace = tokio::time::interval(Duration::from_millis(100));
                while line.read_exact(&mut bytes).await.is_ok() {
                    pace.tick().await;
                }
            });
        }
        let mut subscribers = Subscribers::connect(&server, &paths, 100).await?;
        let before = server.resident_memory()?;
        let posted =
            publish::publish_paced(&server, paths, 8, 1_000, Duration::from_secs(8)).await?;
        subscribers.wait_for_deliveries(posted * 100).await?;
        subscribers.check_order()?;
        let latencies = subscribers.latencies();
        let grown = megabytes(server.resident_memory()?.saturating_sub(before));
        let p99 = percentile(&latencies, 99);
        let record =
            format!("1,000 messages/s to 100 subscribers, beside {slow} that read 64 KB/s");
        print_row(&record, format!("p99 {p99:.1} ms, {grown:.1} MB more"));
        server.stop()?;
    }
    Ok(())
}

async fn measure_sign_ins(options: &Options) -> Result<(), Failure> {
    let server = Server::start(Kind::Webchat, options).await?;
    let mut accounts = Vec::new();
    for number in 0..SIGN_INS {
        let mut connection = Connection::open(server.address).await?;
        let credentials = format!(r#"{{"username":"account{number}","password":"secret"}}"#);
        connection
            .post(
                "/register",
                &credentials.replacen('{', r#"{"name":"Somebody","#, 1),
            )
            .await?;
        accounts.push((connection, credentials));
    }
    let begin = Instant::now();
    let mut signing_in = JoinSet::new();
    for (mut connection, credentials) in accounts {
        signing_in.spawn(async move {
            connection.post("/login", &credentials).await?;
            Ok::<_, Failure>(begin.elapsed().as_secs_f64() * 1e3)
        });
    }
    let mut times = Vec::new();
    while let Some(time) = signing_in.join_next().await {
        times.push(time??);
    }
    let all = times.iter().copied().fold(0.0, f64::max);
    let figure = format!(
        "{:.0} ms (median), {all:.0} ms until all have, {:.1} MB at most",
        median(times),
        megabytes(server.peak_memory()?)
    );
    print_row(&format!("{SIGN_INS} accounts sign in at once"), figure);
    server.stop()?;
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
