//! Tests of the channel and of warnings.

use std::time::Duration;

use protocol::Epoch;

use super::*;
use crate::Metrics;
use crate::current_epoch::CurrentEpoch;
use crate::realtime::frame::tests::message;

/// The next step of a new follower, after so many messages in a commit each.
fn next_after(messages: u64, ring_bytes: usize) -> Option<Next> {
    let mut channel = Channel::default();
    for id in 1..=messages {
        channel.push_frames(
            Frames::encode(Epoch::new(0), &[message(id)]).unwrap(),
            ring_bytes,
        );
        let held: usize = channel.ring.iter().map(|frames| frames.bytes().len()).sum();
        assert_eq!(held, channel.ring_bytes);
    }
    channel.next(0, DeliveredEvents::default())
}

#[test]
fn frames_of_several_commits_are_delivered_together() {
    let Some(Next::Deliver(frames)) = next_after(20, 256 * 1024) else {
        panic!("no frames")
    };
    assert_eq!((frames.first(), frames.last()), (1, 20));
}

#[tokio::test]
async fn follower_that_joins_before_the_warning_is_warned_too() {
    let clock = Clock::default();
    let hour = Duration::from_secs(3_600);
    let hub = Hub::new(0, clock.clone(), Metrics::default(), CurrentEpoch::new(0));
    let room = RoomId::from_bytes([1; 8]);
    let end = clock.now().after(hour);
    let subscribe = || {
        let subscriber = hub.subscribe(room);
        subscriber.init_lifetime(Lifetime { end, timeout: hour });
        subscriber
    };
    let mut first = subscribe();
    let waiting = tokio::spawn(async move { first.next(&mut 0).await });
    tokio::task::yield_now().await;
    clock.advance(hour - Duration::from_secs(1));
    let mut second = subscribe();
    hub.warn_of_expiry(clock.now());
    let first = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .expect("the subscriber is not woken")
        .unwrap();
    for next in [first, second.next(&mut 0).await] {
        assert!(matches!(next, Next::Closing(at) if at == end));
    }
}

#[tokio::test]
async fn lifetime_from_the_store_does_not_replace_a_newer_one() {
    let clock = Clock::default();
    let hour = Duration::from_secs(3_600);
    let hub = Hub::new(0, clock.clone(), Metrics::default(), CurrentEpoch::new(0));
    let room = RoomId::from_bytes([1; 8]);
    let [earlier, later] = [clock.now().after(hour), clock.now().after(2 * hour)]
        .map(|end| Lifetime { end, timeout: hour });
    for (stored, published) in [(earlier, later), (later, earlier)] {
        let subscriber = hub.subscribe(room);
        let frames = Frames::encode(Epoch::new(0), &[message(1)]).unwrap();
        hub.publish(room, frames, std::iter::empty(), published);
        subscriber.init_lifetime(stored);
        assert_eq!(
            hub.warn_of_expiry(clock.now()),
            Some(published.closing_at())
        );
    }
}

#[test]
fn small_ring_drops_old_frames() {
    for ring_bytes in [0, 300, 1_000] {
        assert!(
            matches!(next_after(40, ring_bytes), Some(Next::ReadStore)),
            "{ring_bytes}"
        );
    }
}
