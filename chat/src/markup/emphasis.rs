//! Pairs the characters that begin and end strong text, emphasis and strikes.
//!
//! # Guarantees
//! - Pairs are nested: an emphasis that ends inside another one has begun there.
//! - Pairs contain each other to a depth of [`DEPTH_MAX`]; the characters of deeper ones are text.
//! - A pair has a letter, a digit, a sign that is not ASCII, code or a link inside it: `*_*` is a face.

use protocol::MarkKind;

/// How deep pairs may contain each other.
const DEPTH_MAX: usize = 6;

/// A run of one of the characters `*`, `_` and `~`. Positions are bytes in the line.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub c: char,
    pub at: usize,
    pub length: usize,
    pub can_open: bool,
    pub can_close: bool,
    /// How many characters of words precede it.
    pub words: usize,
}

/// An emphasis: its kind, and from where to where the characters at its two ends are.
pub(super) struct Pair {
    pub kind: MarkKind,
    pub open: (usize, usize),
    pub close: (usize, usize),
}

/// What a run may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Star,
    TwoStars,
    Underscore,
    TwoTildes,
}

impl Delimiter {
    const ALL: [Self; 4] = [
        Self::Star,
        Self::TwoStars,
        Self::Underscore,
        Self::TwoTildes,
    ];

    fn kind(self) -> MarkKind {
        match self {
            Self::Star | Self::Underscore => MarkKind::Emphasis,
            Self::TwoStars => MarkKind::Strong,
            Self::TwoTildes => MarkKind::Strike,
        }
    }

    fn c(self) -> char {
        match self {
            Self::Star | Self::TwoStars => '*',
            Self::Underscore => '_',
            Self::TwoTildes => '~',
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Star | Self::Underscore => 1,
            Self::TwoStars | Self::TwoTildes => 2,
        }
    }

    /// What a run begins, from the outside to the inside. A run of another length is text, as in
    /// `__init__`.
    fn opened_by(run: Run) -> &'static [Self] {
        match (run.c, run.length) {
            ('*', 1) => &[Self::Star],
            ('*', 2) => &[Self::TwoStars],
            ('*', 3) => &[Self::TwoStars, Self::Star],
            ('_', 1) => &[Self::Underscore],
            ('~', 2) => &[Self::TwoTildes],
            _ => &[],
        }
    }
}

/// A beginning without an end so far.
#[derive(Clone, Copy)]
struct Opening {
    delimiter: Delimiter,
    at: usize,
    words: usize,
}

/// The pairs in a line, given its runs from left to right.
pub(super) fn pair(runs: &[Run]) -> Vec<Pair> {
    // One stack for each delimiter: the newest beginning is found without a search.
    let mut open: [Vec<Opening>; 4] = Default::default();
    let mut pairs = Vec::new();
    for run in runs {
        let is_closing = run.can_close && close(*run, &mut open, &mut pairs);
        if !is_closing && run.can_open {
            let mut at = run.at;
            for delimiter in Delimiter::opened_by(*run) {
                open[*delimiter as usize].push(Opening {
                    delimiter: *delimiter,
                    at,
                    words: run.words,
                });
                at += delimiter.length();
            }
        }
    }
    without_deep_ones(pairs)
}

/// The pairs that are inside of fewer than [`DEPTH_MAX`] others, from left to right.
fn without_deep_ones(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.sort_unstable_by_key(|pair| pair.open.0);
    let mut ends: Vec<usize> = Vec::new();
    pairs.retain(|pair| {
        while ends.pop_if(|end| *end <= pair.open.0).is_some() {}
        ends.push(pair.close.1);
        ends.len() <= DEPTH_MAX
    });
    pairs
}

/// Ends what a run can end, from the inside to the outside; returns whether that is anything.
fn close(run: Run, open: &mut [Vec<Opening>; 4], pairs: &mut Vec<Pair>) -> bool {
    // A run that could begin nothing because of its length ends nothing.
    if Delimiter::opened_by(run).is_empty() {
        return false;
    }
    let end = run.at + run.length;
    let mut at = run.at;
    while let Some(opening) = find_opening(run, end - at, open) {
        let length = opening.delimiter.length();
        pairs.push(Pair {
            kind: opening.delimiter.kind(),
            open: (opening.at, opening.at + length),
            close: (at, at + length),
        });
        at += length;
        // What has begun inside the pair is text.
        for stack in &mut *open {
            while stack.pop_if(|inner| inner.at >= opening.at).is_some() {}
        }
    }
    at > run.at
}

/// The newest beginning that so many characters of a run can end.
fn find_opening(run: Run, length: usize, open: &[Vec<Opening>; 4]) -> Option<Opening> {
    let fits = |delimiter: &Delimiter| delimiter.c() == run.c && delimiter.length() <= length;
    let newest = |delimiter: Delimiter| open[delimiter as usize].last().copied();
    let candidates = Delimiter::ALL.into_iter().filter(fits).filter_map(newest);
    let newest = candidates.max_by_key(|opening| opening.at)?;
    (newest.words < run.words).then_some(newest)
}
