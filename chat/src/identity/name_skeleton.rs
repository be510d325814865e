//! What a name looks like: two names that look alike have the same skeleton.

use unicode_security::skeleton;

use crate::Error;

/// What a name looks like, in two ways: two names of which one looks like the other have one in common
/// ([UTS 39, section 4](https://www.unicode.org/reports/tr39/#Confusable_Detection)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Looks {
    /// In lower case; what a name is kept by.
    pub plain: String,
    /// As it is written: a capital I looks like an l, which its small letter does not.
    pub written: String,
}

impl Looks {
    pub fn of(name: &str) -> Self {
        let folded = |name: &str| skeleton(name).collect::<String>().to_lowercase();
        Self {
            plain: folded(&name.to_lowercase()),
            written: folded(name),
        }
    }
}

/// So many numbers are tried behind a name one after the other, then so many large ones.
const TRIES: (u64, u64) = (20, 20);

/// What to put behind a name that is taken, to find one that is free: a small number while few have it.
pub(crate) fn numbers() -> impl Iterator<Item = Result<u64, Error>> {
    let large = (0..TRIES.1).map(|_| Ok(1_000 + getrandom::u64()? % 999_000));
    (2..=TRIES.0).map(Ok).chain(large)
}
