//! People: accounts, sessions, guests and what they hold, direct chats.

use protocol::Author;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::house::{House, Listener, Person, problem};
use crate::presence::next;
use crate::sockets::Socket;

/// An answer of the accounts, which has one shape whatever it says.
async fn envelope(answer: Response, status: u16) -> Value {
    assert_eq!(answer.status(), status);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], status.to_string());
    let fields: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["code", "content", "message"]);
    body
}

#[tokio::test]
async fn somebody_signs_up_and_in() {
    let house = House::new().await;
    let ada = house.person("ada");
    let wish = json!({"name": "Ada Lovelace", "username": "ada", "password": "secret"});
    let welcome = envelope(ada.post_json("/register", wish.clone()).await, 200).await;
    assert_eq!(welcome["message"], "welcome Ada Lovelace");
    let token = welcome["content"]["token"].as_str().unwrap().to_owned();
    assert_eq!(
        envelope(ada.post_json("/register", wish).await, 400).await["content"],
        Value::Null
    );
    // A name in the request is ignored.
    let login = json!({"name": "Eve", "username": "ada", "password": "secret"});
    let welcome = envelope(ada.post_json("/login", login).await, 200).await;
    assert_eq!(welcome["message"], "welcome Ada Lovelace");
    for header in [format!("Bearer {token}"), format!("Bearer{token}")] {
        for path in ["/users", "/users/"] {
            let answer = ada
                .request(Method::GET, path)
                .header("authorization", &header)
                .send()
                .await
                .unwrap();
            let people = envelope(answer, 200).await;
            assert_eq!(
                people["content"],
                json!([{"name": "Ada Lovelace", "username": "ada"}])
            );
        }
    }
    for header in [
        "",
        "Bearer",
        "Bearer abc",
        &format!("Bearer {token}x"),
        &format!("Basic {token}"),
    ] {
        let answer = ada
            .request(Method::GET, "/users")
            .header("authorization", header)
            .send()
            .await
            .unwrap();
        envelope(answer, 401).await;
    }
    envelope(ada.get("/users", "application/json").await, 401).await;
    // Nobody else's password keeps anybody from a room.
    let room = ada.room().await;
    let path = format!("/rooms/{room}/");
    for (header, status) in [("Basic YTpi", 200), ("Bearer nonsense", 401)] {
        let request = ada
            .request(Method::GET, &path)
            .header("accept", "application/json");
        assert_eq!(
            request
                .header("authorization", header)
                .send()
                .await
                .unwrap()
                .status(),
            status,
            "{header}"
        );
    }
}

#[tokio::test]
async fn what_is_missing_or_malformed_is_422_and_what_is_wrong_400() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let wishes = [
        json!({}),
        json!({"name": "Bob", "username": "bob"}),
        json!({"name": "Bob", "username": "b", "password": "secret"}),
        json!({"name": "Bob", "username": "bob", "password": "short"}),
        json!({"name": "", "username": "bob", "password": "secret"}),
        json!({"name": "Bob", "username": 7, "password": "secret"}),
    ];
    for wish in wishes {
        envelope(ada.post_json("/register", wish).await, 422).await;
    }
    for path in ["/register", "/login"] {
        let request = ada
            .request(Method::POST, path)
            .header("content-type", "application/json")
            .body("{");
        let refused = envelope(request.send().await.unwrap(), 422).await;
        let message = refused["message"].as_str().unwrap();
        assert!(
            message.ends_with('.') && !message.contains(".."),
            "{message}"
        );
    }
    let answers = [
        ada.post_json("/login", json!({"username": "ada", "password": "wrong!"}))
            .await,
        ada.post_json(
            "/login",
            json!({"username": "nobody", "password": "secret"}),
        )
        .await,
    ];
    let [wrong, unknown] = answers.map(|answer| async { envelope(answer, 400).await });
    assert_eq!(wrong.await, unknown.await);
    envelope(
        ada.post_json("/login", json!({"username": "ada"})).await,
        422,
    )
    .await;
}

/// Also those that no handler has a part in.
#[tokio::test]
async fn every_refusal_of_accounts_and_chats_has_one_shape() {
    let house = House::with(&[], |_| {}).await;
    let ada = house.member("ada").await;
    for (method, path) in [
        (Method::PUT, "/register"),
        (Method::DELETE, "/login"),
        (Method::POST, "/users"),
        (Method::POST, "/chats/ada"),
    ] {
        let answer = ada.request(method, path).send().await.unwrap();
        assert!(answer.headers().contains_key("allow"), "{path}");
        envelope(answer, 405).await;
    }
    // The list of chats is a resource like others.
    problem(
        ada.request(Method::PUT, "/chats/").send().await.unwrap(),
        405,
    )
    .await;
    let stranger = ada
        .request(Method::POST, "/login")
        .header("origin", "https://evil.example");
    envelope(stranger.send().await.unwrap(), 403).await;
    envelope(
        ada.request(Method::POST, "/register")
            .body(vec![b'a'; 70_000])
            .send()
            .await
            .unwrap(),
        413,
    )
    .await;
    let mut flood = ada.request(Method::POST, "/login").send().await.unwrap();
    while flood.status() != 429 {
        envelope(flood, 422).await;
        flood = ada.request(Method::POST, "/login").send().await.unwrap();
    }
    assert!(flood.headers().contains_key("retry-after"));
    envelope(flood, 429).await;
}

#[tokio::test]
async fn whoever_goes_on_guessing_waits() {
    let house = House::with(&[], |_| {}).await;
    let ada = house.member("ada").await;
    let guess = json!({"username": "ada", "password": "wrong!"});
    for _ in 0..10 {
        envelope(ada.post_json("/login", guess.clone()).await, 400).await;
    }
    let answer = ada.post_json("/login", guess).await;
    assert_eq!(answer.headers()["retry-after"], "1");
    envelope(answer, 429).await;
    // Others are not kept waiting.
    let grace = json!({"name": "Grace", "username": "grace", "password": "secret"});
    envelope(ada.post_json("/register", grace.clone()).await, 200).await;
    envelope(ada.post_json("/login", grace).await, 200).await;
}

/// The cookies of an answer, as a browser sends them back.
fn cookies(answer: &Response) -> String {
    let set = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap());
    set.map(|cookie| cookie.split(';').next().unwrap())
        .collect::<Vec<_>>()
        .join("; ")
}

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

#[tokio::test]
async fn a_browser_stays_signed_in_by_a_cookie_that_no_script_reads() {
    let house = House::new().await;
    let ada = house.person("ada");
    let form = [
        ("name", "Ada"),
        ("username", "ada"),
        ("password", "secret"),
        ("next", "/rooms/"),
    ];
    let answer = submit(&ada, "/register", "", &form).await;
    assert_eq!(
        (
            answer.status(),
            answer.headers()["location"].to_str().unwrap()
        ),
        (StatusCode::SEE_OTHER, "/rooms/")
    );
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("; HttpOnly") && set.contains("; SameSite=Lax"),
        "{set}"
    );
    let session = cookies(&answer);
    let me = async |cookie: &str| {
        let request = ada
            .request(Method::GET, "/profile/")
            .header("accept", "application/json");
        request.header("cookie", cookie).send().await.unwrap()
    };
    assert_eq!(
        me(&session).await.json::<Value>().await.unwrap(),
        json!({"name": "Ada", "username": "ada"})
    );
    // Signing out in this browser takes the cookie away; everywhere, it is good no longer.
    let answer = submit(&ada, "/logout", &session, &[]).await;
    assert!(
        answer.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("session=; Path=/; Max-Age=0")
    );
    assert_eq!(me(&session).await.status(), StatusCode::OK);
    assert_eq!(
        submit(&ada, "/profile/sign-out/", &session, &[])
            .await
            .status(),
        StatusCode::SEE_OTHER
    );
    problem(me(&session).await, 401).await;
    // A session that is over is none: rooms are read as by anybody.
    let room = ada.room().await;
    let read = ada
        .request(Method::GET, &format!("/rooms/{room}/"))
        .header("cookie", &session);
    assert_eq!(
        read.header("accept", "application/json")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
}

/// The page that a browser gets.
async fn page(answer: Response, status: u16) -> String {
    assert_eq!(answer.status(), status);
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    answer.text().await.unwrap()
}

#[tokio::test]
async fn a_refused_form_comes_again_with_what_was_typed_but_passwords() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let next = "/rooms/0123456789abcdef/";
    let cases = [
        (
            "/login",
            [("username", "ada"), ("password", "wrong!"), ("name", "")],
            400,
            "password",
        ),
        (
            "/register",
            [("username", "ada"), ("password", "wrong!"), ("name", "Ada")],
            400,
            "username",
        ),
        (
            "/register",
            [
                ("username", "a d a"),
                ("password", "wrong!"),
                ("name", "Ada"),
            ],
            422,
            "username",
        ),
        (
            "/register",
            [("username", "adaada"), ("password", "x"), ("name", "Ada")],
            422,
            "password",
        ),
        (
            "/register",
            [
                ("username", "adaada"),
                ("password", "wrong!"),
                ("name", " "),
            ],
            422,
            "name",
        ),
    ];
    for (path, form, status, field) in cases {
        let form: Vec<_> = form.into_iter().chain([("next", next)]).collect();
        let html = page(submit(&ada, path, "", &form).await, status).await;
        let (username, trouble) = (
            format!("value=\"{}\"", form[0].1),
            format!("id=\"{field}-error\""),
        );
        assert!(
            html.contains(&username) && html.contains(&trouble) && html.contains(next),
            "{html}"
        );
        assert!(!html.contains("wrong!"), "{html}");
    }
    let answer = submit(
        &ada,
        "/login",
        "",
        &[("username", "ada"), ("password", "secret"), ("next", next)],
    )
    .await;
    let session = cookies(&answer);
    let html = page(
        submit(
            &ada,
            "/profile/password/",
            &session,
            &[("old", "secret"), ("new", "x")],
        )
        .await,
        422,
    )
    .await;
    assert!(
        html.contains("id=\"new-error\"") && html.contains("Password must have 6 to 256"),
        "{html}"
    );
    let html = page(
        submit(
            &ada,
            "/profile/delete/",
            &session,
            &[("password", "wrong!")],
        )
        .await,
        400,
    )
    .await;
    assert!(
        html.contains("id=\"password-error\"") && !html.contains("wrong!"),
        "{html}"
    );
    let answer = submit(
        &ada,
        "/profile/",
        &session,
        &[("name", "Countess"), ("next", next)],
    )
    .await;
    let place = answer.headers()["location"].to_str().unwrap();
    assert_eq!(
        place,
        "/profile/?changed=name&next=%2Frooms%2F0123456789abcdef%2F"
    );
    let answer = submit(&ada, "/logout", &session, &[("next", next)]).await;
    assert_eq!(answer.headers()["location"], next);
}

#[tokio::test]
async fn pages_lead_to_signing_in_and_back() {
    let house = House::new().await;
    let eve = house.person("eve");
    for path in ["/profile/", "/chats/", "/chats/ada", "/chats/?search=a%26b"] {
        let html = page(eve.get(path, "text/html").await, 401).await;
        let next = path
            .replace('%', "%25")
            .replace('/', "%2F")
            .replace('?', "%3F")
            .replace('=', "%3D");
        assert!(
            html.contains(&format!("href=\"/login?next={next}\"")),
            "{html}"
        );
        let answer = eve.get(path, "application/json").await;
        match path {
            "/chats/ada" => drop(envelope(answer, 401).await),
            _ => drop(problem(answer, 401).await),
        }
    }
    for path in ["/login", "/register"] {
        let html = page(
            eve.get(&format!("{path}?next=/chats/"), "text/html").await,
            200,
        )
        .await;
        assert!(
            html.contains("name=\"next\" value=\"/chats/\"") && !html.contains("<script"),
            "{html}"
        );
        let answer = eve.get(path, "application/json").await;
        assert_eq!(answer.headers()["allow"], "POST");
        envelope(answer, 405).await;
    }
    // Whoever is signed in already goes on.
    let ada = house.member("ada").await;
    let answer = ada.get("/login?next=/chats/", "text/html").await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/chats/".parse().unwrap())
    );
    for (path, words) in [
        ("/profile/", "Writes as"),
        ("/chats/", "Nobody else has an account yet"),
    ] {
        assert!(
            page(ada.get(path, "text/html").await, 200)
                .await
                .contains(words),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_is_drawn_for_whoever_is_signed_in() {
    let house = House::new().await;
    let [ada, bob] = [house.member("ada").await, house.member("bob").await];
    let room = ada
        .get("/chats/bob", "application/json")
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(room["with"], json!({"name": "BOB", "username": "bob"}));
    ada.post(room["id"].as_str().unwrap(), "hello").await;
    let html = page(bob.get("/", "text/html").await, 200).await;
    assert!(
        html.contains("BOB") && html.contains(" unread") && !html.contains("Your name"),
        "{html}"
    );
    let html = page(
        bob.get(
            &format!("/rooms/{}/", room["id"].as_str().unwrap()),
            "text/html",
        )
        .await,
        200,
    )
    .await;
    assert!(html.contains("<title>ADA · webchat</title>"), "{html}");
}

#[tokio::test]
async fn cookies_of_a_proxy_that_speaks_tls_are_secure() {
    for (flags, secure) in [
        (&["--trusted-proxies", "127.0.0.1"][..], true),
        (&[], false),
    ] {
        let house = House::with(flags, |_| {}).await;
        let request = house
            .person("ada")
            .request(Method::GET, "/")
            .header("accept", "text/html");
        let forwarded = request
            .header("x-forwarded-for", "198.51.100.7")
            .header("x-forwarded-proto", "https");
        let answer = forwarded.send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert_eq!(
            (cookie.starts_with("guest="), cookie.ends_with("; Secure")),
            (true, secure),
            "{cookie}"
        );
        assert_eq!(
            answer.headers().contains_key("strict-transport-security"),
            secure
        );
    }
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let room = ada.room().await;
    let body = json!({"username": "ada", "body": "hello", "password": "secret", "name": "Eve"});
    let messages = format!("/rooms/{room}/messages/");
    for path in [
        "/rooms/",
        &messages,
        "/login",
        "/register",
        "/logout",
        "/profile/",
        "/profile/sign-out/",
        "/guests/",
    ] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let answer = ada
                .request(Method::POST, path)
                .header(name, value)
                .json(&body)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {value}");
        }
    }
    assert!(ada.history(&room, "").await.is_empty());
    assert_eq!(
        ada.get("/profile/", "application/json")
            .await
            .json::<Value>()
            .await
            .unwrap()["name"],
        "ADA"
    );
}

#[tokio::test]
async fn the_owner_of_an_account_changes_and_ends_it() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    assert_eq!(
        ada.post_json("/profile/", json!({"name": "Countess"}))
            .await
            .status(),
        StatusCode::OK
    );
    let wrong = json!({"old": "wrong!", "new": "secret2"});
    problem(ada.post_json("/profile/password/", wrong).await, 400).await;
    let answer = ada
        .post_json(
            "/profile/password/",
            json!({"old": "secret", "new": "secret2"}),
        )
        .await;
    let token = answer.json::<Value>().await.unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    problem(ada.get("/profile/", "application/json").await, 401).await;
    let ada = Person {
        token: Some(token),
        ..ada
    };
    assert_eq!(
        ada.get("/profile/", "application/json")
            .await
            .json::<Value>()
            .await
            .unwrap()["name"],
        "Countess"
    );
    problem(
        ada.post_json("/profile/delete/", json!({"password": "secret"}))
            .await,
        400,
    )
    .await;
    let answer = ada
        .post_json("/profile/delete/", json!({"password": "secret2"}))
        .await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    problem(ada.get("/profile/", "application/json").await, 401).await;
    envelope(
        ada.post_json("/login", json!({"username": "ada", "password": "secret2"}))
            .await,
        400,
    )
    .await;
}

#[tokio::test]
async fn names_belong_to_accounts_then_to_keys_then_to_nobody() {
    let house = House::new().await;
    let [plain, member, eve] = [
        house.person("grace"),
        house.member("ada").await,
        house.guest("grace").await,
    ];
    let room = plain.room().await;
    assert_eq!(plain.post(&room, "nobody in particular").await.author, None);
    assert_eq!(eve.post(&room, "hello").await.author, Some(Author::Guest));
    assert_eq!(
        member.post(&room, "hello").await.author,
        Some(Author::Account)
    );
    let taken = problem(plain.try_post(&room, "me again").await, 409).await;
    assert_eq!(taken.free.as_deref(), Some("grace2"));
    for name in ["ada", "Ada", "аda"] {
        let other = Person {
            name: name.to_owned(),
            ..eve.clone()
        };
        problem(other.try_post(&room, "I am ada").await, 409).await;
    }
    // Elsewhere the name is free, and a member's name comes with the token.
    let other = plain.room().await;
    assert_eq!(plain.post(&other, "hello").await.username, "grace");
    let answer = member
        .post_json(
            &format!("/rooms/{other}/messages/"),
            json!({"body": "hello"}),
        )
        .await;
    assert_eq!(answer.json::<Value>().await.unwrap()["username"], "ada");
}

#[tokio::test]
async fn nobody_is_here_under_the_name_of_another() {
    let house = House::new().await;
    let (eve, ada) = (house.person("ada"), house.member("ada").await);
    let room = ada.room().await;
    problem(
        eve.get(
            &format!("/rooms/{room}/messages/?username=ada"),
            "text/event-stream",
        )
        .await,
        409,
    )
    .await;
    problem(
        eve.post_json(
            &format!("/rooms/{room}/typing/"),
            json!({"username": "ada"}),
        )
        .await,
        409,
    )
    .await;
    // Several rooms on one connection are heard all the same, without the name.
    let answer = eve
        .get(
            &format!("/stream?rooms={room}&username=ada"),
            "text/event-stream",
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut stream = ada.follow(&room, "username=ada").await;
    let here: Value = serde_json::from_str(&stream.next().await.unwrap().data).unwrap();
    assert_eq!(
        (&here["here"], &here["count"]),
        (&json!(["ada"]), &json!(1))
    );
}

#[tokio::test]
async fn two_people_talk_on_all_their_devices_and_nobody_else_hears() {
    let house = House::new().await;
    let [ada, bob, eve] = [
        house.member("ada").await,
        house.member("bob").await,
        house.member("eve").await,
    ];
    let mut phone = Socket::of(&ada, "/chats/bob").await.unwrap();
    let mut laptop = Socket::of(&ada, "/chats/bob").await.unwrap();
    let mut elsewhere = Socket::of(&ada, "/chats/eve").await.unwrap();
    phone.say("hello").await;
    for device in [&mut phone, &mut laptop] {
        let heard: Value = serde_json::from_str(device.next().await.to_text().unwrap()).unwrap();
        assert_eq!(
            (&heard["from"], &heard["body"]),
            (&json!("ada"), &json!("hello"))
        );
        assert!(heard["sent_at"].as_i64().unwrap() > 1_600_000_000);
        assert_eq!(heard.as_object().unwrap().len(), 3);
    }
    // Bob was away, and hears it when he comes; once.
    let mut theirs = Socket::of(&bob, "/chats/ada").await.unwrap();
    assert!(
        theirs
            .next()
            .await
            .to_text()
            .unwrap()
            .contains(r#""body":"hello""#)
    );
    theirs.say("hi").await;
    for device in [&mut theirs, &mut phone, &mut laptop] {
        assert!(
            device
                .next()
                .await
                .to_text()
                .unwrap()
                .contains(r#""from":"bob""#)
        );
    }
    elsewhere.say("for eve").await;
    assert!(
        elsewhere
            .next()
            .await
            .to_text()
            .unwrap()
            .contains("for eve")
    );
    let conversations: Value = eve
        .get("/chats/", "application/json")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        (
            conversations.as_array().unwrap().len(),
            &conversations[0]["unread"]
        ),
        (1, &json!(1))
    );
}

#[tokio::test]
async fn what_has_come_is_not_told_again_unless_asked_for() {
    let house = House::new().await;
    let [ada, bob] = [house.member("ada").await, house.member("bob").await];
    let mut sender = Socket::of(&ada, "/chats/bob").await.unwrap();
    sender.say("one").await;
    let mut theirs = Socket::of(&bob, "/chats/ada").await.unwrap();
    assert!(theirs.next().await.to_text().unwrap().contains("one"));
    // The pong goes out with the next thing that is read.
    sender.say("two").await;
    assert!(theirs.next().await.to_text().unwrap().contains("two"));
    let chat = async || {
        let list: Value = bob
            .get("/chats/", "application/json")
            .await
            .json()
            .await
            .unwrap();
        list[0].clone()
    };
    let unread = async || chat().await["unread"].as_u64().unwrap();
    while unread().await > 1 {
        tokio::task::yield_now().await;
    }
    let seen = format!("/rooms/{}/seen/", chat().await["room"].as_str().unwrap());
    assert_eq!(
        bob.post_json(&seen, json!({"seen": 2})).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(unread().await, 0);
    sender.say("three").await;
    let mut again = Socket::of(&bob, "/chats/ada").await.unwrap();
    assert!(again.next().await.to_text().unwrap().contains("three"));
    let mut all = Socket::of(&bob, "/chats/ada?after=0").await.unwrap();
    assert!(all.next().await.to_text().unwrap().contains("one"));
}

#[tokio::test]
async fn a_conversation_is_closed_to_everybody_else_by_any_address() {
    let house = House::new().await;
    let [ada, _bob, eve] = [
        house.member("ada").await,
        house.member("bob").await,
        house.member("eve").await,
    ];
    let room = ada
        .get("/chats/bob", "application/json")
        .await
        .json::<Value>()
        .await
        .unwrap();
    let room = room["id"].as_str().unwrap();
    ada.post(room, "secret").await;
    for stranger in [eve, house.guest("eve").await, house.person("eve")] {
        for path in [
            "",
            "messages/",
            "messages/?after=0&wait=1",
            "archive.jsonl",
            "transcript.txt",
        ] {
            let answer = stranger
                .get(&format!("/rooms/{room}/{path}"), "application/json")
                .await;
            assert!(
                !problem(answer, 404).await.detail.contains("secret"),
                "{path}"
            );
        }
        problem(
            stranger
                .get(&format!("/rooms/{room}/messages/"), "text/event-stream")
                .await,
            404,
        )
        .await;
        problem(
            stranger
                .get(&format!("/stream?rooms={room}"), "text/event-stream")
                .await,
            404,
        )
        .await;
        problem(stranger.try_post(room, "hello").await, 404).await;
        problem(
            stranger
                .post_json(
                    &format!("/rooms/{room}/typing/"),
                    json!({"username": "eve"}),
                )
                .await,
            404,
        )
        .await;
        let page = stranger.get(&format!("/rooms/{room}/"), "text/html").await;
        assert_eq!(page.status(), StatusCode::NOT_FOUND);
        assert!(!page.text().await.unwrap().contains("secret"));
        let Err(error) = Socket::of(&stranger, &format!("/rooms/{room}/socket")).await else {
            panic!("a socket")
        };
        assert!(matches!(*error, Error::Http(answer) if answer.status() == 404));
    }
    envelope(ada.get("/chats/nobody", "application/json").await, 404).await;
    for (person, path, status) in [
        (&ada, "/chats/nobody", 404),
        (&house.person("eve"), "/chats/ada", 401),
    ] {
        envelope(person.get(path, "*/*").await, status).await;
        let Err(error) = Socket::of(person, path).await else {
            panic!("a socket")
        };
        let Error::Http(answer) = *error else {
            panic!("{error}")
        };
        assert_eq!(answer.status(), status);
        let body: Value = serde_json::from_slice(answer.body().as_deref().unwrap()).unwrap();
        assert_eq!(body["code"], status.to_string());
    }
    assert_eq!(ada.history(room, "").await.len(), 1);
}

#[tokio::test]
async fn ones_own_rooms_and_chats_are_told_as_they_change() {
    let house = House::new().await;
    let (ada, grace) = (house.member("ada").await, house.guest("grace").await);
    let den = grace
        .create(json!({"name": "Den", "private": true}))
        .await
        .id;
    let open = ada.room().await;
    let overview = async |who: &Person, query: &str| -> Value {
        who.get(&format!("/overview/?{query}"), "application/json")
            .await
            .json()
            .await
            .unwrap()
    };
    assert_eq!(overview(&grace, "").await["rooms"][0]["name"], "Den");
    let theirs = overview(&house.person("eve"), &format!("also={den},{open}")).await;
    assert_eq!(
        (
            theirs["rooms"].as_array().unwrap().len(),
            &theirs["rooms"][0]["id"]
        ),
        (1, &json!(open))
    );
    let invitation = grace
        .post_json(&format!("/rooms/{den}/invitations/"), json!({}))
        .await;
    let code = invitation.json::<Value>().await.unwrap()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let paths = [
        format!("/stream?overview=on&also={open}"),
        "/overview/".to_owned(),
    ];
    let mut streams = Vec::new();
    for path in &paths {
        streams.push(Listener::new(ada.get(path, "text/event-stream").await));
    }
    for stream in &mut streams {
        assert_eq!(stream.next().await.unwrap().name, "overview");
    }
    assert_eq!(
        ada.post_json(&format!("/invitations/{code}/"), json!({}))
            .await
            .status(),
        StatusCode::OK
    );
    grace.post(&den.to_string(), "welcome").await;
    for stream in &mut streams {
        loop {
            let event = stream.next().await.unwrap();
            let told: Value = serde_json::from_str(&event.data).unwrap();
            let rooms = told["rooms"].as_array().unwrap();
            if rooms.iter().any(|room| {
                room["name"] == "Den" && room["unread"] == 1 && room["role"] == "member"
            }) {
                assert_eq!(
                    (event.name.as_str(), event.id),
                    ("overview", None),
                    "it moves no cursor"
                );
                break;
            }
        }
    }
    let seen = ada
        .post_json(&format!("/rooms/{den}/seen/"), json!({"seen": 1}))
        .await;
    assert_eq!(seen.status(), StatusCode::NO_CONTENT);
    assert!(!overview(&ada, "").await.to_string().contains("unread\":1"));
    for wrong in [
        "also=x",
        "also=0,1",
        &format!("also={}", vec![open.as_str(); 17].join(",")),
    ] {
        problem(
            ada.get(&format!("/overview/?{wrong}"), "application/json")
                .await,
            422,
        )
        .await;
        problem(
            ada.get(&format!("/stream?overview=on&{wrong}"), "text/event-stream")
                .await,
            422,
        )
        .await;
    }
    problem(
        house
            .person("eve")
            .post_json(&format!("/rooms/{den}/seen/"), json!({"seen": 1}))
            .await,
        404,
    )
    .await;
}

/// Everything by which somebody hears something as it happens, told apart from each other.
struct Ears {
    streams: Vec<Listener>,
    sockets: Vec<Socket>,
    poll: tokio::task::JoinHandle<reqwest::Response>,
}

impl Ears {
    async fn open(house: &House, ada: &Person, room: &str) -> Self {
        let paths = [
            format!("/rooms/{room}/messages/?username=ada"),
            format!("/stream?rooms={room}&username=ada"),
            "/stream?list=on".to_owned(),
            "/stream?overview=on".to_owned(),
            "/overview/".to_owned(),
        ];
        let mut streams = Vec::new();
        for path in paths {
            streams.push(Listener::new(ada.get(&path, "text/event-stream").await));
        }
        let mut sockets = Vec::new();
        for path in [
            format!("/rooms/{room}/socket?username=ada"),
            "/chats/bob".to_owned(),
        ] {
            sockets.push(Socket::of(ada, &path).await.unwrap());
        }
        // In a room of its own, in which it is seen that it waits.
        let elsewhere = ada.room().await;
        let mut seen = house.person("anyone").follow(&elsewhere, "").await;
        let poll = tokio::spawn({
            let (ada, path) = (
                ada.clone(),
                format!("/rooms/{elsewhere}/messages/?after=0&wait=60&username=ada"),
            );
            async move { ada.get(&path, "application/json").await }
        });
        while !next(house, &mut seen).await.data.contains("\"ada\"") {}
        Self {
            streams,
            sockets,
            poll,
        }
    }

    /// Looks that all of it ends, and says why; `why` is the last event of a stream.
    async fn end(self, why: &str) {
        for stream in self.streams {
            assert_eq!(
                stream
                    .rest()
                    .await
                    .last()
                    .map(|event| event.name.clone())
                    .as_deref(),
                Some(why)
            );
        }
        for mut socket in self.sockets {
            assert_eq!(socket.closed().await, 1008);
        }
        problem(self.poll.await.unwrap(), 401).await;
    }
}

#[tokio::test]
async fn whoever_is_signed_out_everywhere_hears_nothing_more_by_any_way() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let bob = house.member("bob").await;
    let room = bob.room().await;
    let mut others = bob.follow(&room, "").await;
    let guests = house.guest("ada's phone").await;
    let mut guests = guests.follow(&room, "").await;
    let signed_in = async || {
        let known = json!({"username": "ada", "password": "secret"});
        let answer: Value = house
            .person("ada")
            .post_json("/login", known)
            .await
            .json()
            .await
            .unwrap();
        Person {
            token: Some(answer["content"]["token"].as_str().unwrap().to_owned()),
            ..ada.clone()
        }
    };
    let ears = Ears::open(&house, &ada, &room).await;
    assert_eq!(
        ada.post_json("/profile/sign-out/", json!({}))
            .await
            .status(),
        204
    );
    ears.end("signed-out").await;
    problem(ada.get(&format!("/stream?rooms={room}"), "*/*").await, 401).await;

    let ada = signed_in().await;
    let ears = Ears::open(&house, &ada, &room).await;
    let change = json!({"old": "secret", "new": "secret"});
    let key: Value = ada
        .post_json("/profile/password/", change)
        .await
        .json()
        .await
        .unwrap();
    ears.end("signed-out").await;

    // The new session goes on, and ends with the account.
    let ada = Person {
        token: Some(key["token"].as_str().unwrap().to_owned()),
        ..ada
    };
    let ears = Ears::open(&house, &ada, &room).await;
    assert_eq!(
        ada.post_json("/profile/delete/", json!({"password": "secret"}))
            .await
            .status(),
        204
    );
    ears.end("signed-out").await;
    bob.post(&room, "and we go on").await;
    for listener in [&mut others, &mut guests] {
        while listener.next().await.unwrap().name != "message" {}
    }
}
