//! Draws a small version of a picture.
//!
//! # Guarantees
//! - A preview has at most [`PREVIEW_MAX`] bytes, no metadata, and the orientation in which the
//!   picture is shown. Of an animation it shows the first frame.
//! - A picture is decoded only if its header says that this takes at most [`MEMORY_MAX`] bytes. A
//!   panic of a decoder is a picture without a preview.
//!
//! # Not here
//! Colour profiles: the numbers are taken for sRGB.

use std::io::{self, Cursor, Read, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageResult, Limits, Rgb, RgbImage, RgbaImage};

use super::format::{Content, Format};
use super::input::Input;
use super::{Dimensions, Header, jpeg, read_content, strip, webp};

/// The longest preview in bytes.
pub const PREVIEW_MAX: usize = 100_000;

/// The longest sides of previews, in pixels: the first at which one fits is taken. A picture in the
/// log is about 500 CSS pixels wide, on screens with two pixels for each of them.
const SIDES: [u32; 4] = [1024, 768, 512, 320];

/// The qualities of JPEG at each of them. The last one is the lowest that still looks like the
/// picture.
const QUALITIES: [u8; 4] = [82, 72, 60, 48];

/// The largest picture, in pixels: what the cameras of phones call 24 megapixels.
const PIXELS_MAX: u64 = 24 * 1024 * 1024;
const SIDE_MAX: u32 = 12_000;

/// What decoding takes at most: the pixels, and what the decoder needs beside them.
const MEMORY_MAX: u64 = 96 * 1024 * 1024;

/// The longest JPEG, without its metadata.
const FILE_MAX: u64 = 32 * 1024 * 1024;

/// What a PNG may take beside its pixels: rows and the colour profile.
const PNG_MAX: u64 = 4 * 1024 * 1024;

/// A small version of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The encoded file.
    pub bytes: Vec<u8>,
    /// How it is encoded.
    pub format: PreviewFormat,
    /// Its size, which is at most that of the picture.
    pub dimensions: Dimensions,
}

/// The format of a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreviewFormat {
    /// For photos.
    Jpeg,
    /// For drawings, and for what is transparent.
    Webp,
}

impl PreviewFormat {
    /// The format of a picture, by its first bytes; `None` if no preview has it.
    pub fn of(file: &[u8]) -> Option<Self> {
        match Content::of(file) {
            Content::Picture(Format::Jpeg) => Some(Self::Jpeg),
            Content::Picture(Format::Webp) => Some(Self::Webp),
            _ => None,
        }
    }

    /// The media type of the file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }
}

/// Draws a preview of a picture; `None` if it is too large, cannot be decoded or cannot be read. The
/// file is read from its start.
pub fn draw_preview<R: Read + Seek>(file: R) -> Option<Preview> {
    catch_unwind(AssertUnwindSafe(|| encode(decode(file)?)))
        .ok()
        .flatten()
}

/// Reads the pixels of a picture as they are shown, at the largest size of a preview.
fn decode<R: Read + Seek>(file: R) -> Option<DynamicImage> {
    let mut input = Input::new(file).ok()?;
    let Content::Picture(format) = read_content(&mut input).ok()? else {
        return None;
    };
    let header = Header::read(format, &mut input).ok()?;
    let Dimensions { width, height } = header.dimensions()?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX || width.max(height) > SIDE_MAX {
        return None;
    }
    let mut picture = match format {
        Format::Jpeg => decode_jpeg(&mut input)?,
        Format::Png => {
            let file = input.into_reader().ok()?;
            decode_by(PngDecoder::with_limits(file, limits(PNG_MAX)), 0)?
        }
        Format::Gif => decode_by(GifDecoder::new(input.into_reader().ok()?), 0)?,
        Format::Webp => {
            let overhead = webp::decoder_memory(&mut input).ok()?;
            decode_by(WebPDecoder::new(input.into_reader().ok()?), overhead)?
        }
    };
    picture.apply_orientation(Orientation::from_exif(header.orientation.number())?);
    Some(picture)
}

/// Decodes a JPEG. Its decoder reads the whole file first, and takes time that is quadratic in its
/// metadata, so it is given a copy without.
fn decode_jpeg<R: Read + Seek>(input: &mut Input<R>) -> Option<DynamicImage> {
    let length = input.length().min(FILE_MAX);
    let mut copy = ShortFile(Vec::with_capacity(usize::try_from(length).ok()?));
    strip(Format::Jpeg, input, &mut copy).ok()?;
    let file = Cursor::new(&copy.0[..]);
    let overhead = jpeg::decoder_memory(&mut Input::new(file.clone()).ok()?);
    decode_by(JpegDecoder::new(file), overhead.ok()?)
}

/// Decodes a picture at the size of a preview, by a decoder that takes so much memory beside the
/// pixels.
fn decode_by<D: ImageDecoder>(decoder: ImageResult<D>, overhead: u64) -> Option<DynamicImage> {
    let mut decoder = decoder.ok()?;
    let mut limits = limits(MEMORY_MAX);
    limits.reserve(overhead).ok()?;
    limits.reserve(decoder.total_bytes()).ok()?;
    decoder.set_limits(limits).ok()?;
    let pixels = DynamicImage::from_decoder(decoder).ok()?;
    Some(shrink(pixels, SIDES[0]))
}

fn limits(memory: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(memory);
    limits
}

/// A file in memory, which cannot become long.
struct ShortFile(Vec<u8>);

impl Write for ShortFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.0.len() + bytes.len()) as u64 > FILE_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shrinks a picture so that no side is longer than this.
fn shrink(picture: DynamicImage, side: u32) -> DynamicImage {
    let longest = picture.width().max(picture.height());
    if longest <= side {
        return picture;
    }
    let scale = |length: u32| {
        let scaled = u64::from(length) * u64::from(side) / u64::from(longest);
        u32::try_from(scaled).map_or(side, |scaled| scaled.max(1))
    };
    let (width, height) = (scale(picture.width()), scale(picture.height()));
    // The mean of pixels is fast. A picture that shrinks a little needs the weighted one.
    let resize = |picture: &DynamicImage| match longest / side {
        1 => picture.resize_exact(width, height, FilterType::Triangle),
        _ => picture.thumbnail_exact(width, height),
    };
    match picture {
        DynamicImage::ImageRgba8(mut pixels) => {
            premultiply(&mut pixels);
            let mut shrunk = resize(&pixels.into()).into_rgba8();
            divide_by_alpha(&mut shrunk);
            shrunk.into()
        }
        picture => resize(&picture),
    }
}

/// Multiplies the colours by their opacity, so that the colour of what is transparent has no part in
/// a mean.
fn premultiply(pixels: &mut RgbaImage) {
    for pixel in pixels.pixels_mut() {
        let alpha = pixel.0[3];
        for color in &mut pixel.0[..3] {
            *color = scale_color(*color, alpha);
        }
    }
}

fn divide_by_alpha(pixels: &mut RgbaImage) {
    for pixel in pixels.pixels_mut() {
        let alpha = u32::from(pixel.0[3]).max(1);
        for color in &mut pixel.0[..3] {
            let divided = (u32::from(*color) * 255 + alpha / 2) / alpha;
            *color = u8::try_from(divided).unwrap_or(u8::MAX);
        }
    }
}

/// A part of a colour, in 255ths.
fn scale_color(color: u8, part: u8) -> u8 {
    let scaled = (u32::from(color) * u32::from(part) + 127) / 255;
    u8::try_from(scaled).unwrap_or(u8::MAX)
}

/// Encodes a picture so that it is short enough, smaller than it is if need be.
fn encode(picture: DynamicImage) -> Option<Preview> {
    let mut picture = simplify(picture);
    for side in SIDES {
        picture = shrink(picture, side);
        let lossless = encode_webp(&picture);
        let is_opaque = !picture.color().has_alpha();
        if let Some(webp) = &lossless
            && !is_opaque
        {
            return Some(webp.clone());
        }
        let photo = encode_jpeg(&flatten(&picture));
        let candidates = [lossless, photo].into_iter().flatten();
        let shortest = candidates.min_by_key(|preview| preview.bytes.len());
        if shortest.is_some() {
            return shortest;
        }
    }
    None
}

/// The same picture with eight bits a colour, and without transparency if nothing is transparent.
fn simplify(picture: DynamicImage) -> DynamicImage {
    let color = picture.color();
    if color.has_alpha() {
        let pixels = picture.into_rgba8();
        match pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
            true => DynamicImage::from(pixels).into_rgb8().into(),
            false => pixels.into(),
        }
    } else if color.has_color() {
        picture.into_rgb8().into()
    } else {
        picture.into_luma8().into()
    }
}

/// The picture on white.
fn flatten(picture: &DynamicImage) -> DynamicImage {
    let DynamicImage::ImageRgba8(pixels) = picture else {
        return picture.clone();
    };
    let flat = RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0;
        let blend = |color| scale_color(color, alpha).saturating_add(u8::MAX - alpha);
        Rgb([red, green, blue].map(blend))
    });
    flat.into()
}

fn encode_webp(picture: &DynamicImage) -> Option<Preview> {
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    picture.write_with_encoder(encoder).ok()?;
    Preview::of(picture, PreviewFormat::Webp, bytes)
}

/// Encodes a picture with the highest quality at which it is short enough.
fn encode_jpeg(picture: &DynamicImage) -> Option<Preview> {
    QUALITIES.into_iter().find_map(|quality| {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        picture.write_with_encoder(encoder).ok()?;
        Preview::of(picture, PreviewFormat::Jpeg, bytes)
    })
}

impl Preview {
    /// A preview, if it is short enough.
    fn of(picture: &DynamicImage, format: PreviewFormat, bytes: Vec<u8>) -> Option<Self> {
        let (width, height) = (picture.width(), picture.height());
        (bytes.len() <= PREVIEW_MAX).then_some(Self {
            bytes,
            format,
            dimensions: Dimensions { width, height },
        })
    }
}
