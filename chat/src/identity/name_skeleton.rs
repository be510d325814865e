//! The skeleton of a name: two names that look alike have the same skeleton.

use unicode_security::skeleton;

use crate::Error;

/// How many small numbers to try behind a taken name, one after the other.
const SMALL_NUMBERS: u64 = 20;

/// How many random numbers to try after the small ones.
const RANDOM_NUMBERS: u64 = 20;

/// The two skeletons of a name. Names that look alike have at least one of them in common
/// ([UTS 39, section 4](https://www.unicode.org/reports/tr39/#Confusable_Detection)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameSkeleton {
    /// The skeleton of the name in lower case. A name is stored under it.
    pub lowercase: String,
    /// The skeleton of the name as it is written. A capital I looks like an l, which a small i does
    /// not.
    pub cased: String,
}

impl NameSkeleton {
    pub fn of(name: &str) -> Self {
        let folded = |name: &str| skeleton(name).collect::<String>().to_lowercase();
        Self {
            lowercase: folded(&name.to_lowercase()),
            cased: folded(name),
        }
    }
}

/// The numbers to append to a taken name until the name is free: 2, 3, …, then random ones.
pub(crate) fn suffix_numbers() -> impl Iterator<Item = Result<u64, Error>> {
    let random = (0..RANDOM_NUMBERS).map(|_| Ok(1_000 + getrandom::u64()? % 999_000));
    (2..=SMALL_NUMBERS).map(Ok).chain(random)
}
