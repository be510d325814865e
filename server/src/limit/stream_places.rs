//! How many streams one client and one person may have open: event streams and WebSockets.
//!
//! # Guarantees
//! - Behind trusted proxies the address of the client counts, not that of the proxy.
//! - Clients and people without open streams take no memory.
//! - The open streams are counted, also those that have left hyper.
//!
//! # Not here
//! Connections (`net::client_connections`).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chat::{Metrics, Person, StreamCut};
use prometheus_client::metrics::gauge::Gauge;
use protocol::Refusal;

use crate::limit::client_of;

/// The most open streams of a person, from all addresses together.
const BY_PERSON: usize = 1_000;

/// The places for the streams of all clients. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct StreamPlaces(Arc<Places>);

#[derive(Debug)]
struct Places {
    /// The most open streams of a client; `None` without a limit, also for people.
    by_client: Option<usize>,
    open: Mutex<OpenStreams>,
    count: Gauge,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct OpenStreams {
    by_client: HashMap<IpAddr, usize>,
    by_person: HashMap<i64, usize>,
}

impl StreamPlaces {
    /// Places for so many streams of each client; without a number, nothing is limited.
    pub fn new(by_client: Option<usize>, metrics: &Metrics) -> Self {
        Self(Arc::new(Places {
            by_client,
            open: Mutex::default(),
            count: Gauge::default(),
            metrics: metrics.clone(),
        }))
    }

    /// The number of open streams.
    pub fn count(&self) -> &Gauge {
        &self.0.count
    }

    /// Takes a place for a stream.
    ///
    /// # Errors
    /// [`Refusal::TooManyStreams`] if the client or the person has none left.
    pub fn enter(&self, address: Option<IpAddr>, by: &Person) -> Result<StreamPlace, Refusal> {
        let Some(most) = self.0.by_client else {
            return Ok(self.take(None, None));
        };
        let client = address.map(client_of);
        let person = by.stable_id();
        let mut open = self.0.lock();
        if is_full(&open.by_client, client, most) || is_full(&open.by_person, person, BY_PERSON) {
            return Err(Refusal::TooManyStreams);
        }
        if let Some(client) = client {
            *open.by_client.entry(client).or_default() += 1;
        }
        if let Some(person) = person {
            *open.by_person.entry(person).or_default() += 1;
        }
        Ok(self.take(client, person))
    }

    fn take(&self, client: Option<IpAddr>, person: Option<i64>) -> StreamPlace {
        self.0.count.inc();
        StreamPlace(Box::new(Taken {
            places: self.0.clone(),
            client,
            person,
        }))
    }
}

impl Places {
    // Held to count, never across an await.
    fn lock(&self) -> MutexGuard<'_, OpenStreams> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_full<K: Hash + Eq>(open: &HashMap<K, usize>, key: Option<K>, most: usize) -> bool {
    key.is_some_and(|key| open.get(&key).is_some_and(|count| *count >= most))
}

/// The place of an open stream, which is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct StreamPlace(
    // In a box: the future of a stream has several copies of its parts.
    Box<Taken>,
);

impl StreamPlace {
    /// Counts the stream as one that the server has ended.
    pub fn count_cut(&self, reason: StreamCut) {
        self.0.places.metrics.count_cut(reason);
    }
}

#[derive(Debug)]
struct Taken {
    places: Arc<Places>,
    client: Option<IpAddr>,
    person: Option<i64>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.places.count.dec();
        if self.client.is_none() && self.person.is_none() {
            return;
        }
        let mut open = self.places.lock();
        leave(&mut open.by_client, self.client);
        leave(&mut open.by_person, self.person);
    }
}

fn leave<K: Hash + Eq>(open: &mut HashMap<K, usize>, key: Option<K>) {
    let Some(key) = key else { return };
    if let Some(count) = open.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            open.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn client_without_a_free_place_is_refused_until_a_stream_ends() {
        let places = StreamPlaces::new(Some(2), &Metrics::default());
        let anonymous = Person::Anonymous;
        let enter = |text| places.enter(address(text), &anonymous);
        let first = enter("2001:db8::1").unwrap();
        let _second = enter("2001:db8::2").unwrap();
        assert!(matches!(enter("2001:db8::3"), Err(Refusal::TooManyStreams)));
        assert!(enter("2001:db8:0:1::1").is_ok());
        drop(first);
        assert!(enter("2001:db8::3").is_ok());
    }

    #[test]
    fn clients_without_streams_are_forgotten() {
        let places = StreamPlaces::new(Some(2), &Metrics::default());
        for number in 0..100 {
            let address = address(&format!("192.0.2.{number}"));
            drop(places.enter(address, &Person::Anonymous).unwrap());
        }
        assert!(places.0.lock().by_client.is_empty());
    }

    #[test]
    fn nothing_is_limited_without_a_number() {
        let places = StreamPlaces::new(None, &Metrics::default());
        let enter = |_| places.enter(address("192.0.2.1"), &Person::Anonymous);
        let all: Vec<_> = (0..10_000).map(enter).collect();
        assert!(all.iter().all(Result::is_ok));
    }
}
