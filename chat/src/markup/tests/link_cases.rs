//! Addresses, and where they end.

use protocol::MarkKind;

use super::draw;
use crate::markup::read_marks;

#[test]
fn links_end_where_people_end_them() {
    for (body, link) in [
        ("(https://a.example)", "https://a.example"),
        ("[https://a.example], ok", "https://a.example"),
        ("https://a.example, ok", "https://a.example"),
        ("https://a.example's page", "https://a.example"),
        ("(http://[::1]:80)", "http://[::1]:80"),
        (
            "See https://a.example/x?y=1#z, please.",
            "https://a.example/x?y=1#z",
        ),
        ("(http://a.example/b_(c))", "http://a.example/b_(c)"),
        ("(see https://a.example/x),then", "https://a.example/x"),
        ("[text](https://a.example/x)more", "https://a.example/x"),
        ("（https://a.example/）です", "https://a.example/"),
        ("「https://a.example/x」と", "https://a.example/x"),
        ("https://a.example/x，然后", "https://a.example/x"),
        ("https://a.example/x。然后", "https://a.example/x"),
        ("https://a.example！", "https://a.example"),
        ("“https://a.example/x”", "https://a.example/x"),
        ("«https://a.example/x»", "https://a.example/x"),
        ("„https://a.example/x“", "https://a.example/x"),
        ("_https://a.example/a_b_", "https://a.example/a_b"),
        ("_see https://a.example/a_, ok", "https://a.example/a"),
        ("https://a.example/a_b_", "https://a.example/a_b_"),
        ("**https://a.example/x**", "https://a.example/x"),
        ("~~https://a.example/x~~", "https://a.example/x"),
        ("https://a.example/x（日本語）を見て", "https://a.example/x"),
        ("`x` https://a.example/*y*", "https://a.example/*y"),
        ("<a href=\"https://a.example/\">x</a>", "https://a.example/"),
        ("https://a.example/\u{202e}moc", "https://a.example/"),
        ("https://a.example/\u{2066}x", "https://a.example/"),
        ("https://a.example/\u{200e}", "https://a.example/"),
        ("请看https://a.example/", "https://a.example/"),
        ("http://localhost:3000/x", "http://localhost:3000/x"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://a.example:443.", "https://a.example:443"),
        (
            "https://a.example/snake_case_name",
            "https://a.example/snake_case_name",
        ),
        ("https://a.example\\@b.example", "https://a.example"),
        (
            "https://a.example/x?y={z}&w=[1]",
            "https://a.example/x?y={z}&w=[1]",
        ),
        ("https://a.example/x…", "https://a.example/x"),
        ("'https://a.example/x'", "https://a.example/x"),
        ("https://a.example/it's", "https://a.example/it's"),
    ] {
        let marks = read_marks(body);
        let marks: Vec<_> = marks
            .iter()
            .filter(|mark| mark.kind == MarkKind::Link)
            .collect();
        assert_eq!(marks.len(), 1, "{body}");
        let length = marks[0].to - marks[0].from;
        let found: String = body.chars().skip(marks[0].from).take(length).collect();
        assert_eq!(found, link, "{body}");
        assert_eq!((&marks[0].href, &marks[0].host), (&None, &None), "{body}");
    }
}

#[test]
fn link_that_is_not_its_text_has_its_address() {
    for (body, drawn) in [
        (
            "(www.a.example), ok",
            "(<a http://www.a.example>www.a.example</a>), ok",
        ),
        (
            "HTTPS://A.example/X",
            "<a https://A.example/X>HTTPS://A.example/X</a>",
        ),
        (
            "www.a.example.",
            "<a http://www.a.example>www.a.example</a>.",
        ),
        (
            "WWW.a.example/x",
            "<a http://WWW.a.example/x>WWW.a.example/x</a>",
        ),
        (
            "https://例え.jp/パス。",
            "<a https://xn--r8jz45g.jp/パス>https://例え.jp/パス</a>。",
        ),
        (
            "https://ja.wikipedia.org/wiki/東京（曖昧さ回避）",
            "<a>https://ja.wikipedia.org/wiki/東京（曖昧さ回避）</a>",
        ),
        (
            "https://fa.wikipedia.org/wiki/می\u{200c}خواهم x",
            "<a>https://fa.wikipedia.org/wiki/می\u{200c}خواهم</a> x",
        ),
        (
            "ada@mail.example, ok",
            "<a mailto:ada@mail.example>ada@mail.example</a>, ok",
        ),
        (
            "50%20off@mail.example",
            "<a mailto:50%2520off@mail.example>50%20off@mail.example</a>",
        ),
        (
            "ada@müller.example",
            "<a mailto:ada@xn--mller-kva.example>ada@müller.example</a>",
        ),
        (
            "ada@раураl.example",
            "<a mailto:ada@xn--l-7sba6dbr.example !xn--l-7sba6dbr.example>ada@раураl.example</a>",
        ),
        (
            "mailto:a.b+c@mail.example.org.",
            "mailto:<a mailto:a.b+c@mail.example.org>a.b+c@mail.example.org</a>.",
        ),
        (
            "(john_doe@mail.example)",
            "(<a mailto:john_doe@mail.example>john_doe@mail.example</a>)",
        ),
        (
            "_ada@mail.example_",
            "<i><a mailto:ada@mail.example>ada@mail.example</a></i>",
        ),
        (
            "https://аррӏе.com/",
            "<a https://xn--80ak6aa92e.com/ !xn--80ak6aa92e.com>https://аррӏе.com/</a>",
        ),
        (
            "https://pаypal.com",
            "<a https://xn--pypal-4ve.com !xn--pypal-4ve.com>https://pаypal.com</a>",
        ),
        (
            "https://ｅxample.com",
            "<a https://example.com !example.com>https://ｅxample.com</a>",
        ),
        (
            "https://bücher.example/",
            "<a https://xn--bcher-kva.example/>https://bücher.example/</a>",
        ),
        (
            "https://почта.рф",
            "<a https://xn--80a1acny.xn--p1ai>https://почта.рф</a>",
        ),
        (
            "https://bank.example@evil.example/",
            "<a !evil.example>https://bank.example@evil.example/</a>",
        ),
    ] {
        assert_eq!(draw(body), drawn);
    }
}

#[test]
fn text_without_an_address_has_no_link() {
    for body in [
        "javascript:alert(1)",
        "data:text/html,x",
        "xhttp://a.example",
        "http://",
        "https:// a",
        "http",
        "httphttp://",
        "ftp://a.example",
        "//a.example",
        "http://-a",
        "https://\u{202e}a",
        "www.",
        "www.x",
        "www..example",
        "awww.a.example",
        "http://a:b",
        "http://%41.example",
        "git@host.example:path",
        "icon@2x.png",
        "react@18.2.0",
        "root@10.0.0.1",
        "a@b",
        "zoë@b.example",
        "//ada@host.example",
    ] {
        let marks = read_marks(body);
        let links: Vec<_> = marks
            .iter()
            .filter(|mark| mark.kind == MarkKind::Link)
            .collect();
        assert!(links.is_empty(), "{body} {links:?}");
    }
}
