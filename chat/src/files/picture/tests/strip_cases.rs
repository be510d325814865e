//! What is removed and what survives.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ImageDecoder, ImageReader, RgbaImage};

use super::corpus::{self, HEIGHT, MARKER, PROFILE, WIDTH, samples};
use super::{contains, dimensions, strip, stripped};
use crate::files::picture::{Dimensions, Stripping};

fn decoder(bytes: &[u8]) -> impl ImageDecoder {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    reader.unwrap().into_decoder().unwrap()
}

/// The pixels of all frames, as far as they can be decoded.
pub(super) fn frames(bytes: &[u8]) -> Vec<RgbaImage> {
    let first = image::load_from_memory(bytes).unwrap().into_rgba8();
    let file = Cursor::new(bytes);
    let frames = match image::guess_format(bytes).unwrap() {
        image::ImageFormat::Gif => GifDecoder::new(file).unwrap().into_frames(),
        image::ImageFormat::WebP => WebPDecoder::new(file).unwrap().into_frames(),
        image::ImageFormat::Png => match PngDecoder::new(file).unwrap().apng() {
            Ok(decoder) if contains(bytes, b"acTL") => decoder.into_frames(),
            _ => return vec![first],
        },
        _ => return vec![first],
    };
    let frames = frames.map(|frame| frame.unwrap().into_buffer());
    [first].into_iter().chain(frames).collect()
}

#[test]
fn no_byte_of_a_marker_remains() {
    for sample in samples() {
        assert!(contains(&sample.bytes, MARKER), "{}", sample.name);
        let copy = stripped(&sample.bytes);
        assert!(!contains(&copy, b"GPS"), "{}", sample.name);
        assert!(!contains(&copy, b"Photoshop"), "{}", sample.name);
    }
}

#[test]
fn orientation_and_profile_survive() {
    for sample in samples() {
        let copy = stripped(&sample.bytes);
        let mut decoder = decoder(&copy);
        let orientation = decoder.orientation().unwrap().to_exif();
        assert_eq!(orientation, sample.orientation, "{}", sample.name);
        let profile = decoder.icc_profile().unwrap();
        let expected = sample.has_profile.then(|| PROFILE.to_vec());
        assert_eq!(profile, expected, "{}", sample.name);
    }
}

#[test]
fn upright_picture_gets_no_orientation() {
    for bytes in [
        corpus::plain_jpeg(),
        corpus::riff(&[corpus::lossless_chunk()]),
    ] {
        let copy = stripped(&bytes);
        assert!(!contains(&copy, b"Exif") && !contains(&copy, b"EXIF"));
        assert_eq!(copy, bytes, "nothing is to remove");
    }
}

#[test]
fn pixels_are_identical() {
    for sample in samples() {
        let copy = stripped(&sample.bytes);
        let (before, after) = (frames(&sample.bytes), frames(&copy));
        let expected = if sample.name.contains("animated") || sample.name == "GIF" {
            3
        } else {
            1
        };
        assert_eq!(before.len(), expected, "{}", sample.name);
        assert!(before == after, "{}", sample.name);
    }
}

#[test]
fn stripping_twice_gives_the_same_bytes() {
    for sample in samples() {
        let copy = stripped(&sample.bytes);
        assert_eq!(stripped(&copy), copy, "{}", sample.name);
    }
}

#[test]
fn dimensions_are_those_of_the_turned_picture() {
    for sample in samples() {
        let mut expected = Dimensions {
            width: WIDTH,
            height: HEIGHT,
        };
        if sample.orientation >= 5 {
            std::mem::swap(&mut expected.width, &mut expected.height);
        }
        let copy = stripped(&sample.bytes);
        assert_eq!(dimensions(&sample.bytes), Some(expected), "{}", sample.name);
        assert_eq!(dimensions(&copy), Some(expected), "{}", sample.name);
    }
}

#[test]
fn animation_keeps_its_loop() {
    let copy = stripped(&corpus::gif(2));
    assert!(contains(&copy, b"NETSCAPE2.0\x03\x01\0\0\0"));
}

#[test]
fn file_that_is_not_stripped_may_contain_a_place() {
    for (head, expected) in [
        (&b"\0\0\0\x18ftypheic"[..], Stripping::Unsupported),
        (b"\0\0\0\x20ftypavif", Stripping::Unsupported),
        (b"\0\0\0\x18ftypmp42", Stripping::Unsupported),
        (b"\0\0\0\x08wide", Stripping::Unsupported),
        (b"II*\0\x08\0\0\0", Stripping::Unsupported),
        (b"MM\0*\0\0\0\x08", Stripping::Unsupported),
        (b"\0\0\0\x0cJXL \r\n\x87\n", Stripping::Unsupported),
        (b"\x1a\x45\xdf\xa3", Stripping::Unsupported),
        (b"RIFF\x24\0\0\0AVI LIST", Stripping::Unsupported),
        (b"RIFF\x24\0\0\0WAVEfmt ", Stripping::NotMedia),
        (b"%PDF-1.7\n", Stripping::NotMedia),
        (b"PK\x03\x04", Stripping::NotMedia),
        (b"hello", Stripping::NotMedia),
        (b"I'm free today", Stripping::NotMedia),
        (b"MMORPGs to play", Stripping::NotMedia),
        (b"\xff\xd8", Stripping::NotMedia),
        (b"", Stripping::NotMedia),
        (b"\xff\xd8\xff\xe0", Stripping::Malformed),
        (b"GIF89a", Stripping::Malformed),
    ] {
        let (stripping, _) = strip(head);
        assert_eq!(stripping, expected, "{head:?}");
        let is_kept = expected != Stripping::NotMedia;
        assert_eq!(stripping.may_contain_place(), is_kept, "{head:?}");
        assert_eq!(dimensions(head), None, "{head:?}");
    }
}
