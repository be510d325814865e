//! Rooms and messages as the API promises them.

use futures_util::future::join_all;
use protocol::{Message, Problem, Room};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, Person, problem};

#[tokio::test]
async fn a_room_is_created_from_json_from_a_form_and_from_nothing() {
    let house = House::new().await;
    let ada = house.person("ada");
    let named = ada
        .create(json!({"name": " Tea ", "public": true, "timeout": "30m"}))
        .await;
    assert_eq!(
        (named.name.as_deref(), named.public, named.message_count),
        (Some("Tea"), true, 0)
    );
    assert_eq!(named.expires_at.since(named.created_at).as_secs(), 1_800);

    let form = ada
        .request(Method::POST, "/rooms/")
        .form(&[("name", "Tea"), ("public", "on")])
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), StatusCode::CREATED);
    let location = form.headers()["location"].to_str().unwrap().to_owned();
    let room: Room = form.json().await.unwrap();
    assert_eq!(
        (location, room.public),
        (format!("/rooms/{}/", room.id), true)
    );

    // Some clients name a type even of nothing.
    let typed = ada
        .request(Method::POST, "/rooms/")
        .header("content-type", "text/plain;charset=UTF-8")
        .body("");
    assert_eq!(typed.send().await.unwrap().status(), StatusCode::CREATED);

    let bare = ada.request(Method::POST, "/rooms/").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::CREATED);
    let bare: Value = bare.json().await.unwrap();
    assert_eq!(
        (&bare["name"], &bare["public"], &bare["message_count"]),
        (&Value::Null, &json!(false), &json!(0))
    );
    let fields: Vec<&String> = bare.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "created_at",
            "expires_at",
            "id",
            "last_active_at",
            "message_count",
            "name",
            "public"
        ]
    );
}

#[tokio::test]
async fn a_browser_is_sent_on_to_its_room() {
    let house = House::new().await;
    let ada = house.person("ada");
    let form = [
        ("name", ""),
        ("public", "on"),
        ("timeout", ""),
        ("username", "ada"),
    ];
    let request = ada
        .request(Method::POST, "/rooms/")
        .header("accept", "text/html,*/*;q=0.8")
        .form(&form);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("name=ada;")
    );
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let form = [("username", "ada"), ("body", "a\r\nb")];
    let request = ada
        .request(Method::POST, &format!("{place}messages/"))
        .header("accept", "text/html")
        .form(&form);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"].to_str().unwrap(), place);
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("name=ada;")
    );
    let room = place
        .trim_matches('/')
        .split('/')
        .next_back()
        .unwrap()
        .to_owned();
    assert_eq!(ada.history(&room, "").await[0].body, "a\nb");
}

#[tokio::test]
async fn public_rooms_are_listed_most_recently_active_first_and_paged() {
    let house = House::new().await;
    let ada = house.person("ada");
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(
            ada.create(json!({"name": format!("{n}"), "public": true}))
                .await
                .id
                .to_string(),
        );
    }
    ada.room().await;
    house.clock.advance(std::time::Duration::from_millis(5));
    ada.post(&ids[1], "hello").await;
    let mut listed: Vec<Room> = Vec::new();
    let mut next = Some("/rooms/?limit=2".to_owned());
    while let Some(path) = next {
        let answer = ada.get(&path, "application/json").await;
        let link = answer
            .headers()
            .get("link")
            .map(|link| link.to_str().unwrap().to_owned());
        next = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
        listed.extend(answer.json::<Vec<Room>>().await.unwrap());
    }
    assert_eq!(listed.len(), 5);
    assert_eq!(
        (listed[0].id.to_string(), listed[0].message_count),
        (ids[1].clone(), 1)
    );
    assert!(
        listed
            .windows(2)
            .all(|two| two[0].last_active_at >= two[1].last_active_at)
    );
    let mut unique: Vec<_> = listed.iter().map(|room| room.id).collect();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 5);
}

#[tokio::test]
async fn one_address_has_three_representations() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    ada.post(&room, "hello").await;
    let cases = [
        (format!("/rooms/{room}/"), "text/html", "text/html"),
        (format!("/rooms/{room}/"), "*/*", "text/html"),
        (
            format!("/rooms/{room}/"),
            "application/json",
            "application/json",
        ),
        (
            format!("/rooms/{room}/"),
            "application/json, text/html;q=0.9",
            "application/json",
        ),
        (
            format!("/rooms/{room}/messages/"),
            "*/*",
            "text/event-stream",
        ),
        (
            format!("/rooms/{room}/messages/"),
            "text/html",
            "text/event-stream",
        ),
        (
            format!("/rooms/{room}/messages/"),
            "application/json",
            "application/json",
        ),
        ("/rooms/".to_owned(), "*/*", "application/json"),
        (
            "/rooms/".to_owned(),
            "text/event-stream",
            "text/event-stream",
        ),
        ("/".to_owned(), "*/*", "text/html"),
    ];
    for (path, accept, expected) in cases {
        let answer = ada.get(&path, accept).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path} {accept}");
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with(expected), "{path} {accept}: {kind}");
        let vary = answer
            .headers()
            .get_all("vary")
            .iter()
            .any(|v| v.to_str().unwrap().to_lowercase().contains("accept"));
        assert!(vary, "{path} {accept}");
    }
}

#[tokio::test]
async fn addresses_without_their_slash_lead_to_those_with_it() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    for path in [
        "/rooms".to_owned(),
        format!("/rooms/{room}"),
        format!("/rooms/{room}/messages"),
        "/docs".to_owned(),
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = ada
                .request(method, &format!("{path}?a=b"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
            assert_eq!(
                answer.headers()["location"].to_str().unwrap(),
                format!("{path}/?a=b")
            );
        }
    }
}

#[tokio::test]
async fn a_message_is_what_was_sent() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let first = ada.post(&room, "hello").await;
    assert_eq!(
        (first.id, first.username.as_str(), first.body.as_str()),
        (1, "ada", "hello")
    );
    assert_eq!(first.room.to_string(), room);
    assert_eq!(ada.post(&room, "again").await.id, 2);
    assert_eq!(ada.history(&room, "").await.len(), 2);
    assert_eq!(ada.history(&room, "before=2").await, [first]);
    assert_eq!(ada.history(&room, "after=1&limit=1").await[0].id, 2);
    assert!(ada.history(&room, "after=99").await.is_empty());
    let shown: Room = ada
        .get(&format!("/rooms/{room}/"), "application/json")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(shown.message_count, 2);
}

#[tokio::test]
async fn a_key_makes_a_post_repeatable() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let post = |body: &str, key: String| {
        let request = ada.request(Method::POST, &format!("/rooms/{room}/messages/"));
        request
            .header("idempotency-key", key)
            .json(&json!({"username": "ada", "body": body}))
            .send()
    };
    let first: Message = post("one", "k".repeat(64))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let again = post("two", "k".repeat(64)).await.unwrap();
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(again.json::<Message>().await.unwrap(), first);
    let long = problem(post("x", "k".repeat(65)).await.unwrap(), 422).await;
    assert_eq!(long.field.as_deref(), Some("Idempotency-Key"));
    assert_eq!(ada.history(&room, "").await, [first]);
}

#[tokio::test]
async fn limits_are_those_of_the_contract_and_named_in_the_answer() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let path = format!("/rooms/{room}/messages/");
    let refused = [
        (json!({"username": "", "body": "x"}), "username", "32"),
        (
            json!({"username": "a".repeat(33), "body": "x"}),
            "username",
            "32",
        ),
        (
            json!({"username": "a\u{7}", "body": "x"}),
            "username",
            "control",
        ),
        (json!({"username": "a", "body": " \n "}), "body", "4000"),
        (
            json!({"username": "a", "body": "x".repeat(4_001)}),
            "body",
            "4000",
        ),
        (
            json!({"username": "a", "body": "a\u{0}b"}),
            "body",
            "control",
        ),
        (json!({"username": "a"}), "body", "missing"),
        (json!({"body": "a"}), "username", "missing"),
        (json!({"username": 5, "body": "a"}), "username", "text"),
    ];
    for (body, field, word) in refused {
        let problem = problem(ada.post_json(&path, body).await, 422).await;
        assert_eq!(problem.field.as_deref(), Some(field));
        assert!(
            problem.detail.contains(field) && problem.detail.contains(word),
            "{}",
            problem.detail
        );
    }
    let taken = [
        ("é".repeat(32), "👍".repeat(4_000)),
        (" ada ".to_owned(), "a\tb\nc".to_owned()),
    ];
    for (username, body) in taken {
        let answer = ada
            .post_json(&path, json!({"username": username, "body": body}))
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let message: Message = answer.json().await.unwrap();
        assert_eq!(
            (message.username.as_str(), message.body),
            (username.trim(), body)
        );
    }
    for wish in [
        json!({"name": ""}),
        json!({"name": "n".repeat(81)}),
        json!({"timeout": "25h"}),
        json!({"public": "maybe"}),
    ] {
        let problem = problem(ada.post_json("/rooms/", wish.clone()).await, 422).await;
        assert!(wish.get(problem.field.as_deref().unwrap()).is_some());
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "before=-1",
        "after=soon",
    ] {
        let answer = ada
            .get(&format!("{path}?{query}"), "application/json")
            .await;
        problem(answer, 422).await;
    }
}

#[tokio::test]
async fn what_is_malformed_missing_or_out_of_place_is_refused_as_such() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    let messages = format!("/rooms/{room}/messages/");
    let send = |kind: &'static str, body: &'static [u8]| {
        ada.request(Method::POST, &messages)
            .header("content-type", kind)
            .body(body)
            .send()
    };
    problem(send("application/json", b"{").await.unwrap(), 400).await;
    problem(send("application/json", b"[]").await.unwrap(), 400).await;
    problem(
        send(
            "application/json",
            b"{\"username\":\"\xff\",\"body\":\"x\"}",
        )
        .await
        .unwrap(),
        400,
    )
    .await;
    problem(
        send("application/x-www-form-urlencoded", b"username=%ff&body=x")
            .await
            .unwrap(),
        400,
    )
    .await;
    problem(send("text/plain", b"hello").await.unwrap(), 415).await;
    problem(
        ada.get("/rooms/0123456789abcdef/", "application/json")
            .await,
        404,
    )
    .await;
    problem(
        ada.get("/rooms/0123456789ABCDEF/", "application/json")
            .await,
        404,
    )
    .await;
    problem(ada.get("/rooms/%ff/", "application/json").await, 404).await;
    problem(
        ada.get("/rooms/0123456789abcdef/messages/", "*/*").await,
        404,
    )
    .await;
    problem(ada.try_post("0123456789abcdef", "x").await, 404).await;
    problem(ada.get("/nowhere", "*/*").await, 404).await;
    let wrong = ada.request(Method::DELETE, "/rooms/").send().await.unwrap();
    let allow = wrong.headers()["allow"].to_str().unwrap().to_owned();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    problem(wrong, 405).await;
    let large = "x".repeat(10_000_000);
    problem(ada.try_post(&room, &large).await, 413).await;
    assert!(ada.history(&room, "").await.is_empty());
}

#[tokio::test]
async fn a_flood_is_refused_until_it_ebbs() {
    let house = House::with(&[], |_| {}).await;
    let ada = house.person("ada");
    let mut refused = None;
    for _ in 0..1_000 {
        let answer = ada.post_json("/rooms/", json!({})).await;
        if answer.status() != StatusCode::CREATED {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a thousand rooms in a row");
    assert!(
        refused.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    problem(refused, 429).await;
}

#[tokio::test]
async fn a_room_can_be_taken_along() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.create(json!({"name": "Tea"})).await.id.to_string();
    ada.post(&room, "one").await;
    ada.post(&room, "two\nlines").await;
    let archive = ada
        .get(&format!("/rooms/{room}/archive.jsonl"), "*/*")
        .await
        .text()
        .await
        .unwrap();
    let lines: Vec<Value> = archive
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (lines.len(), &lines[0]["name"], &lines[2]["body"]),
        (4, &json!("Tea"), &json!("two\nlines"))
    );
    let digest = <sha2::Sha256 as sha2::Digest>::digest(
        &archive[..archive.trim_end().rfind('\n').unwrap() + 1],
    );
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(lines[3], json!({"count": 2, "sha256": digest}));
    let transcript = ada
        .get(&format!("/rooms/{room}/transcript.txt"), "*/*")
        .await
        .text()
        .await
        .unwrap();
    assert!(transcript.starts_with(&format!("Tea ({room})\n")));
    assert!(
        transcript.contains("] ada: two\n    lines\n"),
        "{transcript}"
    );
}

#[tokio::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let house = House::new().await;
    let ada = house.person("ada");
    let document: Value = ada.get("/openapi.json", "*/*").await.json().await.unwrap();
    assert_eq!(
        document["openapi"].as_str().map(|version| &version[..3]),
        Some("3.1")
    );
    let mut described: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        described.extend(
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| format!("{method} {path}")),
        );
    }
    described.sort();
    let expected = [
        "delete /leave",
        "delete /rooms/{id}/",
        "delete /rooms/{id}/invitations/{code}/",
        "delete /rooms/{id}/members/{person}/",
        "delete /rooms/{id}/messages/{seq}/",
        "delete /rooms/{id}/sanctions/{person}/",
        "get /",
        "get /chat",
        "get /chats/",
        "get /chats/{username}",
        "get /docs/",
        "get /healthz",
        "get /invitations/{code}/",
        "get /invitations/{code}/code.svg",
        "get /login",
        "get /login/openid/",
        "get /login/openid/callback",
        "get /messages",
        "get /openapi.json",
        "get /overview/",
        "get /profile/",
        "get /readyz",
        "get /register",
        "get /room",
        "get /rooms/",
        "get /rooms/{id}/",
        "get /rooms/{id}/archive.jsonl",
        "get /rooms/{id}/audit/",
        "get /rooms/{id}/code.svg",
        "get /rooms/{id}/invitations/",
        "get /rooms/{id}/members/",
        "get /rooms/{id}/messages/",
        "get /rooms/{id}/sanctions/",
        "get /rooms/{id}/settings/",
        "get /rooms/{id}/socket",
        "get /rooms/{id}/transcript.txt",
        "get /stream",
        "get /users",
        "patch /rooms/{id}/",
        "patch /rooms/{id}/members/{person}/",
        "patch /rooms/{id}/messages/{seq}/",
        "post /guests/",
        "post /invitations/{code}/",
        "post /join",
        "post /leave",
        "post /login",
        "post /logout",
        "post /profile/",
        "post /profile/claim/",
        "post /profile/delete/",
        "post /profile/password/",
        "post /profile/sign-out/",
        "post /profile/unlink/",
        "post /register",
        "post /rooms/",
        "post /rooms/{id}/invitations/",
        "post /rooms/{id}/messages/",
        "post /rooms/{id}/sanctions/",
        "post /rooms/{id}/seen/",
        "post /rooms/{id}/typing/",
        "post /send",
    ];
    assert_eq!(described, expected);
    // Routes are added in one function, which takes only described ones.
    let source = include_str!("../../src/router.rs");
    let others = source.matches(".route(").count();
    assert_eq!(
        others, 2,
        "the only other routes are redirects to described ones, and one of these with a slash"
    );
    let room = ada.room().await;
    for operation in described {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{id}", &room);
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        // Some addresses have nothing to read but a page.
        let accept = if ["/login", "/register"].contains(&path.as_str()) {
            "text/html"
        } else {
            "*/*"
        };
        let answer = ada
            .request(method, &path)
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        assert_ne!(status, 405, "{operation}");
        if status == 404 {
            // There is such an address, but nobody and nothing of the name that the path has in its braces, or no provider.
            let problem = problem(answer, 404).await;
            let known = path.contains('{') && problem.detail.contains("such")
                || problem.detail.contains("no provider");
            assert!(known, "{operation}: {}", problem.detail);
        }
    }
}

/// The same person, as a proxy says from which address.
fn from(person: &Person, address: usize) -> Person {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert(
        "x-forwarded-for",
        format!("192.0.2.{address}").parse().unwrap(),
    );
    let http = reqwest::Client::builder()
        .default_headers(headers)
        .build()
        .unwrap();
    Person {
        http,
        ..person.clone()
    }
}

/// A house that believes what a proxy says of addresses, and limits floods.
async fn behind_a_proxy() -> House {
    House::with(&["--trusted-proxies", "127.0.0.1"], |_| {}).await
}

/// Does it until it is refused, by sixteen at once, for what ebbs away meanwhile must be less; gives back how often it was
/// done, and the refusal.
async fn flood(act: impl AsyncFn(usize) -> Response) -> (usize, Problem) {
    let mut done = 0;
    while done < 20_000 {
        let answers = join_all((0..16).map(|n| act(done + n))).await;
        let mut refused = None;
        for answer in answers {
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                let wait: u64 = answer.headers()["retry-after"]
                    .to_str()
                    .unwrap()
                    .parse()
                    .unwrap();
                let problem = problem(answer, 429).await;
                assert_eq!((problem.retry_after, wait >= 1), (Some(wait), true));
                refused = Some(problem);
            } else {
                assert!(answer.status().is_success(), "{}", answer.status());
                done += 1;
            }
        }
        if let Some(refused) = refused {
            return (done, refused);
        }
    }
    panic!("it is never too much");
}

#[tokio::test]
async fn a_person_is_limited_wherever_they_come_from() {
    let house = behind_a_proxy().await;
    let (ada, grace) = (house.guest("ada").await, house.member("grace").await);
    let rooms = [ada.room().await, ada.room().await];
    let everywhere: Vec<Person> = (1..=50).map(|n| from(&ada, n)).collect();
    let (said, _) =
        flood(async |n| everywhere[n % 50].try_post(&rooms[n % 2], "hello").await).await;
    assert!(said >= 200, "{said}");
    // To change what was said is to write, too.
    for method in [Method::PATCH, Method::DELETE] {
        let change = async |n: usize| {
            // Each time another one: what is deleted is not there a second time, however slowly this goes.
            let path = format!("/rooms/{}/messages/{}/", rooms[0], n + 1);
            let request = everywhere[n % 50].request(method.clone(), &path);
            request.json(&json!({"body": "anew"})).send().await.unwrap()
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
async fn an_address_is_limited_whoever_comes_from_it() {
    let house = behind_a_proxy().await;
    let ada = house.person("ada");
    let mut people = Vec::new();
    for n in 0..8 {
        people.push((
            from(&house.guest(&format!("guest {n}")).await, 1),
            ada.room().await,
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
async fn a_room_is_limited_however_many_write_in_it() {
    let house = behind_a_proxy().await;
    let ada = house.person("ada");
    let [flooded, other] = [ada.room().await, ada.room().await];
    let everybody: Vec<Person> = (1..=200).map(|n| from(&ada, n)).collect();
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
async fn rooms_by_name_count_as_rooms() {
    let house = House::with(&[], |_| {}).await;
    let ada = house.person("ada");
    let named = async |n: usize| {
        ada.get(&format!("/chat?room=tea{n}"), "application/json")
            .await
    };
    flood(named).await;
    assert_eq!(named(0).await.status(), 200, "it is there already");
}
