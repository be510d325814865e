//! What is left of pictures, and what hostile files do.

mod corpus;
mod format_cases;
mod hostile_files;
mod preview_cases;
mod strip_cases;

use std::io::Cursor;

use super::{Dimensions, Stripping, read_dimensions, strip_metadata};

/// What became of a file, and what was written.
fn strip(bytes: &[u8]) -> (Stripping, Vec<u8>) {
    let mut copy = Vec::new();
    let stripping = strip_metadata(Cursor::new(bytes), &mut copy).unwrap();
    (stripping, copy)
}

/// The copy of a well-formed picture.
fn stripped(bytes: &[u8]) -> Vec<u8> {
    let (stripping, copy) = strip(bytes);
    assert_eq!(stripping, Stripping::Done);
    copy
}

fn dimensions(bytes: &[u8]) -> Option<Dimensions> {
    read_dimensions(Cursor::new(bytes)).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
