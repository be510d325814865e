//! Guesses count on all servers of one database together. Without a database that servers can share
//! there is nothing to test.

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{TestServer, database_of, expect_envelope};

/// Two servers of one database; `None` if the tests are given none.
async fn two_servers() -> Option<[TestServer; 2]> {
    let one = TestServer::with(&[], |config| config.archive = false).await;
    let database = database_of(one.dir.path())?;
    let other = TestServer::with(&[], |config| {
        config.database = Some(database);
        config.archive = false;
    });
    Some([one, other.await])
}

#[tokio::test]
async fn wrong_passwords_on_two_servers_wait_as_on_one() {
    let Some(servers) = two_servers().await else {
        return;
    };
    servers[0].account("ada").await;
    servers[0].account("grace").await;
    let clients = servers.each_ref().map(|server| server.visitor("eve"));
    let sign_in = async |client: usize, username: &str, password: &str| {
        let credentials = json!({"username": username, "password": password});
        clients[client].post_json("/login", credentials).await
    };
    for n in 0..10 {
        let response = sign_in(n % 2, "ada", "wrong").await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }
    // One or two may be late enough. Counted apart, ten would need no wait.
    let responses = join_all((0..16).map(|n| sign_in(n % 2, "ada", "wrong"))).await;
    let (refused, admitted): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == StatusCode::TOO_MANY_REQUESTS);
    assert!(admitted.len() <= 2, "{}", admitted.len());
    for response in refused {
        assert!(response.headers().contains_key("retry-after"));
        expect_envelope(response, 429).await;
    }
    for client in 0..2 {
        let response = sign_in(client, "grace", "secret").await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn right_password_on_one_server_ends_the_waits_of_its_account_on_another() {
    let Some(servers) = two_servers().await else {
        return;
    };
    servers[0].account("ada").await;
    let clients = servers.each_ref().map(|server| server.visitor("ada"));
    let sign_in = async |client: usize, password: &str| {
        let credentials = json!({"username": "ada", "password": password});
        clients[client]
            .post_json("/login", credentials)
            .await
            .status()
    };
    for _ in 0..4 {
        for _ in 0..9 {
            assert_eq!(sign_in(0, "wrong").await, StatusCode::BAD_REQUEST);
        }
        assert_eq!(sign_in(1, "secret").await, StatusCode::OK);
    }
}
