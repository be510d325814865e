//! What was acknowledged is still there after a crash.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::Message;

use crate::harness::{MessagePoster, ServerProcess, size_from_env};

/// Posts as fast as messages are acknowledged, until `stop` is set or a post fails. Returns the
/// acknowledged messages.
async fn post_until_refused(
    post: MessagePoster,
    writer: usize,
    stop: Arc<AtomicBool>,
) -> Vec<Message> {
    let username = format!("writer {writer}");
    let mut acknowledged = Vec::new();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match post.send(&username, &n.to_string(), None).await {
            Some(message) => acknowledged.push(message),
            None => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_messages_survive_kill_9() {
    let kills = size_from_env("WEBCHAT_KILLS", 5);
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<Message> = Vec::new();
    let mut room = None;
    for round in 0..=kills {
        let process = ServerProcess::start(dir.path(), &[]);
        let room = match &room {
            Some(room) => String::clone(room),
            None => room.insert(process.create_room().await).clone(),
        };
        let stored = process.history(&room).await;
        assert!(
            stored.iter().map(|m| m.id).eq(1..=stored.len() as u64),
            "round {round}: the sequence has gaps"
        );
        for message in &acknowledged {
            let place = usize::try_from(message.id).unwrap() - 1;
            assert_eq!(
                stored.get(place),
                Some(message),
                "round {round}: an acknowledged message is lost"
            );
        }
        if round == kills {
            break;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8)
            .map(|n| tokio::spawn(post_until_refused(process.poster(&room), n, stop.clone())))
            .collect();
        // Varies the moment of the kill; no wait for an event.
        tokio::time::sleep(Duration::from_millis(50 + 37 * (round as u64 % 11))).await;
        process.signal("-KILL");
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
    }
    assert!(
        acknowledged.len() > kills,
        "too few messages were acknowledged"
    );
    println!(
        "{} kills, {} acknowledged messages, none lost",
        kills,
        acknowledged.len()
    );
}
