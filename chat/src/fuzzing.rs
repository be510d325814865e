//! Private parsers and encoders, for the fuzz targets in `fuzz/`.
//!
//! # Not here
//! The properties that the targets check.

use protocol::{Epoch, Mark, Message};

use crate::Frames;
use crate::identity::name_skeleton::NameSkeleton;
use crate::log::entry::Entry;

/// Messages with consecutive sequence numbers as frames; `None` if there are none.
pub fn encode_frames(epoch: Epoch, messages: &[Message]) -> Option<Frames> {
    let entries: Vec<Entry> = messages.iter().cloned().map(Entry::from).collect();
    Frames::encode(epoch, &entries)
}

/// The marks of a text.
pub fn read_marks(body: &str) -> Vec<Mark> {
    crate::markup::read_marks(body)
}

/// The skeletons of a name: in lower case, and as it is written.
pub fn name_skeletons(name: &str) -> [String; 2] {
    let skeleton = NameSkeleton::of(name);
    [skeleton.lowercase, skeleton.cased]
}
