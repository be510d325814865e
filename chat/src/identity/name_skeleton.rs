//! The skeleton of a name: two names that look alike have the same skeleton.
//!
//! # Guarantees
//! - It is made of the characters in the order in which they are drawn, so that names of mixed
//!   direction are compared by what they look like.
//! - Characters that no name may have do not matter, so that a name stored before that rule is
//!   found by what it looks like.

use protocol::characters::is_blank;
use unicode_bidi::{BidiClass, BidiInfo, bidi_class};
use unicode_security::skeleton;

use crate::Error;

/// The version of the algorithm. The database keeps the skeletons of names, and the start
/// recomputes them if another version has made them.
pub(crate) const VERSION: i64 = 1;

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
        let drawn = visual_order(&join_blanks(name));
        let folded = |name: &str| skeleton(name).collect::<String>().to_lowercase();
        Self {
            lowercase: folded(&drawn.to_lowercase()),
            cased: folded(&drawn),
        }
    }
}

/// The name with one space instead of each run of white space, and without blanks that are not
/// wider than a hair. Direction controls stay.
fn join_blanks(name: &str) -> String {
    let as_space = |c: char| match c {
        '\u{2006}' | '\u{2008}'..='\u{200a}' => None,
        c if c.is_whitespace() || c == '\u{2800}' => Some(' '),
        c if is_blank(c) && !is_direction_control(c) => None,
        c => Some(c),
    };
    let spaced: String = name.chars().filter_map(as_space).collect();
    let words = spaced.split(' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn is_direction_control(c: char) -> bool {
    use BidiClass::{FSI, LRE, LRI, LRO, PDF, PDI, RLE, RLI, RLO};
    let is_mark = matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}');
    is_mark
        || matches!(
            bidi_class(c),
            FSI | LRE | LRI | LRO | PDF | PDI | RLE | RLI | RLO
        )
}

/// The characters from left to right as they are drawn in an element of their own, with marks
/// behind their letters and brackets mirrored
/// ([`bidiSkeleton`](https://www.unicode.org/reports/tr39/#def-bidiSkeleton)).
fn visual_order(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let info = BidiInfo::new(name, None);
    let Some(line) = info.paragraphs.first() else {
        return String::new();
    };
    let levels = info.reordered_levels_per_char(line, line.range.clone());
    let characters: Vec<char> = name.chars().collect();
    let mut drawn = String::new();
    let mut marks = String::new();
    for index in BidiInfo::reorder_visual(&levels[..characters.len()]) {
        let c = characters[index];
        if !levels[index].is_rtl() {
            drawn.push(c);
        } else if bidi_class(c) == BidiClass::NSM {
            marks.insert(0, c);
        } else {
            drawn.push(mirrored(c));
            drawn.push_str(&std::mem::take(&mut marks));
        }
    }
    drawn + &marks
}

/// The character that is drawn for one in a text from right to left.
fn mirrored(c: char) -> char {
    const PAIRS: [(char, char); 7] = [
        ('(', ')'),
        ('[', ']'),
        ('{', '}'),
        ('<', '>'),
        ('«', '»'),
        ('‹', '›'),
        ('≤', '≥'),
    ];
    let other = PAIRS.iter().find_map(|(open, close)| match c {
        c if c == *open => Some(*close),
        c if c == *close => Some(*open),
        _ => None,
    });
    other.unwrap_or(c)
}

/// The numbers to append to a taken name until the name is free: 2, 3, …, then random ones.
pub(crate) fn suffix_numbers() -> impl Iterator<Item = Result<u64, Error>> {
    let random = (0..RANDOM_NUMBERS).map(|_| Ok(1_000 + getrandom::u64()? % 999_000));
    (2..=SMALL_NUMBERS).map(Ok).chain(random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::characters::is_default_ignorable;
    use sha2::{Digest, Sha256};

    fn alike(a: &str, b: &str) -> bool {
        let (a, b) = (NameSkeleton::of(a), NameSkeleton::of(b));
        a.lowercase == b.lowercase
            || a.cased == b.lowercase
            || a.lowercase == b.cased
            || a.cased == b.cased
    }

    #[test]
    fn names_that_look_alike_share_a_skeleton() {
        for other in [
            "Alice",
            "aIice",
            "al\u{200b}ice",
            "аlice",
            "alісe",
            "ALICE",
            "a1ice",
            "𝐚lice",
        ] {
            assert!(alike("alice", other), "{other}");
        }
        for other in ["alicia", "alice2", "bob", "a lice", "álice"] {
            assert!(!alike("alice", other), "{other}");
        }
        for (one, other) in [
            ("modern", "rnodern"),
            ("b0b", "bob"),
            ("Isabel", "lsabeI"),
            ("Ada  Lovelace", "Ada Lovelace"),
            ("Ada\u{a0}Lovelace", " Ada Lovelace\u{2800}"),
            ("café", "cafe\u{301}"),
        ] {
            assert!(alike(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn name_with_direction_controls_or_blanks_looks_like_what_is_drawn() {
        for other in [
            "\u{202e}aron",
            "n\u{202e}aro",
            "\u{2066}\u{202e}aron\u{2069}",
            "\u{202d}nora",
            "nora\u{200f}",
            "nora\u{2800}",
            "no\u{200a}ra",
            "no\u{3164}ra",
            "no\u{ad}ra",
            "nor\u{200d}a",
            "nora\u{fff9}",
        ] {
            assert!(alike("nora", other), "{other:?}");
        }
    }

    #[test]
    fn names_of_mixed_direction_are_compared_as_they_are_drawn() {
        // In an element of its own, the first letter with a direction decides about the whole.
        assert!(alike("אב1", "\u{202d}1בא"));
        assert!(alike("(אב)", "\u{202d}(בא)"));
        assert!(!alike("אב", "בא"));
        // Vowel marks stay with their letters.
        assert!(alike("שָׁלוֹם", "שָׁלוֹם"));
        assert!(!alike("שָלום", "שלָום"));
    }

    /// If this test fails, the skeletons that databases keep are outdated: increment [`VERSION`].
    #[test]
    fn other_skeletons_have_another_version() {
        let characters = ('\0'..='\u{1ffff}').map(String::from);
        let names = [
            "Ada Lovelace",
            "(אב) 1",
            "\u{202e}aron",
            "RosaIl",
            "rnodern",
        ];
        let mut digest = Sha256::new();
        for name in characters.chain(names.map(str::to_owned)) {
            let NameSkeleton { lowercase, cased } = NameSkeleton::of(&name);
            digest.update(format!("{lowercase}\n{cased}\n"));
        }
        let digest = protocol::hexadecimal(&digest.finalize());
        assert_eq!(
            (VERSION, digest.as_str()),
            (
                1,
                "fcf9c50def11729d4205de0a3b35d738fe12d92c38fd4c6818a8f449ee60c469"
            )
        );
    }

    #[test]
    fn table_of_ignorable_characters_is_that_of_the_skeleton() {
        for c in '\0'..=char::MAX {
            let vanishes = skeleton(c.encode_utf8(&mut [0; 4])).next().is_none();
            assert_eq!(is_default_ignorable(c), vanishes, "{c:?}");
        }
    }
}
