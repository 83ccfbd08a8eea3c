//! Positions, bounds, and texts that nobody should write.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::align::Alignment;
use super::{DEEPEST, Document, MOST_ALIASES, Node};
use crate::diagnostic::{Code, SourceFile, Span};

#[track_caller]
fn parse(text: &str) -> Document {
    let (document, problems) = Document::parse(&SourceFile::new("a.yaml", text));
    assert!(problems.is_empty(), "{problems:?}");
    document.unwrap()
}

#[track_caller]
fn codes(text: &str) -> Vec<Code> {
    let (_, problems) = Document::parse(&SourceFile::new("a.yaml", text));
    problems.into_iter().map(|problem| problem.code).collect()
}

/// Where `part` of the only value of `text` stands, as the text found there.
#[track_caller]
fn found(text: &str, part: &str) -> (usize, String) {
    let document = parse(text);
    let (_, node) = document.root().entries().next().unwrap();
    let at = node.raw().find(part).unwrap();
    let span = node.alignment().span(at, at + part.len());
    (span.start, text[span.start..span.end].to_owned())
}

#[test]
fn a_place_within_a_string_is_found_in_every_style() {
    for text in [
        "a: one two three\n",
        "a: 'it''s one two three'\n",
        "a: \"one\\ttwo three\"\n",
        "a: \"\\x41\\u00e9\\U0001F600 two\"\n",
        "a: |\n  one\n    two\n\n  three\n",
        "a: >\n  one\n  two three\n\n  four\n",
        "a: one\n  two\n  three\n",
        "a: 'one\n  two\n\n  three'\n",
        "a: \"one \\\n  two\"\n",
        "a: |\r\n  ä ö\r\n  two\r\n",
        "ä: \"ü two\"\n",
    ] {
        let (at, shown) = found(text, "two");
        assert_eq!(
            (at, shown.as_str()),
            (text.find("two").unwrap(), "two"),
            "{text:?}"
        );
    }
    let document = parse("a: { b: 'it''s two'   , c: \"\\\\ two\"  }");
    let (_, flow) = document.root().entries().next().unwrap();
    let places: Vec<Span> = flow
        .entries()
        .map(|(_, node)| {
            node.alignment()
                .span(node.raw().find("two").unwrap(), node.raw().len())
        })
        .collect();
    assert_eq!(places, [Span::new(15, 18), Span::new(31, 34)]);
}

#[test]
fn keys_and_values_are_found() {
    let text =
        "ä: 1\nb: [x, {c: 'd'}]\ne:\n  - f: |\n      g\n      h\n\n  - *i\nj: &i k\n".replace("*i", "i");
    let document = parse(&text);
    let mut seen = Vec::new();
    let mut open = vec![document.root()];
    while let Some(node) = open.pop() {
        open.extend(node.items());
        for (key, below) in node.entries() {
            assert_eq!(&text[key.span.start..key.span.end], key.name);
            seen.push((key.name, &text[below.span().start..below.span().end]));
            open.push(below);
        }
    }
    seen.sort_unstable();
    let g = "g\n      h";
    assert_eq!(
        seen,
        [
            ("b", "[x, {c: 'd'}]"),
            ("c", "'d'"),
            ("e", &text[text.find("- f").unwrap()..text.find("\nj").unwrap()]),
            ("f", g),
            ("j", "&i k"),
            ("ä", "1"),
        ]
    );
}

#[test]
fn an_alias_stands_where_it_is_written_and_its_parts_where_they_are() {
    let text = "a: &x { b: c }\nd: *x\n";
    let document = parse(text);
    let (_, alias) = document.root().entries().nth(1).unwrap();
    assert_eq!(&text[alias.span().start..alias.span().end], "*x");
    let (key, below) = alias.entries().next().unwrap();
    assert_eq!((key.name, key.span.start, below.span().start), ("b", 8, 11));
    assert_eq!(alias.value(), &json!({ "b": "c" }));
}

#[test]
fn what_would_grow_without_bounds_is_refused() {
    let deep = format!("a: {}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
    assert_eq!(codes(&deep), [Code::TooBig]);
    let very_deep = format!("a: {}", "[".repeat(100_000));
    assert_eq!(codes(&very_deep), [Code::TooBig]);
    let aliases = format!("a: &a 1\nb: [{}]\n", "*a, ".repeat(MOST_ALIASES + 1));
    assert_eq!(codes(&aliases), [Code::TooBig]);
    let mut laughs = String::from("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for at in 1..10 {
        let before = format!("*a{}, ", at - 1).repeat(10);
        laughs.push_str(&format!("a{at}: &a{at} [{before}]\n"));
    }
    assert_eq!(codes(&laughs), [Code::TooBig]);
    let mut nested = String::from("a0: &a0 [1]\n");
    for at in 1..500 {
        nested.push_str(&format!("a{at}: &a{at} [*a{}]\n", at - 1));
    }
    assert_eq!(codes(&nested), [Code::TooBig]);
    assert_eq!(
        codes(&"- ''\n".repeat(super::LONGEST_TEXT / 5 + 1)),
        [Code::TooBig]
    );
}

#[test]
fn two_readers_agree_or_the_text_is_refused() {
    // YAML 1.1 takes these characters for line breaks, YAML 1.2 does not.
    for separator in ['\u{2028}', '\u{2029}', '\u{85}'] {
        let (document, problems) =
            Document::parse(&SourceFile::new("a.yaml", format!("a: 'b{separator}c'\n")));
        assert!(
            !problems.is_empty()
                || document.unwrap().root().value()["a"]
                    .as_str()
                    .unwrap()
                    .contains(separator)
        );
    }
}

fn check_places(node: Node<'_>, text: &str) {
    for (key, below) in node.entries() {
        let shown = &text[key.span.start..key.span.end];
        assert!(
            shown.contains(key.name) || shown.starts_with(['"', '\'']),
            "{shown:?} {key:?}"
        );
        check_places(below, text);
    }
    node.items().for_each(|below| check_places(below, text));
    if let Value::String(value) = node.value() {
        let alignment = node.alignment();
        for (at, c) in value
            .char_indices()
            .filter(|(_, c)| !c.is_whitespace() && !c.is_control())
        {
            let place = alignment.place(at);
            let shown = text[place..].chars().next().unwrap();
            assert!(
                shown == c || shown == '\\',
                "{c:?} at {at} of {value:?} is said to be {shown:?}"
            );
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = "[ -~äöü\n\t😀]{0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |below| {
        prop_oneof![
            prop::collection::vec(below.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z :'\"#-]{1,8}", below, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_written_value_is_read_and_found(value in values(), flow in any::<bool>()) {
        let text = if flow { value.to_string() } else { serde_yaml::to_string(&value).unwrap() };
        let (document, problems) = Document::parse(&SourceFile::new("a.yaml", text.as_str()));
        // The only texts that one writes and the other refuses hold characters that YAML does not have.
        if let Some(document) = document.filter(|_| problems.is_empty()) {
            prop_assert_eq!(document.root().value(), &value);
            check_places(document.root(), &text);
        } else {
            prop_assert!(text.contains("<<") || problems.iter().all(|problem| problem.code == Code::YamlSyntax), "{text}\n{problems:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), decoded in any::<String>(), from in 0_usize..40, to in 0_usize..40) {
        drop(Document::parse(&SourceFile::new("a.yaml", text.as_str())));
        let alignment = Alignment::new(&text, Span::new(from, to), &decoded);
        alignment.span(from, to);
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(text in "([a-c:*&!|>'\"\\[\\]{}#,?%@<~-]|[ \n]|\r\n|\t|: |- |ä|\\$\\{\\{){0,60}") {
        let (document, problems) = Document::parse(&SourceFile::new("a.yaml", text.as_str()));
        prop_assert!(document.is_some() || !problems.is_empty());
        if let Some(document) = document.filter(|_| problems.is_empty()) {
            check_places(document.root(), &text);
        }
    }
}
