//! The card of a person: who someone is in a room, and what the caller may do with them.
//!
//! # Guarantees
//! - The card names exactly the actions that the server would not refuse the caller.
//! - A caller without an account finds only accounts that the room shows anyway: of its members,
//!   authors and operators, and of the people who are there.
//!
//! # Not here
//! - The actions themselves: `members`, `sanctions`, `direct`.

use protocol::{Author, PersonAction, PersonCard, PersonSanction, Refusal, Role, RoomId, text};
use texts::refusal;

use crate::identity::name_skeleton::NameSkeleton;
use crate::identity::person::{Person, public_id};
use crate::room::access::{self, Standing};
use crate::store::{
    AccountRow, ActiveSanction, MessageAuthorRow, Reader, RoomRow, accounts, author_from_row,
    former_usernames, members, messages, name_claims, room_authors, sanctions,
};
use crate::{Chat, Error};

const NO_PERSON: Refusal = Refusal::NotFound(refusal::NO_PERSON);
const NO_MESSAGE: Refusal = Refusal::NotFound(refusal::NO_MESSAGE);

/// Whose card a caller asks for.
#[derive(Clone, Debug)]
pub enum PersonQuery {
    /// The person who has this name in the room now.
    Named(String),
    /// The author of this message, whatever name the author has now.
    AuthorOf(u64),
}

/// The person that a card is about.
#[derive(Debug, Default)]
struct Subject {
    /// The ID of the person; 0 for one whom the server did not identify.
    person: i64,
    /// The name of the person in the room.
    username: String,
    /// The display name of the account.
    name: Option<String>,
    wrote_as: Option<String>,
    /// Whether the person had an account that was deleted.
    is_deleted: bool,
    /// Whether a guest has no name in the room.
    is_nameless: bool,
}

impl Subject {
    fn of_account(account: AccountRow) -> Self {
        Self {
            person: account.id,
            username: account.username,
            name: Some(account.name),
            ..Self::default()
        }
    }

    fn unidentified(username: String) -> Self {
        Self {
            username,
            ..Self::default()
        }
    }

    fn is_caller(&self, by: &Person) -> bool {
        self.person != 0 && self.person == by.id()
    }

    fn has_account(&self) -> bool {
        self.person > 0 && !self.is_deleted
    }
}

/// What the room knows of the person.
struct Facts {
    subject: Subject,
    standing: Standing,
    sanction: Option<ActiveSanction>,
    /// Whether the caller outranks the owner of the room, or is the owner, or there is none.
    may_replace_owner: bool,
}

impl Chat {
    /// The card of a person in a room.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::NotFound`] if there is no such message, or
    /// no such person whom the caller may find, or a fault.
    pub async fn load_person_card(
        &self,
        by: &Person,
        room: &RoomId,
        query: &PersonQuery,
    ) -> Result<PersonCard, Error> {
        let found = self.load_room_row(by, *room).await?;
        let subject = self.find_subject(by, &found, query).await?;
        let mut reader = self.0.store.reader().await?;
        let standing = access::load_standing(&mut reader, &found, subject.person).await?;
        let now = self.now();
        let sanction = sanctions::find_sanction(&mut reader, *room, subject.person, now).await?;
        let may_replace_owner = may_replace_owner(&mut reader, &found, by).await?;
        let facts = Facts {
            subject,
            standing,
            sanction,
            may_replace_owner,
        };
        Ok(facts.card(&found, by))
    }

    async fn find_subject(
        &self,
        by: &Person,
        found: &RoomRow,
        query: &PersonQuery,
    ) -> Result<Subject, Error> {
        let room = found.room.id;
        match query {
            PersonQuery::AuthorOf(seq) => {
                let mut reader = self.0.store.reader().await?;
                let author = messages::find_named_author(&mut reader, room, *seq).await?;
                find_author(&mut reader, room, author.ok_or(NO_MESSAGE)?).await
            }
            PersonQuery::Named(name) => {
                let subject = self.find_named(by, found, name).await?;
                let is_present = || self.0.listeners.hub.is_present(room, name);
                let present = || is_present().then(|| Subject::unidentified(name.clone()));
                Ok(subject.or_else(present).ok_or(NO_PERSON)?)
            }
        }
    }

    /// The account, the guest or the deleted account with this name in a room.
    async fn find_named(
        &self,
        by: &Person,
        found: &RoomRow,
        name: &str,
    ) -> Result<Option<Subject>, Error> {
        let room = found.room.id;
        let username = text::parse_account_name(name).ok();
        if let Some(username) = &username
            && let Some(account) = accounts::find_account(&self.0.store, username).await?
            && self.shows_account(by, found, &account).await?
        {
            return Ok(Some(Subject::of_account(account)));
        }
        let mut reader = self.0.store.reader().await?;
        let skeleton = NameSkeleton::of(name).lowercase;
        let guest = name_claims::find_guest(&mut reader, room, &skeleton).await?;
        if let Some((person, username)) =
            guest.filter(|(_, claimed)| claimed.eq_ignore_ascii_case(name))
        {
            return Ok(Some(Subject {
                person,
                username,
                ..Subject::default()
            }));
        }
        match username {
            Some(username) if former_usernames::contains(&mut reader, &username).await? => {
                Ok(Some(Subject {
                    username,
                    is_deleted: true,
                    ..Subject::default()
                }))
            }
            _ => Ok(None),
        }
    }

    /// Whether the room shows an account to the caller. An account may list all accounts.
    async fn shows_account(
        &self,
        by: &Person,
        found: &RoomRow,
        account: &AccountRow,
    ) -> Result<bool, Error> {
        let room = found.room.id;
        if by.account().is_some()
            || account.operator && found.is_open_to_all()
            || self.0.listeners.hub.is_present(room, &account.username)
        {
            return Ok(true);
        }
        let mut reader = self.0.store.reader().await?;
        Ok(
            room_authors::has_written(&mut reader, room, account.id).await?
                || members::load_role(&mut reader, room, account.id)
                    .await?
                    .is_some(),
        )
    }
}

/// The author of a message.
async fn find_author(
    from: &mut impl Reader,
    room: RoomId,
    author: MessageAuthorRow,
) -> Result<Subject, Error> {
    let MessageAuthorRow { person, username } = author;
    match person {
        0 => Ok(Subject::unidentified(username)),
        1.. => Ok(match accounts::load_account(from, person).await? {
            Some(account) => Subject::of_account(account),
            None => Subject {
                person,
                username,
                is_deleted: true,
                ..Subject::default()
            },
        }),
        _ => {
            let claimed = name_claims::load_claimed_name(from, room, person).await?;
            let is_nameless = claimed.is_none();
            let current = claimed.unwrap_or_else(|| username.clone());
            Ok(Subject {
                person,
                wrote_as: (current != username).then_some(username),
                username: current,
                is_nameless,
                ..Subject::default()
            })
        }
    }
}

/// Whether the caller may make another member the owner, as far as the present owner matters.
async fn may_replace_owner(
    from: &mut impl Reader,
    found: &RoomRow,
    by: &Person,
) -> Result<bool, Error> {
    if found.room.role != Some(Role::Owner) {
        return Ok(false);
    }
    match members::find_owner(from, found.room.id).await? {
        Some(owner) if owner != by.id() => {
            let standing = access::load_standing(from, found, owner).await?;
            Ok(found.rank_of_caller(by) > standing.rank)
        }
        _ => Ok(true),
    }
}

impl Facts {
    fn card(self, found: &RoomRow, by: &Person) -> PersonCard {
        let moderates = found.room.role >= Some(Role::Moderator);
        let is_own = self.subject.is_caller(by);
        let lists_members = (moderates || found.room.private || is_own) && !found.direct;
        let mut actions = self.conversation(found, by);
        if moderates && !is_own {
            actions.extend(self.moderation(found, by));
        }
        let Self {
            subject,
            standing,
            sanction,
            ..
        } = self;
        let sanction = sanction.filter(|_| moderates);
        let has_account = subject.has_account();
        let shows_id = has_account || subject.person < 0 && lists_members;
        let author = author_from_row(subject.person);
        PersonCard {
            id: shows_id.then(|| public_id(subject.person, Some(subject.username.clone()))),
            author: author.or(subject.is_deleted.then_some(Author::Account)),
            username: subject.username,
            name: subject.name,
            wrote_as: subject.wrote_as,
            role: standing
                .role
                .filter(|role| *role >= Role::Moderator || lists_members),
            operator: standing.rank == access::Rank::Operator,
            deleted: subject.is_deleted,
            own: is_own,
            sanction: sanction.map(|ActiveSanction { kind, until }| PersonSanction { kind, until }),
            actions,
        }
    }

    /// What every caller may do, unless the person is the caller or has gone.
    fn conversation(&self, found: &RoomRow, by: &Person) -> Vec<PersonAction> {
        if self.subject.is_caller(by) || self.subject.is_deleted {
            return Vec::new();
        }
        let message = by.account().is_some() && self.subject.has_account();
        let mention = found.write_policy().check_write().is_ok();
        [
            (PersonAction::Message, message),
            (PersonAction::Mention, mention),
        ]
        .into_iter()
        .filter_map(|(action, is_permitted)| is_permitted.then_some(action))
        .collect()
    }

    /// What a moderator may do with another person.
    fn moderation(&self, found: &RoomRow, by: &Person) -> Vec<PersonAction> {
        let Standing { rank, role } = self.standing;
        let is_known = self.subject.has_account()
            || self.subject.person < 0 && (role.is_some() || !self.subject.is_nameless);
        if !is_known || found.direct {
            return Vec::new();
        }
        let outranks = found.require_greater_rank(by, rank).is_ok();
        let mut actions = Vec::new();
        if outranks {
            actions.extend([PersonAction::Mute, PersonAction::Ban]);
        }
        if self.sanction.is_some() {
            actions.push(PersonAction::Lift);
        }
        if let Some(role) = role {
            if self.may_change_role(found, by) {
                let others = Role::ALL.into_iter().filter(|other| *other != role);
                let others = others.filter(|other| *other != Role::Owner || self.may_replace_owner);
                actions.extend(others.map(PersonAction::of_role));
            }
            if outranks {
                actions.push(PersonAction::Remove);
            }
        }
        actions
    }

    /// Whether the caller may give the member another role, other than that of the owner.
    fn may_change_role(&self, found: &RoomRow, by: &Person) -> bool {
        let is_protected = self.standing.rank == access::Rank::Operator && !by.is_operator();
        found.room.role == Some(Role::Owner)
            && self.standing.role != Some(Role::Owner)
            && !is_protected
    }
}
