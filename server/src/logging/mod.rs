//! The log of the process, on the standard error.
//!
//! # Guarantees
//! - A log that cannot be written, or whose reader does not read, costs lines of the log and
//!   nothing else.
//! - A panic of any thread is a line of the log.
//! - At no level does the log have texts, queries, codes, tokens or passwords: libraries, which write
//!   what they receive, log no more than `info`, and requests stand there by their route.
//!
//! # Not here
//! - Throttling of lines about events that can happen very often (`log_throttle`).

mod line_queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Time;
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use self::line_queue::LineQueue;
use crate::config::Config;
use crate::config::types::LogFormat;

/// How long the end of the process waits for the last lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes the last lines when it is dropped.
#[derive(Debug)]
#[must_use = "the last lines are written when this is dropped"]
pub struct Log(LineQueue);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush(FLUSH_TIMEOUT);
    }
}

/// Starts the log of the process.
pub fn start(config: &Config) -> Log {
    let lines = LineQueue::start(
        io::stderr(),
        match config.log_format {
            LogFormat::Text => text_of_lost_lines,
            LogFormat::Json => json_of_lost_lines,
        },
    );
    let writer = lines.clone();
    let format = tracing_subscriber::fmt::layer()
        .log_internal_errors(false)
        .with_writer(move || writer.clone());
    let format = match config.log_format {
        LogFormat::Text => format.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => format.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(format)
        .with(EnvFilter::new(&config.log))
        .with(filter_fn(shows_no_content))
        .init();
    std::panic::set_hook(Box::new(log_panic));
    Log(lines)
}

/// Whether a line cannot have the content of a request: below `info`, only the lines of this program
/// and of its middleware, which say what a request is and how long it took.
fn shows_no_content(line: &Metadata<'_>) -> bool {
    const OWN: [&str; 5] = ["webchat", "server", "chat", "app", "tower_http"];
    let origin = line.target().split("::").next().unwrap_or_default();
    *line.level() <= Level::INFO || OWN.contains(&origin)
}

/// Logs a panic. The default hook would write to the standard error itself, and wait for its
/// reader.
fn log_panic(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let panic = info.payload_as_str().unwrap_or("a value without a text");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(thread, place, %backtrace, "panic: {panic}");
    } else {
        tracing::error!(thread, place, "panic: {panic}");
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Time::from_millis(0).after(since.unwrap_or_default())
}

fn text_of_lost_lines(count: u64) -> String {
    format!(
        "{} ERROR server::logging: log lines were lost lost={count}\n",
        now()
    )
}

fn json_of_lost_lines(count: u64) -> String {
    let line = serde_json::json!({
        "timestamp": now(),
        "level": "ERROR",
        "message": "log lines were lost",
        "lost": count,
        "target": "server::logging",
    });
    format!("{line}\n")
}
