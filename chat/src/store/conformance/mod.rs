//! What every database has to do alike, stated by the functions of the store: the treatment of
//! missing ends, the order of texts, and what happens when rows of two people meet.

mod ends;

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::{Invitation, Role, RoomEnd, RoomId, SanctionKind, Time};

use super::*;
use crate::Config;
use crate::testing::new_database;

const HOUR: Duration = Duration::from_secs(3_600);

fn now() -> Time {
    Time::from_millis(1_700_000_000_000)
}

const ADA: i64 = 1;

const BOB: i64 = 2;

const GUEST: i64 = -3;

fn look_up(room: RoomId, person: i64) -> RoomLookup {
    RoomLookup {
        room,
        person,
        now: now(),
    }
}

struct TestStore {
    store: Store,
    _dir: tempfile::TempDir,
}

impl TestStore {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(dir.path());
        config.database = new_database(&config.faults);
        let location = DatabaseLocation::of(&config).unwrap();
        let store = Store::open(&location).await.unwrap();
        Self { store, _dir: dir }
    }

    async fn begin(&self) -> WriteTransaction {
        self.store.begin().await.unwrap()
    }

    /// A room that was created at this time.
    async fn create_room(&self, at: Time, access: Access, requested: Option<Duration>) -> RoomId {
        let mut tx = self.begin().await;
        let new = NewRoomRow {
            name: None,
            public: false,
            requested_timeout: requested,
            longest: 24 * HOUR,
            access,
        };
        let room = rooms::insert_room(&mut tx, at, new).await.unwrap();
        tx.commit().await.unwrap();
        room.id
    }

    async fn add_member(&self, room: RoomId, person: i64, role: Role) {
        let mut tx = self.begin().await;
        members::add_member(&mut tx, now(), room, person, role)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Inserts an account whose skeleton is this text. Returns whether it was free.
    async fn insert_account(&self, id: i64, username: &str, skeleton: &str, name: &str) -> bool {
        let mut tx = self.begin().await;
        let row = NewAccountRow {
            id,
            username,
            skeleton,
            name,
            password_hash: None,
            created_at: now(),
        };
        let inserted = accounts::insert_account(&mut tx, &row).await.unwrap();
        tx.commit().await.unwrap();
        inserted
    }

    async fn search(&self, search: &str) -> Vec<String> {
        let page = AccountsPage {
            search: search.to_owned(),
            ..AccountsPage::default()
        };
        let found = accounts::list_accounts(&self.store, &page).await.unwrap();
        found.into_iter().map(|account| account.username).collect()
    }

    async fn set_sanction(
        &self,
        room: RoomId,
        person: i64,
        kind: SanctionKind,
        until: Option<Time>,
    ) {
        let mut tx = self.begin().await;
        sanctions::set_sanction(&mut tx, room, person, kind, until)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn find_sanction(&self, room: RoomId, person: i64) -> (SanctionKind, Option<Time>) {
        let all = sanctions::list_sanctions(&self.store, room, now())
            .await
            .unwrap();
        let found = all.iter().find(|row| row.person == person).unwrap();
        (found.kind, found.until)
    }

    async fn list_rooms_of_ada(&self) -> Vec<RoomId> {
        let rooms = overview::list_member_rooms(&self.store, ADA, now(), 3)
            .await
            .unwrap();
        rooms.into_iter().map(|room| room.id).collect()
    }
}

fn in_hours(hours: u32) -> Option<Time> {
    Some(now().after(HOUR * hours))
}

#[tokio::test]
async fn merged_membership_keeps_the_greater_role_and_the_read_marker() {
    let test = TestStore::new().await;
    for (own, others, merged) in [
        (Some(Role::Reader), Role::Owner, Role::Owner),
        (Some(Role::Moderator), Role::Member, Role::Moderator),
        (None, Role::Member, Role::Member),
    ] {
        let room = test.create_room(now(), Access::Private, None).await;
        if let Some(own) = own {
            test.add_member(room, ADA, own).await;
        }
        test.add_member(room, GUEST, others).await;
        let mut tx = test.begin().await;
        let read = BTreeMap::from([((room, ADA), 7)]);
        read_markers::advance_read_markers(&mut tx, &read)
            .await
            .unwrap();
        members::move_memberships(&mut tx, GUEST, ADA)
            .await
            .unwrap();
        let role = members::load_role(&mut tx, room, ADA).await.unwrap();
        assert_eq!(role, Some(merged));
        let left = members::load_role(&mut tx, room, GUEST).await.unwrap();
        assert_eq!(left, None);
        tx.commit().await.unwrap();
        let read = read_markers::load_read_marker(&test.store, room, ADA).await;
        assert_eq!(read.unwrap(), Some(if own.is_some() { 7 } else { 0 }));
    }
}

#[tokio::test]
async fn read_marker_of_a_member_never_moves_backwards() {
    let test = TestStore::new().await;
    let room = test.create_room(now(), Access::Private, None).await;
    test.add_member(room, ADA, Role::Member).await;
    for (to, expected) in [(5, 5), (3, 5), (u64::MAX, i64::MAX.unsigned_abs())] {
        let mut tx = test.begin().await;
        let read = [ADA, BOB].map(|person| ((room, person), to));
        read_markers::advance_read_markers(&mut tx, &read.into())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let read = read_markers::load_read_marker(&test.store, room, ADA).await;
        assert_eq!(read.unwrap(), Some(expected));
        let stranger = read_markers::load_read_marker(&test.store, room, BOB).await;
        assert_eq!(stranger.unwrap(), None);
    }
}

#[tokio::test]
async fn invitation_without_an_end_or_a_limit_stays_valid() {
    let test = TestStore::new().await;
    let room = test.create_room(now(), Access::Private, None).await;
    let mut tx = test.begin().await;
    for (code, expires_at, uses_left) in [
        ("endless", None, None),
        ("once", None, Some(1)),
        ("timed", in_hours(1), None),
    ] {
        let invitation = Invitation {
            code: code.to_owned(),
            role: Role::Member,
            expires_at,
            uses_left,
        };
        invitations::insert_invitation(&mut tx, room, &invitation, now())
            .await
            .unwrap();
        invitations::take_use(&mut tx, code).await.unwrap();
    }
    for (code, at, is_valid) in [
        ("endless", now().after(1_000 * HOUR), true),
        ("once", now(), false),
        ("timed", now(), true),
        ("timed", now().after(HOUR), false),
        ("unknown", now(), false),
    ] {
        let found = invitations::find_valid_invitation(&mut tx, code, at).await;
        assert_eq!(found.unwrap().is_some(), is_valid, "{code}");
    }
    invitations::delete_ended_invitations(&mut tx, room, now().after(HOUR))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let left = invitations::list_valid_invitations(&test.store, room, now())
        .await
        .unwrap();
    let codes: Vec<&str> = left.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, ["endless"]);
}

#[tokio::test]
async fn account_that_looks_like_another_one_is_not_inserted() {
    let test = TestStore::new().await;
    assert!(test.insert_account(1, "modern", "modern", "M").await);
    assert!(!test.insert_account(2, "modern", "other", "M").await);
    assert!(!test.insert_account(3, "rnodern", "modern", "M").await);
    assert!(test.insert_account(4, "ancient", "ancient", "M").await);
}

#[tokio::test]
async fn accounts_are_in_the_order_of_their_bytes() {
    let test = TestStore::new().await;
    for (id, username) in (1..).zip(["ab", "a_b", "a-b", "b1", "a1"]) {
        test.insert_account(id, username, username, "N").await;
    }
    assert_eq!(test.search("").await, ["a-b", "a1", "a_b", "ab", "b1"]);
    let page = AccountsPage {
        after: "a1".to_owned(),
        limit: 2,
        ..AccountsPage::default()
    };
    let next = accounts::list_accounts(&test.store, &page).await.unwrap();
    assert!(next.iter().map(|found| &found.username).eq(["a_b", "ab"]));
}

#[tokio::test]
async fn search_ignores_the_case_of_ascii_letters_and_knows_no_wildcards() {
    let test = TestStore::new().await;
    test.insert_account(1, "ada", "ada", "Ada 100%").await;
    test.insert_account(2, "bob_b", "bobb", "Bob \u{c9}").await;
    assert_eq!(test.search("ADA").await, ["ada"]);
    assert_eq!(test.search("bOB").await, ["bob_b"]);
    assert_eq!(test.search("%").await, ["ada"]);
    assert_eq!(test.search("_").await, ["bob_b"]);
    assert_eq!(test.search("\u{c9}").await, ["bob_b"]);
    assert!(test.search("\u{e9}").await.is_empty());
}

#[tokio::test]
async fn timeout_of_the_server_shortens_a_room_that_asked_for_more_or_for_none() {
    let test = TestStore::new().await;
    let asked = [None, Some(HOUR), Some(12 * HOUR)];
    let mut ids = Vec::new();
    for requested in asked {
        ids.push(test.create_room(now(), Access::Open, requested).await);
    }
    for (longest, expected) in [(6, [6, 1, 6]), (48, [48, 1, 12])] {
        rooms::apply_timeout(&test.store, HOUR * longest, false)
            .await
            .unwrap();
        for (id, hours) in ids.iter().zip(expected) {
            let mut reader = test.store.reader().await.unwrap();
            let lookup = look_up(*id, ADA);
            let found = room_access::find_open_rooms(&mut reader, &[lookup]).await;
            let [Some(found)] = &found.unwrap()[..] else {
                panic!("{id} is not found");
            };
            let row = &found.row;
            assert_eq!(row.timeout, HOUR * hours);
            assert_eq!(row.room.expires_at, now().after(HOUR * hours));
        }
    }
}

#[tokio::test]
async fn audit_log_counts_on_after_its_oldest_entries_are_deleted() {
    let test = TestStore::new().await;
    let room = test.create_room(now(), Access::Open, None).await;
    let mut tx = test.begin().await;
    for _ in 0..super::log_sql::AUDITS_KEPT + 2 {
        audit_log::append(&mut tx, now(), room, "ada", "muted", "bob")
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let entries = audit_log::list_entries(&test.store, room, u64::MAX, 100).await;
    let ids: Vec<u64> = entries.unwrap().iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [7, 6, 5, 4, 3]);
}

#[tokio::test]
async fn room_is_found_only_by_those_whom_it_is_not_hidden_from() {
    let test = TestStore::new().await;
    let open = test.create_room(now(), Access::Open, None).await;
    let private = test.create_room(now(), Access::Private, None).await;
    test.add_member(private, ADA, Role::Owner).await;
    test.set_sanction(open, BOB, SanctionKind::Ban, in_hours(1))
        .await;
    let lookups = [
        look_up(private, BOB),
        look_up(open, BOB),
        look_up(private, ADA),
        look_up(open, 0),
        look_up(private, ADA),
    ];
    let mut reader = test.store.reader().await.unwrap();
    let found = room_access::find_open_rooms(&mut reader, &lookups).await;
    let found: Vec<_> = found
        .unwrap()
        .into_iter()
        .map(|found| found.map(|found| (found.row.room.id, found.role, found.sanction)))
        .collect();
    let owned = Some((private, Some(Role::Owner), None));
    let ban = ActiveSanction {
        kind: SanctionKind::Ban,
        until: in_hours(1),
    };
    let expected = [
        None,
        Some((open, None, Some(ban))),
        owned,
        Some((open, None, None)),
        owned,
    ];
    assert_eq!(found, expected);
    let none = room_access::find_open_rooms(&mut reader, &[]).await;
    assert!(none.unwrap().is_empty());
}

#[tokio::test]
async fn overview_has_the_newest_rooms_without_bans_that_last() {
    let test = TestStore::new().await;
    let mut ids = Vec::new();
    for hours in 0..6 {
        let room = test
            .create_room(now().after(HOUR * hours), Access::Private, None)
            .await;
        test.add_member(room, ADA, Role::Member).await;
        ids.push(room);
    }
    assert_eq!(test.list_rooms_of_ada().await, [ids[5], ids[4], ids[3]]);
    for (room, until) in [(5, None), (4, Some(now())), (3, in_hours(1))] {
        test.set_sanction(ids[room], ADA, SanctionKind::Ban, until)
            .await;
    }
    test.set_sanction(ids[2], ADA, SanctionKind::Mute, None)
        .await;
    assert_eq!(test.list_rooms_of_ada().await, [ids[4], ids[2], ids[1]]);
    let rooms = overview::list_member_rooms(&test.store, ADA, now(), 3).await;
    let muted: Vec<_> = rooms.unwrap().iter().map(|room| room.muted).collect();
    assert_eq!(muted, [false, true, false]);
}

#[tokio::test]
async fn alias_leads_to_the_room_that_got_it_last() {
    let test = TestStore::new().await;
    let rooms = [
        test.create_room(now(), Access::Open, None).await,
        test.create_room(now(), Access::Open, None).await,
    ];
    let mut tx = test.begin().await;
    for room in rooms {
        room_aliases::set_alias(&mut tx, "tea", room).await.unwrap();
    }
    let found = room_aliases::find_room_by_alias(&mut tx, "tea").await;
    assert_eq!(found.unwrap().unwrap().id, rooms[1]);
    rooms::freeze(&mut tx, rooms[1], now(), RoomEnd::Inactive)
        .await
        .unwrap();
    let found = room_aliases::find_room_by_alias(&mut tx, "tea").await;
    assert!(found.unwrap().is_none());
}
