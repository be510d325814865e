//! The digest of a table, which is the same in both kinds of database.

use sha2::{Digest as _, Sha256};

use super::page::{Page, Values};

/// The digest of all rows of a table, in the order of their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TableDigest {
    rows: u64,
    sha256: [u8; 32],
}

impl TableDigest {
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

/// A digest of the rows so far.
#[derive(Debug, Default)]
pub(super) struct Digest {
    rows: u64,
    hasher: Sha256,
}

impl Digest {
    /// Adds rows. Each value begins with a byte for its type, and a text with its length, so other
    /// values always are other bytes.
    pub fn add(&mut self, page: &Page) {
        for row in 0..page.len() {
            for column in &page.columns {
                self.add_value(column, row);
            }
        }
        self.rows += page.len() as u64;
    }

    fn add_value(&mut self, column: &Values, row: usize) {
        match column {
            Values::Integers(values) => match values[row] {
                Some(number) => self.add_number(1, number.to_be_bytes()),
                None => self.hasher.update([0]),
            },
            Values::Booleans(values) => match values[row] {
                Some(truth) => self.hasher.update([2, u8::from(truth)]),
                None => self.hasher.update([0]),
            },
            Values::Texts(values) => match &values[row] {
                Some(text) => {
                    self.add_number(3, (text.len() as u64).to_be_bytes());
                    self.hasher.update(text);
                }
                None => self.hasher.update([0]),
            },
        }
    }

    fn add_number(&mut self, kind: u8, bytes: [u8; 8]) {
        self.hasher.update([kind]);
        self.hasher.update(bytes);
    }

    pub fn finish(self) -> TableDigest {
        TableDigest {
            rows: self.rows,
            sha256: self.hasher.finalize().into(),
        }
    }
}
