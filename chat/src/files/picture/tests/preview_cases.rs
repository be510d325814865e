//! Previews: their size, form and orientation, and which pictures have none.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::corpus::{self, MARKER, samples};
use super::{contains, stripped};
use crate::files::picture::input::Input;
use crate::files::picture::{Dimensions, Preview, PreviewFormat, draw_preview, jpeg, webp};

fn preview(bytes: &[u8]) -> Option<Preview> {
    draw_preview(Cursor::new(bytes))
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    picture.into().write_with_encoder(encoder).unwrap();
    bytes
}

fn decode(preview: &Preview) -> DynamicImage {
    let reader = ImageReader::new(Cursor::new(&preview.bytes));
    let reader = reader.with_guessed_format().unwrap();
    let picture = reader.decode().unwrap();
    let Dimensions { width, height } = preview.dimensions;
    assert_eq!((picture.width(), picture.height()), (width, height));
    picture
}

/// A picture that hardly can be compressed.
fn noise(width: u32, height: u32) -> RgbImage {
    let mut rng = StdRng::seed_from_u64(9);
    RgbImage::from_fn(width, height, |_, _| Rgb(rng.random()))
}

#[test]
fn preview_is_turned_and_has_no_metadata() {
    for sample in samples() {
        let preview = preview(&sample.bytes).expect(sample.name);
        let mut expected = DynamicImage::from(corpus::pixels());
        let turned = image::metadata::Orientation::from_exif(sample.orientation);
        expected.apply_orientation(turned.unwrap());
        let drawn = decode(&preview).into_rgb8();
        let expected = expected.into_rgb8();
        assert_eq!(drawn.dimensions(), expected.dimensions(), "{}", sample.name);
        let corner = |picture: &RgbImage| picture.get_pixel(1, 1).0.map(i32::from);
        for (drawn, expected) in corner(&drawn).into_iter().zip(corner(&expected)) {
            assert!((drawn - expected).abs() < 40, "{}", sample.name);
        }
        assert!(!contains(&preview.bytes, MARKER));
        assert_eq!(stripped(&preview.bytes), preview.bytes, "{}", sample.name);
    }
}

#[test]
fn preview_is_short_whatever_the_picture_is() {
    let flat = RgbImage::from_pixel(1500, 40, Rgb([200, 0, 0]));
    let preview_of_flat = preview(&png(flat)).unwrap();
    assert_eq!(preview_of_flat.format, PreviewFormat::Webp);
    assert_eq!(preview_of_flat.dimensions.width, 1024);
    let preview_of_noise = preview(&png(noise(400, 400))).unwrap();
    assert_eq!(preview_of_noise.format, PreviewFormat::Jpeg);
    for preview in [preview_of_flat, preview_of_noise] {
        assert!(preview.bytes.len() <= 100_000, "{}", preview.bytes.len());
        decode(&preview);
    }
}

#[test]
fn small_picture_is_not_enlarged_and_a_line_is_not_lost() {
    let small = preview(&png(noise(3, 2))).unwrap().dimensions;
    assert_eq!((small.width, small.height), (3, 2));
    let line = preview(&png(noise(3000, 1))).unwrap().dimensions;
    assert_eq!((line.width, line.height), (1024, 1));
}

#[test]
fn transparency_is_kept_and_has_no_colour() {
    let clear = Rgba([0, 255, 0, 0]);
    let red = Rgba([255, 0, 0, 255]);
    let picture = RgbaImage::from_fn(2100, 8, |x, _| if x % 4 < 2 { red } else { clear });
    let drawn = preview(&png(picture)).unwrap();
    assert_eq!(drawn.format, PreviewFormat::Webp);
    let drawn = decode(&drawn).into_rgba8();
    assert!(drawn.pixels().any(|pixel| pixel.0[3] < 255));
    let shows_green = |pixel: &Rgba<u8>| pixel.0[3] > 0 && pixel.0[1] > 0;
    assert!(!drawn.pixels().any(shows_green));
    let noisy = RgbaImage::from_fn(400, 400, |x, y| {
        let [red, green, blue] = [x * y % 251, x * x * y % 241, (x + y * y) % 239];
        let bytes = [red, green, blue, x * y * y % 256].map(|value| u8::try_from(value).unwrap());
        Rgba(bytes)
    });
    let drawn = preview(&png(noisy)).unwrap();
    assert_eq!(drawn.format, PreviewFormat::Jpeg);
}

#[test]
fn picture_that_is_too_large_to_decode_has_no_preview() {
    let mut wide = png(RgbImage::new(1, 1));
    wide[16..20].copy_from_slice(&12_001_u32.to_be_bytes());
    assert_eq!(preview(&wide), None);
    let mut many = Vec::new();
    let encoder = JpegEncoder::new(&mut many);
    image::GrayImage::new(16, 16)
        .write_with_encoder(encoder)
        .unwrap();
    let frame = many.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let sides = frame.unwrap() + 5;
    // 5100 by 5000 pixels, of one byte each.
    many[sides..sides + 4].copy_from_slice(&[0x13, 0x88, 0x13, 0xec]);
    assert_eq!(preview(&many), None);
}

#[test]
fn coefficients_of_several_scans_count() {
    let memory = |marker, components: &[u8], in_first_scan: u8| {
        // 5000 by 4000 pixels.
        let start = [8, 0x0f, 0xa0, 0x13, 0x88];
        let bytes = [
            b"\xff\xd8".to_vec(),
            corpus::segment(marker, &[&start, components]),
            corpus::segment(0xda, &[&[in_first_scan], &[0; 9]]),
        ]
        .concat();
        let mut input = Input::new(Cursor::new(&bytes)).unwrap();
        jpeg::decoder_memory(&mut input).unwrap() - 2 * bytes.len() as u64
    };
    let subsampled = [3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0];
    assert_eq!(memory(0xc0, &subsampled, 3), 0);
    assert_eq!(memory(0xc0, &subsampled, 1), 60_000_000);
    assert_eq!(memory(0xc2, &subsampled, 3), 60_000_000);
    let full = [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    assert_eq!(memory(0xc2, &full, 3), 120_000_000);
    assert_eq!(memory(0xc2, &[1, 1, 0, 0], 1), 0);
}

#[test]
fn tables_and_hidden_sizes_of_webp_count() {
    let memory = |chunks: &[Vec<u8>]| {
        let bytes = corpus::riff(chunks);
        let mut input = Input::new(Cursor::new(bytes)).unwrap();
        webp::decoder_memory(&mut input).ok()
    };
    let [lossless, header] = [
        corpus::lossless_chunk(),
        corpus::riff_chunk(b"VP8X", &[&[0, 0, 0, 0, 15, 0, 0, 15, 0, 0]]),
    ];
    assert!(memory(std::slice::from_ref(&lossless)).unwrap() < 1_000_000);
    assert_eq!(memory(&[header, lossless.clone()]), None);
    let long = corpus::riff_chunk(b"VP8L", &[&lossless[8..], &[0; 300_000]]);
    assert!(memory(std::slice::from_ref(&long)).unwrap() > 100_000_000);
    assert_eq!(preview(&corpus::riff(&[long])), None);
}

#[test]
fn picture_whose_decoder_panics_has_no_preview() {
    // Pixels of 2 by 2, in a frame of 1 by 1 with the opacity of one pixel.
    let pixels =
        b"\x70\x01\0\x9d\x01\x2a\x02\0\x02\0\x07\x40\x96\x25\xa0\x02\x74\x01\x40\0\0\xfe\xe8\x38\
        \xb1\x84\xd2\x5b\x77\xfb\x83\xf5\x07\xf1\x03\x60\0\0";
    let header = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0];
    let opacity = corpus::riff_chunk(b"ALPH", &[&[0; 2]]);
    let pixels = corpus::riff_chunk(b"VP8 ", &[pixels]);
    let bytes = corpus::riff(&[
        corpus::extended(0x12),
        corpus::riff_chunk(b"ANIM", &[&[0; 6]]),
        corpus::riff_chunk(b"ANMF", &[&header, &opacity, &pixels]),
    ]);
    assert_eq!(preview(&bytes), None);
    assert_eq!(stripped(&bytes), bytes);
}

#[test]
fn broken_picture_has_no_preview() {
    for bytes in [&b""[..], b"\xff\xd8\xff\xd9", b"GIF89a", b"text"] {
        assert_eq!(preview(bytes), None);
    }
    let png = corpus::png();
    assert_eq!(preview(&png[..60]), None);
}
