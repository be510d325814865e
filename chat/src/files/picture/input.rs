//! Reads a file piece by piece, and tells a file that is not well-formed from one that cannot be
//! read.
//!
//! # Guarantees
//! - The memory that a read takes is bounded by a number in the code, never by one in the file.
//! - A file that ends too early is [`Fault::Malformed`].

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};

const BUFFER: usize = 64 * 1024;

/// Why a file is not read to its end.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file breaks the rules of its format.
    Malformed,
    /// The disk failed, not the file.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Malformed,
            _ => Self::Io(error),
        }
    }
}

/// What a file says, or `None` if it is malformed.
pub(super) fn unless_malformed<T>(result: Result<T, Fault>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Fault::Malformed) => Ok(None),
        Err(Fault::Io(error)) => Err(error),
    }
}

/// A file and the position in it.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: BufReader<R>,
    position: u64,
    length: u64,
}

impl<R: Read + Seek> Input<R> {
    /// Reads a file from its start, wherever its position is.
    pub(super) fn new(mut file: R) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER, file),
            position: 0,
            length,
        })
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Goes to the start, also after a fault, which leaves the position unknown.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.reader.rewind()?;
        self.position = 0;
        Ok(())
    }

    /// Goes to a position, which may be behind the end: the next read fails then.
    pub(super) fn seek(&mut self, position: u64) -> Result<(), Fault> {
        let offset = i128::from(position) - i128::from(self.position);
        let offset = i64::try_from(offset).map_err(|_| Fault::Malformed)?;
        self.reader.seek_relative(offset)?;
        self.position = position;
        Ok(())
    }

    /// The file, from its start.
    pub(super) fn into_reader(mut self) -> io::Result<BufReader<R>> {
        self.rewind()?;
        Ok(self.reader)
    }

    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), Fault> {
        let position = self.position.checked_add(bytes);
        self.seek(position.ok_or(Fault::Malformed)?)
    }

    /// The next byte, or `None` at the end of the file.
    pub(super) fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.reader.fill_buf()?.first().copied();
        if byte.is_some() {
            self.reader.consume(1);
            self.position += 1;
        }
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    /// Goes past a block, of which at most `max` bytes from its start are returned.
    pub(super) fn take(&mut self, block: u64, max: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let kept = block.min(max);
        let read = self.reader.by_ref().take(kept).read_to_end(&mut bytes)? as u64;
        if read < kept {
            return Err(Fault::Malformed);
        }
        self.position += kept;
        self.skip(block - kept)?;
        Ok(bytes)
    }

    pub(super) fn copy(&mut self, bytes: u64, to: &mut impl Write) -> Result<(), Fault> {
        let copied = io::copy(&mut self.reader.by_ref().take(bytes), to)?;
        self.position += copied;
        if copied < bytes {
            return Err(Fault::Malformed);
        }
        Ok(())
    }

    /// Copies what comes before a byte with this value, and goes past this byte. `false` if the
    /// file ends before it.
    pub(super) fn copy_until(&mut self, end: u8, to: &mut impl Write) -> io::Result<bool> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let found = buffer.iter().position(|byte| *byte == end);
            let before = found.unwrap_or(buffer.len());
            to.write_all(&buffer[..before])?;
            let passed = before + usize::from(found.is_some());
            self.reader.consume(passed);
            self.position += passed as u64;
            if found.is_some() {
                return Ok(true);
            }
        }
    }
}
