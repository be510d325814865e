//! The numbers for Prometheus.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use tokio::time::timeout;

use crate::harness::{EventReader, ServerProcess, TEST_TIMEOUT, TestSocket, database_of};

/// The value of each series.
type Numbers = BTreeMap<String, f64>;

/// A server that tells its numbers.
struct Measured {
    process: ServerProcess,
    metrics: String,
}

impl Measured {
    fn start(data_dir: &std::path::Path, more: &[&str]) -> Self {
        let flags = [&["--metrics", "127.0.0.1:0", "--node", "one"], more].concat();
        let process = ServerProcess::start(data_dir, &flags);
        let line = process.wait_for_log("numbers for Prometheus");
        let at = line.find("http://").unwrap();
        let metrics = line[at..].to_owned();
        Self { process, metrics }
    }

    async fn read(&self) -> Numbers {
        let answer = reqwest::get(&self.metrics).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        let text = answer.text().await.unwrap();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let series = text.lines().filter(|line| !line.starts_with('#'));
        series
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').unwrap();
                (name.to_owned(), value.parse().unwrap())
            })
            .collect()
    }

    /// Reads until a series has this value.
    async fn wait_for(&self, name: &str, value: f64) {
        let reads = async {
            while self.read().await[name] != value {
                tokio::task::yield_now().await;
            }
        };
        let is_reached = timeout(TEST_TIMEOUT, reads).await.is_ok();
        assert!(is_reached, "{name} is not {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_count_what_happens() {
    let dir = tempfile::tempdir().unwrap();
    let server = Measured::start(dir.path(), &[]);
    let url = &server.process.url;
    let room = server.process.create_room().await;
    let before = server.read().await;
    assert_eq!(before["webchat_rooms{state=\"open\"}"], 1.0);
    assert_eq!(before["webchat_streams"], 0.0);
    let path = format!("/rooms/{room}/messages/");
    let mut stream = EventReader::new(reqwest::get(format!("{url}{path}")).await.unwrap());
    let mut socket = TestSocket::open_at(url, &format!("/rooms/{room}/socket")).await;
    server.wait_for("webchat_streams", 2.0).await;
    server.wait_for("webchat_followers", 2.0).await;
    for body in ["one", "two"] {
        server.process.post(&room, "ada", body).await.unwrap();
        stream.next_message().await;
        socket.next_message().await;
    }
    let after = server.read().await;
    let increase = |name: &str| after[name] - before[name];
    assert_eq!(increase("webchat_posts_total"), 2.0);
    assert_eq!(increase("webchat_commit_seconds_count"), 2.0);
    assert_eq!(increase("webchat_commit_size_sum"), 2.0);
    assert_eq!(increase("webchat_deliveries_total"), 4.0);
    assert!(increase("webchat_answers_total{status=\"2xx\"}") >= 3.0);
    assert_eq!(after["webchat_failed_commits_total"], 0.0);
    assert!(after["process_resident_memory_bytes"] > 1e6);
    assert!(after["process_open_fds"] > 5.0);
    drop((stream, socket));
    server.wait_for("webchat_streams", 0.0).await;
    server.wait_for("webchat_followers", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_files_and_of_the_disk_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let server = Measured::start(dir.path(), &[]);
    let room = server.process.create_room().await;
    let before = server.read().await;
    assert_eq!(before["webchat_files_bytes"], 0.0);
    assert!(before["webchat_disk_free_bytes"] > 1e6);
    let url = format!("{}/rooms/{room}/files/?name=a", server.process.url);
    let request = reqwest::Client::new().post(url).body("12345");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    let after = server.read().await;
    assert_eq!(after["webchat_files_bytes"], 5.0);
    for (state, count) in [
        ("receiving", 0.0),
        ("received", 0.0),
        ("ready", 1.0),
        ("deleting", 0.0),
    ] {
        let name = format!("webchat_uploads{{state=\"{state}\"}}");
        assert_eq!(after[&name], count, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_the_server_ends_are_counted_by_reason() {
    let dir = tempfile::tempdir().unwrap();
    let server = Measured::start(dir.path(), &["--timeout", "2s", "--archive", "off"]);
    let room = server.process.create_room().await;
    let url = format!("{}/rooms/{room}/messages/", server.process.url);
    let stream = EventReader::new(reqwest::get(url).await.unwrap());
    let events = stream.rest().await;
    assert_eq!(events.last().unwrap().name, "closed");
    let numbers = server.read().await;
    assert_eq!(numbers["webchat_stream_cut_total{reason=\"closed\"}"], 1.0);
    server.wait_for("webchat_rooms{state=\"open\"}", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series_stay_the_same_whatever_clients_ask_for() {
    let dir = tempfile::tempdir().unwrap();
    let server = Measured::start(dir.path(), &[]);
    let url = &server.process.url;
    let names = |numbers: Numbers| numbers.into_keys().collect::<Vec<_>>();
    let before = names(server.read().await);
    for number in 0..50 {
        let room = server.process.create_room().await;
        server
            .process
            .post(&room, &format!("name-{number}"), "hello")
            .await
            .unwrap();
        let path = format!("{url}/{number}/\"}}\n?{room}={number}");
        reqwest::get(path).await.unwrap();
    }
    let before: Vec<_> = before
        .into_iter()
        .filter(|name| !name.contains("status="))
        .collect();
    let mut after = names(server.read().await);
    after.retain(|name| !name.contains("status="));
    assert_eq!(after, before);
    assert!(after.contains(&"webchat_build_info{version=\"0.1.0\",node=\"one\"}".to_owned()));
}

/// Without a database that nodes can share there are no numbers of nodes.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_count_what_they_tell_each_other_and_one_of_them_leads() {
    let [here, there] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let Some(database) = database_of(here.path()) else {
        let names = Measured::start(here.path(), &[]).read().await.into_keys();
        let of_nodes = [
            "webchat_ring",
            "webchat_hears",
            "webchat_leader",
            "webchat_nodes",
        ];
        assert!(
            names
                .into_iter()
                .all(|name| !of_nodes.iter().any(|of| name.starts_with(of)))
        );
        return;
    };
    let flags = ["--database", &database, "--archive", "off"];
    let mut one = Measured::start(here.path(), &flags);
    one.wait_for("webchat_leader", 1.0).await;
    let other = Measured::start(there.path(), &flags);
    for node in [&one, &other] {
        node.wait_for("webchat_nodes", 2.0).await;
        node.wait_for("webchat_hears_rings", 1.0).await;
    }
    let (sent, heard) = (one.read().await, other.read().await);
    assert_eq!(heard["webchat_leader"], 0.0);
    let room = one.process.create_room().await;
    let url = format!("{}/rooms/{room}/messages/", other.process.url);
    let mut stream = EventReader::new(reqwest::get(url).await.unwrap());
    one.process.post(&room, "ada", "hello").await.unwrap();
    stream.next_message().await;
    let (sent_after, heard_after) = (one.read().await, other.read().await);
    let increase = |after: &Numbers, before: &Numbers, name: &str| after[name] - before[name];
    assert!(increase(&sent_after, &sent, "webchat_rings_sent_total") >= 1.0);
    let arrived = increase(&heard_after, &heard, "webchat_rings_heard_total")
        + increase(&heard_after, &heard, "webchat_rings_read_again_total");
    assert!(arrived >= 1.0);
    let delays = increase(&heard_after, &heard, "webchat_ring_delay_seconds_count");
    let seconds = increase(&heard_after, &heard, "webchat_ring_delay_seconds_sum");
    assert!(
        delays >= 1.0 && seconds < 5.0 * delays,
        "{seconds} in {delays}"
    );
    drop(stream);
    one.process.signal("-KILL");
    one.process.wait_for_exit();
    other.wait_for("webchat_nodes", 1.0).await;
    other.wait_for("webchat_leader", 1.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_on_their_own_listener_only() {
    let dir = tempfile::tempdir().unwrap();
    let server = Measured::start(dir.path(), &[]);
    let status = async |url: String| reqwest::get(url).await.unwrap().status();
    let public = format!("{}/metrics", server.process.url);
    assert_eq!(status(public).await, StatusCode::NOT_FOUND);
    let rooms = server.metrics.replace("/metrics", "/rooms/");
    assert_eq!(status(rooms).await, StatusCode::NOT_FOUND);
}
