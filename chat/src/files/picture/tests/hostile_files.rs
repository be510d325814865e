//! Files that are made to break a parser.

use std::io::Cursor;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::corpus::{self, MARKER, samples};
use super::{contains, dimensions, strip, stripped};
use crate::files::picture::{Dimensions, Stripping, draw_preview};

/// Checks what holds for any bytes.
fn check(bytes: &[u8]) {
    let size = dimensions(bytes);
    let (stripping, copy) = strip(bytes);
    if stripping == Stripping::Done {
        assert_eq!(strip(&copy), (Stripping::Done, copy.clone()));
        assert_eq!(dimensions(&copy), size);
        assert!(copy.len() <= bytes.len() + 64);
    }
}

#[test]
fn picture_of_20000_by_20000_pixels_in_77_bytes_has_no_preview() {
    let header = [0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20, 8, 2, 0, 0, 0];
    let bytes = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        corpus::chunk(b"IHDR", &[&header]),
        corpus::chunk(b"IDAT", &[b"\x78\x9c\x63\x60\x60\x60", &[0; 14]]),
        corpus::chunk(b"IEND", &[]),
    ]
    .concat();
    let size = Dimensions {
        width: 20_000,
        height: 20_000,
    };
    assert_eq!((bytes.len(), dimensions(&bytes)), (77, Some(size)));
    assert_eq!(stripped(&bytes), bytes);
    assert_eq!(draw_preview(Cursor::new(&bytes)), None);
}

#[test]
fn gif_with_100000_frames_is_stripped_and_drawn() {
    let start = corpus::gif(2);
    let dot = b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0";
    let end = stripped(&start).len() - 1;
    let mut bytes = stripped(&start)[..end].to_vec();
    bytes.extend(dot.repeat(100_000));
    bytes.extend(b"!\xfe\x15GPS 52.5200N 13.4050E\0;");
    assert_eq!(stripped(&bytes).len(), bytes.len() - 25);
    let preview = draw_preview(Cursor::new(&bytes)).unwrap();
    assert_eq!(preview.dimensions.width, corpus::WIDTH);
}

#[test]
fn picture_that_ends_anywhere_leaves_no_marker() {
    for sample in samples() {
        for end in 0..sample.bytes.len() {
            let cut = &sample.bytes[..end];
            check(cut);
            let (stripping, copy) = strip(cut);
            let is_clean = stripping != Stripping::Done || !contains(&copy, MARKER);
            assert!(is_clean, "{} at {end}", sample.name);
            if end % 16 == 0 {
                draw_preview(Cursor::new(cut));
            }
        }
    }
}

#[test]
fn random_bytes_do_not_panic() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..2_000 {
        let mut bytes = vec![0; rng.random_range(0..200)];
        rng.fill(&mut bytes[..]);
        check(&bytes);
    }
}

#[test]
fn damaged_pictures_do_not_panic() {
    let mut rng = StdRng::seed_from_u64(8);
    for sample in samples() {
        for round in 0..500 {
            let bytes = damage(&sample.bytes, &mut rng);
            check(&bytes);
            if round % 8 == 0 {
                draw_preview(Cursor::new(&bytes));
            }
        }
    }
}

/// Changes, doubles and removes some bytes.
fn damage(bytes: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len());
        let end = bytes.len().min(at + rng.random_range(1..40));
        match rng.random_range(0..4) {
            0 => bytes[at] = rng.random(),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.random_range(0..5)],
            2 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                bytes.drain(at..end.min(bytes.len() - 1).max(at));
            }
        }
    }
    bytes
}
