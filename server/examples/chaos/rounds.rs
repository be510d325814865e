//! The rounds: first each node restarts by the recipe, without a fault; then, in each round, one fault or
//! two at the same time, after which all followers have to be complete.

use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::SmallRng;
use tokio::time::sleep;

use crate::Failure;
use crate::checker::Checker;
use crate::cluster::Cluster;
use crate::deck::Deck;
use crate::faults::{Fault, Kind};

/// After how long followers must be complete once a fault has ended.
pub const RECOVERY_MAX: Duration = Duration::from_secs(10);

/// After how long the other nodes know the last commit of one that was killed, so that it is not missed
/// when a standby takes over. Until then they cannot know that nothing is lost.
const LAST_COMMIT_KNOWN: Duration = Duration::from_secs(9);

/// How long clients connect before the first restart.
const WARM_UP: Duration = Duration::from_secs(9);

/// Runs until no more faults begin, or something is wrong.
pub async fn run(
    cluster: &mut Cluster,
    checker: &Checker,
    kinds: &[Kind],
    span: Duration,
    random: &mut SmallRng,
) -> Result<(), Failure> {
    let end = Instant::now() + span;
    let kinds = if kinds.is_empty() {
        Kind::ALL.to_vec()
    } else {
        kinds.to_vec()
    };
    let mut deck = Deck::new(kinds.clone());
    sleep(WARM_UP).await;
    restart_in_turn(cluster, checker).await?;
    // A short run, too, has each kind of fault.
    let has_all = || {
        kinds
            .iter()
            .all(|kind| checker.fault_count(&kind.name()) > 0)
    };
    let mut is_known = Instant::now();
    while !checker.has_violations() && (Instant::now() < end || !has_all()) {
        let faults = draw(&mut deck, random);
        if faults.iter().any(|fault| fault.kind == Kind::FailOver) {
            tokio::time::sleep_until(is_known.into()).await;
        }
        run_round(cluster, checker, &faults, random).await?;
        cluster.check_nodes(checker);
        if faults.iter().any(|fault| fault.kind.is_of_node()) {
            is_known = Instant::now() + LAST_COMMIT_KNOWN;
        }
        sleep(Duration::from_millis(random.random_range(0..2_000))).await;
    }
    Ok(())
}

/// Restarts each node by the recipe. No request may fail.
async fn restart_in_turn(cluster: &mut Cluster, checker: &Checker) -> Result<(), Failure> {
    checker.set_calm(true);
    for node in 0..cluster.nodes.len() {
        let port = cluster.nodes[node].port;
        checker.fault(
            "restart by the recipe",
            &format!("node {port} restarts by the recipe"),
        );
        cluster.drain(node).await?;
        checker.wait_until_all_heard(RECOVERY_MAX).await;
    }
    checker.set_calm(false);
    Ok(())
}

/// One fault, or a fault of the database and one of a node at the same time. That of a node is last: a
/// node may need the database to start.
fn draw(deck: &mut Deck<Kind>, random: &mut SmallRng) -> Vec<Fault> {
    let mut kinds: Vec<Kind> = deck.draw(random).into_iter().collect();
    if random.random_bool(0.4)
        && let Some(second) = deck.draw(random)
    {
        let has_failover = second == Kind::FailOver || kinds[0] == Kind::FailOver;
        if has_failover || second.is_of_node() == kinds[0].is_of_node() {
            deck.put_back(second);
        } else {
            kinds.push(second);
            kinds.sort_by_key(|kind| kind.is_of_node());
        }
    }
    kinds
        .into_iter()
        .map(|kind| Fault::new(kind, random))
        .collect()
}

async fn run_round(
    cluster: &mut Cluster,
    checker: &Checker,
    faults: &[Fault],
    random: &mut SmallRng,
) -> Result<(), Failure> {
    for fault in faults {
        checker.fault(&fault.kind.name(), &fault.text());
        fault.begin(cluster).await?;
        sleep(Duration::from_millis(random.random_range(0..1_500))).await;
    }
    for fault in faults {
        sleep(fault.span).await;
        fault.end(cluster).await?;
    }
    let ended = Instant::now();
    sleep(Duration::from_millis(random.random_range(0..500))).await;
    checker.set_quiet(true);
    let patience = RECOVERY_MAX.saturating_sub(ended.elapsed());
    checker.wait_until_all_heard(patience).await;
    checker.set_quiet(false);
    for fault in faults {
        fault.clear(cluster)?;
    }
    Ok(())
}
