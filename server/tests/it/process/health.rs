//! Health and readiness.

use std::process::Command;

use chat::Chat;
use reqwest::StatusCode;
use server::App;
use server::cli::shutdown::Shutdown;
use server::config::Config;
use server::net::listener::bind;
use tokio::time::timeout;

use crate::harness::{
    ServerProcess, TEST_TIMEOUT, TestServer, config_of, file_in, run_health_check,
};

/// Sets how large a file of the process may be.
fn limit_file_size(process: &ServerProcess, limit: &str) {
    let limited = Command::new("prlimit")
        .args([
            "--pid",
            &process.id().to_string(),
            &format!("--fsize={limit}:"),
        ])
        .status();
    assert!(limited.unwrap().success());
}

#[tokio::test]
async fn readyz_answers_503_while_writes_fail_and_200_when_they_succeed_again() {
    let dir = tempfile::tempdir().unwrap();
    let process = ServerProcess::start(dir.path(), &["--database", &file_in(dir.path())]);
    let room = process.create_room().await;
    assert!(process.is_ready().await);
    for posts in [true, false] {
        // As on a full disk, no file can grow.
        limit_file_size(&process, "512");
        if posts {
            assert!(process.post(&room, "ada", "lost").await.is_none());
        }
        while process.is_ready().await {
            tokio::task::yield_now().await;
        }
        assert!(process.post(&room, "ada", "lost").await.is_none());
        limit_file_size(&process, "unlimited");
        while !process.is_ready().await {
            tokio::task::yield_now().await;
        }
        assert!(process.post(&room, "ada", "kept").await.is_some());
    }
    assert!(
        process
            .history(&room)
            .await
            .iter()
            .all(|message| message.body() == "kept")
    );
}

#[tokio::test]
async fn healthz_and_readyz_answer_200_while_serving() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    assert_eq!(ada.get("/healthz", "*/*").await.status(), StatusCode::OK);
    assert_eq!(ada.get("/readyz", "*/*").await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_command_reports_whether_the_server_is_ready() {
    let mut server = TestServer::new().await;
    let listen = server.url.trim_start_matches("http://").to_owned();
    assert_eq!(run_health_check(&listen), (Some(0), String::new()));
    timeout(TEST_TIMEOUT, server.stop()).await.unwrap().unwrap();
    let (code, log) = run_health_check(&listen);
    assert!(
        code == Some(1) && log.contains("does not answer"),
        "{code:?} {log}"
    );
}

#[tokio::test]
async fn server_drains_and_reports_a_failure_when_a_task_panics_repeatedly() {
    let dir = tempfile::tempdir().unwrap();
    let chat = Chat::open(config_of(dir.path())).await.unwrap();
    let flags = Config::read(["webchat".into()]).unwrap();
    let app = App::new(chat, &flags);
    let supervisor = app.supervisor().clone();
    let bound = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", bound.address);
    let serving = tokio::spawn(app.serve(bound.listener, Shutdown::default()));
    let stream = reqwest::get(format!("{url}/stream?list=on")).await.unwrap();
    supervisor.spawn("broken", || async { panic!("a test asked for it") });
    let failure = timeout(TEST_TIMEOUT, serving).await.unwrap().unwrap();
    assert!(failure.unwrap_err().contains("broken"));
    // The stream has ended in order.
    stream.text().await.unwrap();
}
