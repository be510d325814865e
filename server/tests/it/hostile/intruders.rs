//! Who tries to be somebody else, or to see what is not theirs: by sessions, tokens, pages of other sites, and guessing.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::house::{House, Listener, Person, problem};
use crate::program::Program;

/// What a browser sends that has this cookie and is on a page of this site.
async fn submit(person: &Person, path: &str, cookie: &str, form: &[(&str, &str)]) -> Response {
    let request = person
        .request(Method::POST, path)
        .header("accept", "text/html")
        .header("cookie", cookie);
    request
        .header("origin", &person.url)
        .form(form)
        .send()
        .await
        .unwrap()
}

/// The cookies that an answer sets, without what is about them.
fn set_cookies(answer: &Response) -> Vec<String> {
    let set = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap());
    set.map(|cookie| cookie.split(';').next().unwrap().to_owned())
        .collect()
}

async fn username(person: &Person, cookie: &str) -> Option<String> {
    let request = person
        .request(Method::GET, "/profile/")
        .header("accept", "application/json");
    let answer: Value = request
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["username"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_session_or_a_key_that_somebody_planted_is_not_who_signs_in() {
    let house = House::new().await;
    let (mallory, key) = (house.member("mallory").await, house.guest("mallory").await);
    let [session, guest] = [&mallory, &key].map(|person| person.token.clone().unwrap());
    let planted = format!("session={session}; guest={guest}");
    let victim = house.person("ada");
    let forms: [(&str, &[(&str, &str)]); 2] = [
        (
            "/register",
            &[("name", "Ada"), ("username", "ada"), ("password", "secret")],
        ),
        ("/login", &[("username", "ada"), ("password", "secret")]),
    ];
    for (path, form) in forms {
        let answer = submit(&victim, path, &planted, form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
        let fresh = set_cookies(&answer)
            .into_iter()
            .find(|cookie| cookie.starts_with("session="))
            .unwrap();
        assert!(!fresh.contains(&session), "{path}");
        assert_eq!(username(&victim, &fresh).await.as_deref(), Some("ada"));
        assert_eq!(
            username(&victim, &format!("session={session}"))
                .await
                .as_deref(),
            Some("mallory")
        );
        assert_eq!(username(&victim, &format!("guest={guest}")).await, None);
    }
    let room = victim.room().await;
    let pretender = Person {
        name: "ada".to_owned(),
        ..key
    };
    problem(pretender.try_post(&room, "I am ada").await, 409).await;
}

#[tokio::test]
async fn neither_a_form_nor_a_script_of_another_site_acts_for_whoever_is_signed_in() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let room = ada.create(json!({"name": "Tea"})).await.id.to_string();
    let said = ada.post(&room, "hello").await.id;
    // Only the cookie says who it is, as in a browser.
    let browser = Person {
        token: None,
        ..ada.clone()
    };
    let cookie = format!("session={}", ada.token.as_deref().unwrap());
    let addresses = [
        ("POST", format!("/rooms/{room}/messages/")),
        ("POST", format!("/rooms/{room}/typing/")),
        ("POST", format!("/rooms/{room}/invitations/")),
        ("POST", format!("/rooms/{room}/sanctions/")),
        ("PATCH", format!("/rooms/{room}/")),
        ("DELETE", format!("/rooms/{room}/")),
        ("DELETE", format!("/rooms/{room}/messages/{said}/")),
        ("POST", "/profile/delete/".to_owned()),
        ("POST", "/profile/password/".to_owned()),
        ("POST", "/login".to_owned()),
        ("POST", "/join?id=ada".to_owned()),
        ("POST", "/send?id=ada&message=hi".to_owned()),
    ];
    for (method, path) in &addresses {
        for kind in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data",
            "application/json",
        ] {
            let request = browser
                .request(method.parse().unwrap(), path)
                .header("cookie", &cookie);
            let request = request
                .header("content-type", kind)
                .header("origin", "https://evil.example");
            let answer = request
                .body("username=ada&body=hi&password=secret&old=secret&new=secret2")
                .send()
                .await
                .unwrap();
            assert_eq!(
                answer.status(),
                StatusCode::FORBIDDEN,
                "{method} {path} {kind}"
            );
        }
        // A script's question whether it may is never answered by yes.
        let request = browser
            .request(Method::OPTIONS, path)
            .header("origin", "https://evil.example");
        let request = request.header("access-control-request-method", *method);
        let answer = request
            .header("access-control-request-headers", "content-type")
            .send()
            .await
            .unwrap();
        assert!(
            !answer
                .headers()
                .keys()
                .any(|name| name.as_str().starts_with("access-control-")),
            "{path}"
        );
    }
    // What only looks changes nothing, wherever the link stood.
    for path in [
        "/logout",
        "/profile/delete/",
        "/profile/sign-out/",
        "/send?id=ada&message=hi",
        "/join?id=ada",
    ] {
        let request = browser
            .request(Method::GET, path)
            .header("cookie", &cookie)
            .header("accept", "application/json");
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{path}"
        );
    }
    assert_eq!(ada.history(&room, "").await.len(), 1);
    assert_eq!(username(&browser, &cookie).await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn no_socket_opens_for_a_page_of_another_site() {
    let house = House::new().await;
    let [ada, _bob] = [house.member("ada").await, house.member("bob").await];
    let room = ada.room().await;
    let cookie = format!("session={}", ada.token.as_deref().unwrap());
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
        "/chats/bob".to_owned(),
    ] {
        for (name, value, fine) in [
            ("origin", house.url.as_str(), true),
            ("origin", "https://evil.example", false),
            ("origin", "null", false),
            ("sec-fetch-site", "cross-site", false),
        ] {
            let mut request = format!("{}{path}", house.url.replace("http", "ws"))
                .into_client_request()
                .unwrap();
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
            request.headers_mut().insert(name, value.parse().unwrap());
            match tokio_tungstenite::connect_async(request).await {
                Ok(_) => assert!(fine, "{path} {value}"),
                Err(Error::Http(answer)) => assert!(
                    !fine && answer.status() == 403,
                    "{path} {value}: {answer:?}"
                ),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn tokens_that_are_not_good_are_nobodys() {
    let (house, elsewhere) = (House::new().await, House::new().await);
    let (ada, theirs) = (house.member("ada").await, elsewhere.member("ada").await);
    let token = ada.token.clone().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let forged = [
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        theirs.token.unwrap(),
        token[..token.len() - 2].to_owned(),
    ];
    let refused = async |token: &str| {
        let with = Person {
            token: Some(token.to_owned()),
            ..ada.clone()
        };
        problem(with.get("/profile/", "application/json").await, 401).await;
        let browser = Person {
            token: None,
            ..ada.clone()
        };
        assert_eq!(username(&browser, &format!("session={token}")).await, None);
    };
    for token in &forged {
        refused(token).await;
    }
    let revoked = house.member("grace").await;
    assert!(
        revoked
            .post_json("/profile/sign-out/", json!({}))
            .await
            .status()
            .is_success()
    );
    refused(&revoked.token.unwrap()).await;
    assert_eq!(
        ada.get("/profile/", "application/json").await.status(),
        StatusCode::OK
    );
    house.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    refused(&token).await;
}

#[tokio::test]
async fn signing_in_takes_as_long_whether_or_not_there_is_such_an_account() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut answers = Vec::new();
    for n in 0..15 {
        for (username, times) in [
            ("ada".to_owned(), &mut known),
            (format!("nobody{n}"), &mut unknown),
        ] {
            let begin = Instant::now();
            let answer = ada
                .post_json(
                    "/login",
                    json!({"username": username, "password": "wrong!"}),
                )
                .await;
            times.push(begin.elapsed());
            answers.push((answer.status(), answer.text().await.unwrap()));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all: {answers:?}");
    let middle = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    };
    // To look at a password takes twenty times as long as everything else.
    let ratio = middle(&mut known) / middle(&mut unknown);
    assert!((0.5..2.0).contains(&ratio), "{known:?} {unknown:?}");
}

#[tokio::test]
async fn whoever_guesses_rooms_is_refused_and_nobody_else_is() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(
        data.path(),
        &["--rate-limit", "on", "--trusted-proxies", "127.0.0.1"],
    );
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let ask = async |from: &str, method: &str, path: &str| {
        let request = http.request(method.parse().unwrap(), format!("{}{path}", program.url));
        let request = request
            .header("x-forwarded-for", from)
            .header("accept", "application/json");
        request
            .json(&json!({"username": "eve", "body": "hello"}))
            .send()
            .await
            .unwrap()
    };
    let room = program.room().await;
    // Who asks again and again for a room that was deleted does not guess.
    let [guesser, poller] = ["192.0.2.1", "192.0.2.2"];
    let ada = Person::new("ada", &program.url, http.clone());
    let key: Value = ada
        .post_json("/guests/", json!({}))
        .await
        .json()
        .await
        .unwrap();
    let ada = Person {
        token: Some(key["token"].as_str().unwrap().to_owned()),
        ..ada
    };
    let gone = ada.room().await;
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
        let (one, many) = (
            format!("/rooms/{n:016x}/"),
            format!("/stream?rooms={}", several.join(",")),
        );
        let answers = join_all([ask(guesser, "GET", &one), ask(guesser, "GET", &many)]).await;
        refused += answers
            .iter()
            .filter(|answer| answer.status() == 429)
            .count();
        if refused >= 4 {
            break;
        }
        assert!(n < 50, "guessing has no end");
    }
    // A little is forgotten by the second. Many at once, when there is hardly room for one, are refused for long enough.
    let several: Vec<_> = (1..=32).map(|m| format!("{m:016x}")).collect();
    let (many, wait) = (
        format!("/stream?rooms={}", several.join(",")),
        "retry-after",
    );
    while ask(guesser, "GET", &many)
        .await
        .headers()
        .get(wait)
        .is_none_or(|wait| wait.to_str().unwrap().parse::<u32>().unwrap() < 4)
    {}
    let line = program.logged("guesses the IDs of rooms");
    assert!(
        line.contains("WARN") && line.contains(guesser) && line.contains("refused"),
        "{line}"
    );
    // A refusal says nothing about whether there is such a room.
    for (method, path) in [
        ("GET", format!("/rooms/{room}/")),
        ("GET", format!("/rooms/{room}/messages/")),
        ("POST", format!("/rooms/{room}/messages/")),
        ("GET", format!("/rooms/{room}/socket")),
        ("GET", format!("/rooms/{room}/transcript.txt")),
        ("GET", format!("/stream?rooms={room}")),
    ] {
        let answer = ask(guesser, method, &path).await;
        assert!(answer.headers().contains_key("retry-after"), "{path}");
        problem(answer, 429).await;
    }
    for (who, rooms) in [(guesser, 0), (poller, 1)] {
        let overview: Value = ask(who, "GET", &format!("/overview/?also={room}"))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(overview["rooms"].as_array().unwrap().len(), rooms, "{who}");
    }
    // So does a guess by that way.
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
    problem(ask(other, "GET", &format!("/rooms/{room}/")).await, 429).await;
    // Neither does the list of rooms visited, which the browser remembers.
    let public = ada.create(json!({"name": "The den"})).await.id;
    for (from, found) in [(guesser, false), (poller, true)] {
        let home = http
            .get(&program.url)
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

#[tokio::test]
async fn a_shared_stream_lets_nobody_hear_another_room() {
    let house = House::new().await;
    let [owner, eve] = [house.guest("owner").await, house.guest("eve").await];
    let (open, den) = (
        owner.room().await,
        owner.create(json!({"private": true})).await.id.to_string(),
    );
    let secret = owner.post(&den, "secret").await.id;
    let mut theirs = owner.follow(&den, "").await;
    let epoch = theirs
        .next()
        .await
        .unwrap()
        .id
        .unwrap()
        .split('.')
        .next()
        .unwrap()
        .to_owned();
    // By asking, by a cursor of another's making, and with the list of public rooms.
    let several = format!("/stream?rooms={open},{den}");
    let cursor = format!(
        "{several}&last_event_id={open}-{epoch}.0_{den}-{epoch}.{}",
        secret - 1
    );
    for path in [several.clone(), format!("{several}&list=on"), cursor] {
        let mut stream = Listener::new(eve.get(&path, "text/event-stream").await);
        owner.post(&den, "secret, too").await;
        owner.post(&open, "for all").await;
        let (mut told, mut removed) = (String::new(), false);
        while !told.contains("for all") {
            let event = stream.next().await.expect("the stream has ended");
            removed |= event.name == "removed" && event.data.contains(&den);
            told.push_str(&event.data);
        }
        assert!(removed && !told.contains("secret"), "{path}: {told}");
        owner
            .request(Method::DELETE, &format!("/rooms/{open}/messages/1/"))
            .send()
            .await
            .unwrap();
    }
    problem(
        eve.get(&format!("/stream?rooms={den}"), "text/event-stream")
            .await,
        404,
    )
    .await;
}
