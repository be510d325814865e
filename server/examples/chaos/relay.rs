//! The address of the database for the nodes: a relay, so that a failover is a switch of its target, as
//! with a floating address or a proxy.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Failure;

/// Where connections go; nowhere without a target.
type Target = Option<SocketAddr>;

pub struct Relay {
    target: watch::Sender<Target>,
    accepting: JoinHandle<()>,
}

impl Relay {
    pub async fn start(at: SocketAddr, to: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(at).await?;
        let target = watch::Sender::new(Some(to));
        let accepting = tokio::spawn(accept(listener, target.clone()));
        Ok(Self { target, accepting })
    }

    /// Ends all connections. New ones go to this target, or are closed at once without one.
    pub fn switch(&self, to: Target) {
        self.target.send_replace(to);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: watch::Sender<Target>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass_on(client, target.subscribe()));
    }
}

/// Passes on what both sides say, until one of them or the target ends.
async fn pass_on(mut client: TcpStream, mut target: watch::Receiver<Target>) {
    let Some(to) = *target.borrow_and_update() else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(to).await else {
        return;
    };
    // A small statement waits for no other one.
    let _ = client.set_nodelay(true).and(server.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = target.changed() => {}
    }
}
