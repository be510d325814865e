//! Listening sockets.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

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
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok::<_, std::io::Error>(Bound { listener, address })
    };
    bind().map_err(|error| format!("cannot listen on {address}: {error}"))
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
}
