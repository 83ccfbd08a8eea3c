//! Pictures of a runbook's graph, and of where a run of it stands.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::Project;
use crate::support::browser::{browser, package, program};

const RUNBOOK: &str = "runbook: picture
steps:
  first: { uses: manual, with: { instructions: Look. }, rehearse: { satisfied: true } }
  left: { needs: [first], uses: manual, with: { instructions: Look. } }
  right: { needs: [first], title: The other way, uses: manual, with: { instructions: Look. } }
  last: { needs: [left, right], uses: manual, with: { instructions: Look. } }
";

#[test]
fn a_picture_needs_no_run() {
    let project = Project::new();
    project.write("picture.yaml", RUNBOOK);
    let outcome = project.run(["check", "picture.yaml", "--graph"]).code(0);
    insta::assert_snapshot!(outcome.stdout);
    assert!(!project.has("state"), "nothing is touched");
}

#[test]
fn a_picture_of_a_run_shows_where_it_stands() {
    let project = Project::new();
    project.write("picture.yaml", RUNBOOK);
    let fault = ["exec", "picture.yaml", "--rehearse", "--rehearse-fail", "right"];
    project.run(fault).code(1);
    let run = project.run_name();
    let text = project.run(["show", &run, "--graph"]).code(0);
    insta::assert_snapshot!(text.stdout);
    let dot = project.run(["show", &run, "--graph", "dot"]).code(0);
    assert!(dot.stdout.contains("✗ right"), "{}", dot.stdout);
}

/// A run with a fan-out, a failure, what it blocks, and titles that could end a label.
fn played() -> (Project, String) {
    let project = Project::new();
    let title = "\"<b>&'`\\\\ #quot; \\\"; x -> y [z] --> {|} %% ]]>\"";
    project.write(
        "picture.yaml",
        &format!("{RUNBOOK}  odd: {{ needs: [first], title: {title}, uses: manual, with: {{ instructions: Look. }} }}\n"),
    );
    let fault = ["exec", "picture.yaml", "--rehearse", "--rehearse-fail", "right"];
    project.run(fault).code(1);
    let run = project.run_name();
    (project, run)
}

#[test]
fn graphviz_draws_every_step_and_every_line() {
    let Some(graphviz) = program(&["dot"], "RUNBOOK_TEST_GRAPHVIZ") else {
        return;
    };
    let (project, run) = played();
    let dot = project.run(["show", &run, "--graph", "dot"]).code(0).stdout;
    let mut child = Command::new(graphviz)
        .arg("-Tplain")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{dot}");
    let drawn = String::from_utf8(output.stdout).unwrap();
    let many = |what: &str| drawn.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!((many("node "), many("edge ")), (5, 5), "{drawn}");
}

/// A page on which Mermaid draws a text, and what it makes of it.
const MERMAID: &str = r#"<!DOCTYPE html><meta charset="utf-8"><body>
<script src="LIBRARY"></script>
<script>
const found = document.createElement("pre");
found.id = "found";
const say = what => { found.textContent = JSON.stringify(what); document.body.append(found); };
mermaid.initialize({ startOnLoad: false });
mermaid.render("drawing", TEXT).then(
    ({ svg }) => {
        document.body.innerHTML = svg;
        const texts = what => [...document.querySelectorAll(what)].map(element => element.textContent.trim());
        say({ nodes: texts(".node"), lines: document.querySelectorAll(".flowchart-link").length });
    },
    error => say({ error: String(error) }),
);
</script></body>"#;

#[test]
fn mermaid_draws_every_step_and_every_line() {
    let Some(browser) = browser() else { return };
    let Some(library) = package("@mermaid-js/tiny/dist/mermaid.tiny.js", "RUNBOOK_TEST_MERMAID") else {
        return;
    };
    let (project, run) = played();
    let text = project.run(["show", &run, "--graph", "mermaid"]).code(0).stdout;
    let quoted = serde_json::Value::from(text.clone()).to_string();
    let page = MERMAID.replace("LIBRARY", &format!("file://{}", library.display()));
    let found = project.shown(browser, &page.replace("TEXT", &quoted.replace("</", "<\\/")));
    let nodes = found["nodes"]
        .as_array()
        .unwrap_or_else(|| panic!("{found}\n{text}"));
    assert_eq!((nodes.len(), &found["lines"]), (5, &5.into()), "{found}\n{text}");
    let shows = |what: &str| {
        nodes
            .iter()
            .any(|node| node.as_str().is_some_and(|node| node.contains(what)))
    };
    for what in ["✗ right", r##"<b>&'`\ #quot; "; x -> y [z] --> {|} %% ]]>"##] {
        assert!(shows(what), "{what} in {found}\n{text}");
    }
}

#[test]
fn a_browser_shows_the_drawing() {
    let Some(browser) = browser() else { return };
    let (project, run) = played();
    project
        .run(["show", &run, "--graph", "svg", "-o", "picture.svg"])
        .code(0)
        .tells("wrote picture.svg");
    let look = r#"return {
        broken: page.querySelectorAll("parsererror").length,
        boxes: page.querySelectorAll("rect").length,
        lines: page.querySelectorAll(".line").length,
        texts: [...page.querySelectorAll("text")].map(text => text.textContent),
        cut: [...page.querySelectorAll("g.step")].filter(step => {
            const box = step.querySelector("rect").getBBox();
            const ends = [...step.querySelectorAll("text")].map(text => text.getBBox().x + text.getBBox().width);
            return Math.max(...ends) > box.x + box.width;
        }).length,
    };"#;
    let found = project.looked_at(browser, "picture.svg", 1000, look);
    assert_eq!(found["broken"], 0, "{found}");
    assert_eq!(
        (&found["boxes"], &found["lines"]),
        (&5.into(), &5.into()),
        "{found}"
    );
    assert_eq!(found["cut"], 0, "every text ends within its box: {found}");
    let texts = found["texts"].as_array().unwrap();
    assert!(
        texts.contains(&"✗ failed".into()),
        "where each stands is named: {found}"
    );
    assert!(
        texts
            .iter()
            .any(|text| text.as_str().unwrap().starts_with("<b>&'`")),
        "{found}"
    );
}

#[test]
fn a_picture_goes_to_a_file_and_replaces_none() {
    let project = Project::new();
    project.write("picture.yaml", RUNBOOK);
    let check = ["check", "picture.yaml", "--graph", "svg", "-o", "picture.svg"];
    project.run(check).code(0).tells("wrote picture.svg");
    let first = project.read("picture.svg").unwrap();
    assert!(first.starts_with("<svg"), "{first}");
    project.run(check).code(2).tells("RB0520");
    project.run([&check[..], &["--overwrite"]].concat()).code(0);
    assert_eq!(
        project.read("picture.svg").unwrap(),
        first,
        "the same steps, the same picture"
    );
    project
        .run(["check", "picture.yaml", "-o", "x"])
        .code(2)
        .tells("RB0503");
}

#[test]
fn a_drawing_that_nobody_could_read_is_refused_and_another_form_named() {
    let project = Project::new();
    let steps: String = (0..400)
        .map(|n| {
            let needs = if n == 0 {
                String::new()
            } else {
                format!("needs: s{}, ", n - 1)
            };
            format!("  s{n}: {{ {needs}uses: manual, with: {{ instructions: x }} }}\n")
        })
        .collect();
    project.write("long.yaml", &format!("runbook: long\nsteps:\n{steps}"));
    project
        .run(["check", "long.yaml", "--graph", "svg"])
        .code(2)
        .tells("RB0522")
        .tells("--graph dot");
    project.run(["check", "long.yaml", "--graph"]).code(0);
}
