//! Tests that need programs which a machine may lack: proxies, a certificate authority, an
//! attacker, Playwright.
//!
//! # Guarantees
//! - A test whose program is missing is ignored, and the run names it and the program at its end.
//! - Under `WEBCHAT_TESTS_REQUIRE_ALL=1`, as `make test` sets it, such a test fails instead.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and the run prints what it left out"
)]

mod acme;
mod guarantees;
#[expect(
    dead_code,
    unused_imports,
    reason = "the other tests use the rest of the harness"
)]
#[path = "../harness/mod.rs"]
mod harness;
mod node_recipes;
mod proxies;
mod recipe;
mod slow_clients;
mod uploads;

use std::env;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// A test, and what it needs of the machine.
#[derive(Clone, Copy)]
struct ExternalTest {
    name: &'static str,
    /// What is missing, if anything is.
    find_missing: fn() -> Option<String>,
    run: fn(),
}

const TESTS: [ExternalTest; 17] = [
    ExternalTest {
        name: "guarantees::every_guarantee_names_rust_tests_that_run",
        find_missing: guarantees::find_missing_test_binaries,
        run: guarantees::every_guarantee_names_rust_tests_that_run,
    },
    ExternalTest {
        name: "guarantees::every_guarantee_names_browser_tests_that_run",
        find_missing: guarantees::find_missing_playwright,
        run: guarantees::every_guarantee_names_browser_tests_that_run,
    },
    ExternalTest {
        name: "proxies::nginx_recipe_changes_nothing_for_clients",
        find_missing: || find_missing_program("nginx"),
        run: || block_on(proxies::nginx_recipe_changes_nothing_for_clients()),
    },
    ExternalTest {
        name: "proxies::caddy_recipe_changes_nothing_for_clients",
        find_missing: || find_missing_program("caddy"),
        run: || block_on(proxies::caddy_recipe_changes_nothing_for_clients()),
    },
    ExternalTest {
        name: "node_recipes::systemd_reads_the_unit_without_a_complaint",
        find_missing: || find_missing_program("systemd-analyze"),
        run: node_recipes::systemd_reads_the_unit_without_a_complaint,
    },
    ExternalTest {
        name: "node_recipes::compose_file_is_valid_and_names_existing_variables",
        find_missing: || find_missing_program("docker-compose"),
        run: node_recipes::compose_file_is_valid_and_names_existing_variables,
    },
    ExternalTest {
        name: "node_recipes::session_with_two_nodes_works_line_by_line",
        find_missing: || find_missing_program("curl").or_else(node_recipes::find_missing_postgres),
        run: node_recipes::session_with_two_nodes_works_line_by_line,
    },
    ExternalTest {
        name: "node_recipes::nodes_work_behind_pgbouncer_that_gives_connections_for_a_session",
        find_missing: || find_missing_program("pgbouncer").or_else(node_recipes::find_missing_postgres),
        run: node_recipes::nodes_work_behind_pgbouncer_that_gives_connections_for_a_session,
    },
    ExternalTest {
        name: "node_recipes::nodes_behind_pgbouncer_that_gives_connections_for_a_transaction_work_or_are_refused",
        find_missing: || find_missing_program("pgbouncer").or_else(node_recipes::find_missing_postgres),
        run: node_recipes::nodes_behind_pgbouncer_that_gives_connections_for_a_transaction_work_or_are_refused,
    },
    ExternalTest {
        name: "acme::acme_certificate_is_obtained_and_reused_after_a_restart",
        find_missing: || find_missing_program("pebble"),
        run: || block_on(acme::acme_certificate_is_obtained_and_reused_after_a_restart()),
    },
    ExternalTest {
        name: "acme::acme_certificate_is_renewed_before_it_expires",
        find_missing: || find_missing_program("pebble"),
        run: || block_on(acme::acme_certificate_is_renewed_before_it_expires()),
    },
    ExternalTest {
        name: "acme::unreadable_stored_certificate_is_replaced",
        find_missing: || find_missing_program("pebble"),
        run: || block_on(acme::unreadable_stored_certificate_is_replaced()),
    },
    ExternalTest {
        name: "slow_clients::slow_request_heads_are_cut_off",
        find_missing: || find_missing_program("slowhttptest"),
        run: || block_on(slow_clients::slow_request_heads_are_cut_off()),
    },
    ExternalTest {
        name: "slow_clients::slow_request_bodies_are_cut_off",
        find_missing: || find_missing_program("slowhttptest"),
        run: || block_on(slow_clients::slow_request_bodies_are_cut_off()),
    },
    ExternalTest {
        name: "slow_clients::slow_response_readers_are_cut_off",
        find_missing: || find_missing_program("slowhttptest"),
        run: || block_on(slow_clients::slow_response_readers_are_cut_off()),
    },
    ExternalTest {
        name: "uploads::upload_survives_kills_of_server_and_client",
        find_missing: uploads::find_missing_client,
        run: || block_on(uploads::upload_survives_kills_of_server_and_client()),
    },
    ExternalTest {
        name: "uploads::every_way_of_the_client_works",
        find_missing: uploads::find_missing_client,
        run: || block_on(uploads::every_way_of_the_client_works()),
    },
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let require_all = env::var_os("WEBCHAT_TESTS_REQUIRE_ALL").is_some_and(|value| value == "1");
    let mut trials = Vec::new();
    let mut left_out = Vec::new();
    for test in TESTS {
        let missing = (test.find_missing)().filter(|_| !require_all);
        trials.push(trial(test).with_ignored_flag(missing.is_some()));
        left_out.extend(missing.map(|missing| format!("  {}: {missing}", test.name)));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list && !arguments.include_ignored && !left_out.is_empty() {
        println!(
            "Not run, because something is missing:\n{}\n",
            left_out.join("\n")
        );
    }
    conclusion.exit_code()
}

fn trial(test: ExternalTest) -> Trial {
    Trial::test(test.name, move || {
        if let Some(missing) = (test.find_missing)() {
            return Err(missing.into());
        }
        (test.run)();
        Ok(())
    })
}

/// Says that a program is not in `PATH`, if it is not.
fn find_missing_program(program: &str) -> Option<String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).any(|folder| folder.join(program).is_file());
    (!found).then(|| format!("{program} is not installed (make test installs it)"))
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// A loopback address that only this test of this process uses, so that its ports are free.
fn unique_loopback_address(test: u8) -> Ipv4Addr {
    let [.., a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 1 + (a & 15) * 8 + test, b, c)
}
