//! Tokens: signed by this server, they authenticate a caller ([RFC
//! 7519](https://www.rfc-editor.org/rfc/rfc7519)).
//!
//! # Guarantees
//! - Only HS256 signatures with the key of this server are accepted, and only before the token
//!   expires.
//!
//! # Not here
//! - Whether the account still exists and its sessions have not ended: `account`.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use protocol::{Refusal, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::identity::person::{GuestId, Person, SessionInfo, random_id};
use crate::store::Store;
use crate::store::key_file::load_or_create_key;
use crate::{Chat, Config, Error};

/// How long the token of a guest is valid: the longest time for which browsers keep a cookie.
pub const GUEST_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The claims of a token that authenticates a caller.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The username of an account; for a guest `guest:` and a number, which is not a valid
    /// username.
    sub: String,
    /// The person ID.
    pub id: i64,
    /// The generation of the account's sessions; `None` for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When the token was issued, in seconds since the Unix epoch.
    iat: i64,
    /// When the sign-in provider last asked who the person is, in seconds since the Unix epoch;
    /// `None` if the provider did not say, and after a sign-in by a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    /// When the token expires, in seconds since the Unix epoch.
    exp: i64,
    /// The ID of the session in hexadecimal digits; `None` for a guest, and in tokens of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl Claims {
    /// The end of the second in which the token was issued.
    pub fn issued_by(&self) -> Time {
        from_seconds(self.iat.saturating_add(1))
    }

    /// The session of an account.
    pub fn session(&self) -> SessionInfo {
        let id = self.jti.as_deref();
        let id = id.and_then(|id| i64::from_str_radix(id, 16).ok());
        SessionInfo {
            id: id.unwrap_or(-self.iat),
            authenticated_at: self.auth_time.map(from_seconds),
            expires_at: from_seconds(self.exp),
        }
    }
}

fn from_seconds(seconds: i64) -> Time {
    Time::from_millis(seconds.saturating_mul(1_000))
}

/// The claims of content that is sealed for a purpose other than authentication.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed<T> {
    /// The purpose. A token that authenticates a caller has no audience, so neither kind is
    /// accepted as the other.
    aud: String,
    /// When the content expires, in seconds since the Unix epoch.
    exp: i64,
    content: T,
}

/// Issues and verifies tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: Duration,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Reads the configured key, or that of the database, or the key file in the data directory,
    /// which is created if it does not exist. Its key becomes that of a database without one.
    pub async fn open(config: &Config, store: &Store) -> Result<Self, Error> {
        let key = match &config.jwt_key {
            Some(key) => key.clone().into_bytes(),
            None => {
                let file = load_or_create_key(&config.data_dir)?;
                let stored = store.load_signing_key(&file).await?;
                stored.unwrap_or(file).into_bytes()
            }
        };
        Ok(Self::with_key(config, &key))
    }

    fn with_key(config: &Config, key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The clock of the configuration decides what has expired.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
            lifetime: config.jwt_lifetime,
        }
    }

    /// The claims of a new session of an account, after a sign-in provider asked at `authenticated_at`
    /// who the person is.
    pub fn begin_session(
        &self,
        id: i64,
        username: &str,
        generation: i64,
        authenticated_at: Option<Time>,
        now: Time,
    ) -> Result<Claims, Error> {
        Ok(Claims {
            sub: username.to_owned(),
            id,
            generation: Some(generation),
            iat: now.millis() / 1_000,
            // A time in the future would count for longer.
            auth_time: authenticated_at.map(|at| at.min(now).millis() / 1_000),
            exp: now.after(self.lifetime).millis() / 1_000,
            jti: Some(format!("{:014x}", random_id()?)),
        })
    }

    /// Issues a token for a guest.
    pub fn issue_for_guest(&self, guest: GuestId, now: Time) -> Result<String, Error> {
        let id = Person::Guest(guest).id();
        self.sign(&Claims {
            sub: format!("guest:{}", id.unsigned_abs()),
            id,
            generation: None,
            iat: now.millis() / 1_000,
            auth_time: None,
            exp: now.after(GUEST_LIFETIME).millis() / 1_000,
            jti: None,
        })
    }

    /// Signs claims as a token.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Error> {
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding).map_err(Error::fault)
    }

    /// The claims of a token, if this server signed it and it has not expired.
    pub fn verify(&self, token: &str, now: Time) -> Result<Claims, Refusal> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| Refusal::NotSignedIn)?
            .claims;
        if claims.exp.saturating_mul(1_000) <= now.millis() {
            Err(Refusal::NotSignedIn)
        } else {
            Ok(claims)
        }
    }

    /// Signs content for a purpose. It is valid until `end`.
    pub fn seal(
        &self,
        purpose: &str,
        content: &impl Serialize,
        end: Time,
    ) -> Result<String, Error> {
        self.sign(&Sealed {
            aud: purpose.to_owned(),
            exp: end.millis() / 1_000,
            content,
        })
    }

    /// The content that was sealed for this purpose, if it has not expired.
    pub fn unseal<T: DeserializeOwned>(&self, purpose: &str, sealed: &str, now: Time) -> Option<T> {
        let mut validation = self.validation.clone();
        validation.set_audience(&[purpose]);
        let Sealed { aud, exp, content } = decode(sealed, &self.decoding, &validation).ok()?.claims;
        (aud == purpose && exp.saturating_mul(1_000) > now.millis()).then_some(content)
    }
}

impl Chat {
    /// Signs content that a client carries and returns within `lifetime`. The client can read it,
    /// but not change it, and it is valid only for `purpose`.
    ///
    /// # Errors
    /// A fault.
    pub fn seal(
        &self,
        purpose: &str,
        content: &impl Serialize,
        lifetime: Duration,
    ) -> Result<String, Error> {
        self.0
            .tokens
            .seal(purpose, content, self.now().after(lifetime))
    }

    /// The content that was sealed for this purpose; `None` if the signature is wrong or the
    /// content has expired.
    pub fn unseal<T: DeserializeOwned>(&self, purpose: &str, sealed: &str) -> Option<T> {
        self.0.tokens.unseal(purpose, sealed, self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::EPOCH;

    fn tokens(change: impl FnOnce(&mut Config)) -> Tokens {
        let mut config = Config::new("unused");
        config.jwt_key = Some("a key for tests".to_owned());
        change(&mut config);
        Tokens::with_key(
            &config,
            config.jwt_key.as_deref().unwrap_or_default().as_bytes(),
        )
    }

    fn issue(tokens: &Tokens, generation: i64) -> String {
        let claims = tokens
            .begin_session(7, "ada", generation, None, NOW)
            .unwrap();
        tokens.sign(&claims).unwrap()
    }

    #[test]
    fn token_is_valid_until_it_expires() {
        let tokens = tokens(|config| config.jwt_lifetime = Duration::from_secs(60));
        let token = issue(&tokens, 3);
        let claims = tokens
            .verify(&token, NOW.after(Duration::from_secs(59)))
            .unwrap();
        assert_eq!(
            (claims.sub.as_str(), claims.id, claims.generation),
            ("ada", 7, Some(3))
        );
        assert_eq!(
            tokens.verify(&token, NOW.after(Duration::from_secs(60))),
            Err(Refusal::NotSignedIn)
        );
    }

    #[test]
    fn token_of_another_key_or_algorithm_is_refused() {
        let (ours, theirs) = (
            tokens(|_| {}),
            tokens(|config| config.jwt_key = Some("another key".to_owned())),
        );
        let claims = Claims {
            sub: "ada".to_owned(),
            id: 7,
            generation: Some(0),
            iat: 0,
            auth_time: None,
            exp: i64::MAX / 1_000,
            jti: None,
        };
        let other = encode(&Header::new(Algorithm::HS512), &claims, &ours.encoding).unwrap();
        let good = issue(&ours, 0);
        let (_, rest) = good.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        for token in [
            issue(&theirs, 0),
            other,
            none,
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(
                ours.verify(&token, NOW),
                Err(Refusal::NotSignedIn),
                "{token}"
            );
        }
        assert!(ours.verify(&good, NOW).is_ok());
    }

    #[test]
    fn session_of_a_token_without_an_id_is_known_by_the_time_of_issue() {
        let tokens = tokens(|_| {});
        let claims =
            serde_json::json!({"sub": "ada", "id": 7, "generation": 0, "iat": 5, "exp": 60});
        let claims = tokens.verify(&tokens.sign(&claims).unwrap(), NOW).unwrap();
        assert_eq!(claims.session().id, -5);
        let sessions = [0, 0].map(|generation| {
            let token = issue(&tokens, generation);
            tokens.verify(&token, NOW).unwrap().session()
        });
        assert!(sessions[0].id > 0 && sessions[0].id != sessions[1].id);
    }

    #[test]
    fn sealed_content_is_valid_for_its_purpose_until_it_expires() {
        let ours = tokens(|config| config.jwt_lifetime = Duration::from_secs(60));
        let end = NOW.after(Duration::from_secs(60));
        let sealed = ours.seal("a", &7, end).unwrap();
        assert_eq!(ours.unseal("a", &sealed, NOW), Some(7));
        assert_eq!(ours.unseal::<i64>("b", &sealed, NOW), None);
        assert_eq!(ours.unseal::<i64>("a", &sealed, end), None);
        assert_eq!(
            tokens(|config| config.jwt_key = Some("another key".to_owned()))
                .unseal::<i64>("a", &sealed, NOW),
            None
        );
        // Sealed claims do not authenticate a caller, and a token is not sealed content.
        let claims = Claims {
            sub: "ada".to_owned(),
            id: 7,
            generation: Some(0),
            iat: 0,
            auth_time: None,
            exp: 60,
            jti: None,
        };
        let posing = serde_json::json!({"aud": "a", "sub": "ada", "id": 7, "generation": 0, "iat": 0, "exp": 60});
        let posing = encode(&Header::new(Algorithm::HS256), &posing, &ours.encoding).unwrap();
        for token in [ours.seal("a", &claims, end).unwrap(), posing] {
            assert_eq!(ours.verify(&token, NOW), Err(Refusal::NotSignedIn));
        }
        let token = issue(&ours, 0);
        assert_eq!(ours.unseal::<serde_json::Value>("a", &token, NOW), None);
    }

    #[test]
    fn key_file_is_created_once_and_readable_only_by_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = || {
            let key = load_or_create_key(dir.path()).unwrap();
            Tokens::with_key(&Config::new(dir.path()), key.as_bytes())
        };
        let token = issue(&tokens(), 0);
        assert!(tokens().verify(&token, NOW).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(dir.path().join("jwt.key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
