//! Secrets in flags, variables and files.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{LogReader, ServerProcess};

const WEAK: &str = "0123456789abcdef";
const STRONG: &str = "0123456789abcdef0123456789abcdef";

/// Starts a server with these variables. Returns the lines of its log up to the address.
fn start(data_dir: &Path, variables: &[(&str, &str)], flags: &[&str]) -> (ServerProcess, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webchat"));
    command
        .envs(variables.iter().copied())
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir)
        .args(flags);
    let process = ServerProcess::start_command(command, LogReader::Reads);
    let log = process.read_log_until("listening on");
    (process, log)
}

#[test]
fn weak_or_visible_secret_is_logged_at_each_start() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (_, log) = start(dir.path(), &[("JWT_KEY", WEAK)], &[]);
        assert!(
            log.contains("openssl rand -hex 32") && !log.contains(WEAK),
            "{log}"
        );
        assert!(!log.contains("list of processes"), "{log}");
        let (_, log) = start(dir.path(), &[], &["--jwt-key", STRONG]);
        assert!(
            log.contains("--jwt-key is in the list of processes"),
            "{log}"
        );
        assert!(!log.contains("openssl") && !log.contains(STRONG), "{log}");
        let (_, log) = start(dir.path(), &[("JWT_KEY", STRONG)], &[]);
        assert!(!log.contains("WARN"), "{log}");
    }
}

#[tokio::test]
async fn secret_is_given_once_by_variable_or_by_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("key");
    std::fs::write(&file, format!("{STRONG}\n")).unwrap();
    let path = file.to_str().unwrap();
    let data = dir.path().join("data");
    let http = reqwest::Client::new();
    let (server, _) = start(&data, &[("JWT_KEY_FILE", path)], &[]);
    let account = json!({"name": "Ada", "username": "ada", "password": "secret"});
    let answer = http
        .post(format!("{}/register", server.url))
        .json(&account)
        .send()
        .await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    let token = answer["content"]["token"].as_str().unwrap();
    drop(server);
    let (server, _) = start(&data, &[("JWT_KEY", STRONG)], &[]);
    let users = http
        .get(format!("{}/users", server.url))
        .bearer_auth(token)
        .send()
        .await;
    assert_eq!(users.unwrap().status(), 200, "the key is the same");
    let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .envs([("JWT_KEY", STRONG), ("JWT_KEY_FILE", path)])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), text.lines().count()),
        (Some(2), 1),
        "{text}"
    );
    assert!(
        text.contains("JWT_KEY_FILE") && !text.contains(STRONG),
        "{text}"
    );
}
