//! ID tokens that must not be accepted, and the keys that check them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::auth::oidc::provider::{CLIENT_ID, ProviderKey, TestProvider, unsigned_token};
use crate::auth::oidc::{
    finish_sign_in, id_token_claims, session_cookie, sign_in_with, start_sign_in,
};

#[tokio::test]
async fn invalid_id_token_is_rejected() {
    let key = ProviderKey::new("1");
    let other = ProviderKey::new("1");
    let provider = TestProvider::start(&key).await;
    let server = provider
        .start_server(&["--oidc-client-secret", "hush"])
        .await;
    let eve = server.visitor("eve");
    let with = |claims: &Value, field: &str, value: Value| {
        let mut changed = claims.clone();
        changed[field] = value;
        changed
    };
    type Forge<'a> = &'a dyn Fn(&Value) -> String;
    let now = server.clock.now().millis() / 1_000;
    let none = |claims: &Value| format!("{}.", unsigned_token(&json!({"alg": "none"}), claims));
    let keyless = |claims: &Value| {
        format!(
            "{}.{}",
            unsigned_token(&json!({"alg": "EdDSA", "kid": "1"}), claims),
            BASE64.encode([0; 64])
        )
    };
    let cut = |claims: &Value| key.sign(claims).rsplit_once('.').unwrap().0.to_owned() + ".";
    let symmetric =
        |claims: &Value| hmac_token(&unsigned_token(&json!({"alg": "HS256"}), claims), b"hush");
    let by_public_key = |claims: &Value| {
        hmac_token(
            &unsigned_token(&json!({"alg": "HS256", "kid": "1"}), claims),
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
            key.sign(&with(claims, "aud", json!([CLIENT_ID, "other"])))
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
        let authorization = start_sign_in(&eve, "", "").await;
        let token = forge(&id_token_claims(&server, &provider, &authorization, "eve"));
        let response = finish_sign_in(&eve, &provider, &authorization, token, "").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
        assert_eq!(session_cookie(&response), None, "{what}");
        let page = response.text().await.unwrap();
        assert!(
            page.contains("sent an invalid response") && !page.contains("nonce"),
            "{what}: {page}"
        );
    }
    let ada = server.account("ada").await;
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
    sign_in_with(&server, &provider, &key, "eve").await;
}

/// A token with an HMAC signature by [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104).
fn hmac_token(signed: &str, secret: &[u8]) -> String {
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
async fn unknown_signing_key_refetches_the_key_set_but_not_every_time() {
    let [old, new, unknown] = ["1", "2", "3"].map(ProviderKey::new);
    let provider = TestProvider::start(&old).await;
    let server = provider.start_server(&[]).await;
    sign_in_with(&server, &provider, &old, "ada").await;
    provider.use_only(&new);
    server.clock.advance(Duration::from_secs(10));
    sign_in_with(&server, &provider, &new, "ada").await;
    assert_eq!(provider.key_requests.load(Ordering::Relaxed), 2);
    let eve = server.visitor("eve");
    for key in [&unknown, &old, &unknown] {
        let authorization = start_sign_in(&eve, "", "").await;
        let response = finish_sign_in(
            &eve,
            &provider,
            &authorization,
            key.sign(&id_token_claims(&server, &provider, &authorization, "eve")),
            "",
        )
        .await;
        assert_eq!(
            (response.status(), session_cookie(&response)),
            (StatusCode::SERVICE_UNAVAILABLE, None)
        );
    }
    assert_eq!(provider.key_requests.load(Ordering::Relaxed), 2);
    // The cached key set expires, so a withdrawn key is refused.
    provider.use_only(&unknown);
    server.clock.advance(Duration::from_secs(60 * 60));
    let authorization = start_sign_in(&eve, "", "").await;
    let response = finish_sign_in(
        &eve,
        &provider,
        &authorization,
        new.sign(&id_token_claims(&server, &provider, &authorization, "eve")),
        "",
    )
    .await;
    assert_eq!(
        (response.status(), session_cookie(&response)),
        (StatusCode::SERVICE_UNAVAILABLE, None)
    );
    assert_eq!(provider.key_requests.load(Ordering::Relaxed), 3);
}
