//! How many connections are open, in all and from one client.
//!
//! # Guarantees
//! - No client takes more than its share of the connections. One that has its share and opens
//!   another connection loses its oldest one, unless that is a stream without TLS: connections that
//!   are not used do not keep others at the same address away.
//! - Some descriptors stay free for files, and some connections for this machine, so that a check of
//!   the health is answered.
//!
//! # Not here
//! Streams (`limit::stream_places`), and connections that have become WebSockets without TLS, which
//! count in the total only.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::task::AbortHandle;

use crate::config::Config;
use crate::config::types::Switch;
use crate::limit::client_of;
use crate::middleware::client_ip::is_trusted;

/// How many connections from this machine are accepted when all others are taken.
const LOCAL_RESERVE: usize = 8;

/// The most open connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionLimits {
    /// In all.
    pub total: usize,
    /// Of one client; `None` without a limit.
    pub by_client: Option<usize>,
    /// Trusted proxies, whose connections are those of many clients.
    pub proxies: Vec<IpNet>,
}

impl ConnectionLimits {
    /// The limits of a server that may have so many connections in all.
    pub fn new(total: usize, config: &Config) -> Self {
        Self {
            total,
            by_client: (config.rate_limit == Switch::On).then_some(total / 2),
            proxies: config.trusted_proxies.clone(),
        }
    }

    /// The most streams of one client: fewer than its connections, so that it can go on asking.
    pub fn streams_by_client(&self) -> Option<usize> {
        self.by_client.map(|connections| connections / 4 * 3)
    }
}

/// The open connections. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ClientConnections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: ConnectionLimits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    last_id: u64,
    clients: HashMap<IpAddr, Client>,
}

/// The connections of a client, the oldest first.
type Client = BTreeMap<u64, Connection>;

/// What is known of a connection.
#[derive(Debug)]
enum Connection {
    /// Its task is about to start, or has been told to end.
    Without,
    Task(AbortHandle),
    /// No new connection replaces it.
    Stream,
}

impl Connection {
    /// Ends the connection, unless it is a stream. Returns whether it was told to end.
    fn end(&mut self) -> bool {
        match std::mem::replace(self, Self::Without) {
            Self::Task(task) => {
                // The task leaves its place when it ends.
                task.abort();
                true
            }
            other => {
                *self = other;
                false
            }
        }
    }
}

impl ClientConnections {
    pub fn new(limits: ConnectionLimits) -> Self {
        let open = Mutex::default();
        Self(Arc::new(Inner { limits, open }))
    }

    /// A place for a new connection beside `others`, which are open but not counted here; `None` if
    /// there is none.
    pub fn admit(&self, peer: IpAddr, others: usize) -> Option<ConnectionPlace> {
        let Inner { limits, .. } = &*self.0;
        let client = client_of(peer);
        let mut open = self.0.lock();
        let reserve = if peer.to_canonical().is_loopback() {
            LOCAL_RESERVE
        } else {
            0
        };
        if open.total + others >= limits.total + reserve {
            return None;
        }
        let most = limits
            .by_client
            .filter(|_| !is_trusted(&limits.proxies, peer));
        let connections = open.clients.entry(client).or_default();
        if most.is_some_and(|most| connections.len() >= most) {
            connections
                .values_mut()
                .find_map(|oldest| oldest.end().then_some(()))?;
        }
        open.total += 1;
        open.last_id += 1;
        let id = open.last_id;
        let connections = open.clients.entry(client).or_default();
        connections.insert(id, Connection::Without);
        // In a box: the future of a connection has several copies of its parts.
        Some(ConnectionPlace(Box::new(Place {
            connections: self.clone(),
            key: PlaceKey { client, id },
        })))
    }
}

impl Inner {
    // Held to count, never across an await.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of an open connection, which is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPlace(Box<Place>);

#[derive(Debug)]
struct Place {
    connections: ClientConnections,
    key: PlaceKey,
}

impl ConnectionPlace {
    /// What names this place after the task of the connection has it.
    pub fn key(&self) -> PlaceKey {
        self.0.key
    }

    /// Notes that the connection is a stream, which no new connection replaces.
    pub fn become_stream(&self) {
        let connections = &self.0.connections;
        connections.change(self.0.key, |connection| *connection = Connection::Stream);
    }
}

/// The name of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaceKey {
    client: IpAddr,
    id: u64,
}

impl ClientConnections {
    /// Notes the task of a connection, which may have become a stream already.
    pub fn set_task(&self, key: PlaceKey, task: AbortHandle) {
        self.change(key, |connection| {
            if matches!(connection, Connection::Without) {
                *connection = Connection::Task(task);
            }
        });
    }

    fn change(&self, PlaceKey { client, id }: PlaceKey, change: impl FnOnce(&mut Connection)) {
        let mut open = self.0.lock();
        let connections = open.clients.get_mut(&client);
        if let Some(connection) = connections.and_then(|connections| connections.get_mut(&id)) {
            change(connection);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.0.lock();
        open.total -= 1;
        let PlaceKey { client, id } = self.key;
        if let Some(connections) = open.clients.get_mut(&client) {
            connections.remove(&id);
            if connections.is_empty() {
                open.clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(total: usize, by_client: Option<usize>) -> ClientConnections {
        ClientConnections::new(ConnectionLimits {
            total,
            by_client,
            proxies: ["198.51.100.0/24", "2001:db8:9::5/128"]
                .map(|net| net.parse().unwrap())
                .into(),
        })
    }

    /// A connection whose task waits for ever.
    fn open(connections: &ClientConnections, peer: &str) -> Option<tokio::task::JoinHandle<()>> {
        let place = connections.admit(peer.parse().unwrap(), 0)?;
        let key = place.key();
        let task = tokio::spawn(async move {
            let _place = place;
            std::future::pending().await
        });
        connections.set_task(key, task.abort_handle());
        Some(task)
    }

    #[tokio::test]
    async fn oldest_connection_of_a_client_that_is_no_stream_makes_room_for_its_next_one() {
        let connections = connections(100, Some(3));
        let peer = "192.0.2.1";
        let stream = connections.admit(peer.parse().unwrap(), 0).unwrap();
        stream.become_stream();
        let oldest = open(&connections, peer).unwrap();
        let newer = open(&connections, peer).unwrap();
        let newest = open(&connections, peer).unwrap();
        assert!(oldest.await.unwrap_err().is_cancelled());
        assert!(!newer.is_finished() && !newest.is_finished());
        assert_eq!(connections.0.lock().total, 3);
        drop(stream);
        newer.abort();
        newest.abort();
        let _ = tokio::join!(newer, newest);
        assert!(connections.0.lock().clients.is_empty());
    }

    #[tokio::test]
    async fn client_with_streams_only_gets_no_further_connection_and_others_do() {
        let connections = connections(100, Some(2));
        let admit = |peer: &str| connections.admit(peer.parse().unwrap(), 0);
        let streams = [admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap()];
        streams.iter().for_each(ConnectionPlace::become_stream);
        assert!(admit("2001:db8::3").is_none());
        assert!(admit("192.0.2.1").is_some());
        for proxy in ["198.51.100.1", "::ffff:198.51.100.1", "2001:db8:9::5"] {
            let proxied: Vec<_> = (0..9).map(|_| admit(proxy)).collect();
            assert!(proxied.iter().all(Option::is_some), "{proxy}");
        }
    }

    #[tokio::test]
    async fn last_connections_are_kept_for_this_machine() {
        let connections = connections(4, None);
        let admit = |peer: &str| connections.admit(peer.parse().unwrap(), 1);
        let _open: Vec<_> = (0..3).map(|_| admit("192.0.2.1").unwrap()).collect();
        assert!(admit("192.0.2.2").is_none());
        let local = ["127.0.0.1", "::1"].into_iter().cycle();
        let local: Vec<_> = local.take(LOCAL_RESERVE).map(admit).collect();
        assert!(local.iter().all(Option::is_some));
        assert!(admit("::1").is_none());
    }
}
