//! What is drawn for right and for wrong marks.

use super::*;

fn mark(kind: MarkKind, from: usize, to: usize) -> Mark {
    Mark::new(kind, from, to)
}

/// The tree as HTML, without escapes.
fn html(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Element(Element {
            tag,
            attributes,
            parts,
        }) => {
            let attribute = |(name, value): &(&str, String)| format!(" {name}={value}");
            let attributes: String = attributes.iter().map(attribute).collect();
            format!("<{tag}{attributes}>{}</{tag}>", html(parts))
        }
    };
    parts.iter().map(part).collect()
}

fn drawn(body: &str, marks: &[Mark]) -> String {
    html(&draw(body, marks, &[]))
}

#[test]
fn marks_are_elements_and_their_syntax_is_left_out() {
    use MarkKind::*;
    let body = "é **a _b_**";
    let marks = [
        mark(Strong, 2, 11),
        mark(Syntax, 2, 4),
        mark(Emphasis, 6, 9),
        mark(Syntax, 6, 7),
        mark(Syntax, 8, 9),
        mark(Syntax, 9, 11),
    ];
    assert_eq!(drawn(body, &marks), "é <strong>a <em>b</em></strong>");
    let body = "> a\n> b";
    let marks = [mark(Quote, 0, 7), mark(Syntax, 0, 2), mark(Syntax, 4, 6)];
    assert_eq!(drawn(body, &marks), "<blockquote>a\nb</blockquote>");
    assert_eq!(draw(body, &marks, &[]).len(), 1);
}

#[test]
fn items_have_their_numbers() {
    use MarkKind::*;
    let body = "7. a\n- b";
    let marks = [
        mark(NumberedList, 0, 5),
        mark(Item, 0, 5),
        mark(Syntax, 0, 3),
        mark(List, 5, 8),
        mark(Item, 5, 8),
        mark(Syntax, 5, 7),
    ];
    let expected = "<ol><li value=7>a\n</li></ol><ul><li>b</li></ul>";
    assert_eq!(drawn(body, &marks), expected);
}

#[test]
fn wrong_marks_are_not_drawn() {
    use MarkKind::*;
    let deep: Vec<Mark> = (0..40).map(|_| mark(Strong, 0, 5)).collect();
    for marks in [
        &[mark(Strong, 0, 6)][..],
        &[mark(Strong, 5, 6)],
        &[mark(Strong, 3, 3)],
        &[mark(Strong, 3, 2)],
        &[mark(Strong, usize::MAX, usize::MAX)],
        &[mark(Strong, 2, 3), mark(Strong, 0, 1)],
        &[mark(Strong, 0, 3), mark(Emphasis, 2, 5)],
        &[
            mark(Unknown, 0, 3),
            mark(Emphasis, 1, 2),
            mark(Syntax, 2, 5),
        ],
        &[mark(Link, 0, 5)],
        &deep,
    ] {
        assert_eq!(drawn("hello", marks), "hello", "{marks:?}");
    }
    let unknown = [mark(Unknown, 0, 5), mark(Strike, 1, 2)];
    assert_eq!(drawn("hello", &unknown), "h<s>e</s>llo");
    let nested_in_syntax = [mark(Syntax, 0, 3), mark(Strong, 1, 2)];
    assert_eq!(drawn("hello", &nested_in_syntax), "lo");
}

#[test]
fn only_web_and_mail_addresses_are_links() {
    let link = |body: &str, href: Option<&str>| {
        let mark = Mark {
            href: href.map(str::to_owned),
            ..mark(MarkKind::Link, 0, body.chars().count())
        };
        drawn(body, &[mark])
    };
    for (body, href) in [
        ("javascript:alert(1)", None),
        ("a@b.example", None),
        ("x", Some("javascript:alert(1)")),
        ("x", Some("data:text/html,x")),
        ("x", Some("//a.example")),
        ("x", Some(" https://a.example")),
        ("x", Some("")),
    ] {
        assert_eq!(link(body, href), body);
    }
    let attributes = "dir=ltr target=_blank rel=noopener nofollow ugc title=";
    let web = link("https://a.example", None);
    let expected = format!("<a href=https://a.example {attributes}>https://a.example</a>");
    assert_eq!(web, expected);
    let address = "mailto:a@b.example";
    let mail = link("a@b.example", Some(address));
    assert_eq!(
        mail,
        format!("<a href={address} {attributes}{address}>a@b.example</a>")
    );
    let www = link("www.x.example", Some("http://www.x.example"));
    assert!(www.contains("title=http://www.x.example>www"), "{www}");
}

#[test]
fn host_that_can_be_mistaken_stands_beside_its_link() {
    let mark = Mark {
        host: Some("b.example".to_owned()),
        ..mark(MarkKind::Link, 0, 19)
    };
    let html = drawn("https://a@b.example", &[mark]);
    assert!(
        html.ends_with("</a><bdi class=link-host> (b.example)</bdi>"),
        "{html}"
    );
}

#[test]
fn mentioned_person_has_the_present_name_and_other_names_are_text() {
    let body = "@ada @absent @me";
    let marks = [(0, 4), (5, 12), (13, 16)].map(|(from, to)| mark(MarkKind::Mention, from, to));
    let person = |username: &str, name: &str, is_own| {
        let (username, name) = (username.to_owned(), name.to_owned());
        Some(Mentioned {
            link: format!("/{username}"),
            username,
            name,
            is_own,
        })
    };
    let mentioned = [
        person("ada", "Countess", false),
        None,
        person("me", "Me", true),
    ];
    let expected = "<a class=mention href=/ada title=ada>@Countess</a> @absent \
                    <a class=mention own href=/me title=me>@Me</a>";
    assert_eq!(html(&draw(body, &marks, &mentioned)), expected);
    assert_eq!(drawn(body, &marks), body);
}

#[test]
fn code_block_is_as_it_is_with_a_button_outside_the_text() {
    let body = "```rust\na\n\n\n\n\nb\n```";
    let length = body.len();
    let mut block = mark(MarkKind::CodeBlock, 0, length);
    block.language = Some("rust".to_owned());
    let marks = [
        block,
        mark(MarkKind::Syntax, 0, 8),
        mark(MarkKind::Syntax, length - 3, length),
    ];
    let html = drawn(body, &marks);
    let expected =
        "<pre tabindex=0 dir=ltr><code data-language=rust>a\n\n\n\n\nb\n</code></pre></div>";
    assert!(html.starts_with("<div class=code-block><button "), "{html}");
    assert!(html.ends_with(expected), "{html}");
}

#[test]
fn more_than_two_blank_lines_are_drawn_as_two() {
    for (body, expected) in [
        ("a\nb", "a\nb"),
        ("a\n\n\nb", "a\n\n\nb"),
        ("a\n\n\n\nb", "a\n\n\nb"),
        ("a\n \n\t\n  \n\nb\n\n\n\n\nc", "a\n \n\t\nb\n\n\nc"),
        ("a\n\n\n\n  b", "a\n\n\n  b"),
    ] {
        assert_eq!(drawn(body, &[]), expected, "{body:?}");
    }
    let quote = [mark(MarkKind::Quote, 0, 2)];
    assert_eq!(
        drawn("a\n\n\n\n\nb", &quote),
        "<blockquote>a\n</blockquote>\n\nb"
    );
    let strong = [mark(MarkKind::Strong, 0, 1), mark(MarkKind::Strong, 6, 7)];
    let expected = "<strong>a</strong>\n\n\n<strong>b</strong>";
    assert_eq!(drawn("a\n\n\n\n\nb", &strong), expected);
}
