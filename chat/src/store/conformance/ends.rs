//! Sanctions with and without an end.

use protocol::SanctionKind;

use super::*;

#[tokio::test]
async fn merging_an_endless_sanction_with_a_timed_one_stays_endless() {
    let test = TestStore::new().await;
    let (ban, mute) = (SanctionKind::Ban, SanctionKind::Mute);
    for (own, others, merged) in [
        ((ban, None), (ban, in_hours(1)), (ban, None)),
        ((ban, in_hours(1)), (ban, None), (ban, None)),
        ((mute, None), (ban, in_hours(1)), (ban, None)),
        ((mute, None), (mute, None), (mute, None)),
        ((mute, in_hours(2)), (ban, in_hours(1)), (ban, in_hours(2))),
        ((ban, in_hours(1)), (mute, in_hours(2)), (ban, in_hours(2))),
    ] {
        let room = test.create_room(now(), Access::Open, None).await;
        test.set_sanction(room, ADA, own.0, own.1).await;
        test.set_sanction(room, GUEST, others.0, others.1).await;
        let mut tx = test.begin().await;
        sanctions::copy_sanctions(&mut tx, GUEST, ADA)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            test.find_sanction(room, ADA).await,
            merged,
            "{own:?} and {others:?}"
        );
        assert_eq!(test.find_sanction(room, GUEST).await, others);
    }
}

#[tokio::test]
async fn sanction_of_one_person_alone_is_copied_as_it_is() {
    let test = TestStore::new().await;
    let room = test.create_room(now(), Access::Open, None).await;
    test.set_sanction(room, GUEST, SanctionKind::Mute, None)
        .await;
    let mut tx = test.begin().await;
    sanctions::copy_sanctions(&mut tx, GUEST, ADA)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let copied = test.find_sanction(room, ADA).await;
    assert_eq!(copied, (SanctionKind::Mute, None));
}

#[tokio::test]
async fn sanction_ends_at_its_end_and_an_endless_one_never() {
    let test = TestStore::new().await;
    let room = test.create_room(now(), Access::Open, None).await;
    for (person, until) in [(ADA, Some(now())), (BOB, in_hours(1)), (GUEST, None)] {
        test.set_sanction(room, person, SanctionKind::Ban, until)
            .await;
    }
    let listed = async |at: Time| -> Vec<i64> {
        let rows = sanctions::list_sanctions(&test.store, room, at)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.person).collect()
    };
    assert_eq!(listed(now()).await, [GUEST, BOB]);
    assert_eq!(listed(now().after(HOUR)).await, [GUEST]);
    let mut tx = test.begin().await;
    for person in [ADA, BOB, GUEST] {
        sanctions::delete_ended_sanctions(&mut tx, person, now().after(HOUR))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(listed(now()).await, [GUEST]);
}
