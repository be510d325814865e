//! Sending a file to a server and back, in one request each.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;
use crate::cases::Figures;
use crate::http::Connection;
use crate::servers::{Kind, Server};

/// The size of the file, in bytes.
const SIZE: usize = 512 << 20;

/// How many bytes are sent and read at once.
const PIECE: usize = 256 << 10;

/// Uploads a file. webchat hashes it, and answers when it is durable; nginx does neither.
pub async fn run_upload(server: &Server) -> Result<Figures, Failure> {
    measure(server, async || upload(server).await.map(drop)).await
}

/// Downloads a file, which the page cache holds.
pub async fn run_download(server: &Server) -> Result<Figures, Failure> {
    let path = upload(server).await?;
    measure(server, async || download(server, &path).await).await
}

async fn measure(
    server: &Server,
    transfer: impl AsyncFn() -> Result<(), Failure>,
) -> Result<Figures, Failure> {
    let begin = Instant::now();
    let cpu = server.cpu_time()?;
    transfer().await?;
    let cpu = server.cpu_time()? - cpu;
    let megabytes = SIZE as f64 / 1e6;
    Ok(vec![
        ("MB/s", megabytes / begin.elapsed().as_secs_f64()),
        ("CPU ms per MB", cpu.as_secs_f64() * 1e3 / megabytes),
        ("MB resident at most", server.peak_memory()? as f64 / 1e6),
    ])
}

/// Uploads a file; returns its path.
async fn upload(server: &Server) -> Result<String, Failure> {
    let (method, path) = match server.kind {
        Kind::Webchat => {
            let messages = server.create_rooms(1).await?.remove(0);
            let room = messages.trim_end_matches("messages/").to_owned();
            ("POST", format!("{room}files/?name=file.bin"))
        }
        Kind::Nchan => ("PUT", "/files/file.bin".to_owned()),
    };
    let mut connection = Connection::open(server.address).await?;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: load\r\ncontent-length: {SIZE}\r\n\r\n");
    let piece = vec![0x5a; PIECE];
    connection.stream().write_all(head.as_bytes()).await?;
    for _ in 0..SIZE / PIECE {
        connection.stream().write_all(&piece).await?;
    }
    let answer = connection.read_response().await?;
    if server.kind == Kind::Nchan {
        return Ok(path);
    }
    let file: serde_json::Value = serde_json::from_str(&answer)?;
    let path = file["url"].as_str().ok_or("a file without an address")?;
    Ok(path.to_owned())
}

async fn download(server: &Server, path: &str) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(server.address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: load\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut piece = vec![0; PIECE];
    let mut read = 0;
    loop {
        match stream.read(&mut piece).await? {
            0 => break,
            count => read += count,
        }
    }
    // The rest is the head.
    if !(SIZE..SIZE + 4096).contains(&read) {
        return Err(format!("{read} bytes of a file of {SIZE}").into());
    }
    Ok(())
}
