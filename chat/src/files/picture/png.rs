//! PNG and APNG: a chain of chunks.
//!
//! # Guarantees
//! - Beside the pixels, the chunks are kept that say how to draw them: palette, transparency, colour
//!   space, density, and the frames of an animation. Texts, times and all others are not.
//! - The copy ends with the picture.

use std::io::{Read, Seek, Write};

use super::Header;
use super::input::{Fault, Input, unless_malformed};
use super::orientation::{EXIF_MAX, Orientation};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The end of a picture: an empty chunk with its checksum.
const END: [u8; 12] = *b"\0\0\0\0IEND\xae\x42\x60\x82";

/// The chunks that are copied, beside the header.
const KEPT: [&[u8; 4]; 16] = [
    b"PLTE", b"IDAT", b"tRNS", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI",
    b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// The length of the header's data, and of a checksum.
const HEADER: u32 = 13;
const CHECKSUM: u64 = 4;

/// The length and the name of a chunk.
struct Chunk {
    length: u32,
    name: [u8; 4],
}

impl Chunk {
    fn read<R: Read + Seek>(input: &mut Input<R>) -> Result<Self, Fault> {
        let length = u32::from_be_bytes(input.array()?);
        if length > i32::MAX.unsigned_abs() {
            return Err(Fault::Malformed);
        }
        let name = input.array()?;
        Ok(Self { length, name })
    }

    /// The bytes of the data and of the checksum.
    fn rest(&self) -> u64 {
        u64::from(self.length) + CHECKSUM
    }
}

pub(super) fn read_header<R: Read + Seek>(input: &mut Input<R>) -> Result<Header, Fault> {
    let header = read_start(input)?;
    let (width, height) = header.split_at(4);
    let side = |bytes: &[u8]| bytes.first_chunk().copied().map(u32::from_be_bytes);
    // What comes before a fault is read: it is no reason not to know the size.
    let orientation = unless_malformed(find_orientation(input))?.flatten();
    Ok(Header {
        width: side(width).ok_or(Fault::Malformed)?,
        height: side(height).ok_or(Fault::Malformed)?,
        orientation: orientation.unwrap_or_default(),
    })
}

/// Reads the signature and the header, which is the first chunk, with its checksum.
fn read_start<R: Read + Seek>(input: &mut Input<R>) -> Result<[u8; 17], Fault> {
    input.skip(SIGNATURE.len() as u64)?;
    let chunk = Chunk::read(input)?;
    if chunk.name != *b"IHDR" || chunk.length != HEADER {
        return Err(Fault::Malformed);
    }
    input.array()
}

fn find_orientation<R: Read + Seek>(input: &mut Input<R>) -> Result<Option<Orientation>, Fault> {
    loop {
        let chunk = Chunk::read(input)?;
        match &chunk.name {
            b"IEND" => return Ok(None),
            b"eXIf" => {
                return Ok(Orientation::read(
                    &input.take(chunk.length.into(), EXIF_MAX)?,
                ));
            }
            _ => input.skip(chunk.rest())?,
        }
    }
}

/// Copies the picture without its metadata.
pub(super) fn strip<R: Read + Seek>(
    input: &mut Input<R>,
    orientation: Orientation,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let header = read_start(input)?;
    to.write_all(&SIGNATURE)?;
    to.write_all(&HEADER.to_be_bytes())?;
    to.write_all(b"IHDR")?;
    to.write_all(&header)?;
    if let Some(exif) = orientation.to_exif() {
        write_chunk(*b"eXIf", &exif, to)?;
    }
    let mut has_pixels = false;
    loop {
        let chunk = Chunk::read(input)?;
        has_pixels |= chunk.name == *b"IDAT";
        if chunk.name == *b"IEND" {
            break;
        } else if KEPT.contains(&&chunk.name) {
            to.write_all(&chunk.length.to_be_bytes())?;
            to.write_all(&chunk.name)?;
            input.copy(chunk.rest(), to)?;
        } else if chunk.name[0].is_ascii_lowercase() {
            input.skip(chunk.rest())?;
        } else {
            // No decoder may draw a picture with a critical chunk that it does not know.
            return Err(Fault::Malformed);
        }
    }
    if !has_pixels {
        return Err(Fault::Malformed);
    }
    to.write_all(&END)?;
    Ok(())
}

/// Writes a short chunk.
fn write_chunk(name: [u8; 4], data: &[u8], to: &mut impl Write) -> Result<(), Fault> {
    let length = u32::try_from(data.len()).map_err(|_| Fault::Malformed)?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(&name)?;
    to.write_all(data)?;
    to.write_all(&checksum(&[&name, data].concat()).to_be_bytes())?;
    Ok(())
}

/// The checksum of a chunk: CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
