//! The checksum that a client sends with the bytes of a request.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A checksum that the bytes of a request must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-1.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
}

impl Checksum {
    /// The names of the algorithms.
    pub const ALGORITHMS: [&'static str; 2] = ["sha1", "sha256"];

    /// The checksum of this algorithm; `None` if the algorithm is unknown, or its checksums are longer
    /// or shorter.
    pub fn new(algorithm: &str, value: &[u8]) -> Option<Self> {
        match algorithm {
            "sha1" => Some(Self::Sha1(value.try_into().ok()?)),
            "sha256" => Some(Self::Sha256(value.try_into().ok()?)),
            _ => None,
        }
    }
}

/// Computes a checksum.
#[derive(Clone, Debug)]
pub(super) enum ChecksumCheck {
    Sha1(Sha1, [u8; 20]),
    Sha256(Sha256, [u8; 32]),
}

impl ChecksumCheck {
    pub fn new(wanted: Checksum) -> Self {
        match wanted {
            Checksum::Sha1(wanted) => Self::Sha1(Sha1::new(), wanted),
            Checksum::Sha256(wanted) => Self::Sha256(Sha256::new(), wanted),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(digest, _) => digest.update(bytes),
            Self::Sha256(digest, _) => digest.update(bytes),
        }
    }

    /// Whether the bytes have the checksum.
    pub fn verify(self) -> bool {
        match self {
            Self::Sha1(digest, wanted) => digest.finalize()[..] == wanted,
            Self::Sha256(digest, wanted) => digest.finalize()[..] == wanted,
        }
    }
}
