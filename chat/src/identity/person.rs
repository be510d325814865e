//! The caller: anonymous, a guest with a key, or the holder of an account.
//!
//! Every method of [`crate::Chat`] that concerns a room takes the caller, and answers what that
//! caller may know.

use std::sync::Arc;

use protocol::{Refusal, Time, text};
use texts::refusal;

use crate::Error;
use crate::store::{AccountSession, Reader, accounts};

/// A caller, as far as the server can tell callers apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Person {
    /// A caller without a token. The server cannot recognise it later.
    #[default]
    Anonymous,
    /// A caller with the key of a guest.
    Guest(GuestId),
    /// A caller who is signed in to an account.
    Account(Arc<AccountHolder>),
}

/// The key of a guest. It travels in a signed token, so a client cannot invent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestId(i64);

/// The holder of an account, as stored when the request began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountHolder {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) operator: bool,
    /// The generation of the account's sessions. A token of another generation is invalid.
    pub(crate) generation: i64,
    /// The session of the caller; `None` where the account is not the caller's.
    pub(crate) session: Option<SessionInfo>,
}

/// A session of an account, as its token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionInfo {
    /// A number that no other session of the account has.
    pub id: i64,
    /// When the sign-in provider asked who the person is, if it did and said so.
    pub authenticated_at: Option<Time>,
    /// When the token expires.
    pub expires_at: Time,
}

impl AccountHolder {
    /// The username, which no one else can write under.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What shows whether the session of the holder has ended.
    pub(crate) fn session_key(&self) -> AccountSession {
        AccountSession {
            account: self.id,
            generation: self.generation,
            id: self.session.map(|session| session.id),
        }
    }

    /// The display name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl GuestId {
    /// A new random key.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(-random_id()?))
    }

    /// The key of the guest with this person ID; `None` if the ID is not a guest's.
    pub(crate) fn from_person_id(id: i64) -> Option<Self> {
        (id < 0).then_some(Self(id))
    }
}

/// A random number for a new person: never 0, and large enough that no two people get the same.
pub(crate) fn random_id() -> Result<i64, getrandom::Error> {
    // 53 bits, which every JSON parser keeps exact.
    Ok(i64::from_be_bytes((getrandom::u64()? >> 11).to_be_bytes()).max(1))
}

impl From<AccountHolder> for Person {
    fn from(account: AccountHolder) -> Self {
        Self::Account(Arc::new(account))
    }
}

impl Person {
    /// The person ID in the database: positive for an account, negative for a guest, 0 for an
    /// anonymous caller.
    pub(crate) fn id(&self) -> i64 {
        match self {
            Self::Anonymous => 0,
            Self::Guest(GuestId(id)) => *id,
            Self::Account(account) => account.id,
        }
    }

    /// A number that identifies this caller across requests; `None` for an anonymous caller.
    pub fn stable_id(&self) -> Option<i64> {
        Some(self.id()).filter(|id| *id != 0)
    }

    /// The account of the caller, if the caller is signed in.
    pub fn account(&self) -> Option<&AccountHolder> {
        match self {
            Self::Account(account) => Some(account),
            Self::Anonymous | Self::Guest(_) => None,
        }
    }

    /// The caller's session, if the caller is signed in.
    pub(crate) fn session(&self) -> Option<AccountSession> {
        self.account().map(AccountHolder::session_key)
    }

    /// Whether the caller is an operator of the server.
    pub(crate) fn is_operator(&self) -> bool {
        self.account().is_some_and(|account| account.operator)
    }

    /// The account of the caller.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the caller is not signed in.
    pub fn require_account(&self) -> Result<&AccountHolder, Refusal> {
        self.account().ok_or(Refusal::NotSignedIn)
    }

    /// The ID of the caller in the URLs of a room and in its list of members; `None` for an
    /// anonymous caller.
    pub fn public_id(&self) -> Option<String> {
        match self {
            Self::Anonymous => None,
            Self::Guest(_) => Some(guest_public_id(self.id())),
            Self::Account(account) => Some(account.username().to_owned()),
        }
    }

    /// The username under which the caller acts when the caller asks for `username`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the caller is signed in and asks for another username than its own.
    pub(crate) fn resolve_username(&self, username: String) -> Result<String, Refusal> {
        match self.account().map(AccountHolder::username) {
            Some(own) if own.eq_ignore_ascii_case(&username) => Ok(own.to_owned()),
            Some(own) => Err(Refusal::invalid(
                "username",
                refusal::RULE_OWN_USERNAME.fill([own]),
            )),
            None => Ok(username),
        }
    }
}

/// The public ID of a guest: `~` and the hexadecimal digits of the key.
pub(crate) fn guest_public_id(person: i64) -> String {
    format!("~{:014x}", person.unsigned_abs())
}

/// The guest with this public ID; `None` if it is not the ID of a guest.
pub(crate) fn parse_guest_public_id(id: &str) -> Option<i64> {
    let number = i64::from_str_radix(id.strip_prefix('~')?, 16).ok()?;
    (number > 0).then_some(-number)
}

/// The public ID of a person: the username of an account, or [`guest_public_id`]. An account
/// without a username has been deleted.
pub(crate) fn public_id(person: i64, username: Option<String>) -> String {
    if person <= 0 {
        return guest_public_id(person);
    }
    username.unwrap_or_else(|| "deleted account".to_owned())
}

/// Does the same as [`public_id`] for a person whose username is not known yet.
pub(crate) async fn load_public_id(from: &mut impl Reader, person: i64) -> Result<String, Error> {
    let username = match person {
        1.. => accounts::load_username(from, person).await?,
        _ => None,
    };
    Ok(public_id(person, username))
}

/// The person with this public ID.
pub(crate) async fn find_person_by_public_id(
    from: &mut impl Reader,
    id: &str,
) -> Result<i64, Error> {
    const UNKNOWN: Refusal = Refusal::NotFound(refusal::NO_PERSON);
    if id.starts_with('~') {
        return Ok(parse_guest_public_id(id).ok_or(UNKNOWN)?);
    }
    let username = text::parse_account_name(id).map_err(|_| UNKNOWN)?;
    let found = accounts::find_account_id(from, &username).await?;
    Ok(found.ok_or(UNKNOWN)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_id_of_a_guest_leads_back_to_the_guest() {
        for person in [-1, -0x0012_3456_789a_bcde, -((1 << 53) - 1)] {
            let id = public_id(person, None);
            assert_eq!(parse_guest_public_id(&id), Some(person), "{id}");
        }
        for id in ["", "~", "~0", "~-1", "~x", "1", "ada"] {
            assert_eq!(parse_guest_public_id(id), None, "{id}");
        }
    }

    #[test]
    fn public_id_of_an_account_is_its_username_while_it_exists() {
        assert_eq!(public_id(7, Some("ada".to_owned())), "ada");
        assert_eq!(public_id(7, None), "deleted account");
    }
}
