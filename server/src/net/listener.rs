//! Listening sockets.

use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

#[cfg(target_os = "linux")]
use crate::net::timeouts::ACKNOWLEDGE_TIMEOUT;

/// How many connections wait in the system until they are accepted. After a restart all clients
/// connect at once, and a client that finds the queue full tries again only after a second. The
/// system may have a lower limit (Linux: `net.core.somaxconn`).
const BACKLOG: u32 = 65_535;

/// A listening socket, and its address with the port that the system selected.
#[derive(Debug)]
pub struct Bound {
    /// The socket.
    pub listener: TcpListener,
    /// Its address.
    pub address: SocketAddr,
}

/// Listens on an address.
///
/// # Errors
/// One line with the address and the reason.
pub fn bind(address: SocketAddr) -> Result<Bound, String> {
    let bind = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // A restarted server may listen while connections of the earlier one are still closing.
        socket.set_reuseaddr(true)?;
        set_options(&socket);
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok::<_, std::io::Error>(Bound { listener, address })
    };
    bind().map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// Sets the options that the sockets of all connections inherit. The socket does not listen yet:
/// connections that wait in the backlog have the options of their time.
fn set_options(socket: &TcpSocket) {
    let set = || {
        #[cfg(target_os = "linux")]
        SockRef::from(socket).set_tcp_user_timeout(Some(ACKNOWLEDGE_TIMEOUT))?;
        SockRef::from(socket).set_tcp_nodelay(true)
    };
    if let Err(error) = set() {
        tracing::warn!(%error, "cannot set the options of a listening socket");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    /// More than the usual backlog of 128, and less than the system's limit of 4,096.
    const CLIENTS: usize = 1_000;

    #[tokio::test]
    async fn clients_that_come_at_once_wait_in_the_backlog() {
        let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn");
        let limit = limit.map_or(128, |limit| limit.trim().parse().unwrap());
        let bound = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut waiting = Vec::new();
        for number in 0..CLIENTS.min(limit) {
            let connecting = TcpStream::connect(bound.address);
            // A client for which there is no place would try again after a second.
            let connected = timeout(Duration::from_millis(900), connecting).await;
            let connected = connected.unwrap_or_else(|_| panic!("client {number} waits"));
            waiting.push(connected.unwrap());
        }
    }

    #[tokio::test]
    async fn connections_that_wait_in_the_backlog_have_all_options() {
        let bound = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = TcpStream::connect(bound.address).await.unwrap();
        let (socket, _) = bound.listener.accept().await.unwrap();
        assert!(socket.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(
            SockRef::from(&socket).tcp_user_timeout().unwrap(),
            Some(ACKNOWLEDGE_TIMEOUT)
        );
    }
}
