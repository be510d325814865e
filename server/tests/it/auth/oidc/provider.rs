//! A provider that sends whatever a test wants, also what no correct one would.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::{IntoResponse, Response as AxumResponse};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use rcgen::{KeyPair, PKCS_ED25519, SigningKey};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::TestServer;

pub const CLIENT_ID: &str = "webchat";

/// A signing key of the provider, and its ID.
pub struct ProviderKey {
    pub id: &'static str,
    pub pair: KeyPair,
}

impl ProviderKey {
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            pair: KeyPair::generate_for(&PKCS_ED25519).unwrap(),
        }
    }

    pub fn public(&self) -> Value {
        let x = BASE64.encode(self.pair.public_key_raw());
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": x})
    }

    pub fn sign(&self, claims: &Value) -> String {
        let signed = unsigned_token(&json!({"alg": "EdDSA", "kid": self.id}), claims);
        let signature = self.pair.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

pub fn unsigned_token(head: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        BASE64.encode(head.to_string()),
        BASE64.encode(claims.to_string())
    )
}

/// What the provider sends, and the last token request that it received.
#[derive(Default)]
pub struct ProviderState {
    pub issuer: String,
    pub keys: Vec<Value>,
    pub token: String,
    pub userinfo: Value,
    pub token_request: HashMap<String, String>,
}

#[derive(Clone, Default)]
pub struct TestProvider {
    pub state: Arc<Mutex<ProviderState>>,
    /// How many requests for the key set it received.
    pub key_requests: Arc<AtomicUsize>,
}

impl TestProvider {
    /// Starts a provider with this key.
    pub async fn start(key: &ProviderKey) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), key)
    }

    pub fn on(listener: TcpListener, key: &ProviderKey) -> Self {
        let provider = Self::default();
        provider.state.lock().unwrap().issuer =
            format!("http://{}", listener.local_addr().unwrap());
        provider.use_only(key);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery_endpoint))
            .route("/keys", get(keys_endpoint))
            .route("/token", post(token_endpoint))
            .route("/me", get(userinfo_endpoint))
            .with_state(provider.clone());
        tokio::spawn(async { axum::serve(listener, router).await });
        provider
    }

    pub fn issuer(&self) -> String {
        self.state.lock().unwrap().issuer.clone()
    }

    pub fn use_only(&self, key: &ProviderKey) {
        self.state.lock().unwrap().keys = vec![key.public()];
    }

    pub async fn start_server(&self, more: &[&str]) -> TestServer {
        let issuer = self.issuer();
        let flags = [
            "--oidc-issuer",
            &issuer,
            "--oidc-client-id",
            CLIENT_ID,
            "--oidc-name",
            "Ours",
        ];
        let limit: &[&str] = if more.contains(&"--rate-limit") {
            &[]
        } else {
            &["--rate-limit", "off"]
        };
        TestServer::with(&[&flags[..], more, limit].concat(), |_| {}).await
    }
}

async fn discovery_endpoint(State(provider): State<TestProvider>) -> Json<Value> {
    Json(discovery_document(&provider.issuer()))
}

/// The discovery document of a provider.
pub fn discovery_document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // The server must accept asymmetric signatures only, whatever is listed here.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    })
}

async fn keys_endpoint(State(provider): State<TestProvider>) -> Json<Value> {
    provider.key_requests.fetch_add(1, Ordering::Relaxed);
    Json(json!({"keys": provider.state.lock().unwrap().keys}))
}

async fn token_endpoint(
    State(provider): State<TestProvider>,
    Form(form): Form<HashMap<String, String>>,
) -> AxumResponse {
    let mut state = provider.state.lock().unwrap();
    if form["code"] == "used" {
        let why = json!({"error": "invalid_grant", "error_description": "a detail"});
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    }
    state.token_request = form;
    Json(json!({"access_token": "opaque", "token_type": "Bearer", "id_token": state.token}))
        .into_response()
}

async fn userinfo_endpoint(State(provider): State<TestProvider>) -> Json<Value> {
    Json(provider.state.lock().unwrap().userinfo.clone())
}
