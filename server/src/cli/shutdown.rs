//! Signals, and the two steps in which they stop the server.
//!
//! # Guarantees
//! - None of the signals in [`Signals::install`] ends the process without a drain.
//! - SIGTERM, SIGINT and SIGQUIT begin the drain; the next of them ends the wait for running
//!   requests.
//!
//! # Not here
//! - The reload of certificates after SIGHUP (`tls`).

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The number of SIGXCPU, which says that the process has reached its soft limit of processor time.
const CPU_TIME_EXCEEDED: i32 = 24;

/// The number of SIGXFSZ, which says that a file has reached its size limit. The write fails too,
/// so its caller learns it.
const FILE_SIZE_EXCEEDED: i32 = 25;

/// How far the server has to stop. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Streams end, and running requests finish.
    pub begin: CancellationToken,
    /// Running requests are not waited for any longer.
    pub hurry: CancellationToken,
}

/// The handlers of all signals.
#[derive(Debug)]
pub struct Signals(Vec<Handled>);

#[derive(Debug)]
struct Handled {
    name: &'static str,
    signal: Signal,
    action: Action,
}

/// What a signal does.
#[derive(Clone, Copy, Debug)]
enum Action {
    Stop,
    Reload,
    Ignore,
}

impl Signals {
    /// Installs the handlers.
    ///
    /// # Errors
    /// The system refuses to install one.
    pub fn install() -> io::Result<Self> {
        let signals = [
            ("SIGTERM", SignalKind::terminate(), Action::Stop),
            ("SIGINT", SignalKind::interrupt(), Action::Stop),
            ("SIGQUIT", SignalKind::quit(), Action::Stop),
            ("SIGHUP", SignalKind::hangup(), Action::Reload),
            ("SIGUSR1", SignalKind::user_defined1(), Action::Ignore),
            ("SIGUSR2", SignalKind::user_defined2(), Action::Ignore),
            ("SIGALRM", SignalKind::alarm(), Action::Ignore),
            ("SIGIO", SignalKind::io(), Action::Ignore),
            (
                "SIGXCPU",
                SignalKind::from_raw(CPU_TIME_EXCEEDED),
                Action::Ignore,
            ),
            (
                "SIGXFSZ",
                SignalKind::from_raw(FILE_SIZE_EXCEEDED),
                Action::Ignore,
            ),
        ];
        let installed = signals.map(|(name, kind, action)| {
            let signal = signal(kind)?;
            Ok::<_, io::Error>(Handled {
                name,
                signal,
                action,
            })
        });
        Ok(Self(installed.into_iter().collect::<io::Result<_>>()?))
    }

    /// Handles signals; never returns. `has_certificate` says whether SIGHUP reloads a certificate,
    /// which is not done here.
    pub async fn handle(&mut self, shutdown: &Shutdown, has_certificate: bool) {
        loop {
            let (name, action) = poll_fn(|context| self.poll_next(context)).await;
            match action {
                Action::Stop => stop(shutdown, name),
                Action::Reload if has_certificate => {}
                Action::Reload => tracing::warn!(
                    "{name} reloads only certificates, and this server has none; \
                     restart it to change its flags"
                ),
                Action::Ignore => tracing::warn!("{name} is ignored"),
            }
        }
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<(&'static str, Action)> {
        for handled in &mut self.0 {
            if handled.signal.poll_recv(context).is_ready() {
                return Poll::Ready((handled.name, handled.action));
            }
        }
        Poll::Pending
    }
}

fn stop(shutdown: &Shutdown, name: &str) {
    if shutdown.begin.is_cancelled() {
        tracing::warn!("stopping without waiting for running requests after another {name}");
        shutdown.hurry.cancel();
    } else {
        tracing::info!("stopping after {name}");
        shutdown.begin.cancel();
    }
}
