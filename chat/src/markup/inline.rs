//! What is marked inside a line: code, links, mentions and emphasis.
//!
//! # Guarantees
//! - Code, links and mentions are found first, from left to right; the characters in them are no
//!   emphasis.
//! - A backslash before a character of the markup keeps it as it is. Both are shown, as in `¯\_(ツ)_/¯`.

use std::collections::HashMap;
use std::ops::Range;

use protocol::{Mark, MarkKind};

use super::boundaries::{ESCAPABLE, can_close, can_open, is_word};
use super::emphasis::{self, Run};
use super::{Marks, count_work, links, mentions};

/// Reads the text of a line, at these bytes of the body.
pub(super) fn read(marks: &mut Marks<'_>, line: Range<usize>) {
    let mut scanner = Scanner {
        text: &marks.body[line.clone()],
        start: line.start,
        found: Vec::new(),
        runs: Vec::new(),
        words: 0,
        open_underscores: 0,
        atom_end: 0,
        code_ends: None,
    };
    scanner.scan();
    let Scanner { found, runs, .. } = scanner;
    let room = marks.capacity().saturating_sub(found.len()) / 3;
    let atoms = marks.capacity();
    marks.found.extend(found.into_iter().take(atoms));
    for pair in emphasis::pair(&runs).into_iter().take(room) {
        let [(from, inner), (inner_end, to)] =
            [pair.open, pair.close].map(|(from, to)| (from + line.start, to + line.start));
        marks.push(pair.kind, from, to);
        marks.push(MarkKind::Syntax, from, inner);
        marks.push(MarkKind::Syntax, inner_end, to);
    }
}

/// Reads a line from left to right.
struct Scanner<'a> {
    text: &'a str,
    /// Where the line begins in the body.
    start: usize,
    found: Vec<Mark>,
    /// The characters that may be emphasis.
    runs: Vec<Run>,
    /// How many characters of words, links and the like were passed.
    words: usize,
    /// How many underscores may have begun an emphasis that has not ended.
    open_underscores: usize,
    /// Where the last code, link or mention ended.
    atom_end: usize,
    /// For the beginning of each run of backticks, the beginning of the next one of equal length.
    code_ends: Option<HashMap<usize, usize>>,
}

impl Scanner<'_> {
    fn scan(&mut self) {
        let mut at = 0;
        while let Some(c) = self.text[at..].chars().next() {
            count_work(1);
            at += match c {
                '`' => self.read_code(at),
                '\\' => self.escaped(at),
                '*' | '_' | '~' => self.read_run(at, c),
                '@' => self.read_at_sign(at),
                'h' | 'H' | 'w' | 'W' => self.read_link(at),
                c => {
                    self.words += usize::from(c.is_alphanumeric() || !c.is_ascii());
                    c.len_utf8()
                }
            };
        }
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text[..at].chars().next_back()
    }

    /// Adds a code, a link or a mention with this length; returns the length.
    fn push_atom(&mut self, at: usize, length: usize, mark: Mark) -> usize {
        self.found.push(Mark {
            from: self.start + at,
            to: self.start + at + length,
            ..mark
        });
        self.words += 1;
        self.atom_end = at + length;
        length
    }

    fn push_syntax(&mut self, from: usize, to: usize) {
        let (from, to) = (self.start + from, self.start + to);
        self.found.push(Mark::new(MarkKind::Syntax, from, to));
    }

    /// The length of a backslash and the character that it keeps as it is.
    fn escaped(&self, at: usize) -> usize {
        let kept = self.text[at + 1..].chars().next();
        1 + usize::from(kept.is_some_and(|c| ESCAPABLE.contains(c)))
    }

    /// Reads code from a run of backticks to the next one of equal length.
    fn read_code(&mut self, at: usize) -> usize {
        let ticks = run_length(&self.text[at..], '`');
        // "geht`s" is an apostrophe.
        let is_apostrophe = ticks == 1 && self.before(at).is_some_and(is_word);
        let text = self.text;
        let ends = self.code_ends.get_or_insert_with(|| find_code_ends(text));
        let Some(end) = ends.get(&at).copied().filter(|_| !is_apostrophe) else {
            return ticks;
        };
        let code = &text[at + ticks..end];
        if code.trim().is_empty() {
            return ticks;
        }
        let is_padded = code.len() > 1 && code.starts_with(' ') && code.ends_with(' ');
        let fence = ticks + usize::from(is_padded);
        let length = end + ticks - at;
        self.push_atom(at, length, Mark::new(MarkKind::Code, 0, 0));
        self.push_syntax(at, at + fence);
        self.push_syntax(at + length - fence, at + length);
        length
    }

    /// Notes a run of characters that may begin or end an emphasis.
    fn read_run(&mut self, at: usize, c: char) -> usize {
        let length = run_length(&self.text[at..], c);
        let before = self.before(at);
        let after = &self.text[at + length..];
        let run = Run {
            c,
            at,
            length,
            can_open: can_open(before, after),
            can_close: can_close(before, after.chars().next()),
            words: self.words,
        };
        if c == '_' && run.can_close && self.open_underscores > 0 {
            self.open_underscores -= 1;
        } else if c == '_' && run.can_open {
            self.open_underscores += 1;
        }
        self.runs.push(run);
        length
    }

    fn read_link(&mut self, at: usize) -> usize {
        let ends_emphasis = self.open_underscores > 0;
        let is_after_word = self.before(at).is_some_and(|c| c.is_ascii_alphanumeric());
        let link = match is_after_word {
            true => None,
            false => links::find_address(&self.text[at..], ends_emphasis),
        };
        match link {
            Some(link) => self.push_atom(at, link.length, link.into_mark()),
            None => {
                self.words += 1;
                1
            }
        }
    }

    /// Reads an e-mail address or a mention at an at sign.
    fn read_at_sign(&mut self, at: usize) -> usize {
        let ends_emphasis = self.open_underscores > 0;
        let local = links::email_local_part(&self.text[self.atom_end..at]);
        if let Some(link) = links::find_email(local, &self.text[at..], ends_emphasis) {
            let start = at - local.len();
            while self.runs.pop_if(|run| run.at >= start).is_some() {
                count_work(1);
            }
            let length = link.length;
            self.push_atom(start, length, link.into_mark());
            return length - local.len();
        }
        let before = self.before(at);
        let Some(mention) = mentions::find(before, &self.text[at..], ends_emphasis) else {
            return 1;
        };
        let length = mention.length;
        self.push_atom(at, length, mention.mark);
        if mention.is_in_brackets {
            self.push_syntax(at + 1, at + 2);
            self.push_syntax(at + length - 1, at + length);
        }
        length
    }
}

fn run_length(text: &str, c: char) -> usize {
    text.len() - text.trim_start_matches(c).len()
}

/// For the beginning of each run of backticks, the beginning of the next one of equal length.
fn find_code_ends(text: &str) -> HashMap<usize, usize> {
    let mut ends = HashMap::new();
    let mut last_of_length = HashMap::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        at += found;
        let length = run_length(&text[at..], '`');
        count_work(found + length);
        if let Some(start) = last_of_length.insert(length, at) {
            ends.insert(start, at);
        }
        at += length;
    }
    ends
}
