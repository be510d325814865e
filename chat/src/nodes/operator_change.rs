//! The change of an operator by a process that is no node.

use protocol::{Refusal, text};
use texts::refusal;

use super::bell::ring_of_no_node;
use crate::events::DomainEvent;
use crate::store::{DatabaseLocation, accounts};
use crate::{Config, Error};

/// Makes an account an operator, or takes that role back. Servers may be running. Those that the
/// database can notify hear of it at once.
///
/// # Errors
/// [`Refusal::NotFound`] if there is no such account, or a fault.
pub async fn set_operator(config: &Config, username: &str, operator: bool) -> Result<(), Error> {
    let location = DatabaseLocation::of(config)?;
    let username = text::parse_account_name(username)?;
    let ring = ring_of_no_node(DomainEvent::OperatorsChanged)?;
    if accounts::set_operator(&location, &username, operator, &ring).await? {
        Ok(())
    } else {
        Err(Refusal::NotFound(refusal::NO_PERSON).into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::nodes::tests::{follow, open_nodes, wait_for};
    use crate::{FollowEvent, Person};

    #[tokio::test]
    async fn new_and_former_operator_is_known_on_all_nodes_within_a_second() {
        let Some((one, other)) = open_nodes().await else {
            return;
        };
        one.register("boss").await;
        let room = one.create_room().await;
        let mut here = follow(&one.chat, &Person::Anonymous, room).await;
        let mut there = follow(&other.chat, &Person::Anonymous, room).await;
        let changed = Instant::now();
        for number in 0..4 {
            let is_operator = number % 2 == 0;
            set_operator(&one.config, "boss", is_operator)
                .await
                .unwrap();
            for follower in [&mut here, &mut there] {
                let is_new = |event: &FollowEvent| matches!(event, FollowEvent::Ephemeral(_));
                wait_for(follower, "the roles", is_new).await;
            }
        }
        // Looks alone would notice one change in five seconds.
        let elapsed = changed.elapsed();
        assert!(elapsed < Duration::from_secs(4), "{elapsed:?}");
    }
}
