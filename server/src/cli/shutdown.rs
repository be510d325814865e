//! When to stop: SIGTERM or SIGINT.

use std::io;

use tokio::signal::unix::{SignalKind, signal as listen};

/// A future that is done when the process is asked to stop. The handlers are in place when this returns.
///
/// # Errors
/// The system refuses to install a handler.
pub fn signal() -> io::Result<impl Future<Output = ()> + Send> {
    let (mut terminate, mut interrupt) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
    })
}
