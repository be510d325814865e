//! Clients that guess the IDs of rooms.

use futures_util::future::join_all;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::harness::{ServerProcess, TestUser, expect_problem};

const GUESSER: &str = "192.0.2.1";
const POLLER: &str = "192.0.2.2";
const OVERVIEW_GUESSER: &str = "192.0.2.3";

/// Clients at addresses that a trusted proxy reports.
struct Clients {
    http: Client,
    url: String,
}

impl Clients {
    fn new(process: &ServerProcess) -> Self {
        let redirect = reqwest::redirect::Policy::none();
        Self {
            http: Client::builder().redirect(redirect).build().unwrap(),
            url: process.url.clone(),
        }
    }

    async fn request(&self, address: &str, method: &str, path: &str) -> Response {
        let url = format!("{}{path}", self.url);
        let request = self.http.request(method.parse().unwrap(), url);
        let request = request
            .header("x-forwarded-for", address)
            .header("accept", "application/json")
            .json(&json!({"username": "eve", "body": "hello"}));
        request.send().await.unwrap()
    }

    async fn get(&self, address: &str, path: &str) -> Response {
        self.request(address, "GET", path).await
    }

    async fn guest(&self) -> TestUser {
        let ada = TestUser::new("ada", &self.url, self.http.clone());
        let response = ada.post_json("/guests/", json!({})).await;
        let key: Value = response.json().await.unwrap();
        TestUser {
            token: Some(key["token"].as_str().unwrap().to_owned()),
            ..ada
        }
    }
}

#[tokio::test]
async fn client_that_guesses_room_ids_is_refused_and_others_are_not() {
    let data = tempfile::tempdir().unwrap();
    let flags = ["--rate-limit", "on", "--trusted-proxies", "127.0.0.1"];
    let process = ServerProcess::start(data.path(), &flags);
    let clients = Clients::new(&process);
    let room = process.create_room().await;
    let ada = clients.guest().await;
    poll_deleted_room(&clients, &ada).await;
    guess_until_refused(&clients).await;
    let line = process.wait_for_log("guesses room IDs");
    assert!(
        line.contains("WARN") && line.contains(GUESSER) && line.contains("refused"),
        "{line}"
    );
    check_refusals(&clients, &room).await;
    guess_by_overview(&clients, &room).await;
    guess_until_refused(&clients).await;
    check_visited_rooms(&clients, &ada).await;
    let response = clients.get(POLLER, &format!("/rooms/{room}/")).await;
    assert_eq!(response.status(), 200);
}

/// Polling a deleted room is not guessing.
async fn poll_deleted_room(clients: &Clients, ada: &TestUser) {
    let path = format!("/rooms/{}/", ada.create_room().await);
    let response = ada.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(response.status(), 202);
    for _ in 0..600 {
        assert_eq!(clients.get(POLLER, &path).await.status(), 410);
    }
}

/// A comma-separated list of `count` IDs of no room, from `first`.
fn room_ids(first: u64, count: u64) -> String {
    let ids: Vec<String> = (first..first + count)
        .map(|id| format!("{id:016x}"))
        .collect();
    ids.join(",")
}

/// Guesses until the next four seconds of requests are refused. The limit refills a little each
/// second, and a request for many rooms needs as much as it asks for.
async fn guess_until_refused(clients: &Clients) {
    for n in 0_u64.. {
        let one = format!("/rooms/{n:016x}/");
        let many = format!("/stream?rooms={}", room_ids(n * 32 + 1, 32));
        let responses = join_all([clients.get(GUESSER, &one), clients.get(GUESSER, &many)]).await;
        if responses.iter().any(is_refused_for_long) {
            break;
        }
        assert!(n < 500, "no limit for guesses");
    }
}

fn is_refused_for_long(response: &Response) -> bool {
    let wait = response.headers().get("retry-after");
    wait.is_some_and(|wait| wait.to_str().unwrap().parse::<u32>().unwrap() >= 4)
}

/// A refusal does not reveal whether the room exists.
async fn check_refusals(clients: &Clients, room: &str) {
    for (method, path) in [
        ("GET", format!("/rooms/{room}/")),
        ("GET", format!("/rooms/{room}/messages/")),
        ("POST", format!("/rooms/{room}/messages/")),
        ("GET", format!("/rooms/{room}/socket")),
        ("GET", format!("/rooms/{room}/transcript.txt")),
        ("GET", format!("/stream?rooms={room}")),
    ] {
        guess_until_refused(clients).await;
        let response = clients.request(GUESSER, method, &path).await;
        assert!(response.headers().contains_key("retry-after"), "{path}");
        expect_problem(response, 429).await;
    }
    guess_until_refused(clients).await;
    for (address, rooms) in [(GUESSER, 0), (POLLER, 1)] {
        let path = format!("/overview/?also={room}");
        let overview: Value = clients.get(address, &path).await.json().await.unwrap();
        let listed = overview["rooms"].as_array().unwrap();
        assert_eq!(listed.len(), rooms, "{address}");
    }
}

/// Guesses by the overview count too.
async fn guess_by_overview(clients: &Clients, room: &str) {
    let room = format!("/rooms/{room}/");
    for n in 0_u64.. {
        let path = format!("/overview/?also={}", room_ids(n * 16 + 1, 16));
        assert_eq!(clients.get(OVERVIEW_GUESSER, &path).await.status(), 200);
        let response = clients.get(OVERVIEW_GUESSER, &room).await;
        if response.status() == 429 {
            expect_problem(response, 429).await;
            break;
        }
        assert!(n < 500, "no limit for guesses by the overview");
    }
}

/// The list of visited rooms, which the browser remembers, shows a guesser nothing either.
async fn check_visited_rooms(clients: &Clients, ada: &TestUser) {
    let den = ada.create_room_with(json!({"name": "The den"})).await.id;
    for (address, is_found) in [(GUESSER, false), (POLLER, true)] {
        let request = clients
            .http
            .get(&clients.url)
            .header("x-forwarded-for", address)
            .header("accept", "text/html")
            .header("cookie", format!("visits={den}"));
        let page = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(page.contains("The den"), is_found, "{address}");
    }
}
