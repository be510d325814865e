//! The recipes of docs/operating.md for several nodes, word by word but for names, ports and files.
//!
//! # Not here
//! nginx in front of several nodes, and the flags of the unit: `server/examples/chaos` uses both.

use std::path::Path;
use std::process::{Command, Output};

use protocol::Message;

use crate::{recipe, unique_loopback_address};

/// The server under test.
const WEBCHAT: &str = env!("CARGO_BIN_EXE_webchat");

/// Runs a command to its end, which must be good. Returns its output.
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {why}");
    output
}

pub fn systemd_reads_the_unit_without_a_complaint() {
    let dir = tempfile::tempdir().unwrap();
    let unit = recipe::read("ini", "[Unit]\nDescription=webchat on port").unwrap();
    let changes = [("/usr/local/bin/webchat", WEBCHAT.to_owned())];
    let file = dir.path().join("webchat@.service");
    std::fs::write(&file, recipe::adapt(unit, &changes).unwrap()).unwrap();
    let mut verify = Command::new("systemd-analyze");
    let output = run(verify.arg("verify").arg("--man=no").arg(file));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

pub fn compose_file_is_valid_and_names_existing_variables() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = recipe::read("yaml", "services:\n").unwrap();
    let file = dir.path().join("compose.yaml");
    std::fs::write(&file, &recipe).unwrap();
    let mut compose = Command::new("docker-compose");
    compose.env("POSTGRES_PASSWORD", "secret").current_dir(&dir);
    run(compose.arg("--file").arg(file).args(["config", "--quiet"]));

    let help = run(Command::new(WEBCHAT).arg("--help")).stdout;
    let help = String::from_utf8(help).unwrap();
    let keys = recipe
        .lines()
        .filter_map(|line| line.trim().split_once(": "));
    let variables: Vec<_> = keys
        .filter(|(key, _)| key.starts_with("WEBCHAT_"))
        .collect();
    assert!(!variables.is_empty());
    for (variable, _) in variables {
        let is_shown = |end| help.contains(&format!("[env: {variable}{end}"));
        assert!(is_shown("=") || is_shown("]"), "{variable}");
    }
}

pub fn session_with_two_nodes_works_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let host = unique_loopback_address(7);
    let recipe = recipe::read("sh", "URL=postgres://webchat:PASSWORD@localhost").unwrap();
    let changes = [
        (
            "URL=postgres://webchat:PASSWORD@localhost/webchat",
            "URL=$WEBCHAT_TEST_DATABASE".to_owned(),
        ),
        ("webchat --listen", format!("{WEBCHAT} --listen")),
        ("127.0.0.1", host.to_string()),
    ];
    let script = dir.path().join("session.sh");
    std::fs::write(&script, recipe::adapt(recipe, &changes).unwrap()).unwrap();
    let with_postgres = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/with_postgres.sh");
    let mut session = Command::new(with_postgres);
    let output = run(session.arg("bash").arg(&script).current_dir(&dir));

    let output = String::from_utf8(output.stdout).unwrap();
    let (answers, heard) = output.split_at(output.find("retry: ").unwrap());
    let posted = parse_messages(&answers.replace("}{", "}\n{"), "{");
    assert_eq!(posted.len(), 3, "{output}");
    assert_eq!(posted[0], posted[1]);
    assert_eq!((posted[0].id, posted[2].id), (1, 2));
    assert_eq!(parse_messages(heard, "data: {"), posted[1..]);
}

/// Runs two nodes behind PgBouncer, as in the recipe but for these changes. Returns what they print.
fn run_behind_pgbouncer(test: u8, ini: &[(&str, String)], commands: &[(&str, String)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let host = unique_loopback_address(test);
    let file = |name: &str| dir.path().join(name);
    let recipe = recipe::read("ini", "[databases]\nwebchat = ").unwrap();
    let users = file("userlist.txt");
    let changes = [
        (
            "port=5432 dbname=webchat",
            "port=@PORT@ dbname=postgres".to_owned(),
        ),
        ("listen_addr = 127.0.0.1", format!("listen_addr = {host}")),
        ("/etc/pgbouncer/userlist.txt", users.display().to_string()),
        (
            "[pgbouncer]\n",
            "[pgbouncer]\nunix_socket_dir =\n".to_owned(),
        ),
    ];
    let recipe = recipe::adapt(recipe, &changes).unwrap();
    std::fs::write(file("pgbouncer.ini"), recipe::adapt(recipe, ini).unwrap()).unwrap();
    std::fs::write(users, "\"webchat\" \"PASSWORD\"\n").unwrap();
    let recipe = recipe::read("sh", "psql -c \"alter role webchat set lock_timeout").unwrap();
    let recipe = recipe::adapt(recipe, commands).unwrap();
    let changes = [
        ("psql ", "psql \"$WEBCHAT_TEST_DATABASE\" ".to_owned()),
        (
            "webchat --database ",
            "exec \"$WEBCHAT\" $NODE --database ".to_owned(),
        ),
        ("127.0.0.1:6432", format!("{host}:6432")),
    ];
    let recipe = recipe::adapt(recipe, &changes).unwrap();
    let direct = "postgres://webchat:PASSWORD@127.0.0.1:5432/webchat";
    let recipe = recipe.replace(direct, "\"$WEBCHAT_TEST_DATABASE\"");
    std::fs::write(file("recipe.sh"), recipe).unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = tests.join("tests/external/pgbouncer.sh");
    let mut nodes = Command::new(tests.join("../tools/with_postgres.sh"));
    nodes.arg("bash").arg(script).arg(dir.path());
    let output = run(nodes.arg(host.to_string()).arg(WEBCHAT)).stdout;
    String::from_utf8(output).unwrap()
}

/// Checks that the nodes have worked, and whether they have heard notifications.
fn check_nodes(output: &str, hears_rings: bool) {
    let heard = parse_messages(output, "data: {");
    let bodies: Vec<_> = heard.iter().map(|message| message.body()).collect();
    assert_eq!(bodies, ["one", "two", "three"], "{output}");
    let count = |line: &str| output.lines().filter(|other| *other == line).count();
    assert_eq!(count("webchat_nodes 2"), 2, "{output}");
    assert_eq!(
        (count("webchat_leader 1"), count("webchat_leader 0")),
        (1, 1),
        "{output}"
    );
    let expected = if hears_rings { 2 } else { 0 };
    assert_eq!(count("webchat_hears_rings 1"), expected, "{output}");
    assert_eq!(
        output.contains("no notification of the database arrives"),
        !hears_rings
    );
    assert_eq!(count("transactions with snapshots: 2|0|0"), 1, "{output}");
    assert!(!output.contains("ERROR"), "{output}");
}

/// What a recipe has only for the mode that gives connections for a transaction.
fn for_transactions() -> [(&'static str, String); 1] {
    let block = recipe::read("ini", "pool_mode = transaction").unwrap();
    [("pool_mode = session\n", block)]
}

/// The recipe without the address of the database itself.
const WITHOUT_DIRECT: [(&str, String); 1] = [(
    " --database-direct postgres://webchat:PASSWORD@127.0.0.1:5432/webchat",
    String::new(),
)];

pub fn nodes_work_behind_pgbouncer_that_gives_connections_for_a_session() {
    check_nodes(&run_behind_pgbouncer(8, &[], &[]), true);
    check_nodes(&run_behind_pgbouncer(8, &[], &WITHOUT_DIRECT), true);
}

pub fn nodes_behind_pgbouncer_that_gives_connections_for_a_transaction_work_or_are_refused() {
    let version = run(Command::new("pgbouncer").arg("--version")).stdout;
    let version = String::from_utf8(version).unwrap();
    let version = version.trim_start_matches("PgBouncer 1.");
    let minor: u32 = version.split('.').next().unwrap().parse().unwrap();
    let mut mode = "pool_mode = transaction".to_owned();
    if minor >= 21 {
        mode += "\nmax_prepared_statements = 0";
        let output = run_behind_pgbouncer(9, &for_transactions(), &[]);
        check_nodes(&output, true);
        let output = run_behind_pgbouncer(9, &for_transactions(), &WITHOUT_DIRECT);
        check_nodes(&output, false);
    }
    let shares_statements = [("pool_mode = session", mode)];
    let output = run_behind_pgbouncer(9, &shares_statements, &[]);
    assert!(output.contains("node 1 has ended"), "{output}");
    assert!(output.contains("PgBouncer 1.21 or newer"), "{output}");
}

/// The messages in the lines that begin like this.
fn parse_messages(text: &str, begin: &str) -> Vec<Message> {
    let lines = text.lines().filter(|line| line.starts_with(begin));
    let messages = lines.filter_map(|line| serde_json::from_str(&line[begin.len() - 1..]).ok());
    messages.collect()
}

/// Says that the programs of `PostgreSQL`, which are not in the path, are missing.
pub fn find_missing_postgres() -> Option<String> {
    let is_found = Path::new("/usr/lib/postgresql").exists()
        || crate::find_missing_program("initdb").is_none();
    (!is_found).then(|| "postgresql is not installed (make test installs it)".to_owned())
}
