//! What is drawn for a text and its marks, as a tree of elements.
//!
//! # Guarantees
//! - Text is never interpreted as HTML.
//! - Marks that no server would send (out of order, past the end, overlapping, very deep) are not
//!   drawn: the text stays plain. So is the text under a mark of an unknown kind.
//! - Only `http`, `https` and `mailto` addresses become links. A linked page gets no access to this
//!   page (`noopener`), and search engines learn that webchat does not endorse it (`nofollow ugc`).
//! - At most two blank lines follow each other, except in code.
//!
//! # Not here
//! Reading the markup (the server), and making elements of the tree (`message_body`).

#[cfg(test)]
mod tests;

use protocol::{Mark, MarkKind};
use texts::app as t;

use crate::ui::element_tree::{Element, Part};

/// How deep marks may contain each other.
const DEPTH_MAX: usize = 16;

/// The number of blank lines that are drawn at once.
const BLANK_LINES_MAX: usize = 2;

/// A mentioned person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mentioned {
    /// The username.
    pub username: String,
    /// The name to show.
    pub name: String,
    /// The address of the person's card.
    pub link: String,
    /// Whether it is the visitor.
    pub is_own: bool,
}

/// Draws a text. `mentioned` has the persons whom the marks of mentions mean, in the same order;
/// `None` for a name that no person in the room has.
pub fn draw(body: &str, marks: &[Mark], mentioned: &[Option<Mentioned>]) -> Vec<Part> {
    let offsets: Vec<usize> = body.char_indices().map(|(at, _)| at).collect();
    let marks = if are_sound(marks, offsets.len()) {
        marks
    } else {
        &[]
    };
    let mut drawing = Drawing {
        body,
        offsets,
        marks,
        mentioned,
    };
    let length = drawing.offsets.len();
    let mut parts = drawing.draw(0, length);
    limit_blank_lines(&mut parts, false);
    parts
}

/// Whether marks are inside a text of this length, in order and nested.
fn are_sound(marks: &[Mark], length: usize) -> bool {
    let mut ends = vec![length];
    let mut at = 0;
    marks.iter().all(|mark| {
        while ends.len() > 1 && ends.last().is_some_and(|end| *end <= mark.from) {
            ends.pop();
        }
        let is_sound = mark.from >= at
            && mark.from < mark.to
            && ends.last().is_some_and(|end| mark.to <= *end)
            && ends.len() <= DEPTH_MAX;
        at = mark.from;
        ends.push(mark.to);
        is_sound
    })
}

/// The rest of a text that is being drawn.
struct Drawing<'a> {
    body: &'a str,
    /// Where each character begins, in bytes.
    offsets: Vec<usize>,
    /// The marks that are not drawn yet.
    marks: &'a [Mark],
    mentioned: &'a [Option<Mentioned>],
}

impl<'a> Drawing<'a> {
    /// The text between two characters.
    fn text(&self, from: usize, to: usize) -> &'a str {
        let offset = |at: usize| self.offsets.get(at).copied().unwrap_or(self.body.len());
        self.body.get(offset(from)..offset(to)).unwrap_or_default()
    }

    /// Takes the next mark if it begins before `end`.
    fn next_mark(&mut self, end: usize) -> Option<&'a Mark> {
        let (mark, rest) = self.marks.split_first()?;
        (mark.from < end).then(|| {
            self.marks = rest;
            mark
        })
    }

    /// Draws the part between two characters.
    fn draw(&mut self, from: usize, to: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut at = from;
        while let Some(mark) = self.next_mark(to) {
            push_text(&mut parts, self.text(at, mark.from));
            // Marks inside hidden characters are taken, but not drawn.
            let inner = match self.item_number(mark) {
                Some(number) => {
                    let inner = self.draw(mark.from, mark.to);
                    vec![Part::Element(Element::new(
                        "li",
                        &[("value", number)],
                        inner,
                    ))]
                }
                None => self.draw_mark(mark),
            };
            for part in inner {
                match part {
                    Part::Text(text) => push_text(&mut parts, &text),
                    element => parts.push(element),
                }
            }
            at = mark.to;
        }
        push_text(&mut parts, self.text(at, to));
        parts
    }

    /// The number of an item in a list with numbers.
    fn item_number(&self, mark: &Mark) -> Option<&'a str> {
        let syntax = self.marks.first().filter(|_| mark.kind == MarkKind::Item)?;
        let number = self.text(syntax.from, syntax.to).trim().strip_suffix('.')?;
        let is_number = number.bytes().all(|b| b.is_ascii_digit());
        (is_number && syntax.from == mark.from).then_some(number)
    }

    fn draw_mark(&mut self, mark: &Mark) -> Vec<Part> {
        let text = self.text(mark.from, mark.to);
        let parts = self.draw(mark.from, mark.to);
        let tag = match mark.kind {
            MarkKind::Syntax => return Vec::new(),
            MarkKind::Unknown => return parts,
            MarkKind::Link => return draw_link(mark, text, parts),
            MarkKind::Mention => return self.draw_mention(parts),
            MarkKind::CodeBlock => return draw_code_block(mark, parts),
            MarkKind::Strong => "strong",
            MarkKind::Emphasis => "em",
            MarkKind::Strike => "s",
            MarkKind::Code => "code",
            MarkKind::Quote => "blockquote",
            MarkKind::List => "ul",
            MarkKind::NumberedList => "ol",
            MarkKind::Item => "li",
        };
        vec![Part::Element(Element::new(tag, &[], parts))]
    }

    /// Draws a mention by the name that the person has now.
    fn draw_mention(&mut self, parts: Vec<Part>) -> Vec<Part> {
        let Some((Some(person), rest)) = self.mentioned.split_first() else {
            self.mentioned = self.mentioned.get(1..).unwrap_or_default();
            return parts;
        };
        self.mentioned = rest;
        let class = if person.is_own {
            "mention own"
        } else {
            "mention"
        };
        let attributes = [
            ("class", class),
            ("href", &*person.link),
            ("title", &*person.username),
        ];
        let name = vec![Part::Text(format!("@{}", person.name))];
        vec![Part::Element(Element::new("a", &attributes, name))]
    }
}

/// Appends a text, to the text before it if there is one.
fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// Draws a link from left to right, whatever the direction of the text around it, and behind it the
/// host to which it leads, if it could be mistaken.
fn draw_link(mark: &Mark, text: &str, mut parts: Vec<Part>) -> Vec<Part> {
    let address = mark.href.as_deref().unwrap_or(text);
    let schemes = ["https://", "http://", "mailto:"];
    if !schemes.iter().any(|scheme| address.starts_with(scheme)) {
        return parts;
    }
    let attributes = [
        ("href", address),
        ("dir", "ltr"),
        ("target", "_blank"),
        ("rel", "noopener nofollow ugc"),
        ("title", mark.href.as_deref().unwrap_or_default()),
    ];
    parts = vec![Part::Element(Element::new("a", &attributes, parts))];
    if let Some(host) = &mark.host {
        let host = vec![Part::Text(format!(" ({host})"))];
        parts.push(Part::Element(Element::new(
            "bdi",
            &[("class", "link-host")],
            host,
        )));
    }
    parts
}

/// Draws a block of code with its button, whose label is a style: it is no part of the text.
fn draw_code_block(mark: &Mark, parts: Vec<Part>) -> Vec<Part> {
    let language = mark.language.as_deref().unwrap_or_default();
    let button = [
        ("type", "button"),
        ("class", "copy-code script-only"),
        ("aria-label", t::COPY_CODE.text()),
        ("data-label", t::COPY.text()),
        ("aria-live", "off"),
    ];
    let code = Element::new("code", &[("data-language", language)], parts);
    let scroller = Element::new(
        "pre",
        &[("tabindex", "0"), ("dir", "ltr")],
        vec![Part::Element(code)],
    );
    let block = [Element::new("button", &button, Vec::new()), scroller];
    let block = block.map(Part::Element).into();
    vec![Part::Element(Element::new(
        "div",
        &[("class", "code-block")],
        block,
    ))]
}

/// Leaves out blank lines after [`BLANK_LINES_MAX`] of them.
fn limit_blank_lines(parts: &mut [Part], mut is_line_start: bool) {
    for part in parts {
        match part {
            Part::Text(text) => {
                *text = without_blank_lines(text, is_line_start);
                is_line_start = false;
            }
            Part::Element(element) => {
                is_line_start = matches!(element.tag, "div" | "blockquote" | "ul" | "ol" | "li");
                if element.tag != "div" && element.tag != "code" {
                    limit_blank_lines(&mut element.parts, is_line_start);
                }
            }
        }
    }
}

fn without_blank_lines(text: &str, is_line_start: bool) -> String {
    let mut blank = usize::from(!is_line_start);
    let mut kept: Vec<&str> = Vec::new();
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        // The first line may go on one that was begun, and the last one may go on.
        let is_blank = line.trim().is_empty() && lines.peek().is_some();
        let is_continued = kept.is_empty() && !is_line_start;
        blank = if is_blank && !is_continued {
            blank + 1
        } else {
            0
        };
        if blank <= BLANK_LINES_MAX {
            kept.push(line);
        }
    }
    kept.join("\n")
}
