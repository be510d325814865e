//! Tests of the membership behind a pooler that gives connections for a transaction. Without a database
//! on a server there is nothing to test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::location::PostgresLocation;
use super::membership::Membership;
use crate::faults::Faults;
use crate::sync::lock;
use crate::testing::{new_database, soon_true};

/// A pooler that gives the client that begins a transaction the connection of the database that was used
/// last, with everything that the connection remembers. It is cheap to clone.
#[derive(Clone, Debug, Default)]
struct Pooler {
    free: Arc<Mutex<Vec<TcpStream>>>,
    /// How the database has greeted the first client.
    greeting: Arc<tokio::sync::Mutex<Vec<u8>>>,
    requests: Arc<AtomicUsize>,
}

impl Pooler {
    /// Listens in front of a server. Returns its address.
    async fn start(&self, server: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let pooler = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (pooler, server) = (pooler.clone(), server.clone());
                tokio::spawn(async move { pooler.serve(client, &server).await });
            }
        });
        address
    }

    async fn serve(&self, mut client: TcpStream, server: &str) -> std::io::Result<()> {
        // The question whether to use TLS.
        client.read_exact(&mut [0; 8]).await?;
        client.write_all(b"N").await?;
        let length = client.read_u32().await?;
        let mut start = length.to_be_bytes().to_vec();
        (&mut client)
            .take(u64::from(length) - 4)
            .read_to_end(&mut start)
            .await?;
        let mut greeting = self.greeting.lock().await;
        if greeting.is_empty() {
            let connection = connect(server, &start, &mut greeting).await?;
            lock(&self.free).push(connection);
        }
        client.write_all(&greeting).await?;
        drop(greeting);
        let mut held: Option<TcpStream> = None;
        loop {
            let request = read_message(&mut client).await?;
            if request[0] == b'X' {
                return Ok(());
            }
            let connection = match &mut held {
                Some(connection) => connection,
                None => {
                    let free = lock(&self.free).pop();
                    let connection = match free {
                        Some(connection) => connection,
                        None => connect(server, &start, &mut Vec::new()).await?,
                    };
                    held.insert(connection)
                }
            };
            connection.write_all(&request).await?;
            if ![b'Q', b'S'].contains(&request[0]) {
                continue;
            }
            self.requests.fetch_add(1, Ordering::SeqCst);
            let is_in_transaction = loop {
                let answer = read_message(connection).await?;
                client.write_all(&answer).await?;
                if answer[0] == b'Z' {
                    break answer[5] != b'I';
                }
            };
            if !is_in_transaction {
                lock(&self.free).extend(held.take());
            }
        }
    }
}

/// Connects with the first message of a client, and reads the greeting.
async fn connect(server: &str, start: &[u8], greeting: &mut Vec<u8>) -> std::io::Result<TcpStream> {
    let mut connection = TcpStream::connect(server).await?;
    connection.write_all(start).await?;
    loop {
        let message = read_message(&mut connection).await?;
        greeting.extend(&message);
        if message[0] == b'Z' {
            return Ok(connection);
        }
    }
}

/// A message with its kind and its length
/// ([message formats](https://www.postgresql.org/docs/current/protocol-message-formats.html)).
async fn read_message(from: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    from.take(u64::from(length) - 4)
        .read_to_end(&mut message)
        .await?;
    Ok(message)
}

/// A server that may lead.
struct Candidate {
    task: tokio::task::JoinHandle<()>,
    leads: watch::Receiver<bool>,
}

impl Candidate {
    async fn join(location: &PostgresLocation) -> Self {
        let membership = Membership::join(location, false).await.unwrap();
        let is_leader = watch::Sender::new(false);
        let leads = is_leader.subscribe();
        let task = tokio::spawn(async move { membership.lead(is_leader).await });
        Self { task, leads }
    }

    fn leads(&self) -> bool {
        *self.leads.borrow()
    }
}

#[tokio::test]
async fn one_server_leads_and_no_other_is_alone_behind_a_pooler_for_transactions() {
    let Some(url) = new_database(&Faults::default()) else {
        return;
    };
    let (before, rest) = url.split_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let pooler = Pooler::default();
    let address = pooler.start(server.to_owned()).await;
    let location = PostgresLocation::of_url(&format!("{before}@{address}/{name}")).unwrap();
    let candidates = [
        Candidate::join(&location).await,
        Candidate::join(&location).await,
    ];
    let has_leader = async || candidates.iter().any(Candidate::leads);
    soon_true("a leader", has_leader).await;
    let requests = pooler.requests.load(Ordering::SeqCst);
    let has_looked = async || pooler.requests.load(Ordering::SeqCst) > requests + 12;
    soon_true("further looks", has_looked).await;
    assert_eq!(candidates.iter().filter(|one| one.leads()).count(), 1);
    assert!(Membership::join(&location, true).await.is_err());
    assert!(Membership::exclude_others(&location).await.is_err());
    let (leader, other) = match candidates {
        [one, other] if one.leads() => (one, other),
        [one, other] => (other, one),
    };
    leader.task.abort();
    soon_true("another leader", async || other.leads()).await;
    other.task.abort();
}
