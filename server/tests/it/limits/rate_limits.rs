//! Rate limits: by user, by address and by room.

use futures_util::future::join_all;
use protocol::Problem;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::harness::{TestServer, TestUser, expect_envelope, expect_problem};

#[tokio::test]
async fn flood_of_room_creations_is_refused_with_retry_after() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.visitor("ada");
    let mut refused = None;
    for _ in 0..1_000 {
        let response = ada.post_json("/rooms/", json!({})).await;
        if response.status() != StatusCode::CREATED {
            refused = Some(response);
            break;
        }
    }
    let refused = refused.expect("no limit within a thousand rooms");
    assert!(
        refused.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    expect_problem(refused, 429).await;
}

/// The same user, from another address as a proxy reports it.
fn from(user: &TestUser, address: usize) -> TestUser {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert(
        "x-forwarded-for",
        format!("192.0.2.{address}").parse().unwrap(),
    );
    let http = reqwest::Client::builder()
        .default_headers(headers)
        .build()
        .unwrap();
    TestUser {
        http,
        ..user.clone()
    }
}

/// A server with rate limits that trusts the addresses that a proxy reports.
async fn behind_a_proxy() -> TestServer {
    TestServer::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await
}

/// Repeats an action, sixteen at a time, until it is refused. One at a time, the limit could refill
/// as fast as it is used. Returns how often the action was done, and the refusal.
async fn flood(act: impl AsyncFn(usize) -> Response) -> (usize, Problem) {
    let mut done = 0;
    while done < 20_000 {
        let responses = join_all((0..16).map(|n| act(done + n))).await;
        let mut refused = None;
        for response in responses {
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let wait: u64 = response.headers()["retry-after"]
                    .to_str()
                    .unwrap()
                    .parse()
                    .unwrap();
                let problem = expect_problem(response, 429).await;
                assert_eq!((problem.retry_after, wait >= 1), (Some(wait), true));
                refused = Some(problem);
            } else {
                assert!(response.status().is_success(), "{}", response.status());
                done += 1;
            }
        }
        if let Some(refused) = refused {
            return (done, refused);
        }
    }
    panic!("no limit");
}

#[tokio::test]
async fn user_is_rate_limited_across_addresses() {
    let server = behind_a_proxy().await;
    let ada = server.guest("ada").await;
    let grace = server.account("grace").await;
    let rooms = [ada.create_room().await, ada.create_room().await];
    let everywhere: Vec<TestUser> = (1..=50).map(|n| from(&ada, n)).collect();
    let (said, _) =
        flood(async |n| everywhere[n % 50].try_post(&rooms[n % 2], "hello").await).await;
    assert!(said >= 200, "{said}");
    // Edits and deletions count as writes.
    for method in [Method::PATCH, Method::DELETE] {
        let change = async |n: usize| {
            // A different message each time, since a deleted one is gone.
            let path = format!("/rooms/{}/messages/{}/", rooms[0], n + 1);
            let request = everywhere[n % 50].request(method.clone(), &path);
            request
                .json(&json!({"body": "edited"}))
                .send()
                .await
                .unwrap()
        };
        let (changed, _) = flood(change).await;
        assert!(changed < 200, "{changed}");
    }
    from(&grace, 1).post(&rooms[0], "and I go on").await;
    let (created, _) =
        flood(async |n| everywhere[n % 50].post_json("/rooms/", json!({})).await).await;
    assert!((40..100).contains(&created), "{created}");
    let typing = format!("/rooms/{}/typing/", rooms[0]);
    flood(async |n| {
        everywhere[n % 50]
            .post_json(&typing, json!({"username": "ada"}))
            .await
    })
    .await;
}

#[tokio::test]
async fn address_is_rate_limited_across_users() {
    let server = behind_a_proxy().await;
    let ada = server.visitor("ada");
    let mut people = Vec::new();
    for n in 0..8 {
        people.push((
            from(&server.guest(&format!("guest {n}")).await, 1),
            ada.create_room().await,
        ));
    }
    let say = async |n: usize| people[n % 8].0.try_post(&people[n % 8].1, "hello").await;
    let (said, refused) = flood(say).await;
    assert!(said >= 500, "{said}");
    assert!(
        refused.detail.starts_with("Too many requests"),
        "{}",
        refused.detail
    );
    from(&ada, 2).post(&people[0].1, "and I go on").await;
}

#[tokio::test]
async fn room_is_rate_limited_across_writers() {
    let server = behind_a_proxy().await;
    let ada = server.visitor("ada");
    let flooded = ada.create_room().await;
    let other = ada.create_room().await;
    let everybody: Vec<TestUser> = (1..=200).map(|n| from(&ada, n)).collect();
    let (said, refused) =
        flood(async |n| everybody[n % 200].try_post(&flooded, "hello").await).await;
    assert!(said >= 1_000, "{said}");
    assert!(
        refused
            .detail
            .starts_with("This room receives too many messages"),
        "{}",
        refused.detail
    );
    everybody[0].post(&other, "elsewhere it is quiet").await;
}

#[tokio::test]
async fn named_rooms_count_against_the_room_creation_limit() {
    let server = TestServer::with(&[], |_| {}).await;
    let ada = server.visitor("ada");
    let named = async |n: usize| {
        ada.get(&format!("/chat?room=tea{n}"), "application/json")
            .await
    };
    flood(named).await;
    assert_eq!(named(0).await.status(), 200, "the room exists already");
}

#[tokio::test]
async fn address_that_floods_right_passwords_is_refused_and_another_signs_in() {
    let server = behind_a_proxy().await;
    let flooder = from(&server.visitor("flooder"), 1);
    let mut accounts = Vec::new();
    for n in 0..8 {
        let username = format!("account{n}");
        let wish = json!({"name": "Ada", "username": username, "password": "secret"});
        let registered = flooder.post_json("/register", wish).await;
        assert_eq!(registered.status(), StatusCode::OK);
        accounts.push(json!({"username": username, "password": "secret"}));
    }
    let mut signed_in = 0;
    let refused = loop {
        let sign_in = |n: usize| flooder.post_json("/login", accounts[n % 8].clone());
        let mut responses = join_all((0..16).map(sign_in)).await.into_iter();
        if let Some(refused) = responses.find(|response| response.status() != StatusCode::OK) {
            break refused;
        }
        signed_in += 16;
        assert!(signed_in < 1_000, "no limit");
    };
    assert!(signed_in >= 50, "{signed_in}");
    assert!(refused.headers().contains_key("retry-after"));
    expect_envelope(refused, 429).await;
    // Every other route that computes passwords counts, too. Eight attempts do not yet have to wait
    // for the sake of the account.
    let taken = json!({"name": "Ada", "username": "account0", "password": "secret"});
    let change = json!({"old": "secret", "new": "secret2"});
    let deletion = json!({"password": "secret"});
    for (path, input) in [
        ("/register", taken),
        ("/profile/password/", change),
        ("/profile/delete/", deletion),
    ] {
        let grace = from(&server.account(&format!("grace{}", path.len())).await, 1);
        let responses = join_all((0..8).map(|_| grace.post_json(path, input.clone()))).await;
        let refused = responses.iter().filter(|response| response.status() == 429);
        assert!(refused.count() > 0, "{path}");
    }
    let other = from(&flooder, 2);
    let response = other.post_json("/login", accounts[0].clone()).await;
    expect_envelope(response, 200).await;
    let wish = json!({"name": "Ada", "username": "ada", "password": "secret"});
    expect_envelope(other.post_json("/register", wish).await, 200).await;
}
