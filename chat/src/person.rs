//! Who asks: nobody in particular, a guest with a key, or somebody with an account.
//!
//! Every question about a room is asked as a person, and answered as far as that person may know.

use std::sync::Arc;

use protocol::{Author, Refusal};

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

/// How far it is known who wrote a message, from what the database has of its author.
pub(crate) fn author(id: i64) -> Option<Author> {
    match id {
        0 => None,
        1.. => Some(Author::Account),
        _ => Some(Author::Guest),
    }
}
