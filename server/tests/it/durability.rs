//! The program itself: what it acknowledged survives being killed, and it stops as it is told.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::{Message, Room};
use reqwest::Client;
use serde_json::json;

/// The webchat binary, running.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(data_dir: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_webchat"))
            .args(["--listen", "127.0.0.1:0", "--rate-limit", "off", "--data-dir"])
            .arg(data_dir)
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some(at) = line.find("http://") {
                break line[at..].to_owned();
            }
        };
        // Its log must be read on, or it would wait for its reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts as fast as it is answered, until told to stop or refused; gives back what was acknowledged.
async fn write(url: String, room: String, writer: usize, stop: Arc<AtomicBool>) -> Vec<Message> {
    let http = Client::new();
    let mut acknowledged = Vec::new();
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let post = http.post(format!("{url}/rooms/{room}/messages/"));
        let post = post.json(&json!({"username": format!("writer {writer}"), "body": n.to_string()})).send().await;
        match post {
            Ok(answer) if answer.status() == 201 => match answer.json().await {
                Ok(message) => acknowledged.push(message),
                Err(_) => break,
            },
            _ => break,
        }
    }
    acknowledged
}

/// Kills the program under load, again and again. `WEBCHAT_KILLS=100` kills it more often.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed() {
    let kills: u64 = std::env::var("WEBCHAT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let dir = tempfile::tempdir().unwrap();
    let http = Client::new();
    let mut acknowledged: Vec<Message> = Vec::new();
    let mut room = None;
    for round in 0..=kills {
        let program = Program::start(dir.path(), &[]);
        let room = match &room {
            Some(room) => String::clone(room),
            None => {
                let answer = http.post(format!("{}/rooms/", program.url)).send().await.unwrap();
                room.insert(answer.json::<Room>().await.unwrap().id.to_string()).clone()
            }
        };
        let mut stored: Vec<Message> = Vec::new();
        loop {
            let after = stored.len();
            let page = http.get(format!("{}/rooms/{room}/messages/?after={after}&limit=1000", program.url));
            let page = page.header("accept", "application/json").send().await.unwrap();
            let page: Vec<Message> = page.json().await.unwrap();
            if page.is_empty() {
                break;
            }
            stored.extend(page);
        }
        assert!(stored.iter().map(|m| m.id).eq(1..=stored.len() as u64), "round {round}: the sequence has gaps");
        for message in &acknowledged {
            let place = usize::try_from(message.id).unwrap() - 1;
            assert_eq!(stored.get(place), Some(message), "round {round}: an acknowledged message is lost");
        }
        if round == kills {
            break;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> =
            (0..8).map(|n| tokio::spawn(write(program.url.clone(), room.clone(), n, stop.clone()))).collect();
        // Not a wait for anything: the moment of the kill is what varies.
        tokio::time::sleep(Duration::from_millis(50 + 37 * (round % 11))).await;
        program.signal("-KILL");
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
    }
    assert!(acknowledged.len() as u64 > kills, "nothing was written, so nothing was shown");
    println!("{} kills, {} acknowledged messages, none lost", kills, acknowledged.len());
}

#[test]
fn it_stops_when_told_and_says_so_with_its_exit_code() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut program = Program::start(dir.path(), &["--log-format", "json"]);
        program.signal(signal);
        assert_eq!(program.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn it_says_in_one_line_what_it_cannot_use() {
    let output = Command::new(env!("CARGO_BIN_EXE_webchat")).args(["--timeout", "0s"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("--timeout") && text.contains("0s") && text.contains("1h30m"), "{text}");
}
