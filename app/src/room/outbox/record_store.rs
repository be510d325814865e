//! Where the messages of an outbox are kept: in the browser's database, or in `localStorage` while
//! that does not answer. In the browser only.
//!
//! # Guarantees
//! - A message that was put is found by every tab and every later visit, until it is removed.
//! - An entry of `localStorage` is newer than the record in the database, so it has precedence. It
//!   is a record, or says that the one in the database is to be removed.

use crate::browser::dom::spawn_task;
use crate::browser::{indexed_db, local_storage};
use crate::room::outbox::pending_message::PendingMessage;

/// The entry for a record that the database still has to remove.
const REMOVED: &str = "-";

/// What was found.
pub struct Records {
    /// The messages.
    pub messages: Vec<PendingMessage>,
    /// Whether the database is included.
    pub is_complete: bool,
}

/// The messages whose keys have a prefix.
pub async fn get_all(prefix: &str) -> Records {
    let found = indexed_db::get_all(prefix).await;
    let is_complete = found.is_some();
    let entries = local_storage::get_all(&local_key(prefix));
    if is_complete {
        for (key, _) in entries.iter().filter(|(_, entry)| entry == REMOVED) {
            spawn_task(remove(format!("{prefix}{key}")));
        }
    }
    Records {
        messages: overlay(found.unwrap_or_default(), &entries),
        is_complete,
    }
}

/// Stores a message; returns whether that was possible.
pub async fn put(key: String, record: String) -> bool {
    let local_key = local_key(&key);
    if indexed_db::put(key, record.clone()).await.is_some() {
        local_storage::set(&local_key, "");
        return true;
    }
    local_storage::set(&local_key, &record)
}

/// Removes a message.
pub async fn remove(key: String) {
    let local_key = local_key(&key);
    let was_local = local_storage::get(&local_key).is_some_and(|entry| entry != REMOVED);
    if was_local {
        local_storage::set(&local_key, "");
    }
    let is_removed = indexed_db::remove(key).await.is_some();
    let entry = if is_removed || was_local { "" } else { REMOVED };
    local_storage::set(&local_key, entry);
}

fn local_key(key: &str) -> String {
    format!("outbox/{key}")
}

/// The messages of the database's records, replaced by those of the entries.
fn overlay(records: Vec<String>, entries: &[(String, String)]) -> Vec<PendingMessage> {
    let has_entry = |message: &PendingMessage| entries.iter().any(|(key, _)| *key == message.key);
    let records = records
        .iter()
        .filter_map(|it| PendingMessage::from_record(it));
    let local = entries.iter().filter_map(|(_, entry)| {
        Some(PendingMessage {
            is_local: true,
            ..PendingMessage::from_record(entry)?
        })
    });
    let kept = records.filter(|message| !has_entry(message));
    kept.chain(local).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::NewMessage;

    fn pending(key: &str, body: &str) -> PendingMessage {
        let message = NewMessage {
            username: "ada".to_owned(),
            body: body.to_owned(),
        };
        PendingMessage::new(key.to_owned(), message, 0)
    }

    #[test]
    fn entry_of_local_storage_has_precedence_over_the_record() {
        let records = ["a", "b", "c"].map(|key| pending(key, "old").record());
        let entry = |key: &str, text: String| (key.to_owned(), text);
        let entries = [
            entry("b", pending("b", "new").record()),
            entry("c", REMOVED.to_owned()),
            entry("d", pending("d", "new").record()),
            entry("e", "garbage".to_owned()),
        ];
        let messages = overlay(records.to_vec(), &entries);
        let found: Vec<_> = messages
            .iter()
            .map(|it| (it.key.as_str(), it.message.body.as_str(), it.is_local))
            .collect();
        let expected = [("a", "old", false), ("b", "new", true), ("d", "new", true)];
        assert_eq!(found, expected);
    }
}
