//! The webchat program: reads its configuration, opens the data, and serves until a signal stops
//! it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::fs::Mode;
use rustix::process::umask;
use server::cli::shutdown::{Shutdown, Signals};
use server::cli::{admin, archive, copy, health_check};
use server::config::command::{ArchiveTask, Command, OperatorChange};
use server::config::parse::Exit;
use server::config::{Config, env_file};
use server::net::listener::bind;
use server::tls::Tls;
use server::{App, logging};
use tokio::sync::Mutex;

/// A request makes many small allocations, which mimalloc serves faster than the system's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Every file of this process, also those that SQLite creates, is for its owner alone.
    umask(Mode::RWXG | Mode::RWXO);
    if let Err(exit) = env_file::load() {
        return print(&exit);
    }
    let config = match Config::read(std::env::args_os()) {
        Ok(config) => config,
        Err(exit) => return print(&exit),
    };
    let _log = logging::start(&config);
    match run(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints help to the standard output, and errors to the standard error.
fn print(exit: &Exit) -> ExitCode {
    // If the terminal is gone, there is no place left to report that.
    if exit.code == 0 {
        let _ = std::io::stdout().write_all(exit.text.as_bytes());
    } else {
        let _ = std::io::stderr().write_all(exit.text.as_bytes());
    }
    ExitCode::from(exit.code)
}

fn run(config: &Config) -> Result<(), String> {
    match &config.command {
        None => serve(config),
        Some(Command::Backup { file }) => admin::backup(config, file),
        Some(Command::Restore { file }) => admin::restore(config, file),
        Some(Command::Copy { from, to }) => copy::copy(config, from, to),
        Some(Command::Archive {
            task: ArchiveTask::Verify { file },
        }) => archive::verify(file),
        Some(Command::Health) => health_check::check_server(config.listen),
        Some(Command::Admin { change }) => match change {
            OperatorChange::Grant { username } => admin::set_operator(config, username, true),
            OperatorChange::Revoke { username } => admin::set_operator(config, username, false),
        },
    }
}

#[tokio::main]
async fn serve(config: &Config) -> Result<(), String> {
    config.warn_of_weak_secrets();
    config.warn_of_missing_files_url();
    // The handlers must be in place before the log line: its reader may send a signal at once.
    let signals =
        Signals::install().map_err(|error| format!("cannot install signal handlers: {error}"))?;
    let app = App::open(config)
        .await
        .map_err(|error| format!("cannot use {}: {error}", config.data_dir.display()))?;
    let bound = bind(config.listen)?;
    let tls = open_tls(config).await?;
    let shutdown = Shutdown::default();
    handle_signals(&app, signals, &shutdown, tls.is_some());
    let app = match tls {
        Some(tls) => {
            let app = secure(app, tls, config.redirect)?;
            tracing::info!("listening on https://{}", bound.address);
            app
        }
        None => {
            tracing::info!("listening on http://{}", bound.address);
            app
        }
    };
    let app = match config.metrics {
        Some(address) => {
            let bound = bind(address)?;
            tracing::info!("numbers for Prometheus: http://{}/metrics", bound.address);
            app.with_metrics(bound.listener)
        }
        None => app,
    };
    app.serve(bound.listener, shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

fn handle_signals(app: &App, signals: Signals, shutdown: &Shutdown, has_certificate: bool) {
    let signals = Arc::new(Mutex::new(signals));
    let shutdown = shutdown.clone();
    app.supervisor().spawn("signals", move || {
        let signals = signals.clone();
        let shutdown = shutdown.clone();
        async move {
            signals
                .lock()
                .await
                .handle(&shutdown, has_certificate)
                .await
        }
    });
}

async fn open_tls(config: &Config) -> Result<Option<Tls>, String> {
    if let Some(files) = config.certificate_files() {
        return Ok(Some(Tls::from_files(files.cert, files.key).await?));
    }
    match config.acme_settings() {
        Some(settings) => Ok(Some(Tls::from_acme(settings).await?)),
        None => Ok(None),
    }
}

fn secure(app: App, tls: Tls, redirect: Option<SocketAddr>) -> Result<App, String> {
    let Some(address) = redirect else {
        return Ok(app.secure(tls, None));
    };
    let bound = bind(address)?;
    tracing::info!("redirecting from {}", bound.address);
    Ok(app.secure(tls, Some(bound.listener)))
}
