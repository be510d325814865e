//! The little HTTP that the load generator needs, written by hand, so that the client costs little
//! of what is measured.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};

use crate::Failure;

/// A persistent connection.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Posts JSON. Returns the body of the response, which must have a status of 200 to 209.
    pub async fn post(&mut self, path: &str, body: &str) -> Result<String, Failure> {
        self.post_with(path, "", body).await
    }

    /// Posts JSON with more headers, of which each ends its line.
    pub async fn post_with(
        &mut self,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<String, Failure> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: load\r\n{headers}content-type: application/json\r\ncontent-length: "
        );
        self.0
            .get_mut()
            .write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes())
            .await?;
        self.read_response().await
    }

    pub async fn get(&mut self, path: &str, accept: &str) -> Result<String, Failure> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: load\r\naccept: {accept}\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes()).await?;
        self.read_response().await
    }

    /// The connection as a stream of bytes to write to.
    pub fn stream(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    /// Reads a response. Returns its body.
    pub async fn read_response(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        let mut length = 0;
        let mut chunked = false;
        self.0.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 20") {
            return Err(format!("refused: {line}").into());
        }
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).await?;
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.trim().parse()?;
            }
            chunked |= header.starts_with("transfer-encoding: chunked");
        }
        if chunked {
            return self.read_chunks().await;
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(String::from_utf8(body)?)
    }

    /// Reads a chunked body to its end.
    async fn read_chunks(&mut self) -> Result<String, Failure> {
        let mut text = Vec::new();
        loop {
            let mut size = String::new();
            self.0.read_line(&mut size).await?;
            let size = usize::from_str_radix(size.trim(), 16)?;
            let mut chunk = vec![0; size + 2];
            self.0.read_exact(&mut chunk).await?;
            if size == 0 {
                return Ok(String::from_utf8(text)?);
            }
            text.extend_from_slice(&chunk[..size]);
        }
    }
}

/// The source of the next connection: few connections share a loopback address, because a search
/// for a free port among many used ones would take longer than the connection.
fn next_source() -> SocketAddr {
    const EACH: u32 = 500;
    static CONNECTIONS: AtomicU32 = AtomicU32::new(0);
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed) / EACH;
    let first = Ipv4Addr::new(127, 1, 0, 1).to_bits();
    (Ipv4Addr::from_bits(first + number % 60_000), 0).into()
}

/// Requests an event stream. Returns the socket, from which nothing has been read.
pub async fn follow(address: SocketAddr, path: &str) -> Result<TcpStream, Failure> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(next_source())?;
    let mut stream = socket.connect(address).await?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: load\r\naccept: text/event-stream\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    Ok(stream)
}
