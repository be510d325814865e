//! GIF: a header and a chain of blocks, whose data are pieces of at most 255 bytes.
//!
//! # Guarantees
//! - Beside the frames, what is kept is how often an animation runs and its colour profile. Comments,
//!   the data of other applications and texts, which no browser draws, are not.
//! - The copy ends with the picture, and where browsers stop to read one that is damaged between two
//!   blocks.

use std::io::{Read, Seek, Write};

use super::Header;
use super::input::{Fault, Input};
use super::orientation::Orientation;

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;

/// The labels of extensions.
const CONTROL: u8 = 0xf9;
const APPLICATION: u8 = 0xff;

/// How many bytes name an application.
const NAME: usize = 11;

pub(super) fn read_header<R: Read + Seek>(input: &mut Input<R>) -> Result<Header, Fault> {
    input.skip(6)?;
    let width = u16::from_le_bytes(input.array()?);
    let height = u16::from_le_bytes(input.array()?);
    Ok(Header {
        width: width.into(),
        height: height.into(),
        orientation: Orientation::default(),
    })
}

/// Copies the picture without its metadata.
pub(super) fn strip<R: Read + Seek>(
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let start: [u8; 13] = input.array()?;
    to.write_all(&start)?;
    input.copy(palette_size(start[10]), to)?;
    let mut has_image = false;
    loop {
        match input.byte()? {
            Some(IMAGE) => {
                copy_image(input, to)?;
                has_image = true;
            }
            Some(EXTENSION) => copy_extension(input, to)?,
            _ if has_image => break,
            _ => return Err(Fault::Malformed),
        }
    }
    to.write_all(&[TRAILER])?;
    Ok(())
}

/// How many bytes the colours take that follow these flags.
fn palette_size(flags: u8) -> u64 {
    let size = 6 << (flags & 7);
    if flags & 0x80 == 0 { 0 } else { size }
}

fn copy_image<R: Read + Seek>(input: &mut Input<R>, to: &mut impl Write) -> Result<(), Fault> {
    let descriptor: [u8; 9] = input.array()?;
    to.write_all(&[IMAGE])?;
    to.write_all(&descriptor)?;
    // The colours, and the width of the first code.
    input.copy(palette_size(descriptor[8]) + 1, to)?;
    copy_pieces(input, to)
}

/// Copies an extension if it belongs to the picture.
fn copy_extension<R: Read + Seek>(input: &mut Input<R>, to: &mut impl Write) -> Result<(), Fault> {
    let [label] = input.array()?;
    let first = take_piece(input)?;
    match label {
        CONTROL if first.len() >= 4 => {
            to.write_all(&[EXTENSION, CONTROL, 4])?;
            to.write_all(&first[..4])?;
            to.write_all(&[0])?;
        }
        APPLICATION if first.len() == NAME => return copy_application(&first, input, to),
        _ => {}
    }
    skip_pieces(&first, input)
}

/// Copies the loops of an animation or its colour profile, and nothing of other applications.
fn copy_application<R: Read + Seek>(
    name: &[u8],
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let start = [EXTENSION, APPLICATION, NAME as u8];
    match name {
        b"ICCRGBG1012" => {
            to.write_all(&start)?;
            to.write_all(name)?;
            copy_pieces(input, to)
        }
        b"NETSCAPE2.0" | b"ANIMEXTS1.0" => {
            let piece = take_piece(input)?;
            if let [1, low, high, ..] = piece[..] {
                to.write_all(&start)?;
                to.write_all(name)?;
                to.write_all(&[3, 1, low, high, 0])?;
            }
            skip_pieces(&piece, input)
        }
        _ => skip_pieces(name, input),
    }
}

/// Takes a piece of data, which is empty at the end of a block.
fn take_piece<R: Read + Seek>(input: &mut Input<R>) -> Result<Vec<u8>, Fault> {
    let [length] = input.array()?;
    input.take(length.into(), length.into())
}

/// Goes past the pieces after this one.
fn skip_pieces<R: Read + Seek>(previous: &[u8], input: &mut Input<R>) -> Result<(), Fault> {
    let mut is_last = previous.is_empty();
    while !is_last {
        let [length] = input.array()?;
        input.skip(length.into())?;
        is_last = length == 0;
    }
    Ok(())
}

/// Copies the pieces up to the end of a block.
fn copy_pieces<R: Read + Seek>(input: &mut Input<R>, to: &mut impl Write) -> Result<(), Fault> {
    loop {
        let [length] = input.array()?;
        to.write_all(&[length])?;
        input.copy(length.into(), to)?;
        if length == 0 {
            return Ok(());
        }
    }
}
