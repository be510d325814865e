//! A load generator: posts as fast as they are acknowledged, and counts.
//!
//! `cargo run --release -p server --example load -- http://127.0.0.1:8080 1 8 64` tells, for each number of publishers,
//! how many posts a second the server acknowledged, with each publisher in a room of its own and all of them in one.
//! Start the server with `--rate-limit off`. It speaks HTTP itself, so that little of what it measures is its own.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How long each measurement takes.
const SPAN: Duration = Duration::from_secs(5);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One connection that is kept open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Posts JSON and gives back the body of the answer, which must be `201 Created`.
    async fn post(&mut self, path: &str, body: &str) -> Result<String, Failure> {
        let head = format!("POST {path} HTTP/1.1\r\nhost: load\r\ncontent-type: application/json\r\ncontent-length: ");
        self.0.get_mut().write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await?;
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 201") {
            return Err(format!("not created: {line}").into());
        }
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).await?;
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(String::from_utf8(body)?)
    }

    async fn create_room(&mut self) -> Result<String, Failure> {
        let room: serde_json::Value = serde_json::from_str(&self.post("/rooms/", "{}").await?)?;
        Ok(room["id"].as_str().unwrap_or_default().to_owned())
    }
}

async fn publish(address: String, room: String, stop: Arc<AtomicBool>, count: Arc<AtomicU64>) -> Result<(), Failure> {
    let mut connection = Connection::open(&address).await?;
    let path = format!("/rooms/{room}/messages/");
    while !stop.load(Ordering::Relaxed) {
        connection.post(&path, r#"{"username":"load","body":"The quick brown fox jumps over the lazy dog."}"#).await?;
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Acknowledged posts a second of so many publishers.
async fn measure(address: &str, publishers: usize, one_room: bool) -> Result<f64, Failure> {
    let mut rooms = Connection::open(address).await?;
    let shared = rooms.create_room().await?;
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..publishers {
        let room = if one_room { shared.clone() } else { rooms.create_room().await? };
        tasks.spawn(publish(address.to_owned(), room, stop.clone(), count.clone()));
    }
    let start = Instant::now();
    tokio::time::sleep(SPAN).await;
    stop.store(true, Ordering::Relaxed);
    let posts = count.load(Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(f64::from(u32::try_from(posts)?) / seconds)
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is run for what it prints")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(url), publishers) = (args.next(), args.collect::<Vec<_>>()) else {
        eprintln!("usage: load http://ADDR:PORT PUBLISHERS…");
        return ExitCode::from(2);
    };
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    println!("publishers  posts/s in one room  posts/s in a room each");
    for number in publishers.iter().filter_map(|number| number.parse().ok()) {
        let one = measure(address, number, true).await;
        match (one, measure(address, number, false).await) {
            (Ok(one), Ok(each)) => println!("{number:>10}  {one:>19.0}  {each:>22.0}"),
            (Err(error), _) | (_, Err(error)) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
