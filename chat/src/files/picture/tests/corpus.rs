//! Pictures with everything in them that says where they were taken, built from code.

use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, Frame, ImageEncoder, RgbImage, Rgba, RgbaImage};

/// What must not be in a copy.
pub(super) const MARKER: &[u8] = b"GPS 52.5200N 13.4050E";

/// The colour profile of the pictures that can have one.
pub(super) const PROFILE: &[u8] = b"the bytes of a colour profile";

pub(super) const WIDTH: u32 = 24;
pub(super) const HEIGHT: u32 = 16;

/// One of the pictures.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    /// How it is turned, as a number of EXIF.
    pub(super) orientation: u8,
    pub(super) has_profile: bool,
}

/// All of them.
pub(super) fn samples() -> Vec<Sample> {
    let sample = |name, bytes, orientation, has_profile| Sample {
        name,
        bytes,
        orientation,
        has_profile,
    };
    vec![
        sample("JPEG", jpeg(), 6, true),
        sample("PNG", png(), 8, true),
        sample("animated PNG", apng(), 8, true),
        sample("WebP", webp(), 5, true),
        sample("animated WebP", animated_webp(), 3, false),
        sample("plain WebP", plain_webp(), 1, false),
        sample("GIF", gif(2), 1, false),
    ]
}

pub(super) fn pixels() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let scaled = |value: u32| u8::try_from(value % 256).unwrap();
        image::Rgb([scaled(x * 10), scaled(y * 15), scaled(x * y)])
    })
}

/// EXIF data with an orientation, and the marker as the name of the camera.
fn exif(orientation: u8) -> Vec<u8> {
    let length = u32::try_from(MARKER.len()).unwrap();
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend(b"\x10\x01\x02\0");
    exif.extend(length.to_le_bytes());
    exif.extend(38_u32.to_le_bytes());
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(MARKER);
    exif
}

pub(super) fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xff, marker], &length.to_be_bytes()[..], &payload].concat()
}

/// A JPEG without metadata, but with the profile.
pub(super) fn plain_jpeg() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.set_icc_profile(PROFILE.to_vec()).unwrap();
    pixels().write_with_encoder(encoder).unwrap();
    bytes
}

/// EXIF, XMP, IPTC, comment, index of further pictures, thumbnails and provenance, also between the
/// pixels and their end; behind the end a second picture and a video.
pub(super) fn jpeg() -> Vec<u8> {
    let plain = plain_jpeg();
    let end = plain.len() - 2;
    let mut bytes = plain[..2].to_vec();
    for segment in [
        segment(0xe0, &[b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x07", MARKER]),
        segment(0xe0, &[b"JFXX\0\x10", MARKER]),
        segment(0xe1, &[b"Exif\0\0", &exif(6)]),
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", MARKER]),
        segment(0xe2, &[b"MPF\0", MARKER]),
        segment(0xeb, &[b"JP\0\0\0\0\0\0jumb", MARKER]),
        segment(0xec, &[b"Ducky", MARKER]),
        segment(0xed, &[b"Photoshop 3.0\08BIM\x04\x04\0\0", MARKER]),
        segment(0xee, &[b"Adobe\0\x64\0\0\0\0\x01", MARKER]),
        segment(0xfe, &[MARKER]),
    ] {
        bytes.extend(segment);
    }
    bytes.extend(&plain[2..end]);
    bytes.extend(segment(0xfe, &[MARKER]));
    bytes.extend(b"\xff\xd9");
    bytes.extend(b"\xff\xd8");
    bytes.extend(segment(0xe1, &[b"Exif\0\0", &exif(6)]));
    bytes.extend(&plain[2..]);
    bytes.extend(b"\0\0\0\x18ftypmp42");
    bytes.extend(MARKER);
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    let add = |crc, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc));
    !bytes.iter().fold(u32::MAX, add)
}

pub(super) fn chunk(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let named = [&name[..], &parts.concat()].concat();
    let length = u32::try_from(named.len() - 4).unwrap();
    [
        &length.to_be_bytes(),
        &named[..],
        &crc(&named).to_be_bytes(),
    ]
    .concat()
}

/// The signature and the header of a PNG, and the rest without its end.
fn png_parts() -> [Vec<u8>; 2] {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(PROFILE.to_vec()).unwrap();
    pixels().write_with_encoder(encoder).unwrap();
    [bytes[..33].to_vec(), bytes[33..bytes.len() - 12].to_vec()]
}

fn png_texts() -> Vec<u8> {
    [
        chunk(b"tEXt", &[b"Comment\0", MARKER]),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", MARKER]),
        // Compressed data that holds the text as it is.
        chunk(
            b"zTXt",
            &[b"Raw\0\0\x78\x01\x01\x15\0\xea\xff", MARKER, &[0; 4]],
        ),
        chunk(b"tIME", &[&[7, 234, 12, 1, 3, 4, 5]]),
        chunk(b"caNv", &[MARKER]),
    ]
    .concat()
}

/// Texts, EXIF, time and a private chunk, before and after the pixels, and more behind the end.
pub(super) fn png() -> Vec<u8> {
    let [start, rest] = png_parts();
    let mut bytes = [start, png_texts(), rest].concat();
    bytes.extend(png_texts());
    bytes.extend(chunk(b"eXIf", &[&exif(8)]));
    bytes.extend(chunk(b"IEND", &[]));
    bytes.extend(chunk(b"tEXt", &[MARKER]));
    bytes
}

/// An animation of two frames, which are the same picture.
fn apng() -> Vec<u8> {
    let [start, rest] = png_parts();
    let pixels = rest.windows(4).position(|name| name == b"IDAT").unwrap();
    let pixels = &rest[pixels + 4..rest.len() - 4];
    let sides = [[0, 0, 0, 24], [0, 0, 0, 16]].concat();
    let frame = |sequence: u8| {
        let sequence = [0, 0, 0, sequence];
        chunk(b"fcTL", &[&sequence, &sides, &[0; 8], &[0, 1, 0, 10, 0, 0]])
    };
    [
        start,
        chunk(b"acTL", &[&[0, 0, 0, 2, 0, 0, 0, 0]]),
        frame(0),
        chunk(b"eXIf", &[&exif(8)]),
        png_texts(),
        rest.clone(),
        frame(1),
        chunk(b"fdAT", &[&[0, 0, 0, 2], pixels]),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

pub(super) fn riff_chunk(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let mut data = parts.concat();
    let length = u32::try_from(data.len()).unwrap();
    if data.len() % 2 == 1 {
        data.push(0);
    }
    [name, &length.to_le_bytes()[..], &data].concat()
}

pub(super) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    riff_chunk(b"RIFF", &[b"WEBP", &chunks.concat()])
}

/// The chunk with the pixels of a lossless picture.
pub(super) fn lossless_chunk() -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    pixels().write_with_encoder(encoder).unwrap();
    bytes.split_off(12)
}

/// The extended header with these flags.
pub(super) fn extended(flags: u8) -> Vec<u8> {
    riff_chunk(b"VP8X", &[&[flags, 0, 0, 0, 23, 0, 0, 15, 0, 0]])
}

pub(super) fn webp_metadata(orientation: u8) -> Vec<u8> {
    [
        riff_chunk(b"EXIF", &[b"Exif\0\0", &exif(orientation)]),
        riff_chunk(b"XMP ", &[MARKER]),
        riff_chunk(b"C2PA", &[MARKER]),
    ]
    .concat()
}

/// EXIF, XMP and an unknown chunk, and more behind the container.
pub(super) fn webp() -> Vec<u8> {
    let profile = riff_chunk(b"ICCP", &[PROFILE]);
    let chunks = [extended(0x2c), profile, lossless_chunk(), webp_metadata(5)];
    [riff(&chunks), MARKER.to_vec()].concat()
}

fn animated_webp() -> Vec<u8> {
    let header = [0, 0, 0, 0, 0, 0, 23, 0, 0, 15, 0, 0, 10, 0, 0, 0];
    let inside = riff_chunk(b"UNKN", &[MARKER]);
    let frame = riff_chunk(b"ANMF", &[&header, &lossless_chunk(), &inside]);
    let animation = riff_chunk(b"ANIM", &[&[0; 6]]);
    let chunks = [
        extended(0x0e),
        animation,
        frame.clone(),
        frame,
        webp_metadata(3),
    ];
    riff(&chunks)
}

/// A picture without the extended header, which must not have metadata.
fn plain_webp() -> Vec<u8> {
    riff(&[lossless_chunk(), webp_metadata(6)])
}

/// A comment, a text, XMP and data of an unknown application, in an animation that runs forever; more
/// behind the end.
pub(super) fn gif(frames: usize) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut encoder = GifEncoder::new(&mut plain);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    let image = DynamicImage::from(pixels()).into_rgba8();
    let dot = RgbaImage::from_pixel(1, 1, Rgba([255, 0, 0, 255]));
    encoder.encode_frame(Frame::new(image)).unwrap();
    for _ in 1..frames {
        encoder.encode_frame(Frame::new(dot.clone())).unwrap();
    }
    drop(encoder);
    let end = plain.pop();
    let piece = |bytes: &[u8]| [&[u8::try_from(bytes.len()).unwrap()], bytes].concat();
    // XMP is no sequence of pieces, but ends so that it can be read as one.
    let trailer: Vec<u8> = [1].into_iter().chain((0..=255).rev()).chain([0]).collect();
    let extensions = [
        [b"!\xfe".to_vec(), piece(MARKER), vec![0]].concat(),
        [b"!\xff\x0bXMP DataXMP", MARKER, &trailer].concat(),
        [b"!\xff\x0bEXAMPLE 1.0".to_vec(), piece(MARKER), vec![0]].concat(),
        [b"!\x01".to_vec(), piece(&[0; 12]), piece(MARKER), vec![0]].concat(),
    ];
    plain.extend(extensions.concat());
    plain.extend(end);
    plain.extend(MARKER);
    plain
}
