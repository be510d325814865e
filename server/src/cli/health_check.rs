//! `webchat health`: asks the server on this machine whether it is ready, so that a supervisor
//! needs no HTTP client.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// The longest time for each step: to connect, to write, to read.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How much of the response is read, in bytes: enough for the status line.
const RESPONSE_MAX: usize = 256;

const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// The first bytes of a TLS alert, which a TLS server sends in response to plain HTTP
/// ([RFC 8446, section 5.1](https://www.rfc-editor.org/rfc/rfc8446#section-5.1)).
const TLS_ALERT: &[u8] = b"\x15\x03";

/// Checks the server at this address. A server that speaks only TLS has to send an alert; whether
/// it has a certificate is not checked.
///
/// # Errors
/// One line with the address and the reason why the server is not ready.
pub fn check_server(listen: SocketAddr) -> Result<(), String> {
    let address = local_address(listen);
    let response =
        send_request(address).map_err(|error| format!("{address} does not answer: {error}"))?;
    if response.starts_with(b"HTTP/1.1 200 ") || response.starts_with(TLS_ALERT) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&response);
    Err(format!(
        "{address} is not ready: {}",
        text.lines().next().unwrap_or("its response is empty")
    ))
}

/// The address to connect to: a server on all interfaces also listens on the loopback interface.
fn local_address(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Sends the request, and returns the beginning of the response.
fn send_request(address: SocketAddr) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(REQUEST)?;
    let mut response = vec![0; RESPONSE_MAX];
    let length = stream.read(&mut response)?;
    response.truncate(length);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_on_all_interfaces_is_asked_on_the_loopback_interface() {
        for (listen, reached) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:443", "[::1]:443"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(
                local_address(listen.parse().unwrap()),
                reached.parse().unwrap()
            );
        }
    }
}
