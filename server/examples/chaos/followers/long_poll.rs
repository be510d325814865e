//! Requests for history that wait for the next message.

use protocol::Message;

use super::{Follower, SILENCE_MAX};
use crate::Failure;
use crate::writers::describe;

/// How many seconds the server waits.
const WAIT: u64 = 15;

impl Follower {
    pub(super) async fn poll(&mut self) -> Result<(), Failure> {
        loop {
            let path = format!("{}/messages/", self.room_path());
            let after = self.heard()[0];
            let url = format!("{}{path}?after={after}&wait={WAIT}&limit=200", self.url);
            let request = self.http.get(url).timeout(SILENCE_MAX);
            let response = match request.header("accept", "application/json").send().await {
                Ok(response) => response,
                Err(error) => {
                    self.failed(&describe(&error));
                    return Err(error.into());
                }
            };
            let status = response.status().as_u16();
            let text = response.text().await?;
            if status != 200 {
                return Err(self.refused(status, &text));
            }
            let messages: Vec<Message> = serde_json::from_str(&text)?;
            messages
                .iter()
                .for_each(|message| self.hear_message(message));
        }
    }
}
