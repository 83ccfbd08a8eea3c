//! Parameters: which values fit, what is said of those that do not, and what a run starts with.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{good, render};
use crate::diagnostic::SourceFile;
use crate::runbook::{Given, Param, Resolved, Runbook, resolve_params};

fn book(params: &str) -> Runbook {
    good(&format!(
        "runbook: a\nparams:\n{params}\nsteps:\n  one: {{ uses: command, with: {{ run: [ls] }} }}\n"
    ))
}

fn param(declaration: &str) -> Param {
    book(&format!("  p: {declaration}")).params()["p"].clone()
}

/// What becomes of texts: the value in its normal form, or what is wrong and what to write instead.
#[track_caller]
fn assert_texts(declaration: &str, texts: &[(&str, Result<Value, &str>)]) {
    let param = param(declaration);
    for (text, expected) in texts {
        match (param.parse(text), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(&value, expected, "{declaration}: {text}"),
            (Err(error), Err(part)) => {
                let told = format!("{error} | {}", error.help.clone().unwrap_or_default());
                assert!(told.contains(part), "{declaration}: {text}: {told}");
            }
            (found, _) => panic!("{declaration}: {text}: {found:?}"),
        }
    }
}

#[test]
fn texts_numbers_and_flags() {
    assert_texts(
        "{ type: string, min: 2, max: 3, pattern: '[a-zä]+' }",
        &[
            ("abc", Ok(json!("abc"))),
            ("äää", Ok(json!("äää"))),
            ("a", Err("at least 2 characters expected, not 1")),
            ("abcd", Err("at most 3 characters")),
            ("ab1", Err("`ab1` does not match the pattern `[a-zä]+`")),
        ],
    );
    assert_texts(
        "{ type: integer, min: 1, max: 9 }",
        &[
            (" 7 ", Ok(json!(7))),
            ("0", Err("at least 1 expected, not 0")),
            ("7.5", Err("a whole number expected, not `7.5`")),
            ("", Err("a whole number expected")),
        ],
    );
    assert_texts(
        "{ type: number }",
        &[
            ("7", Ok(json!(7))),
            ("-1.5e3", Ok(json!(-1500.0))),
            ("NaN", Err("a number expected")),
            ("seven", Err("a number expected")),
        ],
    );
    assert_texts(
        "{ type: boolean }",
        &[
            ("true", Ok(json!(true))),
            ("yes", Err("`true` or `false` expected")),
        ],
    );
    assert_texts(
        "{ type: enum, values: ['2016', SE] }",
        &[
            ("SE", Ok(json!("SE"))),
            ("se", Err("did you mean `SE`?")),
            ("2013", Err("did you mean `2016`?")),
            ("x", Err("the values are `2016`, `SE`")),
        ],
    );
    assert_texts(
        "{ type: path }",
        &[
            ("C:\\Logs\\a b.txt", Ok(json!("C:\\Logs\\a b.txt"))),
            ("c:/Logs", Ok(json!("c:/Logs"))),
            (r"\\files\share", Ok(json!(r"\\files\share"))),
            (r"Cert:\LocalMachine\My", Ok(json!(r"Cert:\LocalMachine\My"))),
            ("/srv/notices", Ok(json!("/srv/notices"))),
            ("", Err("cannot be empty")),
            ("/a\tb", Err("control characters")),
            ("notices", Err("an absolute path expected, not a relative one")),
            ("./a", Err("write it in full, as `/srv/notices`")),
            ("~/a", Err("an absolute path expected")),
            ("C:a", Err("an absolute path expected")),
            ("https://a.example", Err("an absolute path expected")),
        ],
    );
    assert_texts(
        "{ type: guid }",
        &[
            (
                "00000003-0000-0FF1-CE00-000000000000",
                Ok(json!("00000003-0000-0ff1-ce00-000000000000")),
            ),
            (
                "{00000003-0000-0ff1-ce00-000000000000}",
                Ok(json!("00000003-0000-0ff1-ce00-000000000000")),
            ),
            ("00000003", Err("a GUID looks like")),
        ],
    );
}

#[test]
fn urls_domains_and_hosts() {
    assert_texts(
        "{ type: url, schemes: [https, http] }",
        &[
            (
                "https://a.example.com/x?y",
                Ok(json!("https://a.example.com/x?y")),
            ),
            ("a.example.com", Err("write `https://a.example.com`")),
            ("ftp://a.example.com", Err("must start with `https` or `http`")),
            ("https://", Err("not a URL")),
            ("https://ada:secret@example.com", Err("must not hold a password")),
        ],
    );
    assert_texts(
        "{ type: domain }",
        &[
            ("Adventureworks.com", Ok(json!("adventureworks.com"))),
            ("xn--bcher-kva.example", Ok(json!("xn--bcher-kva.example"))),
            (
                "https://www.contoso.com/start",
                Err("it holds a protocol | write `www.contoso.com`"),
            ),
            ("contoso.com/start", Err("it holds a path | write `contoso.com`")),
            ("contoso.com:443", Err("it holds a port | write `contoso.com`")),
            ("*.contoso.com", Err("it holds a wildcard | write `contoso.com`")),
            (
                "contoso",
                Err("it has no dot | write it in full, like `contoso.example.com`"),
            ),
            ("192.168.0.1", Err("it is an IP address")),
            ("2001:db8::1", Err("it is an IP address")),
            ("ada@contoso.com", Err("write `contoso.com`")),
            ("contoso.com.", Err("write `contoso.com`")),
            ("bücher.example", Err("xn--")),
            ("-a.com", Err("a part between the dots is none that a domain has")),
            ("a..com", Err("a part between the dots is none that a domain has")),
            ("", Err("it is empty")),
            ("a b.com", Err("it holds ` `, which no domain does")),
            (
                "münchen.de",
                Err("it holds `ü`, which no domain does | write it as the DNS knows it"),
            ),
        ],
    );
    assert_texts(
        "{ type: host }",
        &[
            ("WEB1", Ok(json!("web1"))),
            ("web_1.contoso.com", Ok(json!("web_1.contoso.com"))),
            ("192.168.0.1", Ok(json!("192.168.0.1"))),
            ("2001:DB8::1", Ok(json!("2001:db8::1"))),
            ("https://web1/x", Err("write `web1`")),
            ("web1:8080", Err("write `web1`")),
            ("web 1", Err("neither a name nor an address")),
            ("", Err("neither a name nor an address")),
        ],
    );
}

#[test]
fn lists_are_separated_by_commas_or_written_as_in_yaml() {
    assert_texts(
        "{ type: list, of: host, min: 1, max: 3 }",
        &[
            ("WEB1, web2", Ok(json!(["web1", "web2"]))),
            ("[WEB1, \"web2\"]", Ok(json!(["web1", "web2"]))),
            ("[10, 11]", Ok(json!(["10", "11"]))),
            ("", Err("at least 1 items expected, not 0")),
            ("a,b,c,d", Err("at most 3 items expected, not 4")),
            ("web1, web 2", Err("item 2: `web 2` is not a host")),
            ("[web1", Err("a list expected")),
        ],
    );
    assert_texts(
        "{ type: list, of: integer }",
        &[("1, 2", Ok(json!([1, 2]))), ("[1, 'a']", Err("item 2"))],
    );
    assert_texts(
        "{ type: list, of: string, pattern: 'x.*' }",
        &[("xa,y", Err("item 2: `y` does not match"))],
    );
}

#[test]
fn an_error_about_a_secret_holds_no_secret() {
    let secret = param("{ type: secret, pattern: '[a-z]+', min: 20 }");
    for text in ["Hunter2", "hunter"] {
        let error = secret.parse(text).unwrap_err();
        let told = format!("{error:?}").to_lowercase();
        assert!(!told.contains("hunter") && !told.contains("not 6"), "{told}");
    }
    assert!(!format!("{:?}", secret.check(json!(4711)).unwrap_err()).contains("4711"));
}

const BOOK: &str = "
  domain: { type: domain, example: example.com }
  servers: { type: list, of: host, default: [web1] }
  count: { type: integer, optional: true }
  secret: { type: secret, example: not-used }
  spare: { type: secret, optional: true }";

fn given(values: &[(&str, Given)]) -> BTreeMap<String, Given> {
    values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn text(text: &str) -> Given {
    Given::Text(text.to_owned())
}

#[test]
fn of_a_relative_path_that_was_typed_the_whole_one_is_told() {
    let book = book("  file: { type: path }");
    let told = |given: Given| {
        let given = BTreeMap::from([("file".to_owned(), given)]);
        let problems = resolve_params(&book, given, false, Some(Path::new("/home/ada"))).unwrap_err();
        problems[0].help.join(" ")
    };
    assert!(told(text("./a/b.txt")).contains("write `/home/ada/a/b.txt`"));
    // Whoever wrote a file of parameters did not mean this folder.
    assert!(!told(Given::Value(json!("a/b.txt"))).contains("/home/ada"));
}

fn names<T: std::fmt::Display>(names: &[T]) -> Vec<String> {
    names.iter().map(T::to_string).collect()
}

#[test]
fn what_is_not_given_takes_its_default_or_is_missing() {
    let resolved = resolve_params(&book(BOOK), BTreeMap::new(), false, None).unwrap();
    assert_eq!(
        serde_json::to_value(&resolved.values).unwrap(),
        json!({ "servers": ["web1"], "count": null })
    );
    assert_eq!(names(&resolved.missing), ["domain", "secret"]);
    assert!(resolved.examples_used.is_empty());
}

#[test]
fn a_rehearsal_takes_examples_and_asks_for_no_secrets() {
    let resolved = resolve_params(&book(BOOK), BTreeMap::new(), true, None).unwrap();
    assert_eq!(resolved.values["domain"], json!("example.com"));
    assert_eq!(names(&resolved.examples_used), ["domain"]);
    assert!(resolved.missing.is_empty() && resolved.secrets.is_empty());
}

#[test]
fn secrets_are_kept_apart() {
    let values = [
        ("domain", text("A.com")),
        ("secret", text("hunter2")),
        ("count", Given::Value(json!(3))),
    ];
    let resolved = resolve_params(&book(BOOK), given(&values), false, None).unwrap();
    assert_eq!(resolved.secrets["secret"], "hunter2");
    assert!(!resolved.values.contains_key("secret") && !format!("{resolved:?}").contains("hunter2"));
    assert_eq!(
        (&resolved.values["domain"], &resolved.values["count"]),
        (&json!("a.com"), &json!(3))
    );
    assert_eq!(resolved.missing, Resolved::default().missing);
}

#[test]
fn everything_that_does_not_fit_is_told_at_once() {
    let values = [
        ("domian", text("a.com")),
        ("domain", text("https://a.com")),
        ("count", Given::Value(json!("3"))),
        ("secret", Given::Value(json!(4711))),
        ("other", text("x")),
    ];
    let problems = resolve_params(&book(BOOK), given(&values), false, None).unwrap_err();
    insta::assert_snapshot!(render(&problems));
}

#[test]
fn a_file_of_values_is_read_in_yaml_and_json_and_shows_nothing_but_names() {
    let read = |text: &str| crate::runbook::read_values(&SourceFile::new("given", text));
    let yaml = read("# s3cret\nname: wörld # s3cret\ncount: 3\n").unwrap();
    assert_eq!(yaml[0].0, "name");
    assert_eq!(yaml[1].1, json!(3));
    let (place, shown) = (&yaml[1].2, &yaml[1].2.file.text);
    assert_eq!(shown.split_whitespace().collect::<Vec<_>>(), ["name", "count"]);
    assert_eq!(place.file.line_column(place.span.start), (3, 1));
    for json in [
        "{\n\t\"count\": 3,\n\t\"name\": \"a\\/b\\u00e9\"\n}\n",
        "{\"count\":3,\"name\":\"a/bé\"}",
    ] {
        let read = read(json).unwrap();
        assert_eq!(read[0].1, json!(3), "{json}");
        assert_eq!(read[1].1, json!("a/bé"), "{json}");
    }
    assert!(read("# nothing\n").unwrap().is_empty());
    for wrong in [
        "[s3cret]",
        "a: 's3cret",
        "a: 1\na: s3cret\n",
        "s3cret",
        "a: [s3cret\nb: 1\n",
    ] {
        let problems = read(wrong).unwrap_err();
        let texts = problems
            .iter()
            .flat_map(|one| &one.labels)
            .map(|label| &label.file.text);
        assert!(texts.clone().count() > 0, "{wrong}: {problems:?}");
        assert!(texts.clone().all(|text| !text.contains("s3cret")), "{wrong}");
        assert!(
            problems.iter().all(|one| !format!("{one:?}").contains("s3cret")),
            "{problems:?}"
        );
    }
}
