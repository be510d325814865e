//! The rooms of the run, and at its end what each node has of them.

use std::time::Duration;

use protocol::{Message, Room};
use reqwest::Client;
use serde_json::json;

use crate::Failure;
use crate::checker::Checker;
use crate::cluster::Cluster;

/// The most messages of one request.
const PAGE: usize = 1_000;

/// Creates rooms, half of which end after less time without a message than a clock is off. Returns
/// their IDs.
pub async fn create_rooms(url: &str, count: usize) -> Result<Vec<String>, Failure> {
    let http = Client::new();
    let mut ids = Vec::new();
    for number in 0..count {
        let timeout = if number % 2 == 0 { "30m" } else { "24h" };
        let request = http.post(format!("{url}/rooms/"));
        let response = request.json(&json!({"timeout": timeout})).send().await?;
        let room: Room = response.error_for_status()?.json().await?;
        ids.push(room.id.to_string());
    }
    ids.sort();
    Ok(ids)
}

/// Compares the history of all rooms on each node with what was acknowledged and heard.
pub async fn compare(cluster: &Cluster, ids: &[String], checker: &Checker) {
    let heads = checker.acknowledged_heads();
    for url in cluster.node_urls() {
        for (room, id) in ids.iter().enumerate() {
            let who = format!("the history of {url}");
            match read(&url, id).await {
                Ok(messages) => {
                    for (message, seq) in messages.iter().zip(1..) {
                        if message.id != seq {
                            checker.violation(format!(
                                "{who}, room {room}: {} in place of {seq}",
                                message.id
                            ));
                            break;
                        }
                        checker.observed(&who, room, seq, message.body());
                    }
                    if messages.len() < usize::try_from(heads[room]).unwrap_or(usize::MAX) {
                        let count = messages.len();
                        checker.violation(format!(
                            "{who}, room {room}: {count} messages, of which {} were acknowledged",
                            heads[room]
                        ));
                    }
                }
                Err(error) => checker.violation(format!("{who}, room {room}: {error}")),
            }
        }
    }
}

async fn read(url: &str, id: &str) -> Result<Vec<Message>, Failure> {
    let http = Client::builder().timeout(Duration::from_secs(20)).build()?;
    let mut messages: Vec<Message> = Vec::new();
    loop {
        let after = messages.len();
        let page = format!("{url}/rooms/{id}/messages/?after={after}&limit={PAGE}");
        let page = http
            .get(page)
            .header("accept", "application/json")
            .send()
            .await?;
        let page: Vec<Message> = page.error_for_status()?.json().await?;
        if page.is_empty() {
            return Ok(messages);
        }
        messages.extend(page);
    }
}
