//! Tests of databases that lose commits, with servers of `PostgreSQL` of their own. Without a database
//! that nodes can share there is nothing to test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use protocol::{Cursor, RoomId, Start};

use crate::testing::{TestChat, new_database, new_message, soon, soon_true};
use crate::{Chat, Config, FollowEvent, Follower, Person};

/// A server of `PostgreSQL`, and what belongs to it.
struct Servers {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// The address of the server.
    first: String,
}

impl Servers {
    /// `None` if the tests are given no database.
    fn start() -> Option<Self> {
        std::env::var_os("WEBCHAT_TEST_DATABASE")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/postgres_servers.sh");
        let mut process = Command::new(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut servers = Self {
            process,
            input,
            output,
            first: String::new(),
        };
        servers.first = servers.read_line();
        Some(servers)
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the servers have ended");
        line.trim_end().to_owned()
    }

    /// Passes on a command, and returns its answer.
    fn run(&mut self, command: &str) -> String {
        let mut input = self.input.as_ref().unwrap();
        writeln!(input, "{command}").unwrap();
        self.read_line()
    }

    /// A node with archives elsewhere.
    async fn open_node(&self) -> TestChat {
        TestChat::new(|config| {
            let port = config
                .faults
                .happen_between(address(&self.first).to_owned());
            config.database = Some(format!("postgres://webchat@127.0.0.1:{port}/postgres"));
            config.archive = false;
        })
        .await
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// The host and the port of a URL.
fn address(url: &str) -> &str {
    let (_, rest) = url.split_once('@').unwrap();
    rest.split_once('/').unwrap().0
}

/// The result of a statement that a server executes for its owner.
fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args([url, "-Atqc", sql])
        .output()
        .unwrap();
    assert!(output.status.success(), "{sql}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim_end().to_owned()
}

/// Waits until a query that is asked again and again says yes.
async fn wait_for(url: &str, sql: &str) {
    soon_true(sql, async || psql(url, sql) == "t").await;
}

/// Waits until the standby has everything.
async fn wait_for_standby(first: &str, standby: &str) {
    let end = psql(first, "select pg_current_wal_lsn()");
    let sql = format!("select pg_last_wal_replay_lsn() >= '{end}'");
    wait_for(standby, &sql).await;
}

/// The texts of the next messages, up to this one.
async fn read_until(follower: &mut Follower, last: &str) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != last) {
        match soon(last, follower.next()).await.unwrap() {
            FollowEvent::Messages(frames) => {
                texts.extend(frames.messages().map(|message| message.body().to_owned()));
            }
            FollowEvent::Ephemeral(_) => {}
            other => panic!("{other:?} before {last}"),
        }
    }
    texts
}

async fn follow(chat: &Chat, room: RoomId, start: Start) -> Follower {
    let follower = chat.follow_room(&Person::Anonymous, &room, start).await;
    follower.unwrap()
}

/// Posts as a client does, again and again with the same key until there is an answer.
async fn post(test: &TestChat, room: RoomId, body: &str) {
    let message = new_message(body);
    let is_posted = async || {
        let key = Some(body.into());
        let posted = test
            .chat
            .post_message(&Person::Anonymous, &room, &message, key);
        posted.await.is_ok()
    };
    soon_true(body, is_posted).await;
}

/// Reads on as a client whose stream has ended. It has to read everything again.
async fn read_after_reset(
    test: &TestChat,
    room: RoomId,
    cursor: Cursor,
    last: &str,
) -> Vec<String> {
    let mut follower = follow(&test.chat, room, Start::Cursor(cursor)).await;
    let first = soon("a reset", follower.next()).await.unwrap();
    assert!(matches!(first, FollowEvent::Reset));
    read_until(&mut follower, last).await
}

/// Waits for the end of a stream that has nothing more to deliver.
async fn wait_for_end(follower: &mut Follower) {
    let events =
        async { while !matches!(follower.next().await.unwrap(), FollowEvent::Draining) {} };
    soon("the end of the stream", events).await;
}

#[tokio::test]
async fn failover_that_loses_commits_resets_the_cursors_of_all_nodes() {
    let Some(mut servers) = Servers::start() else {
        return;
    };
    let [one, other] = [servers.open_node().await, servers.open_node().await];
    let standby = servers.run("standby");
    let room = one.create_room().await;
    post(&one, room, "kept").await;
    wait_for_standby(&servers.first, &standby).await;
    psql(&standby, "alter system set primary_conninfo = ''");
    psql(&standby, "select pg_reload_conf()");
    wait_for(
        &servers.first,
        "select count(*) = 0 from pg_stat_replication",
    )
    .await;
    let mut followers = Vec::new();
    for node in [&one, &other] {
        followers.push(follow(&node.chat, room, Start::Seq(0)).await);
    }
    post(&one, room, "lost").await;
    let mut cursors = Vec::new();
    for follower in &mut followers {
        assert_eq!(read_until(follower, "lost").await, ["kept", "lost"]);
        cursors.push(follower.cursor().unwrap());
    }
    psql(&standby, "select pg_promote()");
    for node in [&one, &other] {
        node.config.faults.move_server(address(&standby).to_owned());
    }
    // It takes the number of the lost one before the nodes have noticed anything.
    post(&other, room, "new").await;
    for (node, cursor) in [&one, &other].into_iter().zip(cursors) {
        let mut follower = followers.remove(0);
        wait_for_end(&mut follower).await;
        let texts = read_after_reset(node, room, cursor, "new").await;
        assert_eq!(texts, ["kept", "new"]);
    }
    let epochs = [&one, &other].map(|node| node.chat.0.epoch.get());
    assert_eq!(epochs[0], epochs[1]);
}

#[tokio::test]
async fn failover_without_loss_resets_nothing() {
    let Some(mut servers) = Servers::start() else {
        return;
    };
    let [one, other] = [servers.open_node().await, servers.open_node().await];
    let standby = servers.run("standby");
    psql(
        &servers.first,
        "alter system set synchronous_standby_names = '*'",
    );
    psql(&servers.first, "select pg_reload_conf()");
    let sync = "select count(*) = 1 from pg_stat_replication where sync_state = 'sync'";
    wait_for(&servers.first, sync).await;
    let room = one.create_room().await;
    let mut follower = follow(&other.chat, room, Start::Seq(0)).await;
    post(&one, room, "before").await;
    read_until(&mut follower, "before").await;
    let cursor = follower.cursor().unwrap();
    psql(&standby, "select pg_promote()");
    for node in [&one, &other] {
        node.config.faults.move_server(address(&standby).to_owned());
    }
    post(&one, room, "after").await;
    assert_eq!(read_until(&mut follower, "after").await, ["after"]);
    wait_for(&standby, "select timeline = 2 from log_position").await;
    for node in [&one, &other] {
        assert_eq!(node.chat.0.epoch.get(), cursor.epoch);
        let mut late = follow(&node.chat, room, Start::Cursor(cursor)).await;
        assert_eq!(read_until(&mut late, "after").await, ["after"]);
    }
    post(&other, room, "last").await;
    assert_eq!(read_until(&mut follower, "last").await, ["last"]);
}

#[tokio::test]
async fn failover_resets_cursors_if_a_node_that_ended_with_it_may_have_lost_commits() {
    let Some(mut servers) = Servers::start() else {
        return;
    };
    let one = servers.open_node().await;
    let room = one.create_room().await;
    post(&one, room, "before").await;
    // A node that was killed a moment ago.
    psql(
        &servers.first,
        "insert into node_commits select 42, 7, timeline, alive_at + 3600000 from node_commits",
    );
    let standby = servers.run("standby");
    wait_for_standby(&servers.first, &standby).await;
    let mut follower = follow(&one.chat, room, Start::Seq(0)).await;
    read_until(&mut follower, "before").await;
    let cursor = follower.cursor().unwrap();
    psql(&standby, "select pg_promote()");
    one.config.faults.move_server(address(&standby).to_owned());
    wait_for_end(&mut follower).await;
    let texts = read_after_reset(&one, room, cursor, "before").await;
    assert_eq!(texts, ["before"]);
}

/// Opens a chat on a restored database, and reads on with a cursor from before.
async fn read_on_restored(database: String, room: RoomId, cursor: Cursor) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        database: Some(database),
        ..Config::new(dir.path())
    };
    let chat = Chat::open(config).await.unwrap();
    let mut follower = follow(&chat, room, Start::Cursor(cursor)).await;
    let first = soon("a reset", follower.next()).await.unwrap();
    assert!(matches!(first, FollowEvent::Reset));
    let texts = read_until(&mut follower, "kept").await;
    drop(follower);
    chat.close().await;
    texts
}

/// The recipe of `docs/operating.md`.
#[tokio::test]
async fn database_that_is_recovered_to_a_point_in_time_has_a_new_epoch() {
    let Some(mut servers) = Servers::start() else {
        return;
    };
    servers.run("backup");
    let one = servers.open_node().await;
    let room = one.create_room().await;
    post(&one, room, "kept").await;
    psql(
        &servers.first,
        "select pg_create_restore_point('before the mistake')",
    );
    post(&one, room, "mistake").await;
    let follower = follow(&one.chat, room, Start::Latest).await;
    let cursor = follower.cursor().unwrap();
    drop(follower);
    one.chat.close().await;
    psql(&servers.first, "select pg_switch_wal()");
    let recovered = servers.run("recover before the mistake");
    assert_eq!(read_on_restored(recovered, room, cursor).await, ["kept"]);
}

/// The recipe of `docs/operating.md`, also into the same database.
#[tokio::test]
async fn dump_that_is_restored_has_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path());
    let Some(database) = new_database(&config.faults) else {
        return;
    };
    config.database = Some(database.clone());
    config.archive = false;
    let chat = Chat::open(config.clone()).await.unwrap();
    let wish = protocol::NewRoom::default();
    let room = chat.create_room(&Person::Anonymous, &wish).await;
    let room = room.unwrap().id;
    let post = async |chat: &Chat, body: &str| {
        let message = new_message(body);
        let posted = chat.post_message(&Person::Anonymous, &room, &message, None);
        posted.await.unwrap();
    };
    post(&chat, "kept").await;
    let (_, schema) = database.split_once("search_path%3D").unwrap();
    let (schema, url) = (
        schema.to_owned(),
        std::env::var("WEBCHAT_TEST_DATABASE").unwrap(),
    );
    let file = dir.path().join("webchat.dump");
    let run = |command: &mut Command| assert!(command.status().unwrap().success());
    run(Command::new("pg_dump")
        .args(["--format=custom", "--schema", &schema, "--file"])
        .args([file.as_os_str(), url.as_ref()]));
    post(&chat, "lost").await;
    let cursor = follow(&chat, room, Start::Latest).await.cursor().unwrap();
    chat.close().await;
    run(Command::new("pg_restore")
        .args(["--clean", "--if-exists", "--dbname", &url])
        .arg(&file));
    assert_eq!(read_on_restored(database, room, cursor).await, ["kept"]);
}
