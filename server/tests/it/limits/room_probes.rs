//! Clients that guess the IDs of rooms.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ServerProcess, TestUser, expect_problem};

#[tokio::test]
async fn client_that_guesses_room_ids_is_refused_and_others_are_not() {
    let data = tempfile::tempdir().unwrap();
    let process = ServerProcess::start(
        data.path(),
        &["--rate-limit", "on", "--trusted-proxies", "127.0.0.1"],
    );
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let ask = async |from: &str, method: &str, path: &str| {
        let request = http.request(method.parse().unwrap(), format!("{}{path}", process.url));
        let request = request
            .header("x-forwarded-for", from)
            .header("accept", "application/json");
        request
            .json(&json!({"username": "eve", "body": "hello"}))
            .send()
            .await
            .unwrap()
    };
    let room = process.create_room().await;
    // Polling a deleted room is not guessing.
    let guesser = "192.0.2.1";
    let poller = "192.0.2.2";
    let ada = TestUser::new("ada", &process.url, http.clone());
    let key: Value = ada
        .post_json("/guests/", json!({}))
        .await
        .json()
        .await
        .unwrap();
    let ada = TestUser {
        token: Some(key["token"].as_str().unwrap().to_owned()),
        ..ada
    };
    let gone = ada.create_room().await;
    assert_eq!(
        ada.request(Method::DELETE, &format!("/rooms/{gone}/"))
            .send()
            .await
            .unwrap()
            .status(),
        202
    );
    for _ in 0..600 {
        assert_eq!(
            ask(poller, "GET", &format!("/rooms/{gone}/"))
                .await
                .status(),
            410
        );
    }
    let mut refused = 0;
    for n in 0_u64.. {
        let several: Vec<_> = (0..32)
            .map(|m| format!("{:016x}", n * 32 + m + 1))
            .collect();
        let one = format!("/rooms/{n:016x}/");
        let many = format!("/stream?rooms={}", several.join(","));
        let responses = join_all([ask(guesser, "GET", &one), ask(guesser, "GET", &many)]).await;
        refused += responses
            .iter()
            .filter(|response| response.status() == 429)
            .count();
        if refused >= 4 {
            break;
        }
        assert!(n < 50, "no limit for guesses");
    }
    // The limit refills a little each second. A request for many rooms when hardly one is left is
    // refused for several seconds.
    let several: Vec<_> = (1..=32).map(|m| format!("{m:016x}")).collect();
    let many = format!("/stream?rooms={}", several.join(","));
    let wait = "retry-after";
    while ask(guesser, "GET", &many)
        .await
        .headers()
        .get(wait)
        .is_none_or(|wait| wait.to_str().unwrap().parse::<u32>().unwrap() < 4)
    {}
    let line = process.wait_for_log("guesses the IDs of rooms");
    assert!(
        line.contains("WARN") && line.contains(guesser) && line.contains("refused"),
        "{line}"
    );
    // A refusal does not reveal whether the room exists.
    for (method, path) in [
        ("GET", format!("/rooms/{room}/")),
        ("GET", format!("/rooms/{room}/messages/")),
        ("POST", format!("/rooms/{room}/messages/")),
        ("GET", format!("/rooms/{room}/socket")),
        ("GET", format!("/rooms/{room}/transcript.txt")),
        ("GET", format!("/stream?rooms={room}")),
    ] {
        let response = ask(guesser, method, &path).await;
        assert!(response.headers().contains_key("retry-after"), "{path}");
        expect_problem(response, 429).await;
    }
    for (who, rooms) in [(guesser, 0), (poller, 1)] {
        let overview: Value = ask(who, "GET", &format!("/overview/?also={room}"))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(overview["rooms"].as_array().unwrap().len(), rooms, "{who}");
    }
    // Guesses by the overview count too.
    let other = "192.0.2.3";
    for n in 0_u64..40 {
        let several: Vec<_> = (0..16)
            .map(|m| format!("{:016x}", n * 16 + m + 1))
            .collect();
        assert_eq!(
            ask(
                other,
                "GET",
                &format!("/overview/?also={}", several.join(","))
            )
            .await
            .status(),
            200
        );
    }
    expect_problem(ask(other, "GET", &format!("/rooms/{room}/")).await, 429).await;
    // The list of visited rooms, which the browser remembers, does not count.
    let public = ada.create_room_with(json!({"name": "The den"})).await.id;
    for (from, found) in [(guesser, false), (poller, true)] {
        let home = http
            .get(&process.url)
            .header("x-forwarded-for", from)
            .header("accept", "text/html");
        let page = home
            .header("cookie", format!("visits={public}"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(page.contains("The den"), found, "{from}");
    }
    assert_eq!(
        ask(poller, "GET", &format!("/rooms/{room}/"))
            .await
            .status(),
        200
    );
}
