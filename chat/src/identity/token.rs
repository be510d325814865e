//! Tokens: what a person shows to be known again, signed by this server ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).
//!
//! Promises: only HS256 under this server's key is taken, and only before it expires. Leaves to others: whether the
//! account is still there and the token has not been revoked (`account`).

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use protocol::{Refusal, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::identity::person::GuestId;
use crate::{Chat, Config, Error};

/// How long a guest's key is good: as long as browsers keep anything.
pub const GUEST_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// What a token says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The username, or `guest:` and a number, which is no username.
    sub: String,
    /// The person's ID.
    pub id: i64,
    /// Of an account: which tokens are good at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// When it was made, in seconds since the Unix epoch.
    iat: i64,
    /// When it is good no longer, in seconds since the Unix epoch.
    exp: i64,
}

/// What is sealed for a purpose other than to say who somebody is.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed<T> {
    /// The purpose. No token of a person names one, and none that names one is taken for a person's.
    aud: String,
    /// When it is good no longer, in seconds since the Unix epoch.
    exp: i64,
    content: T,
}

/// Makes tokens and reads them.
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
    /// With the configured key, or the one in the data directory, which is made if missing.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let secret = match &config.jwt_key {
            Some(key) => key.clone().into_bytes(),
            None => secret(&config.data_dir.join("jwt.key"))?,
        };
        let mut validation = Validation::new(Algorithm::HS256);
        // Our own clock says what has expired.
        validation.validate_exp = false;
        Ok(Self {
            encoding: EncodingKey::from_secret(&secret),
            decoding: DecodingKey::from_secret(&secret),
            validation,
            lifetime: config.jwt_lifetime,
        })
    }

    pub fn for_account(
        &self,
        id: i64,
        username: &str,
        generation: i64,
        now: Time,
    ) -> Result<String, Error> {
        self.make(
            username.to_owned(),
            id,
            Some(generation),
            now,
            self.lifetime,
        )
    }

    pub fn for_guest(&self, guest: GuestId, now: Time) -> Result<String, Error> {
        let id = crate::Person::Guest(guest).id();
        self.make(
            format!("guest:{}", id.unsigned_abs()),
            id,
            None,
            now,
            GUEST_LIFETIME,
        )
    }

    fn make(
        &self,
        sub: String,
        id: i64,
        generation: Option<i64>,
        now: Time,
        last: Duration,
    ) -> Result<String, Error> {
        let exp = now.after(last).millis() / 1_000;
        let claims = Claims {
            sub,
            id,
            generation,
            iat: now.millis() / 1_000,
            exp,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::fault)
    }

    /// What a token says, if it is one of ours and still good.
    pub fn read(&self, token: &str, now: Time) -> Result<Claims, Refusal> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| Refusal::NotSignedIn)?
            .claims;
        if claims.exp.saturating_mul(1_000) <= now.millis() {
            Err(Refusal::NotSignedIn)
        } else {
            Ok(claims)
        }
    }

    /// Signs something for a purpose, good until `end`.
    pub fn seal(
        &self,
        purpose: &str,
        content: &impl Serialize,
        end: Time,
    ) -> Result<String, Error> {
        let sealed = Sealed {
            aud: purpose.to_owned(),
            exp: end.millis() / 1_000,
            content,
        };
        encode(&Header::new(Algorithm::HS256), &sealed, &self.encoding).map_err(Error::fault)
    }

    /// What was signed for this purpose and is still good.
    pub fn unseal<T: DeserializeOwned>(&self, purpose: &str, sealed: &str, now: Time) -> Option<T> {
        let mut validation = self.validation.clone();
        validation.set_audience(&[purpose]);
        let Sealed { aud, exp, content } = decode(sealed, &self.decoding, &validation).ok()?.claims;
        (aud == purpose && exp.saturating_mul(1_000) > now.millis()).then_some(content)
    }
}

/// The secret that is kept in a file, made if there is none.
fn secret(path: &Path) -> Result<Vec<u8>, Error> {
    match std::fs::read(path) {
        Ok(secret) if secret.len() >= 32 => Ok(secret),
        Ok(_) => Err(Error::fault(format!(
            "{} is too short to be a key",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => make_secret(path),
        Err(error) => Err(error.into()),
    }
}

fn make_secret(path: &Path) -> Result<Vec<u8>, Error> {
    let mut secret = Vec::new();
    for _ in 0..4 {
        write!(secret, "{:016x}", getrandom::u64()?)?;
    }
    let beside = path.with_extension("new");
    let mut file: File = private().open(&beside)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    crate::store::sync_parent(path)?;
    Ok(secret)
}

/// Files that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl Chat {
    /// Writes down what only this server can have written, to be shown again within `lifetime`. Whoever has it can read it.
    /// `purpose` says what it is for; nothing else takes it.
    ///
    /// # Errors
    /// A fault.
    pub fn seal(
        &self,
        purpose: &str,
        content: &impl serde::Serialize,
        lifetime: Duration,
    ) -> Result<String, Error> {
        self.0
            .tokens
            .seal(purpose, content, self.now().after(lifetime))
    }

    /// What was sealed for a purpose, if it was and its time is not over.
    pub fn unseal<T: serde::de::DeserializeOwned>(&self, purpose: &str, sealed: &str) -> Option<T> {
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
        Tokens::open(&config).unwrap()
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let tokens = tokens(|config| config.jwt_lifetime = Duration::from_secs(60));
        let token = tokens.for_account(7, "ada", 3, NOW).unwrap();
        let claims = tokens
            .read(&token, NOW.after(Duration::from_secs(59)))
            .unwrap();
        assert_eq!(
            (claims.sub.as_str(), claims.id, claims.generation),
            ("ada", 7, Some(3))
        );
        assert_eq!(
            tokens.read(&token, NOW.after(Duration::from_secs(60))),
            Err(Refusal::NotSignedIn)
        );
    }

    #[test]
    fn what_others_made_is_nothing() {
        let (ours, theirs) = (
            tokens(|_| {}),
            tokens(|config| config.jwt_key = Some("another key".to_owned())),
        );
        let claims = Claims {
            sub: "ada".to_owned(),
            id: 7,
            generation: Some(0),
            iat: 0,
            exp: i64::MAX / 1_000,
        };
        let other = encode(&Header::new(Algorithm::HS512), &claims, &ours.encoding).unwrap();
        let good = ours.for_account(7, "ada", 0, NOW).unwrap();
        let (_, rest) = good.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        for token in [
            theirs.for_account(7, "ada", 0, NOW).unwrap(),
            other,
            none,
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(ours.read(&token, NOW), Err(Refusal::NotSignedIn), "{token}");
        }
        assert!(ours.read(&good, NOW).is_ok());
    }

    #[test]
    fn what_is_sealed_is_good_for_its_purpose_and_its_time() {
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
        // It is nobody's token, whatever it holds, and a token is no seal.
        let claims = Claims {
            sub: "ada".to_owned(),
            id: 7,
            generation: Some(0),
            iat: 0,
            exp: 60,
        };
        let posing = serde_json::json!({"aud": "a", "sub": "ada", "id": 7, "generation": 0, "iat": 0, "exp": 60});
        let posing = encode(&Header::new(Algorithm::HS256), &posing, &ours.encoding).unwrap();
        for token in [ours.seal("a", &claims, end).unwrap(), posing] {
            assert_eq!(ours.read(&token, NOW), Err(Refusal::NotSignedIn));
        }
        let token = ours.for_account(7, "ada", 0, NOW).unwrap();
        assert_eq!(ours.unseal::<serde_json::Value>("a", &token, NOW), None);
    }

    #[test]
    fn the_key_is_made_once_and_is_nobody_elses_business() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = || Tokens::open(&Config::new(dir.path())).unwrap();
        let token = tokens().for_account(7, "ada", 0, NOW).unwrap();
        assert!(tokens().read(&token, NOW).is_ok());
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
