//! The server, and the network before it.

use super::*;

impl Browser {
    pub(super) fn message(&self, index: usize) -> Message {
        Message {
            content: Some(protocol::MessageContent::text(SAID)),
            client_id: Some(client_id(&self.server[index])),
            ..fixtures::message(index as u64 + 1)
        }
    }

    /// The server handles a request: a key that it knows is the same message again.
    pub(super) fn serve(&mut self, pending: &PendingMessage) -> Answer<Message> {
        let known = self.server.iter().position(|key| *key == pending.key);
        if let Some(index) = known {
            return Ok(self.message(index));
        }
        if pending.message.username == TAKEN {
            return Err(refusal(409, None));
        }
        self.server.push(pending.key.clone());
        let message = self.message(self.server.len() - 1);
        for tab in self.tabs.iter_mut().filter(|tab| tab.is_alive()) {
            tab.inbox.push_back(Input::Event(message.clone()));
        }
        Ok(message)
    }

    pub(super) fn answer_post(&mut self, index: usize) {
        let fate = if self.is_faulty {
            self.random.random_range(0..10)
        } else {
            9
        };
        let post = self.posts.remove(index);
        let wait = self.random.random_range(0..20);
        let answer = match fate {
            0 => Err(Failure::Unreachable),
            1 => Err(refusal(429, Some(wait))),
            2 => Err(refusal(503, None)),
            5 => self.refuse_on_the_way(&post.pending.key),
            // Handled, and the answer is lost.
            3 => self.serve(&post.pending).and(Err(Failure::Unreachable)),
            // Given up by the tab, and handled later.
            4 if !post.is_late => {
                self.posts.push(Post {
                    is_late: true,
                    pending: post.pending.clone(),
                    ..post
                });
                Err(Failure::Unreachable)
            }
            _ => self.serve(&post.pending),
        };
        if !post.is_late && self.tabs[post.tab].is_alive() {
            let key = post.pending.key;
            self.tabs[post.tab]
                .inbox
                .push_back(Input::Answer { key, answer });
        }
    }
}

impl Browser {
    /// A firewall refuses a message, which is sent again by its author alone.
    fn refuse_on_the_way(&mut self, key: &str) -> Answer<Message> {
        let written = self.written.iter_mut().find(|known| known.key == key);
        written.unwrap().was_refused = true;
        Err(Failure::Foreign(403, None))
    }
}

fn refusal(status: u16, wait: Option<u32>) -> Failure {
    let problem = Problem {
        status,
        detail: "no".to_owned(),
        ..Problem::default()
    };
    Failure::Refused(Box::new(problem), wait)
}
