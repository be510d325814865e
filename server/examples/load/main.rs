//! A load generator that compares webchat with nchan, nginx's push module, in one run.
//!
//! `make bench` builds it, installs nchan and starts it. Each case runs against both servers in
//! turn. The table has the medians of the rounds and the ratio. The servers get one core and this
//! process another. webchat writes every message durably, nchan keeps them in memory. All figures
//! are measured from outside: messages over HTTP, processor time and memory from `/proc`.
//!
//! `make bench-nodes` measures nodes with `PostgreSQL` instead, on all cores together.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is the result"
)]

mod capacity;
mod cases;
mod cluster;
#[path = "../shared/command.rs"]
mod command;
mod files;
mod http;
mod members;
mod nodes;
mod notify;
mod postgres;
mod process;
mod publish;
mod records;
mod report;
mod servers;
mod subscribe;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Compares webchat with nchan.
#[derive(Debug, Parser)]
struct Options {
    /// The webchat binary.
    #[arg(long, default_value = "target/release/webchat")]
    webchat: PathBuf,
    /// How often each case runs against each server.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Run only the cases whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Run only this server: webchat or nchan.
    #[arg(long)]
    server: Option<servers::Kind>,
    /// The core that servers run on. Start this process with taskset to set its own.
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// Also measure webchat alone, which takes some minutes.
    #[arg(long)]
    records: bool,
    /// Measure nodes instead, with databases of the PostgreSQL server in WEBCHAT_TEST_DATABASE.
    #[arg(long)]
    nodes: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), Failure> {
    if options.nodes {
        return nodes::measure(options).await;
    }
    let kinds = options
        .server
        .map_or(servers::Kind::ALL.to_vec(), |kind| vec![kind]);
    let mut results = report::Results::new(servers::Kind::ALL.map(servers::Kind::name));
    for round in 1..=options.rounds {
        for case in cases::ALL
            .into_iter()
            .filter(|case| case.name().contains(&options.only))
        {
            for kind in &kinds {
                eprintln!("round {round}: {}, {}", case.name(), kind.name());
                let server = servers::Server::start(*kind, options).await?;
                results.add(case.name(), *kind as usize, case.run(&server).await?);
                server.stop()?;
            }
        }
    }
    results.print();
    if options.records {
        records::measure(options).await?;
    }
    Ok(())
}
