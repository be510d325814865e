//! The marks of any text, and of what people type.

mod cases;
mod link_cases;

use std::cell::Cell;
use std::fmt::Write as _;

use proptest::prelude::*;
use protocol::{Mark, MarkKind};

use super::{MARKS_MAX, read_marks};

thread_local! {
    /// The steps of work in this thread.
    pub(super) static WORK: Cell<usize> = const { Cell::new(0) };
}

/// The text as HTML-like tags, without what is not shown.
fn draw(body: &str) -> String {
    let characters: Vec<char> = body.chars().collect();
    let mut drawn = String::new();
    let mut open: Vec<Mark> = Vec::new();
    let mut marks = read_marks(body).into_iter().peekable();
    let mut hidden_until = 0;
    for at in 0..=characters.len() {
        while let Some(mark) = open.pop_if(|mark| mark.to == at) {
            write!(drawn, "</{}>", tag(&mark)).unwrap();
        }
        while let Some(mark) = marks.next_if(|mark| mark.from == at) {
            if mark.kind == MarkKind::Syntax {
                hidden_until = mark.to;
                continue;
            }
            write!(drawn, "<{}{}>", tag(&mark), details(&mark)).unwrap();
            open.push(mark);
        }
        if at >= hidden_until && at < characters.len() {
            drawn.push(characters[at]);
        }
    }
    drawn
}

fn tag(mark: &Mark) -> &'static str {
    match mark.kind {
        MarkKind::Strong => "b",
        MarkKind::Emphasis => "i",
        MarkKind::Strike => "s",
        MarkKind::Code => "c",
        MarkKind::CodeBlock => "pre",
        MarkKind::Quote => "q",
        MarkKind::List => "ul",
        MarkKind::NumberedList => "ol",
        MarkKind::Item => "li",
        MarkKind::Link => "a",
        MarkKind::Mention => "at",
        MarkKind::Syntax | MarkKind::Unknown => panic!("{mark:?}"),
    }
}

fn details(mark: &Mark) -> String {
    let detail =
        |detail: &Option<String>| detail.iter().fold(String::new(), |all, d| all + " " + d);
    let host = mark
        .host
        .iter()
        .fold(String::new(), |all, host| all + " !" + host);
    detail(&mark.language) + &detail(&mark.username) + &detail(&mark.href) + &host
}

#[test]
fn emphasis_in_emphasis_ends_at_a_depth() {
    for blocks in ["", "> - > ", "- > - ", "> > > "] {
        for (open, close) in [("*a ", "a* "), ("_*a ", "a*_ "), ("**_a ", "a_** ")] {
            let body = format!("{blocks}{}{}", open.repeat(20), close.repeat(20));
            check(&body).unwrap();
            let kinds = read_marks(&body);
            assert!(kinds.iter().any(|mark| mark.kind == MarkKind::Emphasis));
        }
    }
}

#[test]
fn positions_count_characters() {
    let marks = read_marks("é👍 *ü*");
    let ranges: Vec<_> = marks.iter().map(|mark| (mark.from, mark.to)).collect();
    assert_eq!(ranges, [(3, 6), (3, 4), (5, 6)]);
}

/// How deep marks may contain each other: pages draw no text whose marks are deeper.
const DEEPEST: usize = 16;

/// Marks are inside the text, in order, nested, not deep, and few; hidden characters are hidden once.
fn check(body: &str) -> Result<(), TestCaseError> {
    let marks = read_marks(body);
    let length = body.chars().count();
    prop_assert!(marks.len() <= MARKS_MAX + 12, "{}", marks.len());
    let mut open: Vec<&Mark> = Vec::new();
    for pair in marks.windows(2) {
        let key = |mark: &Mark| (mark.from, std::cmp::Reverse(mark.to));
        prop_assert!(key(&pair[0]) <= key(&pair[1]));
    }
    for mark in &marks {
        prop_assert!(mark.from < mark.to && mark.to <= length, "{mark:?}");
        open.retain(|outer| outer.to > mark.from);
        prop_assert!(open.len() < DEEPEST, "{open:?}");
        for outer in &open {
            prop_assert!(mark.to <= outer.to, "{outer:?} {mark:?}");
            prop_assert!(outer.kind != MarkKind::Syntax, "{outer:?} {mark:?}");
        }
        open.push(mark);
        if let Some(href) = &mark.href {
            let schemes = ["http://", "https://", "mailto:"];
            let is_known = schemes.iter().any(|scheme| href.starts_with(scheme));
            prop_assert!(is_known, "{href}");
        }
    }
    Ok(())
}

/// The pieces of which hostile texts consist.
const PIECES: [&str; 44] = [
    "*",
    "**",
    "***",
    "_",
    "~~",
    "`",
    "``",
    "```",
    "\n",
    "\n\n",
    " ",
    "  ",
    "> ",
    ">",
    "- ",
    "* ",
    "1. ",
    "2. ",
    "a",
    "é",
    "中",
    "(",
    ")",
    "[",
    "]",
    "\\",
    "@",
    "@a",
    "@[",
    "http://",
    "https://a",
    "www.",
    "a@b.cc",
    ".",
    "/",
    ":",
    "（",
    "）",
    "\u{202e}",
    "\u{200d}",
    "👍",
    "\t",
    "'",
    "{",
];

proptest! {
    #[test]
    fn any_text_has_marks_in_order(pieces in proptest::collection::vec(0..PIECES.len(), 0..80)) {
        let body: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        check(&body)?;
    }

    #[test]
    fn any_characters_have_marks_in_order(body in "\\PC{0,200}") {
        check(&body)?;
    }

    #[test]
    fn work_grows_linearly(pieces in proptest::collection::vec(0..PIECES.len(), 1..7)) {
        let unit: String = pieces.into_iter().map(|piece| PIECES[piece]).collect();
        check_work(&unit)?;
    }
}

/// Ten times the text takes about ten times the work, and not a hundred times. (A look ahead has a
/// greatest length, so short texts take less than their share.)
fn check_work(unit: &str) -> Result<(), TestCaseError> {
    let work = |count: usize| {
        WORK.with(|work| work.set(0));
        let body = unit.repeat(count);
        let marks = read_marks(&body);
        prop_assert!(marks.len() <= MARKS_MAX + 12, "{}", marks.len());
        Ok(WORK.with(Cell::get))
    };
    let (few, many) = (work(200)?, work(2_000)?);
    let is_linear = many <= 30 * few + 50_000;
    prop_assert!(is_linear, "{unit:?}: {few} steps for 200, {many} for 2,000");
    Ok(())
}

#[test]
fn work_grows_linearly_for_all_pairs_of_pieces() {
    for a in PIECES {
        for b in PIECES {
            check_work(&format!("{a}{b}")).unwrap();
        }
    }
}

/// Texts of 4,000 characters and up to 16 KB in which each character could begin or end something.
#[test]
fn hostile_texts_of_the_greatest_length_take_little_work() {
    let repeat = |unit: &str| {
        let count = 4_000 / unit.chars().count();
        unit.repeat(count)
    };
    let texts = [
        repeat("*"),
        repeat("* "),
        repeat("*a "),
        repeat("`"),
        repeat("``` \n"),
        repeat("> > > - \n"),
        repeat("@[a"),
        repeat("www."),
        repeat("http://a"),
        repeat("https://\u{1d41a}.\u{1d41b}/ "),
        repeat("\u{1f600}"),
        repeat("\u{1d41a}@"),
        // Characters that may be emphasis, before and in e-mail addresses.
        format!(
            "{}{}",
            repeat("_* ").split_at(2_000).0,
            repeat("a_b@c.dd ").split_at(2_000).0
        ),
        format!(
            "{}@c.dd {}",
            "_a".repeat(30),
            repeat("_a_b@c.dd ").split_at(3_000).0
        ),
    ];
    for text in texts {
        WORK.with(|work| work.set(0));
        check(&text).unwrap();
        let work = WORK.with(Cell::get);
        let most = 80 * text.len();
        assert!(
            work < most,
            "{:?}…: {work} steps",
            text.chars().take(20).collect::<String>()
        );
    }
}
