//! Signing in by a provider: a tiny one that says whatever a test wants, also what no honest one would.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response as Answer};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use rcgen::{KeyPair, PKCS_ED25519, SigningKey};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use crate::house::{House, Person, problem};

const CLIENT: &str = "webchat";

/// A key of the provider, and what it is called.
struct Key {
    id: &'static str,
    pair: KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        Self {
            id,
            pair: KeyPair::generate_for(&PKCS_ED25519).unwrap(),
        }
    }

    fn public(&self) -> Value {
        let x = BASE64.encode(self.pair.public_key_raw());
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x})
    }

    fn sign(&self, claims: &Value) -> String {
        let signed = unsigned(&json!({"alg": "EdDSA", "kid": self.id}), claims);
        let signature = self.pair.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

fn unsigned(head: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        BASE64.encode(head.to_string()),
        BASE64.encode(claims.to_string())
    )
}

/// What the provider says, and what it was asked.
#[derive(Default)]
struct Told {
    issuer: String,
    keys: Vec<Value>,
    token: String,
    about: Value,
    asked: HashMap<String, String>,
}

#[derive(Clone, Default)]
struct Tiny {
    told: Arc<Mutex<Told>>,
    /// How often it was asked for its keys.
    looks: Arc<AtomicUsize>,
}

impl Tiny {
    /// A provider with this key.
    async fn start(key: &Key) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), key)
    }

    fn on(listener: TcpListener, key: &Key) -> Self {
        let tiny = Self::default();
        tiny.told.lock().unwrap().issuer = format!("http://{}", listener.local_addr().unwrap());
        tiny.use_only(key);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/me", get(me))
            .with_state(tiny.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        tiny
    }

    fn issuer(&self) -> String {
        self.told.lock().unwrap().issuer.clone()
    }

    fn use_only(&self, key: &Key) {
        self.told.lock().unwrap().keys = vec![key.public()];
    }

    async fn house(&self, more: &[&str]) -> House {
        let issuer = self.issuer();
        let flags = [
            "--oidc-issuer",
            &issuer,
            "--oidc-client-id",
            CLIENT,
            "--oidc-name",
            "Ours",
        ];
        let limit: &[&str] = if more.contains(&"--rate-limit") {
            &[]
        } else {
            &["--rate-limit", "off"]
        };
        House::with(&[&flags[..], more, limit].concat(), |_| {}).await
    }
}

async fn describe(State(tiny): State<Tiny>) -> Json<Value> {
    Json(described(&tiny.issuer()))
}

/// What a provider says of itself.
fn described(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // What it would like is not what it gets.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    })
}

async fn keys(State(tiny): State<Tiny>) -> Json<Value> {
    tiny.looks.fetch_add(1, Ordering::Relaxed);
    Json(json!({"keys": tiny.told.lock().unwrap().keys}))
}

async fn token(State(tiny): State<Tiny>, Form(asked): Form<HashMap<String, String>>) -> Answer {
    let mut told = tiny.told.lock().unwrap();
    if asked["code"] == "used" {
        let why = json!({"error": "invalid_grant", "error_description": "a detail"});
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    }
    told.asked = asked;
    Json(json!({"access_token": "opaque", "token_type": "Bearer", "id_token": told.token}))
        .into_response()
}

async fn me(State(tiny): State<Tiny>) -> Json<Value> {
    Json(tiny.told.lock().unwrap().about.clone())
}

/// A browser on its way to the provider.
struct Away {
    to: Url,
    cookie: String,
}

impl Away {
    fn new(answer: &Response) -> Self {
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let set = set_cookies(answer);
        let [cookie] = set.as_slice() else {
            panic!("{set:?}")
        };
        assert!(
            cookie.ends_with("; Path=/login/openid/; Max-Age=600; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            to: answer.headers()["location"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap(),
            cookie,
        }
    }

    fn says(&self, name: &str) -> String {
        self.to
            .query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
            .into_owned()
    }
}

fn set_cookies(answer: &Response) -> Vec<String> {
    let set = answer.headers().get_all("set-cookie").iter();
    set.map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

/// The cookie by which somebody is signed in from now on, if anybody is.
fn session(answer: &Response) -> Option<String> {
    let set = set_cookies(answer)
        .into_iter()
        .find(|cookie| cookie.starts_with("session="))?;
    Some(set.split(';').next().unwrap().to_owned())
}

async fn look(person: &Person, path: &str, cookie: &str) -> Response {
    let request = person
        .request(Method::GET, path)
        .header("accept", "text/html")
        .header("cookie", cookie);
    request
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap()
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

async fn leave(person: &Person, cookie: &str, query: &str) -> Away {
    Away::new(&look(person, &format!("/login/openid/?{query}"), cookie).await)
}

/// Comes back from the provider, which gives this token for the code.
async fn come_back(
    person: &Person,
    tiny: &Tiny,
    away: &Away,
    token: String,
    cookie: &str,
) -> Response {
    tiny.told.lock().unwrap().token = token;
    let path = format!(
        "/login/openid/callback?code=good&state={}",
        away.says("state")
    );
    look(person, &path, &format!("{}; {cookie}", away.cookie)).await
}

fn claims(house: &House, tiny: &Tiny, away: &Away, subject: &str) -> Value {
    let now = house.clock.now().millis() / 1_000;
    json!({"iss": tiny.issuer(), "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300,
           "nonce": away.says("nonce"), "preferred_username": subject})
}

async fn sign_in(house: &House, tiny: &Tiny, key: &Key, subject: &str) -> String {
    let person = house.person(subject);
    let away = leave(&person, "", "").await;
    let token = key.sign(&claims(house, tiny, &away, subject));
    session(&come_back(&person, tiny, &away, token, "").await).unwrap()
}

async fn me_as(person: &Person, cookie: &str) -> Value {
    let request = person
        .request(Method::GET, "/profile/")
        .header("accept", "application/json");
    request
        .header("cookie", cookie)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_provider_makes_an_account_and_the_same_one_the_next_time() {
    let key = Key::new("1");
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&["--oidc-client-secret", "hush"]).await;
    let ada = house.person("ada");
    // As a guest she opens a room, which becomes her account's.
    let guest = house.guest("ada").await;
    let room = guest.room().await;
    let as_guest = format!("guest={}", guest.token.as_ref().unwrap());
    let away = leave(&ada, &as_guest, "next=/rooms/%3Fa=b").await;
    assert_eq!(away.to.path(), "/auth");
    assert_eq!(
        (away.says("client_id"), away.says("response_type")),
        (CLIENT.to_owned(), "code".to_owned())
    );
    assert_eq!(
        (away.says("scope"), away.says("code_challenge_method")),
        ("openid profile email".into(), "S256".into())
    );
    assert_eq!(
        away.says("redirect_uri"),
        format!("{}/login/openid/callback", house.url)
    );
    let mut said = claims(&house, &tiny, &away, "7");
    said["preferred_username"] = Value::Null;
    said["email"] = json!("Ada.L@example.org");
    said["name"] = json!("Ada L.");
    let answer = come_back(&ada, &tiny, &away, key.sign(&said), &as_guest).await;
    assert_eq!(
        (answer.status(), &answer.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/rooms/?a=b".parse().unwrap())
    );
    let over = set_cookies(&answer)
        .into_iter()
        .find(|cookie| cookie.starts_with("openid="))
        .unwrap();
    assert!(
        over.starts_with("openid=; Path=/login/openid/; Max-Age=0"),
        "{over}"
    );
    let signed_in = session(&answer).unwrap();
    assert_eq!(
        me_as(&ada, &signed_in).await,
        json!({"name": "Ada L.", "username": "ada-l"})
    );
    let asked = tiny.told.lock().unwrap().asked.clone();
    assert_eq!(
        BASE64.encode(Sha256::digest(&asked["code_verifier"])),
        away.says("code_challenge")
    );
    assert_eq!(asked["redirect_uri"], away.says("redirect_uri"));
    let room = ada
        .request(Method::GET, &format!("/rooms/{room}/"))
        .header("cookie", &signed_in);
    let room: Value = room
        .header("accept", "application/json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(room["role"], "owner");
    // Whatever she is called there by then, and whichever browser she has.
    let phone = house.person("phone");
    let away = leave(&phone, "", "next=//evil.example").await;
    let answer = come_back(
        &phone,
        &tiny,
        &away,
        key.sign(&claims(&house, &tiny, &away, "7")),
        "",
    )
    .await;
    assert_eq!(answer.headers()["location"], "/");
    assert_eq!(
        me_as(&phone, &session(&answer).unwrap()).await["username"],
        "ada-l"
    );
    // Who is signed in has no need to.
    let answer = look(&ada, "/login/openid/?next=/rooms/", &signed_in).await;
    assert_eq!(answer.headers()["location"], "/rooms/");
    assert_eq!(tiny.looks.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_somebody_is_called_is_asked_for_if_the_token_does_not_say() {
    let key = Key::new("1");
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&[]).await;
    let cases = [("7", "7", "ada"), ("8", "somebody-else", "person")];
    for (subject, about, username) in cases {
        tiny.told.lock().unwrap().about =
            json!({"sub": about, "preferred_username": "ada", "name": "Ada"});
        let ada = house.person("ada");
        let away = leave(&ada, "", "").await;
        let mut said = claims(&house, &tiny, &away, subject);
        said.as_object_mut().unwrap().remove("preferred_username");
        let answer = come_back(&ada, &tiny, &away, key.sign(&said), "").await;
        assert_eq!(
            me_as(&ada, &session(&answer).unwrap()).await["username"],
            username
        );
    }
}

#[tokio::test]
async fn a_token_that_is_not_good_signs_nobody_in() {
    let (key, other) = (Key::new("1"), Key::new("1"));
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&["--oidc-client-secret", "hush"]).await;
    let eve = house.person("eve");
    let with = |claims: &Value, field: &str, value: Value| {
        let mut changed = claims.clone();
        changed[field] = value;
        changed
    };
    type Forge<'a> = &'a dyn Fn(&Value) -> String;
    let now = house.clock.now().millis() / 1_000;
    let none = |claims: &Value| format!("{}.", unsigned(&json!({"alg": "none"}), claims));
    let keyless = |claims: &Value| {
        format!(
            "{}.{}",
            unsigned(&json!({"alg": "EdDSA", "kid": "1"}), claims),
            BASE64.encode([0; 64])
        )
    };
    let cut = |claims: &Value| key.sign(claims).rsplit_once('.').unwrap().0.to_owned() + ".";
    let symmetric = |claims: &Value| hmac(&unsigned(&json!({"alg": "HS256"}), claims), b"hush");
    let by_public_key = |claims: &Value| {
        hmac(
            &unsigned(&json!({"alg": "HS256", "kid": "1"}), claims),
            key.pair.public_key_raw(),
        )
    };
    let swapped = |claims: &Value| {
        let (signed, signature) = key
            .sign(claims)
            .rsplit_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let head = signed.split('.').next().unwrap();
        format!(
            "{head}.{}.{signature}",
            BASE64.encode(with(claims, "sub", json!("root")).to_string())
        )
    };
    let cases: [(&str, Forge<'_>); 16] = [
        ("no algorithm", &none),
        ("no signature", &cut),
        ("an empty signature", &keyless),
        ("the client's secret", &symmetric),
        ("the public key for a secret", &by_public_key),
        ("other claims under the signature", &swapped),
        ("another key of that name", &|claims| other.sign(claims)),
        ("another audience", &|claims| {
            key.sign(&with(claims, "aud", json!("other")))
        }),
        ("one more audience", &|claims| {
            key.sign(&with(claims, "aud", json!([CLIENT, "other"])))
        }),
        ("another issuer", &|claims| {
            key.sign(&with(claims, "iss", json!("https://other.example")))
        }),
        ("another nonce", &|claims| {
            key.sign(&with(claims, "nonce", json!("other")))
        }),
        ("no nonce", &|claims| {
            key.sign(&with(claims, "nonce", Value::Null))
        }),
        ("expired", &|claims| {
            key.sign(&with(claims, "exp", json!(now - 1)))
        }),
        ("nobody", &|claims| {
            key.sign(&with(claims, "sub", json!("")))
        }),
        ("a subject without end", &|claims| {
            key.sign(&with(claims, "sub", json!("x".repeat(256))))
        }),
        ("no token", &|_| "a.b.c".to_owned()),
    ];
    for (what, forge) in cases {
        let away = leave(&eve, "", "").await;
        let token = forge(&claims(&house, &tiny, &away, "eve"));
        let answer = come_back(&eve, &tiny, &away, token, "").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
        assert_eq!(session(&answer), None, "{what}");
        let page = answer.text().await.unwrap();
        assert!(
            page.contains("did not answer as agreed") && !page.contains("nonce"),
            "{what}: {page}"
        );
    }
    let ada = house.member("ada").await;
    let people: Value = ada
        .get("/users", "application/json")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        people["content"],
        json!([{"name": "ADA", "username": "ada"}])
    );
    sign_in(&house, &tiny, &key, "eve").await;
}

/// A token signed with a secret, by [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104).
fn hmac(signed: &str, secret: &[u8]) -> String {
    let mut block = [0; 64];
    block[..secret.len()].copy_from_slice(secret);
    let [inner, outer] = [0x36, 0x5c].map(|pad| block.map(|byte| byte ^ pad));
    let inner = Sha256::new()
        .chain_update(inner)
        .chain_update(signed)
        .finalize();
    format!(
        "{signed}.{}",
        BASE64.encode(
            Sha256::new()
                .chain_update(outer)
                .chain_update(inner)
                .finalize()
        )
    )
}

#[tokio::test]
async fn a_new_key_is_asked_for_but_not_at_every_turn() {
    let [old, new, unknown] = ["1", "2", "3"].map(Key::new);
    let tiny = Tiny::start(&old).await;
    let house = tiny.house(&[]).await;
    sign_in(&house, &tiny, &old, "ada").await;
    tiny.use_only(&new);
    house.clock.advance(Duration::from_secs(10));
    sign_in(&house, &tiny, &new, "ada").await;
    assert_eq!(tiny.looks.load(Ordering::Relaxed), 2);
    let eve = house.person("eve");
    for key in [&unknown, &old, &unknown] {
        let away = leave(&eve, "", "").await;
        let answer = come_back(
            &eve,
            &tiny,
            &away,
            key.sign(&claims(&house, &tiny, &away, "eve")),
            "",
        )
        .await;
        assert_eq!(
            (answer.status(), session(&answer)),
            (StatusCode::SERVICE_UNAVAILABLE, None)
        );
    }
    assert_eq!(tiny.looks.load(Ordering::Relaxed), 2);
    // What is known grows old, and a key that was taken back is not believed any longer.
    tiny.use_only(&unknown);
    house.clock.advance(Duration::from_secs(60 * 60));
    let away = leave(&eve, "", "").await;
    let answer = come_back(
        &eve,
        &tiny,
        &away,
        new.sign(&claims(&house, &tiny, &away, "eve")),
        "",
    )
    .await;
    assert_eq!(
        (answer.status(), session(&answer)),
        (StatusCode::SERVICE_UNAVAILABLE, None)
    );
    assert_eq!(tiny.looks.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_provider_that_is_down_keeps_nobody_else_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let issuer = format!("http://{address}");
    let house = House::with(
        &["--oidc-issuer", &issuer, "--oidc-client-id", CLIENT],
        |_| {},
    )
    .await;
    let ada = house.member("ada").await;
    for _ in 0..2 {
        let answer = look(&house.person("grace"), "/login/openid/?next=/rooms/", "").await;
        assert_eq!(
            (answer.status(), &answer.headers()["retry-after"]),
            (StatusCode::SERVICE_UNAVAILABLE, &"10".parse().unwrap())
        );
        let page = answer.text().await.unwrap();
        assert!(
            page.contains("127.0.0.1 does not answer at the moment"),
            "{page}"
        );
        assert!(page.contains("href=\"/login?next=%2Frooms%2F\""), "{page}");
    }
    let told = problem(
        house
            .person("grace")
            .get("/login/openid/", "application/json")
            .await,
        503,
    )
    .await;
    assert_eq!(told.title, "Sign-in not available");
    ada.room().await;
    // Once it is there, all is well, soon.
    let key = Key::new("1");
    let tiny = Tiny::on(TcpListener::bind(address).await.unwrap(), &key);
    assert_eq!(
        look(&house.person("grace"), "/login/openid/", "")
            .await
            .status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    house.clock.advance(Duration::from_secs(10));
    sign_in(&house, &tiny, &key, "grace").await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_leads_elsewhere_is_none() {
    // All but these two things are good about each of them.
    for (blanks, is_elsewhere, status) in [
        (200 * 1024, false, 303),
        (300 * 1024, false, 503),
        (0, true, 503),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let text = " ".repeat(blanks) + &described(&issuer).to_string();
        let there = get(async move || ([(header::CONTENT_TYPE, "application/json")], text));
        let here = if is_elsewhere {
            get(async || Redirect::temporary("/elsewhere"))
        } else {
            there.clone()
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", here)
            .route("/elsewhere", there)
            .route("/keys", get(async || Json(json!({"keys": []}))));
        tokio::spawn(async { axum::serve(listener, router).await });
        let house = House::with(
            &["--oidc-issuer", &issuer, "--oidc-client-id", CLIENT],
            |_| {},
        )
        .await;
        let answer = look(&house.person("ada"), "/login/openid/", "").await;
        assert_eq!(answer.status().as_u16(), status, "{blanks} {is_elsewhere}");
    }
}

#[tokio::test]
async fn only_the_browser_that_left_comes_back_and_only_once() {
    let key = Key::new("1");
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&[]).await;
    let ada = house.person("ada");
    let away = leave(&ada, "", "next=/rooms/").await;
    let [other, state] = [leave(&ada, "", "").await.says("state"), away.says("state")];
    let iss = "iss=https://other.example";
    let cases = [
        (String::new(), away.cookie.clone(), 400, "is over"),
        (
            format!("code=good&state={state}"),
            String::new(),
            400,
            "is over",
        ),
        (
            format!("code=good&state={state}"),
            format!("{}x", away.cookie),
            400,
            "is over",
        ),
        (
            format!("code=good&state={other}"),
            away.cookie.clone(),
            400,
            "is over",
        ),
        (
            format!("code=good&state={state}&{iss}"),
            away.cookie.clone(),
            400,
            "is over",
        ),
        (
            format!("state={state}"),
            away.cookie.clone(),
            400,
            "is over",
        ),
        (
            format!("code=used&state={state}"),
            away.cookie.clone(),
            400,
            "used before",
        ),
        (
            format!("error=access_denied&error_description=a+detail&state={state}"),
            away.cookie.clone(),
            403,
            "You did not allow it",
        ),
        (
            format!("error=server_error&error_description=a+detail&state={state}"),
            away.cookie.clone(),
            503,
            "Ours does not sign anybody in",
        ),
        // Nobody else can make it look as if it had been denied.
        (
            format!("error=access_denied&state={other}"),
            away.cookie.clone(),
            400,
            "is over",
        ),
    ];
    for (query, cookie, status, words) in cases {
        let answer = look(&ada, &format!("/login/openid/callback?{query}"), &cookie).await;
        assert_eq!(
            (answer.status().as_u16(), session(&answer)),
            (status, None),
            "{query}"
        );
        assert!(
            set_cookies(&answer)
                .iter()
                .any(|cookie| cookie.starts_with("openid=;")),
            "{query}"
        );
        let page = answer.text().await.unwrap();
        assert!(
            page.contains(words) && !page.contains("a detail"),
            "{query}: {page}"
        );
        let again = if cookie == away.cookie {
            "href=\"/login/openid/?next=%2Frooms%2F\""
        } else {
            "href=\"/login/openid/?next=%2F\""
        };
        assert!(page.contains(again), "{query}: {page}");
    }
    let plain = ada
        .request(Method::GET, "/login/openid/callback?code=good")
        .header("accept", "application/json");
    problem(plain.send().await.unwrap(), 400).await;
    house.clock.advance(Duration::from_secs(600));
    let answer = come_back(
        &ada,
        &tiny,
        &away,
        key.sign(&claims(&house, &tiny, &away, "ada")),
        "",
    )
    .await;
    assert_eq!(
        (answer.status(), session(&answer)),
        (StatusCode::BAD_REQUEST, None)
    );
}

#[tokio::test]
async fn an_account_is_linked_from_its_own_page_only() {
    let key = Key::new("1");
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&[]).await;
    let (ada, eve) = (house.member("ada").await, house.member("eve").await);
    let browser = house.person("browser");
    let cookie = |person: &Person| format!("session={}", person.token.as_ref().unwrap());
    let link_of = async |cookie: &str| {
        let page = look(&browser, "/profile/?next=/rooms/", cookie)
            .await
            .text()
            .await
            .unwrap();
        let link = page
            .split("href=\"/login/openid/?")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&amp;", "&");
        format!("/login/openid/?{link}")
    };
    let [ada, eve] = [cookie(&ada), cookie(&eve)];
    let link = link_of(&ada).await;
    for (path, cookie, status) in [
        (&link[..], &eve[..], 400),
        (&link, "", 401),
        ("/login/openid/?link=a.b.c", &ada, 400),
    ] {
        let answer = look(&browser, path, cookie).await;
        assert_eq!(
            (answer.status().as_u16(), set_cookies(&answer).len()),
            (status, 0),
            "{path}"
        );
    }
    // Who has signed out or changed to another account in between is not linked.
    let away = Away::new(&look(&browser, &link, &ada).await);
    for cookie in [&eve[..], ""] {
        let token = key.sign(&claims(&house, &tiny, &away, "7"));
        assert_eq!(
            come_back(&browser, &tiny, &away, token, cookie)
                .await
                .status(),
            StatusCode::UNAUTHORIZED
        );
    }
    let answer = come_back(
        &browser,
        &tiny,
        &away,
        key.sign(&claims(&house, &tiny, &away, "7")),
        &ada,
    )
    .await;
    assert_eq!(
        (&answer.headers()["location"], session(&answer)),
        (
            &"/profile/?changed=linked&next=%2Frooms%2F".parse().unwrap(),
            None
        )
    );
    assert_eq!(
        me_as(&browser, &sign_in(&house, &tiny, &key, "7").await).await["username"],
        "ada"
    );
    // It is nobody else's then.
    let away = Away::new(&look(&browser, &link_of(&eve).await, &eve).await);
    let answer = come_back(
        &browser,
        &tiny,
        &away,
        key.sign(&claims(&house, &tiny, &away, "7")),
        &eve,
    )
    .await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(answer.text().await.unwrap().contains("Not linked"));
    let answer = submit(&browser, "/profile/unlink/", &ada, &[("next", "/rooms/")]).await;
    assert_eq!(
        answer.headers()["location"],
        "/profile/?changed=unlinked&next=%2Frooms%2F"
    );
    assert_eq!(
        me_as(&browser, &sign_in(&house, &tiny, &key, "7").await).await["username"],
        "person"
    );
}

#[tokio::test]
async fn an_account_without_a_password_gets_one_or_goes_without() {
    let key = Key::new("1");
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&[]).await;
    let person = house.person("ada");
    let (ada, grace) = (
        sign_in(&house, &tiny, &key, "ada").await,
        sign_in(&house, &tiny, &key, "grace").await,
    );
    let [none, unknown] =
        ["ada", "nobody"].map(|username| json!({"username": username, "password": ""}));
    let (none, unknown) = (
        person.post_json("/login", none).await,
        person.post_json("/login", unknown).await,
    );
    assert_eq!(
        (none.status(), unknown.status()),
        (StatusCode::BAD_REQUEST, StatusCode::BAD_REQUEST)
    );
    assert_eq!(none.text().await.unwrap(), unknown.text().await.unwrap());
    assert_eq!(
        submit(&person, "/profile/unlink/", &ada, &[])
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    let wrong = submit(&person, "/profile/password/", &ada, &[("new", "x")]).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().await.unwrap().contains("Set password"));
    let answer = submit(&person, "/profile/password/", &ada, &[("new", "secret")]).await;
    let fresh = session(&answer).unwrap();
    assert_eq!(me_as(&person, &ada).await["status"], 401);
    assert_eq!(
        submit(&person, "/profile/password/", &fresh, &[("new", "secret2")])
            .await
            .status(),
        422
    );
    let login = person
        .post_json("/login", json!({"username": "ada", "password": "secret"}))
        .await;
    assert_eq!(login.status(), StatusCode::OK);
    // Without one, its name is asked for before it goes.
    let answer = submit(&person, "/profile/delete/", &grace, &[("username", "ada")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().await.unwrap().contains("Your username"));
    assert_eq!(
        submit(
            &person,
            "/profile/delete/",
            &grace,
            &[("username", "Grace")]
        )
        .await
        .status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(me_as(&person, &grace).await["status"], 401);
    let again = sign_in(&house, &tiny, &key, "grace").await;
    assert_eq!(
        submit(&person, "/profile/sign-out/", &again, &[])
            .await
            .status(),
        StatusCode::SEE_OTHER
    );
    assert_eq!(me_as(&person, &again).await["status"], 401);
}

#[tokio::test]
async fn who_comes_back_again_and_again_waits() {
    let key = Key::new("1");
    let tiny = Tiny::start(&key).await;
    let house = tiny.house(&["--rate-limit", "on"]).await;
    let eve = house.person("eve");
    let away = leave(&eve, "", "").await;
    let mut refused = None;
    for _ in 0..60 {
        let answer = come_back(&eve, &tiny, &away, "a.b.c".to_owned(), "").await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    assert!(refused.unwrap().headers().contains_key("retry-after"));
}

#[tokio::test]
async fn the_way_back_is_where_the_operator_says_or_the_browser_asked() {
    let tiny = Tiny::start(&Key::new("1")).await;
    let house = tiny.house(&["--public-url", "https://chat.example/"]).await;
    let away = leave(&house.person("ada"), "", "").await;
    assert_eq!(
        away.says("redirect_uri"),
        "https://chat.example/login/openid/callback"
    );
    let house = tiny.house(&["--trusted-proxies", "127.0.0.1"]).await;
    let request = house
        .person("ada")
        .request(Method::GET, "/login/openid/")
        .header("host", "chat.example");
    let request = request
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-forwarded-proto", "https");
    let answer = request.send().await.unwrap();
    let to: Url = answer.headers()["location"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let back = to
        .query_pairs()
        .find(|(key, _)| key == "redirect_uri")
        .unwrap()
        .1
        .into_owned();
    assert_eq!(back, "https://chat.example/login/openid/callback");
    assert!(set_cookies(&answer)[0].ends_with("; Secure"));
}

#[tokio::test]
async fn without_a_provider_there_is_no_way_to_one() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    let cookie = format!("session={}", ada.token.as_ref().unwrap());
    let nobody = house.person("nobody");
    for path in ["/login/openid/", "/login/openid/callback"] {
        problem(nobody.get(path, "application/json").await, 404).await;
    }
    assert_eq!(
        submit(&nobody, "/profile/unlink/", &cookie, &[])
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
    for (path, cookie) in [
        ("/login", ""),
        ("/register", ""),
        ("/profile/", &cookie[..]),
    ] {
        assert!(
            !look(&nobody, path, cookie)
                .await
                .text()
                .await
                .unwrap()
                .contains("openid"),
            "{path}"
        );
    }
}
