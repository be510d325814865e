//! The program itself: what it acknowledged survives being killed, and it stops as it is told.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::Message;

use crate::program::{Post, Program, size};

/// Posts as fast as it is answered, until told to stop or refused; gives back what was acknowledged.
async fn write(post: Post, writer: usize, stop: Arc<AtomicBool>) -> Vec<Message> {
    let (username, mut acknowledged) = (format!("writer {writer}"), Vec::new());
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

/// Kills the program under load, again and again. `WEBCHAT_KILLS=100` kills it more often.
#[test]
fn a_file_beside_it_counts_as_the_environment_which_goes_before_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), "WEBCHAT_TIMEOUT=soon\n").unwrap();
    let complaint = |environment: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_webchat"));
        let output = command
            .current_dir(dir.path())
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(complaint(&[]).contains(r#""soon""#));
    assert!(complaint(&[("WEBCHAT_TIMEOUT", "later")]).contains(r#""later""#));
    std::fs::write(dir.path().join(".env"), "not a line of it\n").unwrap();
    assert!(complaint(&[]).contains(".env"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed() {
    let kills = size("WEBCHAT_KILLS", 5);
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<Message> = Vec::new();
    let mut room = None;
    for round in 0..=kills {
        let program = Program::start(dir.path(), &[]);
        let room = match &room {
            Some(room) => String::clone(room),
            None => room.insert(program.room().await).clone(),
        };
        let stored = program.history(&room).await;
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
            .map(|n| tokio::spawn(write(program.poster(&room), n, stop.clone())))
            .collect();
        // Not a wait for anything: the moment of the kill is what varies.
        tokio::time::sleep(Duration::from_millis(50 + 37 * (round as u64 % 11))).await;
        program.signal("-KILL");
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
    }
    assert!(
        acknowledged.len() > kills,
        "nothing was written, so nothing was shown"
    );
    println!(
        "{} kills, {} acknowledged messages, none lost",
        kills,
        acknowledged.len()
    );
}

#[test]
fn it_stops_when_told_and_says_so_with_its_exit_code() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut program = Program::start(dir.path(), &["--log-format", "json"]);
        program.signal(signal);
        assert_eq!(program.ended().code(), Some(0), "{signal}");
    }
}

#[test]
fn it_says_in_one_line_what_it_cannot_use() {
    let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .args(["--timeout", "0s"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("--timeout") && text.contains("0s") && text.contains("1h30m"),
        "{text}"
    );
}
