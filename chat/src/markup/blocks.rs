//! Blocks: fenced code, quotes and lists. All other lines are text.
//!
//! # Guarantees
//! - A block consists of whole lines; its mark includes the line break at its end.
//! - Quotes and lists contain each other to a depth of [`DEPTH_MAX`]; what is deeper is text.

use protocol::{Mark, MarkKind};

use super::{Marks, count_work, inline};

/// How deep quotes and lists contain each other.
const DEPTH_MAX: usize = 3;

/// The greatest length of the name of a language.
const LANGUAGE_MAX: usize = 20;

/// A line without its line break, and without what the blocks around it take from its beginning.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub start: usize,
    pub end: usize,
}

impl Line {
    /// The lines of a text.
    pub fn all_of(text: &str) -> Vec<Self> {
        let mut start = 0;
        let lines = text.split('\n').map(|line| {
            let end = start + line.len();
            let found = Self { start, end };
            start = end + 1;
            found
        });
        lines.collect()
    }

    /// Where the next line begins, or the end of the text.
    fn next(self, marks: &Marks<'_>) -> usize {
        marks.body.len().min(self.end + 1)
    }

    /// The line without so many bytes at its beginning.
    fn without(self, prefix: usize) -> Self {
        Self {
            start: self.start + prefix,
            ..self
        }
    }

    fn text<'a>(self, marks: &Marks<'a>) -> &'a str {
        &marks.body[self.start..self.end]
    }

    fn is_blank(self, marks: &Marks<'_>) -> bool {
        self.text(marks).trim().is_empty()
    }
}

/// Reads lines, which the blocks around them have shortened.
pub(super) fn read(marks: &mut Marks<'_>, lines: &[Line], depth: usize) {
    let mut rest = lines;
    while let [first, ..] = rest
        && marks.capacity() > 0
    {
        let taken = read_code(marks, rest)
            .or_else(|| read_quote(marks, rest, depth))
            .or_else(|| read_list(marks, rest, depth));
        if taken.is_none() {
            inline::read(marks, first.start..first.end);
        }
        rest = &rest[taken.unwrap_or(1)..];
    }
}

/// Reads a block of code at the beginning of the lines; returns how many lines it has.
fn read_code(marks: &mut Marks<'_>, lines: &[Line]) -> Option<usize> {
    let first = lines[0];
    let text = first.text(marks);
    let ticks = count_ticks(text);
    let info = &text[ticks..];
    if ticks < 3 || info.contains('`') {
        return None;
    }
    // Code may begin in the line of the fence: "```let a = 1;".
    let language = Some(info.trim()).filter(|word| is_language(word));
    let begins_here = language.is_none() && !info.trim().is_empty();
    let code = &lines[1..];
    let fence = code.iter().position(|line| {
        count_work(1);
        count_ticks_at_end(line.text(marks)) >= ticks
    });
    let last = fence.map_or(lines[lines.len() - 1], |fence| code[fence]);
    let content = &code[..fence.unwrap_or(code.len())];
    let last_ticks = fence.map_or(0, |_| count_ticks_at_end(last.text(marks)));
    let code_end = last.text(marks).trim_end().len() - last_ticks;
    let is_empty = content.iter().all(|line| line.is_blank(marks));
    if !begins_here && is_empty && (fence.is_none() || code_end == 0) {
        return None;
    }
    let end = last.next(marks);
    let opening_end = match begins_here {
        true => first.start + ticks,
        false => first.next(marks),
    };
    marks.found.push(Mark {
        language: language.map(str::to_ascii_lowercase),
        ..Mark::new(MarkKind::CodeBlock, first.start, end)
    });
    marks.push(MarkKind::Syntax, first.start, opening_end);
    if fence.is_some() {
        marks.push(MarkKind::Syntax, last.start + code_end, end);
    }
    Some(1 + fence.map_or(code.len(), |fence| fence + 1))
}

fn count_ticks(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

fn count_ticks_at_end(text: &str) -> usize {
    let text = text.trim_end();
    text.len() - text.trim_end_matches('`').len()
}

fn is_language(word: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"+#-._".contains(&b);
    (1..=LANGUAGE_MAX).contains(&word.len()) && word.bytes().all(is_part)
}

/// Reads a quote at the beginning of the lines; returns how many lines it has.
fn read_quote(marks: &mut Marks<'_>, lines: &[Line], depth: usize) -> Option<usize> {
    let quoted = lines
        .iter()
        .map_while(|line| match line.text(marks) {
            ">" => Some(line.without(1)),
            text => text.starts_with("> ").then(|| line.without(2)),
        })
        .inspect(|_| count_work(1));
    let quoted: Vec<Line> = quoted.take(marks.capacity()).collect();
    let is_empty = quoted.iter().all(|line| line.is_blank(marks));
    let is_quote = depth < DEPTH_MAX && !is_empty;
    let last = quoted.last().filter(|_| is_quote)?;
    marks.push(MarkKind::Quote, lines[0].start, last.next(marks));
    for (line, inner) in lines.iter().zip(&quoted) {
        marks.push(MarkKind::Syntax, line.start, inner.start);
    }
    read(marks, &quoted, depth + 1);
    Some(quoted.len())
}

/// What an item of a list begins with.
#[derive(Clone, Copy)]
struct Bullet {
    /// The number in a list with numbers.
    number: Option<u32>,
    /// How many spaces precede it.
    indent: usize,
    /// The length up to the text of the item, in bytes.
    width: usize,
}

impl Bullet {
    /// The bullet at the beginning of a line.
    fn parse(text: &str) -> Option<Self> {
        let indent = count_spaces(text);
        let rest = &text[indent..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = match &rest[digits..] {
            after if after.starts_with(". ") && digits <= 3 => Some(rest[..digits].parse().ok()?),
            _ if rest.starts_with("- ") || rest.starts_with("* ") => None,
            _ => return None,
        };
        let mark = number.map_or(1, |_| digits + 1);
        let says_something = |c: char| c.is_alphanumeric() || !c.is_ascii() || c == '`';
        let content = &rest[mark..];
        (indent < 4 && content.contains(says_something)).then(|| Self {
            number,
            indent,
            width: indent + mark + count_spaces(content),
        })
    }

    /// Whether a list goes on with another bullet: numbers count on, or are all the same.
    fn is_followed_by(self, next: Self) -> bool {
        let is_next = match (self.number, next.number) {
            (Some(number), Some(next)) => next == number || next == number + 1,
            (number, next) => number == next,
        };
        is_next && next.indent < self.indent + 2
    }
}

fn count_spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// An item of a list.
struct Item {
    bullet: Bullet,
    /// How many lines it has.
    lines: usize,
}

/// Reads a list at the beginning of the lines; returns how many lines it has.
fn read_list(marks: &mut Marks<'_>, lines: &[Line], depth: usize) -> Option<usize> {
    if depth == DEPTH_MAX {
        return None;
    }
    let items = find_items(marks, lines);
    let first = items.first()?.bullet;
    // "5. May" alone is a date, and no list.
    if items.len() == 1 && first.number.is_some_and(|number| number != 1) {
        return None;
    }
    let kind = first
        .number
        .map_or(MarkKind::List, |_| MarkKind::NumberedList);
    let list = marks.found.len();
    marks.push(kind, lines[0].start, lines[0].next(marks));
    let mut taken = 0;
    for item in items {
        let own = &lines[taken..taken + item.lines];
        if taken > 0 && marks.capacity() < own.len() {
            break;
        }
        read_item(marks, own, item.bullet, depth);
        taken += own.len();
        marks.found[list].to = lines[taken - 1].next(marks);
    }
    Some(taken)
}

fn find_items(marks: &Marks<'_>, lines: &[Line]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut rest = lines;
    while let [first, after @ ..] = rest
        && let Some(bullet) = Bullet::parse(first.text(marks))
        && items
            .last()
            .is_none_or(|last| last.bullet.is_followed_by(bullet))
        && items.len() < marks.capacity()
    {
        let continuation = count_continuation(marks, after, bullet.indent + 2);
        let lines = 1 + continuation.min(marks.capacity());
        items.push(Item { bullet, lines });
        rest = &rest[lines..];
    }
    items
}

/// How many of these lines belong to the item before them: those with an indentation, also after one
/// blank line.
fn count_continuation(marks: &Marks<'_>, lines: &[Line], indent: usize) -> usize {
    let belongs = |line: &Line| {
        count_work(1);
        let text = line.text(marks);
        !line.is_blank(marks) && (text.starts_with('\t') || count_spaces(text) >= indent)
    };
    let mut count = 0;
    while let [line, rest @ ..] = &lines[count..] {
        count += match () {
            () if belongs(line) => 1,
            () if line.is_blank(marks) && rest.first().is_some_and(belongs) => 2,
            () => break,
        };
    }
    count
}

/// Reads the lines of an item.
fn read_item(marks: &mut Marks<'_>, lines: &[Line], bullet: Bullet, depth: usize) {
    let (first, last) = (lines[0], lines[lines.len() - 1]);
    marks.push(MarkKind::Item, first.start, last.next(marks));
    let mut inner = vec![first.without(bullet.width)];
    inner.extend(lines[1..].iter().map(|line| {
        let text = line.text(marks);
        let is_tab = text.starts_with('\t');
        line.without(if is_tab {
            1
        } else {
            count_spaces(text).min(bullet.width)
        })
    }));
    for (line, inner) in lines
        .iter()
        .zip(&inner)
        .filter(|(line, inner)| line.start < inner.start)
    {
        marks.push(MarkKind::Syntax, line.start, inner.start);
    }
    read(marks, &inner, depth + 1);
}
