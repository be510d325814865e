//! Who asks: nobody in particular, a guest with a key, or somebody with an account.
//!
//! Every question about a room is asked as a person, and answered as far as that person may know.

use std::sync::Arc;

use protocol::{Refusal, text};
use sqlx::SqliteConnection;

use crate::Error;

/// Somebody, as far as the server knows who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Person {
    /// Nobody in particular.
    #[default]
    Anyone,
    /// A guest: whoever holds this key.
    Guest(GuestId),
    /// Somebody with an account.
    Member(Arc<Member>),
}

/// The key of a guest. Nobody can make one up, because it travels in a signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestId(i64);

/// Somebody with an account, at the time of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) operator: bool,
    /// Which tokens show that it is them; others are good no longer.
    pub(crate) generation: i64,
}

impl Member {
    /// The name that nobody else can write under.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What they are called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl GuestId {
    /// A new one.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(-random_id()?))
    }

    /// The key that the database knows as `id`, if it is one.
    pub(crate) fn known(id: i64) -> Option<Self> {
        (id < 0).then_some(Self(id))
    }
}

/// A number for a person: never 0, and too large to be met twice.
pub(crate) fn random_id() -> Result<i64, getrandom::Error> {
    // 53 bits, which every reader of JSON can hold.
    Ok(i64::from_be_bytes((getrandom::u64()? >> 11).to_be_bytes()).max(1))
}

impl From<Member> for Person {
    fn from(member: Member) -> Self {
        Self::Member(Arc::new(member))
    }
}

impl Person {
    /// What the database knows them by: positive for an account, negative for a guest, 0 for nobody in particular.
    pub(crate) fn id(&self) -> i64 {
        match self {
            Self::Anyone => 0,
            Self::Guest(GuestId(id)) => *id,
            Self::Member(member) => member.id,
        }
    }

    /// A number that nobody else has, if they can be known again.
    pub fn known(&self) -> Option<i64> {
        Some(self.id()).filter(|id| *id != 0)
    }

    /// The account, if there is one.
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Member(member) => Some(member),
            Self::Anyone | Self::Guest(_) => None,
        }
    }

    /// The account.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if there is none.
    pub fn signed_in(&self) -> Result<&Member, Refusal> {
        self.member().ok_or(Refusal::NotSignedIn)
    }
}

impl Person {
    /// What they are known by in a room's addresses, as in the list of its members; nothing if they cannot be known again.
    pub fn id_in_rooms(&self) -> Option<String> {
        match self {
            Self::Anyone => None,
            Self::Guest(_) => Some(guest_name(self.id())),
            Self::Member(member) => Some(member.username().to_owned()),
        }
    }
}

/// What a guest is known by in a room's addresses.
pub(crate) fn guest_name(person: i64) -> String {
    format!("~{:014x}", person.unsigned_abs())
}

/// What somebody is known by in a room's addresses: the username of an account, or `~` and the digits of a guest's key.
pub(crate) async fn id_of(connection: &mut SqliteConnection, person: i64) -> Result<String, Error> {
    if person <= 0 {
        return Ok(guest_name(person));
    }
    let username = sqlx::query_scalar("select username from account where id = $1").bind(person);
    let username: Option<String> = username.fetch_optional(connection).await?;
    Ok(username.unwrap_or_else(|| "deleted account".to_owned()))
}

/// Who is known by this.
pub(crate) async fn person_of(connection: &mut SqliteConnection, id: &str) -> Result<i64, Error> {
    const NOBODY: Refusal = Refusal::NotFound("such person");
    if let Some(digits) = id.strip_prefix('~') {
        let number = i64::from_str_radix(digits, 16)
            .ok()
            .filter(|number| *number > 0);
        return Ok(-number.ok_or(NOBODY)?);
    }
    let username = text::account_name(id).map_err(|_| NOBODY)?;
    let found = sqlx::query_scalar("select id from account where username = $1").bind(username);
    Ok(found.fetch_optional(connection).await?.ok_or(NOBODY)?)
}

/// The name that somebody who asks for `username` goes by.
pub(crate) fn own_name(by: &Person, username: String) -> Result<String, Refusal> {
    match by.member().map(Member::username) {
        Some(own) if own.eq_ignore_ascii_case(&username) => Ok(own.to_owned()),
        Some(own) => Err(Refusal::invalid(
            "username",
            format!("must be your own, {own}, while you are signed in"),
        )),
        None => Ok(username),
    }
}
