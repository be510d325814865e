//! Checks an archive: its lines, and the bytes of its files beside it.
//!
//! # Guarantees
//! - The memory is one line, and one block of a file.
//! - Everything that is wrong is named; one fault does not hide the next.

#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use protocol::{FileId, RoomId, hexadecimal};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The longest line in bytes: far more than a message with its files takes.
const LINE_MAX: u64 = 4 * 1024 * 1024;

/// How many bytes of a file are read at once.
const BLOCK: usize = 128 * 1024;

/// What was checked of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckedArchive {
    /// The number of messages.
    pub messages: u64,
    /// The number of files of the messages.
    pub files: u64,
    /// The number of bytes that these files have, as the messages say.
    pub file_bytes: u64,
    /// The number of faults.
    pub faults: u64,
}

/// The first line.
#[derive(Deserialize)]
struct RoomLine {
    id: RoomId,
}

/// A line between the first and the last one.
#[derive(Deserialize)]
struct MessageLine {
    id: u64,
    #[serde(default)]
    files: Vec<FileEntry>,
}

/// A file of a message.
#[derive(Deserialize)]
struct FileEntry {
    id: FileId,
    name: String,
    size: u64,
    sha256: String,
}

/// The last line. Archives of earlier versions have no files.
#[derive(Deserialize)]
struct LastLine {
    count: u64,
    #[serde(default)]
    files: u64,
    #[serde(default)]
    file_bytes: u64,
    sha256: String,
}

/// Checks an archive, and says what is wrong with it, each in one line.
///
/// # Errors
/// The file cannot be read.
pub fn verify_archive(file: &Path, say: &mut dyn FnMut(&str)) -> io::Result<CheckedArchive> {
    let mut lines = BufReader::new(File::open(file)?);
    let mut check = Check {
        directory: file.parent().unwrap_or(Path::new("")),
        files_of: None,
        hash: Sha256::new(),
        checked: CheckedArchive::default(),
        number: 0,
        say,
    };
    let mut line = read_line(&mut lines)?;
    loop {
        let next = read_line(&mut lines)?;
        if next.is_empty() {
            check.take_last_line(&line);
            return Ok(check.checked);
        }
        if next.len() as u64 > LINE_MAX {
            check.fault("it has a line that is too long for an archive");
            return Ok(check.checked);
        }
        check.take_line(&line);
        line = next;
    }
}

/// The next line with its end; empty at the end of the file, and cut if it is too long.
fn read_line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LINE_MAX + 1).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// A check under way.
struct Check<'a> {
    /// The directory of the archive.
    directory: &'a Path,
    /// The directory of the files; `None` before the first line, or if that is none.
    files_of: Option<PathBuf>,
    hash: Sha256,
    checked: CheckedArchive,
    /// How many lines there were.
    number: u64,
    say: &'a mut dyn FnMut(&str),
}

impl Check<'_> {
    fn fault(&mut self, text: &str) {
        self.checked.faults += 1;
        (self.say)(text);
    }

    /// Takes a line that is not the last one.
    fn take_line(&mut self, line: &[u8]) {
        self.hash.update(line);
        self.number += 1;
        if self.number == 1 {
            match serde_json::from_slice::<RoomLine>(line) {
                Ok(room) => self.files_of = Some(self.directory.join(room.id.to_string())),
                Err(_) => self.fault("line 1 is no room"),
            }
            return;
        }
        self.checked.messages += 1;
        match serde_json::from_slice::<MessageLine>(line) {
            Ok(message) => {
                for file in &message.files {
                    self.take_file(message.id, file);
                }
            }
            Err(_) => self.fault(&format!("line {} is no message", self.number)),
        }
    }

    fn take_file(&mut self, message: u64, file: &FileEntry) {
        self.checked.files += 1;
        self.checked.file_bytes = self.checked.file_bytes.saturating_add(file.size);
        let Some(directory) = &self.files_of else {
            return;
        };
        let FileEntry { id, name, .. } = file;
        if let Err(wrong) = check_file(&directory.join(id.to_string()), file) {
            self.fault(&format!(
                "file {id} ({name:?}) of message {message}: {wrong}"
            ));
        }
    }

    fn take_last_line(&mut self, line: &[u8]) {
        let Ok(last) = serde_json::from_slice::<LastLine>(line) else {
            return self.fault("the last line, with the numbers and the digest, is missing");
        };
        if hexadecimal(&self.hash.clone().finalize()) != last.sha256 {
            self.fault("the lines do not have the SHA-256 of the last line: they were changed");
        }
        let CheckedArchive {
            messages,
            files,
            file_bytes,
            ..
        } = self.checked;
        for (what, found, expected) in [
            ("messages", messages, last.count),
            ("files", files, last.files),
            ("bytes of files", file_bytes, last.file_bytes),
        ] {
            if found != expected {
                self.fault(&format!(
                    "it has {found} {what}, and the last line says {expected}"
                ));
            }
        }
    }
}

/// Checks the bytes of a file. Says what is wrong.
fn check_file(path: &Path, file: &FileEntry) -> Result<(), String> {
    let path = find_bytes(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{} is missing", path.display()),
        _ => format!("{} cannot be read: {error}", path.display()),
    })?;
    let digest = digest_of(&path);
    let (size, sha256) =
        digest.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    if size != file.size {
        return Err(format!("it has {size} bytes instead of {}", file.size));
    }
    if sha256 != file.sha256 {
        return Err("its SHA-256 is another one: the bytes were changed".to_owned());
    }
    Ok(())
}

/// Where the bytes of a file are: at the path itself, or, in a ZIP file that was unpacked, in a
/// directory of their own under the name of the file.
fn find_bytes(path: &Path) -> io::Result<PathBuf> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(path.to_owned());
    }
    let first = fs::read_dir(path)?.next();
    first
        .unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
        .map(|entry| entry.path())
}

/// The size and the digest of a file.
fn digest_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut size = 0;
    loop {
        let length = file.read(&mut block)?;
        if length == 0 {
            return Ok((size, hexadecimal(&hash.finalize())));
        }
        hash.update(&block[..length]);
        size += length as u64;
    }
}
