//! Counts what a follower hands out.

use super::{FollowEvent, Follower};
use crate::{Error, StreamCut};

impl Follower {
    pub(super) fn count(&self, next: &Result<FollowEvent, Error>) {
        let metrics = self.chat.metrics();
        let cut = match next {
            Ok(FollowEvent::Messages(frames)) => {
                metrics.deliveries.inc_by(frames.len() as u64);
                return;
            }
            Ok(FollowEvent::Ephemeral(_) | FollowEvent::Reset | FollowEvent::Closing(_)) => return,
            Ok(FollowEvent::Closed(_)) => StreamCut::Closed,
            Ok(FollowEvent::Removed(_)) => StreamCut::Removed,
            Ok(FollowEvent::SignedOut) => StreamCut::SignedOut,
            Ok(FollowEvent::Draining) => StreamCut::Draining,
            Err(_) => StreamCut::Fault,
        };
        metrics.count_cut(cut);
    }
}
