//! Rules of the formats that real files break, and what they hide.

use std::io::Cursor;

use super::corpus::{self, MARKER, chunk, lossless_chunk, riff, riff_chunk, segment};
use super::strip_cases::frames;
use super::{contains, dimensions, strip, stripped};
use crate::files::picture::Stripping;
use crate::files::picture::input::{Fault, Input};
use crate::files::picture::orientation::Orientation;

#[test]
fn jpeg_without_an_end_gets_one() {
    let whole = corpus::plain_jpeg();
    assert_eq!(stripped(&whole[..whole.len() - 2]), whole);
    assert_eq!(stripped(&whole[..whole.len() - 1]), whole);
}

#[test]
fn fill_bytes_and_garbage_between_segments_are_dropped() {
    let plain = corpus::plain_jpeg();
    let garbage = [b"\0\0\xff\0".as_slice(), MARKER, b"\xff\xff"].concat();
    let bytes = [&plain[..20], &garbage, &plain[20..]].concat();
    assert_eq!(stripped(&bytes), plain);
    assert_eq!(frames(&bytes), frames(&plain));
}

#[test]
fn thumbnail_and_padding_of_kept_segments_are_dropped() {
    let copy = stripped(&corpus::jpeg());
    assert!(contains(&copy, b"\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0"));
    assert!(contains(&copy, b"\0\x0eAdobe\0\x64\0\0\0\0\x01\xff"));
}

#[test]
fn picture_behind_a_segment_without_an_end_is_not_taken_for_the_picture() {
    let other = corpus::plain_jpeg();
    let frame = segment(0xc0, &[&[8, 0, 9, 0, 9, 1, 1, 0x11, 0]]);
    // The segment begins where the other picture begins, counted from the end.
    let padding = vec![0; other.len() - frame.len() - 10];
    let comment = segment(0xfe, &[&padding]);
    let bytes = [
        b"\xff\xd8",
        &comment[..],
        &frame,
        b"\xff\xe1\xff\xff",
        &other,
    ]
    .concat();
    assert_eq!(bytes.len(), 2 * other.len());
    assert_eq!(strip(&bytes).0, Stripping::Malformed);
}

#[test]
fn jpeg_with_a_second_size_is_malformed() {
    let plain = corpus::plain_jpeg();
    let frame = segment(0xc0, &[&[8, 0, 9, 0, 9, 1, 1, 0x11, 0]]);
    let bytes = [&plain[..2], &frame, &plain[2..]].concat();
    assert_eq!(strip(&bytes).0, Stripping::Malformed);
}

#[test]
fn jpeg_that_ends_in_a_table_is_malformed() {
    let plain = corpus::plain_jpeg();
    let bytes = [&plain[..plain.len() - 2], b"\xff\xc4\0\x20\x01"].concat();
    assert_eq!(strip(&bytes).0, Stripping::Malformed);
}

#[test]
fn pixels_with_the_values_of_markers_are_copied() {
    let pixels = b"\x12\xff\0\x34\xff\xff\0\x56\xff\xd0\x78";
    let bytes = [
        b"\xff\xd8",
        &segment(0xc0, &[&[8, 0, 9, 0, 9, 1, 1, 0x11, 0]])[..],
        &segment(0xda, &[&[1, 1, 0, 0, 63, 0]]),
        pixels,
        b"\xff\xd9",
    ]
    .concat();
    assert_eq!(stripped(&bytes), bytes);
}

#[test]
fn png_with_an_unknown_critical_chunk_is_malformed() {
    let png = corpus::png();
    let bytes = [&png[..33], &chunk(b"CgBI", &[&[0; 4]]), &png[33..]].concat();
    assert_eq!(strip(&bytes).0, Stripping::Malformed);
}

#[test]
fn gif_without_an_end_gets_one() {
    let whole = stripped(&corpus::gif(2));
    let cut = &whole[..whole.len() - 1];
    assert_eq!(stripped(cut), whole);
    assert_eq!(stripped(&[cut, MARKER].concat()), whole);
}

#[test]
fn unknown_extension_of_gif_is_dropped() {
    let whole = stripped(&corpus::gif(2));
    let (start, end) = whole.split_at(whole.len() - 1);
    let extension = [b"!\x99\x15", MARKER, b"\x02ab\0"].concat();
    assert_eq!(stripped(&[start, &extension, end].concat()), whole);
}

#[test]
fn webp_with_a_chunk_beyond_its_end_is_malformed() {
    let mut long = lossless_chunk();
    long[4] += 2;
    assert_eq!(strip(&riff(&[long])).0, Stripping::Malformed);
    let short = riff(&[lossless_chunk()]);
    assert_eq!(strip(&short[..short.len() - 1]).0, Stripping::Malformed);
}

#[test]
fn orientation_of_webp_counts_if_its_header_says_so() {
    for (flags, is_turned) in [(0x08, true), (0, false)] {
        let chunks = [
            corpus::extended(flags),
            lossless_chunk(),
            corpus::webp_metadata(6),
        ];
        let bytes = riff(&chunks);
        assert_eq!(
            dimensions(&bytes).unwrap().width == corpus::HEIGHT,
            is_turned
        );
        assert_eq!(contains(&stripped(&bytes), b"EXIF"), is_turned);
    }
}

#[test]
fn extended_webp_without_pixels_is_malformed() {
    let header = riff_chunk(b"VP8X", &[&[0; 10]]);
    let bytes = riff(&[header, riff_chunk(b"XMP ", &[MARKER])]);
    assert_eq!(strip(&bytes).0, Stripping::Malformed);
}

#[test]
fn file_that_ends_too_early_is_malformed() {
    let input = || Input::new(Cursor::new(b"abc")).unwrap();
    assert!(matches!(input().take(4, 4), Err(Fault::Malformed)));
    assert!(matches!(input().array::<4>(), Err(Fault::Malformed)));
    assert!(matches!(
        input().copy(4, &mut Vec::new()),
        Err(Fault::Malformed)
    ));
    assert_eq!(input().take(3, 2).unwrap(), b"ab");
}

#[test]
fn orientation_is_read_in_both_byte_orders_and_not_guessed() {
    let entry = b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
    let little = [b"II*\0\x08\0\0\0\x01\0", &entry[..]].concat();
    assert_eq!(Orientation::read(&little).map(Orientation::number), Some(6));
    for number in 2..=8 {
        let exif = Orientation::read(&with(&little, 18, number)).unwrap();
        let exif = exif.to_exif().unwrap();
        assert_eq!(Orientation::read(&exif).unwrap().number(), number);
    }
    for (at, byte) in [(0, b'M'), (4, 200), (8, 0), (12, 4), (14, 2), (18, 9)] {
        assert_eq!(Orientation::read(&with(&little, at, byte)), None, "{at}");
    }
    for end in 0..20 {
        assert_eq!(Orientation::read(&little[..end]), None, "{end}");
    }
}

/// The same bytes but for one.
fn with(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = byte;
    bytes
}
