//! The webchat program: reads its configuration, opens the data, serves until it is told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use server::App;
use server::cli::{admin, health_check, shutdown};
use server::config::Config;
use server::config::types::{Admin, Command, LogFormat};
use server::tls::Tls;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Requests are made of many small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // What stands in `.env` counts as the environment, which goes before it.
    match dotenvy::from_path(".env") {
        Ok(()) => {}
        Err(error) if error.not_found() => {}
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "cannot read .env: {error}");
            return ExitCode::from(2);
        }
    }
    let config = match Config::read(std::env::args_os()) {
        Ok(config) => config,
        Err((text, 0)) => {
            // Nobody is left to tell if the terminal is gone.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err((text, code)) => {
            let _ = std::io::stderr().write_all(text.as_bytes());
            return ExitCode::from(code);
        }
    };
    log(&config);
    let done = match &config.command {
        None => serve(&config),
        Some(Command::Backup { file }) => admin::backup(&config, file),
        Some(Command::Restore { file }) => admin::restore(&config, file),
        Some(Command::Health) => health_check::check(config.listen),
        Some(Command::Admin {
            deed: Admin::Grant { username },
        }) => admin::set_operator(&config, username, true),
        Some(Command::Admin {
            deed: Admin::Revoke { username },
        }) => admin::set_operator(&config, username, false),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn log(config: &Config) {
    let filter = EnvFilter::new(&config.log);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => lines
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

#[tokio::main]
async fn serve(config: &Config) -> Result<(), String> {
    // The handlers stand before anything is announced: whoever reads the log line may send a signal at once.
    let signal =
        shutdown::signal().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let app = App::open(config)
        .await
        .map_err(|error| format!("cannot use {}: {error}", config.data_dir.display()))?;
    let (listener, address) = listen(config.listen).await?;
    let tls = match (config.tls(), config.acme()) {
        (Some((cert, key)), _) => Some(Tls::open(cert, key).await?),
        (None, Some(wish)) => Some(Tls::wish(wish).await?),
        (None, None) => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let app = match tls {
        Some(tls) => secure(app, tls, config.redirect).await?,
        None => app,
    };
    tracing::info!("listening on {scheme}://{address}");
    app.serve(listener, signal).await;
    tracing::info!("stopped");
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), String> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((listener, address))
}

async fn secure(app: App, tls: Tls, redirect: Option<SocketAddr>) -> Result<App, String> {
    let Some(address) = redirect else {
        return Ok(app.secure(tls, None));
    };
    let (listener, address) = listen(address).await?;
    tracing::info!("redirecting from {address}");
    Ok(app.secure(tls, Some(listener)))
}
