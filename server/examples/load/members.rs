//! Members of rooms, who report what they have read.

use std::time::Instant;

use serde_json::Value;

use crate::Failure;
use crate::http::Connection;
use crate::servers::Server;

/// A member of a room of its own.
pub struct Member {
    connection: Connection,
    /// The header that says who it is.
    header: String,
    room: String,
}

impl Member {
    /// A guest who creates a room.
    pub async fn create(node: &Server) -> Result<Self, Failure> {
        let mut connection = Connection::open(node.address).await?;
        let guest: Value = serde_json::from_str(&connection.post("/guests/", "{}").await?)?;
        let token = guest["token"].as_str().ok_or("a guest without a token")?;
        let header = format!("authorization: Bearer {token}\r\n");
        let room = connection.post_with("/rooms/", &header, "{}").await?;
        let room: Value = serde_json::from_str(&room)?;
        Ok(Self {
            connection,
            header,
            room: room["id"]
                .as_str()
                .ok_or("a room without an ID")?
                .to_owned(),
        })
    }

    /// The path of the messages of the room.
    pub fn messages(&self) -> String {
        format!("/rooms/{}/messages/", self.room)
    }

    /// Reports each message of the room as read, until this time. Returns how many.
    pub async fn read_until(mut self, end: Instant) -> Result<u64, Failure> {
        let path = format!("/rooms/{}/", self.room);
        let room = self.connection.get(&path, "application/json").await?;
        let room: Value = serde_json::from_str(&room)?;
        let count = room["message_count"]
            .as_u64()
            .ok_or("a room without a count")?;
        let path = format!("{path}seen/");
        for seq in 1..=count {
            if Instant::now() > end {
                return Ok(seq - 1);
            }
            let body = format!(r#"{{"seen":{seq}}}"#);
            self.connection
                .post_with(&path, &self.header, &body)
                .await?;
        }
        Ok(count)
    }
}
