//! `webchat health`: asks the server that runs here whether it is ready, for those who watch over it without a client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(5);

const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// What a server that speaks TLS answers to plain HTTP: an alert
/// ([RFC 8446, section 5.1](https://www.rfc-editor.org/rfc/rfc8446#section-5.1)).
const ALERT: &[u8] = b"\x15\x03";

/// Asks the server that listens at this address. One that speaks TLS only has to answer, with or without a certificate.
///
/// # Errors
/// Why it is not ready.
pub fn check(listen: SocketAddr) -> Result<(), String> {
    let address = reachable(listen);
    let answer = ask(address).map_err(|error| format!("{address} does not answer: {error}"))?;
    if answer.starts_with(b"HTTP/1.1 200 ") || answer.starts_with(ALERT) {
        return Ok(());
    }
    let line = String::from_utf8_lossy(&answer);
    Err(format!(
        "{address} is not ready: {}",
        line.lines().next().unwrap_or("it says nothing")
    ))
}

/// Whoever listens everywhere listens on the loopback interface, too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The beginning of the answer.
fn ask(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(REQUEST)?;
    let mut answer = vec![0; 256];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_here() {
        for (listen, reached) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:443", "[::1]:443"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
