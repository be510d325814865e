//! Connections without a complete request.

use std::time::Duration;

use tokio::time::timeout;

use crate::harness::{TEST_TIMEOUT, TestServer, read_until_closed, within_virtual_seconds};
use crate::http::{RawConnection, get_request};

#[tokio::test]
async fn connection_without_a_complete_request_is_closed_after_30_s() {
    let server = TestServer::new().await;
    for begin in ["", "GET / HTTP/1.1\r\nhost: test\r\n"] {
        let mut idle = RawConnection::open(&server).await;
        idle.send(begin).await;
        assert_eq!(
            within_virtual_seconds(28, read_until_closed(&mut idle.0)).await,
            None,
            "{begin:?}"
        );
        assert!(
            within_virtual_seconds(7, read_until_closed(&mut idle.0))
                .await
                .is_some(),
            "{begin:?}"
        );
    }
}

#[tokio::test]
async fn http_2_preface_without_tls_is_refused() {
    let server = TestServer::new().await;
    let mut connection = RawConnection::open(&server).await;
    connection
        .send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
        .await;
    assert_eq!(
        timeout(TEST_TIMEOUT, read_until_closed(&mut connection.0)).await,
        Ok(0)
    );
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_connections() {
    let mut server = TestServer::new().await;
    let idle = RawConnection::open(&server).await;
    let mut answered = RawConnection::open(&server).await;
    answered.send(&get_request("/healthz")).await;
    answered.read_until("\r\n\r\nok\n").await;
    timeout(Duration::from_secs(9), server.stop())
        .await
        .expect("the shutdown takes longer")
        .unwrap();
    drop((idle, answered));
}
