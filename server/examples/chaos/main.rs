//! A test of several nodes under faults: real processes behind nginx, with a `PostgreSQL` primary and a
//! synchronous standby.
//!
//! `make chaos` builds it and runs it for ten minutes. Clients write to and follow some rooms on all
//! transports, while nodes are killed and halted, connections are cut, and the database is restarted
//! and fails over. The nodes and nginx are started as docs/operating.md says. A checker compares what
//! was acknowledged with what each follower heard.
//!
//! All choices follow from the seed that is printed, but not the time that each thing takes.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its output is the result"
)]

mod checker;
mod cluster;
#[path = "../shared/command.rs"]
mod command;
mod deck;
mod faults;
mod followers;
mod history;
mod nginx;
mod nodes;
mod postgres;
#[path = "../../tests/external/recipe.rs"]
mod recipe;
mod relay;
mod rounds;
mod writers;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::checker::Checker;
use crate::cluster::Cluster;
use crate::followers::Followers;
use crate::writers::Writers;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs several nodes under faults, and checks that no message is lost, doubled or out of order.
#[derive(Debug, Parser)]
struct Options {
    /// For how long faults begin.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The seed of all choices; another one each time without it.
    #[arg(long)]
    seed: Option<u64>,
    /// The webchat binary.
    #[arg(long, default_value = "target/debug/webchat")]
    webchat: PathBuf,
    #[arg(long, default_value_t = 100)]
    followers: usize,
    #[arg(long, default_value_t = 30)]
    writers: usize,
    #[arg(long, default_value_t = 6)]
    rooms: usize,
    /// Only these kinds of faults, separated by commas.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<faults::Kind>,
    /// Keeps the folder with the logs, also if nothing was wrong.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options
        .seed
        .unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("chaos for {} s, seed {seed}", options.seconds);
    match run(&options, seed).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos with seed {seed} could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether nothing was wrong.
async fn run(options: &Options, seed: u64) -> Result<bool, Failure> {
    let begin = Instant::now();
    let mut random = SmallRng::seed_from_u64(seed);
    let checker = Arc::new(Checker::new(
        options.rooms,
        options.followers,
        options.writers,
    ));
    let mut cluster = Cluster::start(&options.webchat, checker.clone(), &mut random).await?;
    println!(
        "{:>5.1} s: the nodes are ready",
        begin.elapsed().as_secs_f64()
    );
    let rooms = Arc::new(history::create_rooms(&cluster.url, options.rooms).await?);
    let writers =
        Writers::start(options.writers, &cluster.url, &rooms, &checker, &mut random).await?;
    let followers = Followers::start(
        options.followers,
        &cluster.url,
        &rooms,
        &checker,
        &mut random,
    )?;
    let span = Duration::from_secs(options.seconds);
    let result = rounds::run(&mut cluster, &checker, &options.faults, span, &mut random).await;
    writers.finish().await;
    if result.is_ok() && !checker.has_violations() {
        history::compare(&cluster, &rooms, &checker).await;
        checker.wait_until_all_heard(rounds::RECOVERY_MAX).await;
    }
    followers.stop().await;
    if let Err(error) = result {
        checker.violation(format!("the run ended early: {error}"));
    }
    cluster.stop(&checker);
    checker.print(begin.elapsed());
    let is_good = !checker.has_violations();
    if !is_good || options.keep {
        println!("the logs are in {}", cluster.keep().display());
    }
    println!(
        "{}: chaos for {} s, seed {seed}",
        if is_good { "ok" } else { "FAILED" },
        options.seconds
    );
    Ok(is_good)
}
