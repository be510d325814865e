//! Deadlines and turned clocks: how tests wait without sleeping.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use super::{Event, EventReader, TestServer};

/// The longest wait for something that must happen.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Waits at most this many seconds of tokio's clock, which is advanced second by second. Tasks run
/// in between, so sockets are polled in each of these seconds.
pub async fn within_virtual_seconds<T>(seconds: u32, wanted: impl Future<Output = T>) -> Option<T> {
    tokio::time::pause();
    let fly = async {
        for _ in 0..seconds {
            tokio::time::advance(Duration::from_secs(1)).await;
            for _ in 0..500 {
                tokio::task::yield_now().await;
            }
        }
    };
    let came = tokio::select! {
        biased;
        came = wanted => Some(came),
        () = fly => None,
    };
    tokio::time::resume();
    came
}

/// Reads until the server closes or resets the connection. Returns the number of bytes.
pub async fn read_until_closed(socket: &mut (impl AsyncReadExt + Unpin)) -> usize {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    while let Ok(read @ 1..) = socket.read(&mut buffer).await {
        total += read;
    }
    total
}

/// Lets the tasks of the server run until they wait.
pub async fn let_server_run() {
    for _ in 0..500 {
        tokio::task::yield_now().await;
    }
}

/// How long no event must have arrived before the clock is advanced.
pub const QUIET_PERIOD: Duration = Duration::from_millis(20);

/// The next event. The server's clock advances while none arrives.
pub async fn next_event_advancing_clock(server: &TestServer, reader: &mut EventReader) -> Event {
    let next = async {
        loop {
            tokio::select! {
                event = reader.next() => return event.expect("the stream has ended"),
                () = tokio::time::sleep(QUIET_PERIOD) => server.clock.advance(Duration::from_millis(500)),
            }
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, next)
        .await
        .expect("no event arrived")
}
