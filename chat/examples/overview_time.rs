//! Measures how long it takes to read the overview of an account that is a member of many rooms:
//!
//! ```text
//! cargo run --release -p chat --example overview_time
//! ```
#![expect(clippy::unwrap_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "it prints its results")]

use std::time::{Duration, Instant};

use chat::{Chat, Config, Person};
use protocol::{NewAccount, NewMessage, NewRoom};

/// How often the overview is read.
const READS: usize = 200;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path());
    config.timeout = Duration::MAX;
    let chat = Chat::open(config.clone()).await.unwrap();
    let account = NewAccount {
        name: "Ada".to_owned(),
        username: "ada".to_owned(),
        password: "secret".to_owned(),
    };
    let ada: Person = chat
        .register_account(&account, None)
        .await
        .unwrap()
        .account
        .into();
    let mut created = 0;
    for rooms in [50, 500, 5_000] {
        while created < rooms {
            // The rooms are active one after the other.
            config.clock.advance(Duration::from_secs(600));
            create_room_with_message(&chat, &ada).await;
            created += 1;
        }
        let median = measure_overview(&chat, &ada).await;
        println!("{rooms:>5} rooms: {:>8.3} ms", median.as_secs_f64() * 1e3);
    }
    chat.close().await;
}

async fn create_room_with_message(chat: &Chat, by: &Person) {
    let wish = NewRoom {
        private: Some(true),
        ..NewRoom::default()
    };
    let room = chat.create_room(by, &wish).await.unwrap().id;
    let message = NewMessage {
        username: "ada".to_owned(),
        body: "hello".to_owned(),
    };
    chat.post_message(by, &room, &message, None).await.unwrap();
}

/// The median time to read the overview.
async fn measure_overview(chat: &Chat, by: &Person) -> Duration {
    let mut times = Vec::with_capacity(READS);
    for _ in 0..READS {
        let start = Instant::now();
        let overview = chat.load_overview(by, &[]).await.unwrap();
        times.push(start.elapsed());
        assert_eq!(overview.rooms.len(), 50);
    }
    times.sort();
    times[READS / 2]
}
