//! Recomputes the stored skeletons of names after a change of the algorithm.
//!
//! # Guarantees
//! - After a start, every stored skeleton is one of this version's algorithm. An update that was
//!   interrupted begins again at the next start.
//! - If the names of two guests in a room look alike only now, the guest who wrote there first
//!   keeps the claim, and the other one needs a new name.
//! - If the usernames of two accounts look alike only now, both keep their usernames. Other names
//!   are compared with the older account.
//! - A client in the lobby keeps its name until it leaves, whatever the name looks like.

use std::collections::HashSet;

use protocol::RoomId;

use crate::Error;
use crate::identity::name_skeleton::{self, NameSkeleton};
use crate::store::{
    AccountSkeletonRow, NameClaim, Store, WriteTransaction, former_usernames, meta, name_skeletons,
};

/// The name under which the version of the algorithm that made the stored skeletons is stored.
const VERSION_NAME: &str = "skeleton_version";

/// How many accounts one transaction changes.
const ACCOUNTS: usize = 1_000;

/// How many rooms one transaction changes.
const ROOMS: usize = 100;

/// The first character of a stored skeleton that is no skeleton of a name, because no name has a
/// line break. The username follows.
const RELEASED: char = '\n';

/// Recomputes the stored skeletons, unless this version's algorithm has made them.
pub(crate) async fn update_skeletons(store: &Store) -> Result<(), Error> {
    if meta::load(store, VERSION_NAME).await? == Some(name_skeleton::VERSION) {
        return Ok(());
    }
    // The new skeleton of one account may be the old one of another.
    for_all_accounts(store, AccountStep::ReleaseOld).await?;
    for_all_accounts(store, AccountStep::ClaimNew).await?;
    update_former_usernames(store).await?;
    let rooms = name_skeletons::list_rooms_with_names(store).await?;
    for rooms in rooms.chunks(ROOMS) {
        let mut tx = store.begin().await?;
        for room in rooms {
            update_claims(&mut tx, *room).await?;
            update_lobby_names(&mut tx, *room).await?;
        }
        tx.commit().await?;
    }
    let mut tx = store.begin().await?;
    meta::save(&mut tx, VERSION_NAME, name_skeleton::VERSION).await?;
    tx.commit().await?;
    Ok(())
}

/// The steps of the update of accounts. Each is for all of them before the next one begins.
#[derive(Clone, Copy)]
enum AccountStep {
    ReleaseOld,
    ClaimNew,
}

async fn for_all_accounts(store: &Store, step: AccountStep) -> Result<(), Error> {
    let mut last = 0;
    loop {
        let mut tx = store.begin().await?;
        let accounts = name_skeletons::load_accounts(&mut tx, last, ACCOUNTS).await?;
        let Some(end) = accounts.last() else {
            return Ok(());
        };
        last = end.id;
        for account in &accounts {
            match step {
                AccountStep::ReleaseOld => release_old_skeleton(&mut tx, account).await?,
                AccountStep::ClaimNew => claim_new_skeleton(&mut tx, account).await?,
            }
        }
        tx.commit().await?;
    }
}

fn new_skeleton(account: &AccountSkeletonRow) -> String {
    NameSkeleton::of(&account.username).lowercase
}

async fn release_skeleton(
    tx: &mut WriteTransaction,
    account: &AccountSkeletonRow,
) -> Result<(), Error> {
    let released = format!("{RELEASED}{}", account.username);
    name_skeletons::set_account_skeleton(tx, account.id, &released).await
}

async fn release_old_skeleton(
    tx: &mut WriteTransaction,
    account: &AccountSkeletonRow,
) -> Result<(), Error> {
    if account.skeleton == new_skeleton(account) {
        return Ok(());
    }
    release_skeleton(tx, account).await
}

/// Gives an account its new skeleton, unless an older account has it.
async fn claim_new_skeleton(
    tx: &mut WriteTransaction,
    account: &AccountSkeletonRow,
) -> Result<(), Error> {
    if !account.skeleton.starts_with(RELEASED) {
        return Ok(());
    }
    let skeleton = new_skeleton(account);
    if let Some(holder) = name_skeletons::find_account(tx, &skeleton).await? {
        if (holder.created_at, holder.id) < (account.created_at, account.id) {
            return Ok(());
        }
        release_skeleton(tx, &holder).await?;
    }
    name_skeletons::set_account_skeleton(tx, account.id, &skeleton).await
}

async fn update_former_usernames(store: &Store) -> Result<(), Error> {
    let mut last = String::new();
    loop {
        let mut tx = store.begin().await?;
        let usernames = former_usernames::load_after(&mut tx, &last, ACCOUNTS).await?;
        let Some(end) = usernames.last() else {
            return Ok(());
        };
        last.clone_from(end);
        for username in &usernames {
            let skeleton = NameSkeleton::of(username).lowercase;
            former_usernames::set_skeleton(&mut tx, username, &skeleton).await?;
        }
        tx.commit().await?;
    }
}

async fn update_claims(tx: &mut WriteTransaction, room: RoomId) -> Result<(), Error> {
    let old = name_skeletons::load_claims(tx, room).await?;
    let mut new: Vec<NameClaim> = old.iter().map(recompute).collect();
    if new == old {
        return Ok(());
    }
    let first_messages = name_skeletons::load_first_messages(tx, room).await?;
    new.sort_by_key(|claim| {
        let first = first_messages.get(&claim.person);
        (first.copied().unwrap_or(i64::MAX), claim.person)
    });
    let mut taken = HashSet::new();
    new.retain(|claim| {
        let skeletons = [&claim.skeleton, &claim.cased_skeleton];
        let is_free = skeletons.iter().all(|skeleton| !taken.contains(*skeleton));
        if is_free {
            taken.extend(skeletons.into_iter().cloned());
        }
        is_free
    });
    name_skeletons::replace_claims(tx, room, &new).await
}

async fn update_lobby_names(tx: &mut WriteTransaction, room: RoomId) -> Result<(), Error> {
    for old in name_skeletons::load_lobby_names(tx, room).await? {
        let new = recompute(&old);
        if new != old {
            name_skeletons::set_lobby_skeletons(tx, room, &new).await?;
        }
    }
    Ok(())
}

fn recompute(claim: &NameClaim) -> NameClaim {
    NameClaim::new(claim.person, &claim.name)
}

#[cfg(test)]
mod tests {
    use protocol::{Credentials, NewMessage, Refusal};

    use super::*;
    use crate::Person;
    use crate::store::sql::query_as;
    use crate::testing::{TestChat, new_guest};

    impl TestChat {
        /// Posts under a name. Returns the status.
        async fn post_as(&self, by: &Person, room: RoomId, username: &str) -> u16 {
            let message = NewMessage {
                username: username.to_owned(),
                body: "hello".to_owned(),
            };
            match self.chat.post_message(by, &room, &message, None).await {
                Ok(_) => 201,
                Err(Error::Refusal(refusal)) => refusal.status(),
                Err(fault) => panic!("{fault}"),
            }
        }

        /// The skeletons of all names in the database.
        async fn skeletons(&self) -> Vec<String> {
            let sql = "select skeleton from account
                       union all select skeleton from former_username
                       union all select skeleton from name_claim
                       union all select cased_skeleton from name_claim
                       union all select skeleton from lobby_name
                       union all select cased_skeleton from lobby_name";
            let store = &self.chat.0.store;
            query_as(sql).fetch_all(store.read()).await.unwrap()
        }
    }

    /// Gives all names other skeletons, as another algorithm might have.
    const OTHER_SKELETONS: &[&str] = &[
        "update account set skeleton = 'other ' || username",
        "update former_username set skeleton = 'other ' || username",
        "update name_claim set skeleton = 'other ' || name, cased_skeleton = 'other ' || name",
        "update lobby_name set skeleton = 'other ' || name, cased_skeleton = 'other ' || name",
    ];

    const OTHER_VERSION: &[&str] = &["update meta set value = 0 where name = 'skeleton_version'"];

    #[tokio::test]
    async fn skeletons_of_another_algorithm_are_recomputed_at_start() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.register("grace").await;
        let henry = test.register("henry").await;
        test.chat
            .delete_account(&henry, "secret", None)
            .await
            .unwrap();
        assert_eq!(test.post_as(&new_guest(), room, "Isabel").await, 201);
        let lobby = test.chat.open_lobby().await.unwrap();
        lobby.join("Ida").await.unwrap();
        drop(lobby);
        let skeletons = test.skeletons().await;
        assert_eq!(skeletons.len(), 6);
        test.reopen_after(OTHER_SKELETONS).await;
        assert!(
            test.skeletons()
                .await
                .iter()
                .all(|text| text.starts_with("other"))
        );
        test.reopen_after(OTHER_VERSION).await;
        assert_eq!(test.skeletons().await, skeletons);
        for name in ["gracе", "henrу", "lsabel", "Isabel"] {
            let status = test.post_as(&Person::Anonymous, room, name).await;
            assert_eq!(status, 409, "{name}");
        }
    }

    #[tokio::test]
    async fn first_writer_keeps_a_name_that_looks_like_another_only_now() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let guests = [(); 3].map(|()| new_guest());
        for (guest, name) in guests.iter().zip(["modern", "rnodern", "Modern"]) {
            assert_eq!(test.post_as(guest, room, name).await, 201, "{name}");
            test.reopen_after(OTHER_SKELETONS).await;
        }
        test.reopen_after(OTHER_VERSION).await;
        for (guest, name, status) in [
            (&guests[1], "rnodern", 409),
            (&guests[2], "Modern", 409),
            (&guests[0], "modern", 201),
            (&guests[1], "another", 201),
        ] {
            assert_eq!(test.post_as(guest, room, name).await, status, "{name}");
        }
    }

    #[tokio::test]
    async fn accounts_that_look_alike_only_now_keep_their_usernames() {
        let mut test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        let older = test.register("modern").await;
        test.reopen_after(OTHER_SKELETONS).await;
        test.config.clock.advance(std::time::Duration::from_secs(1));
        let newer = test.register("rnodern").await;
        test.reopen_after(OTHER_VERSION).await;
        let expected = NameSkeleton::of("modern").lowercase;
        let of = async |username| {
            let select = query_as("select skeleton from account where username = $1");
            let store = &test.chat.0.store;
            let skeleton: String = select.bind(username).fetch_one(store.read()).await.unwrap();
            skeleton
        };
        assert_eq!(of("modern").await, expected);
        assert_eq!(of("rnodern").await, "\nrnodern");
        for (account, username) in [(older, "modern"), (newer, "rnodern")] {
            assert_eq!(test.post_as(&account, room, username).await, 201);
            let credentials = Credentials {
                username: username.to_owned(),
                password: "secret".to_owned(),
            };
            assert!(
                test.chat.sign_in(&credentials, None).await.is_ok(),
                "{username}"
            );
            let refused = test.post_as(&new_guest(), room, username).await;
            assert_eq!(refused, 409, "{username}");
        }
    }

    #[tokio::test]
    async fn lobby_names_that_look_alike_only_now_both_stay() {
        let mut test = TestChat::new(|_| {}).await;
        for name in ["ada", "аda"] {
            let lobby = test.chat.open_lobby().await.unwrap();
            lobby.join(name).await.unwrap();
            drop(lobby);
            test.reopen_after(OTHER_SKELETONS).await;
        }
        test.reopen_after(OTHER_VERSION).await;
        let lobby = test.chat.open_lobby().await.unwrap();
        assert!(lobby.send("ada", "hi").await.is_ok());
        assert!(lobby.send("аda", "hi").await.is_ok());
        lobby.leave("ada").await.unwrap();
        let refused = lobby.join("ada").await;
        assert!(matches!(refused, Err(Error::Refusal(Refusal::Taken(_)))));
    }
}
