//! A randomized test of nodes whose rings are lost, doubled, late and in another order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::{NewRoom, RoomId, SanctionKind};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinHandle;

use super::tests::{follow, open_another};
use crate::room::sanctions::SanctionTarget;
use crate::sync::lock;
use crate::testing::{TestChat, new_guest, new_message};
use crate::{FollowEvent, Follower, Person};

const NODES: usize = 3;
const ACTIONS: usize = 120;

/// What a follower has received.
#[derive(Debug, Default)]
struct Received {
    seqs: Vec<u64>,
    /// The last event of each kind.
    latest: BTreeMap<String, String>,
    /// How it has ended.
    end: Option<&'static str>,
}

/// A follower that reads all the time.
struct Reader {
    received: Arc<Mutex<Received>>,
    task: JoinHandle<()>,
}

impl Reader {
    fn start(mut follower: Follower) -> Self {
        let received = Arc::new(Mutex::new(Received::default()));
        let shared = received.clone();
        let task = tokio::spawn(async move {
            loop {
                let event = follower.next().await.unwrap();
                let mut received = lock(&shared);
                match event {
                    FollowEvent::Messages(frames) => {
                        received.seqs.extend(frames.first()..=frames.last());
                    }
                    FollowEvent::Ephemeral(event) => {
                        let json = String::from_utf8(event.json().to_vec()).unwrap();
                        received.latest.insert(format!("{:?}", event.name()), json);
                    }
                    FollowEvent::Closed(_) => return received.end = Some("closed"),
                    FollowEvent::Removed(_) => return received.end = Some("removed"),
                    other => panic!("{other:?}"),
                }
            }
        });
        Self { received, task }
    }

    /// Waits until what was received is as it should be.
    async fn wait(&self, what: &str, is_right: impl Fn(&Received) -> bool) {
        let wait = async {
            while !is_right(&lock(&self.received)) {
                assert!(
                    !self.task.is_finished() || is_right(&lock(&self.received)),
                    "{what}"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        assert!(waited.is_ok(), "{what}: {:?}", lock(&self.received));
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The people and rooms of one run.
struct Scene {
    nodes: Vec<TestChat>,
    owner: Person,
    villain: Person,
    account: Person,
    room: RoomId,
    closed: RoomId,
    /// The names that are present, and by way of what.
    present: BTreeMap<String, Follower>,
    /// How many entries the room has.
    head: u64,
    name: String,
}

impl Scene {
    async fn new(random: &mut SmallRng) -> Option<Self> {
        let first = TestChat::new(|config| config.archive = false).await;
        let mut nodes = vec![first];
        while nodes.len() < NODES {
            nodes.push(open_another(&nodes[0]).await?);
        }
        let owner = new_guest();
        let mut rooms = Vec::new();
        for _ in 0..2 {
            let room = nodes[0].chat.create_room(&owner, &NewRoom::default()).await;
            rooms.push(room.unwrap().id);
        }
        let (account, villain) = (nodes[0].register("eve").await, new_guest());
        for (by, name) in [(&account, "eve"), (&villain, "mallory")] {
            let mut message = new_message("I was here");
            message.username = name.to_owned();
            let posted = nodes[0].chat.post_message(by, &rooms[0], &message, None);
            posted.await.unwrap();
        }
        for node in &nodes {
            node.config.faults.garble_rings(Some(random.random()));
        }
        Some(Self {
            nodes,
            owner,
            villain,
            account,
            room: rooms[0],
            closed: rooms[1],
            present: BTreeMap::new(),
            head: 2,
            name: "EVE".to_owned(),
        })
    }

    /// One reader of this room on each node.
    async fn start_readers(&self, by: &Person, room: RoomId) -> Vec<Reader> {
        let mut readers = Vec::new();
        for node in &self.nodes {
            readers.push(Reader::start(follow(&node.chat, by, room).await));
        }
        readers
    }

    async fn act(&mut self, random: &mut SmallRng, number: usize) {
        let node = &self.nodes[random.random_range(0..NODES)];
        match random.random_range(0..10) {
            0..5 => {
                node.post(self.room, &number.to_string()).await;
                self.head += 1;
            }
            5 => {
                let edited = node
                    .chat
                    .edit_message(&self.account, &self.room, 1, "I was there");
                edited.await.unwrap();
                self.head += 1;
            }
            6 => {
                self.name = format!("Eve {number}");
                let renamed = node.chat.change_display_name(&self.account, &self.name);
                renamed.await.unwrap();
            }
            7 => {
                let typing = node.chat.notify_typing(&self.owner, &self.room, "owner");
                typing.await.unwrap();
            }
            _ => {
                let name = format!("person {}", random.random_range(0..4));
                if self.present.remove(&name).is_none() {
                    let follower = follow(&node.chat, &Person::Anonymous, self.room).await;
                    let follower = follower.with_username(Some(&name)).await.unwrap();
                    self.present.insert(name, follower);
                }
            }
        }
        if random.random_range(0..4) == 0 {
            let node = &self.nodes[random.random_range(0..NODES)];
            node.config.clock.advance(Duration::from_millis(600));
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..12))).await;
    }

    async fn ban_and_close(&self, random: &mut SmallRng) {
        let node = &self.nodes[random.random_range(0..NODES)].chat;
        let target = SanctionTarget::AuthorOf(2);
        let banned =
            node.impose_sanction(&self.owner, &self.room, &target, SanctionKind::Ban, None);
        banned.await.unwrap();
        let node = &self.nodes[random.random_range(0..NODES)].chat;
        node.close_room(&self.owner, &self.closed).await.unwrap();
    }

    fn presence(&self) -> String {
        let names: Vec<&String> = self.present.keys().collect();
        let list = serde_json::to_string(&names).unwrap();
        format!("\"here\":{list},\"count\":{}", names.len())
    }
}

/// One run; `false` without a database that nodes can share.
async fn run_seed(seed: u64) -> bool {
    let mut random = SmallRng::seed_from_u64(seed);
    let Some(mut scene) = Scene::new(&mut random).await else {
        return false;
    };
    let readers = scene.start_readers(&scene.owner, scene.room).await;
    let banned = scene.start_readers(&scene.villain, scene.room).await;
    let closed = scene.start_readers(&scene.owner, scene.closed).await;
    let bans_at = random.random_range(0..ACTIONS);
    for number in 0..ACTIONS {
        if number == bans_at {
            scene.ban_and_close(&mut random).await;
        }
        scene.act(&mut random, number).await;
    }
    // Enough time for all who have come and gone.
    let nodes = &scene.nodes;
    let clocks = nodes.iter().map(|node| node.config.clock.clone());
    let clocks: Vec<_> = clocks.collect();
    let pass_time = tokio::spawn(async move {
        loop {
            clocks
                .iter()
                .for_each(|clock| clock.advance(Duration::from_millis(500)));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    for reader in &readers {
        reader
            .wait("all entries", |r| r.seqs.len() as u64 >= scene.head)
            .await;
        assert!(
            lock(&reader.received)
                .seqs
                .iter()
                .copied()
                .eq(1..=scene.head)
        );
        let name = format!("\"name\":\"{}\"", scene.name);
        let is_last = |r: &Received, kind: &str, part: &str| {
            r.latest.get(kind).is_some_and(|json| json.contains(part))
        };
        if scene.name != "EVE" {
            reader.wait(&name, |r| is_last(r, "Name", &name)).await;
        }
        let presence = scene.presence();
        reader
            .wait(&presence, |r| is_last(r, "Presence", &presence))
            .await;
    }
    for reader in banned {
        reader.wait("removed", |r| r.end == Some("removed")).await;
    }
    for reader in closed {
        reader.wait("closed", |r| r.end == Some("closed")).await;
    }
    pass_time.abort();
    true
}

/// At the end every follower has everything, in order and once, and those who may not follow are out.
/// `WEBCHAT_SEEDS=50` runs more seeds, and `WEBCHAT_FIRST_SEED=50` other ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(clippy::print_stdout, reason = "prints what it has run")]
async fn rings_that_are_lost_doubled_late_or_shuffled_do_no_harm() {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        text.parse::<u64>().ok()
    };
    let first = number("WEBCHAT_FIRST_SEED").unwrap_or(0);
    let seeds = number("WEBCHAT_SEEDS").unwrap_or(4);
    for seed in first..first + seeds {
        match tokio::spawn(run_seed(seed)).await {
            Ok(true) => println!("seed {seed}"),
            Ok(false) => return,
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}
