//! Health and readiness.

use reqwest::StatusCode;
use tokio::time::timeout;

use crate::harness::{TEST_TIMEOUT, TestServer, run_health_check};

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
