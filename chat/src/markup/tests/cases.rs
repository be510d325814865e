//! What people type, and what it is.

use super::draw;

#[test]
fn markup_is_read() {
    for (body, drawn) in [
        ("**strong** text", "<b>strong</b> text"),
        ("*a* and _b_", "<i>a</i> and <i>b</i>"),
        ("~~gone~~", "<s>gone</s>"),
        ("`code`", "<c>code</c>"),
        ("`` a`b ``", "<c>a`b</c>"),
        ("***both***", "<b><i>both</i></b>"),
        ("**bold *it***", "<b>bold <i>it</i></b>"),
        ("*it **bold***", "<i>it <b>bold</b></i>"),
        ("**a _b ~~c~~ d_ e**", "<b>a <i>b <s>c</s> d</i> e</b>"),
        ("**Note:** now", "<b>Note:</b> now"),
        ("(*important*)", "(<i>important</i>)"),
        ("*\"quoted\"*, yes", "<i>\"quoted\"</i>, yes"),
        ("**👍 done**", "<b>👍 done</b>"),
        ("这是**重点**内容", "这是<b>重点</b>内容"),
        ("`**not**` **`code`**", "<c>**not**</c> <b><c>code</c></b>"),
        ("the path `C:\\`", "the path <c>C:\\</c>"),
    ] {
        assert_eq!(draw(body), drawn);
    }
}

#[test]
fn what_people_type_without_meaning_markup_stays_as_it_is() {
    for body in [
        "snake_case_names and _private_var",
        "CONST_A_ and b_",
        "__init__.py and __all__",
        "2 * 3 * 4",
        "2*3*4",
        "2**3**4",
        "x**2 + y**2",
        "5 *",
        "*",
        "**",
        "***",
        "* * *",
        "****",
        "a * b * c",
        "f(a*b, c*d)",
        "char *a, *b;",
        "def f(*args, **kwargs):",
        "/*comment*/",
        "rm *.o src/*.o",
        "**/*.rs and **/*.ts",
        "grep .*foo.*",
        "price* see note*",
        ">_<",
        ">:(",
        "> ",
        ">",
        ">>> import this",
        "->",
        "=> x",
        "a > b",
        ">_>",
        "<_<",
        "^_^",
        "-_-",
        "T_T",
        "o_O",
        "._.",
        ";_;",
        "*_*",
        "(*_*)",
        "(*^_^*)",
        "\\*o*/",
        "¯\\_(ツ)_/¯",
        "m(_ _)m",
        "(*´ω｀*)",
        "(>_<)",
        "(ノ°益°)ノ",
        "_(:3」∠)_",
        "*-*",
        "~_~",
        "(~_~)",
        "~",
        "~5 min",
        "~/notes",
        "a ~ b ~ c",
        "~~",
        "~~~",
        "a~~b~~c",
        "hey~",
        "1~2~3",
        "_",
        "__",
        "_ _",
        "file_name_.txt",
        "für_die_Übung",
        "foo_ bar_",
        "`",
        "``",
        "` `",
        "geht`s und hab`s",
        "``quoted''",
        "it's `unclosed",
        "- ",
        "-",
        "- - -",
        "---",
        "-5 degrees",
        "-v --verbose",
        "- :)",
        "*sigh",
        "sigh*",
        "5. May",
        "24. Dezember",
        "1.5 l",
        "1.",
        "1) a\n2) b",
        "1986. A year\nof joy",
        "```",
        "```\n```",
        "```rust",
        "~~~\ncode\n~~~",
        "# no heading",
        "a | b",
        "[text](x)",
        "a\u{2800}_b_c",
        "\\_a_ \\*b* \\`c` \\~~d~~",
        "C:\\_tmp_\\x",
        "&lt;b&gt;",
        "<b>bold</b>",
        "@",
        "@ ada",
        "a@b",
        "@@",
        "user@",
        "@/x",
        "@angular/core",
        "@ada@social.example",
        "**bold\nacross lines**",
        "* \n*",
        "_a\nb_",
    ] {
        assert_eq!(draw(body), body);
    }
}

#[test]
fn blocks_are_read() {
    for (body, drawn) in [
        ("```\nlet a = *b*;\n```", "<pre>let a = *b*;\n</pre>"),
        (
            "see\n```Rust\nfn f() {}\n```\nok",
            "see\n<pre rust>fn f() {}\n</pre>ok",
        ),
        ("```\nno end\n- a", "<pre>no end\n- a</pre>"),
        ("```let a;\nlet b;```", "<pre>let a;\nlet b;</pre>"),
        ("````\n```\n````", "<pre>```\n</pre>"),
        ("```one line```", "<c>one line</c>"),
        ("```\n\na\n```", "<pre>\na\n</pre>"),
        ("> a\n> b\nc", "<q>a\nb\n</q>c"),
        ("> a\n>\n> > b", "<q>a\n\n<q>b</q></q>"),
        ("> *a*", "<q><i>a</i></q>"),
        ("> ```\n> x\n> ```", "<q><pre>x\n</pre></q>"),
        ("> > > > x", "<q><q><q>> x</q></q></q>"),
        ("- a\n- b\nc", "<ul><li>a\n</li><li>b\n</li></ul>c"),
        ("* a\n* *b*", "<ul><li>a\n</li><li><i>b</i></li></ul>"),
        ("- a\n  more\n- b", "<ul><li>a\nmore\n</li><li>b</li></ul>"),
        (
            "- a\n  - b\n- c",
            "<ul><li>a\n<ul><li>b\n</li></ul></li><li>c</li></ul>",
        ),
        ("- a\n\n  b", "<ul><li>a\n\nb</li></ul>"),
        (
            "- a\n  ```\n  x\n  ```",
            "<ul><li>a\n<pre>x\n</pre></li></ul>",
        ),
        ("1. a\n2. b", "<ol><li>a\n</li><li>b</li></ol>"),
        (
            "7. a\n8. b\n10. c",
            "<ol><li>a\n</li><li>b\n</li></ol>10. c",
        ),
        ("1. a\n- b", "<ol><li>a\n</li></ol><ul><li>b</li></ul>"),
        ("a\n- b", "a\n<ul><li>b</li></ul>"),
        ("- [ ] task", "<ul><li>[ ] task</li></ul>"),
        (
            "- `x`\n- **y**: z",
            "<ul><li><c>x</c>\n</li><li><b>y</b>: z</li></ul>",
        ),
    ] {
        assert_eq!(draw(body), drawn);
    }
}

#[test]
fn mentions_are_read() {
    for (body, drawn) in [
        ("@ada hi", "<at ada>@ada</at> hi"),
        (
            "hi @ada-2, @b_c.",
            "hi <at ada-2>@ada-2</at>, <at b_c>@b_c</at>.",
        ),
        (
            "@[Ada Lovelace] hi",
            "<at Ada Lovelace>@Ada Lovelace</at> hi",
        ),
        (
            "_@ada_ (@ben)",
            "<i><at ada>@ada</at></i> (<at ben>@ben</at>)",
        ),
        ("**@ada**'s", "<b><at ada>@ada</at></b>'s"),
        ("@नोरा", "<at नोरा>@नोरा</at>"),
        ("`@ada` \\@ben", "<c>@ada</c> \\@ben"),
        ("- @ada", "<ul><li><at ada>@ada</at></li></ul>"),
        ("你好@张三", "你好<at 张三>@张三</at>"),
    ] {
        assert_eq!(draw(body), drawn);
    }
    for body in ["@[]", "@[ a]", "@[a\nb]", "x@ada", "@a/b"] {
        assert_eq!(draw(body), body);
    }
    assert_eq!(draw(&format!("@{}", "a".repeat(33))).len(), 34);
}
