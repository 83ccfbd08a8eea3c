//! Runs watched from outside: the log beside the journal, traces at a real receiver, metrics in a file, and nothing of
//! it where it could hurt.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::platform;
use crate::support::{Project, Running, until};

const SECRET: &str = "hunter2-hunter2";

const STEPS: &str = "runbook: watched
params:
  token: { type: secret }
steps:
  first:
    secrets: token
    uses: command
    retry: { attempts: 2, delay: 1ms }
    with: { run: [HELPER, leak, token, then, fail-first, DIR/tries, '1'] }
  second:
    needs: first
    uses: command
    with: { run: [HELPER, append, DIR/log, second], rollback: [HELPER, say, back] }
  by-hand: { needs: second, uses: manual, with: { instructions: Look. } }
";

/// A receiver of traces that keeps what it is sent.
struct Collector {
    url: String,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bodies = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let kept = Arc::clone(&bodies);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(&stream, &kept));
            }
        });
        Self { url, bodies }
    }

    fn bytes(&self) -> Vec<u8> {
        self.bodies.lock().unwrap().concat()
    }

    fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies.lock().unwrap();
        let requests = bodies
            .iter()
            .map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// Takes requests on one connection, one after the other.
fn serve(stream: &TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut first) = (0, String::new());
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        assert!(first.starts_with("POST /v1/traces "), "{first}");
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        kept.lock().unwrap().push(body);
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        let _gone = (&mut &*stream).write_all(answer.as_bytes());
    }
}

fn watched(project: &Project, args: &[&str]) -> Command {
    let mut command = project.command(args);
    command.env("RUNBOOK_SECRET_TOKEN", SECRET).env("NO_PROXY", "*");
    command
}

fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key == name);
    match found
        .and_then(|one| one.value.as_ref())
        .and_then(|value| value.value.as_ref())
    {
        Some(AnyValue::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_collector_gets_a_span_for_the_run_each_step_and_each_attempt() {
    let project = Project::new();
    project.runbook("watched.yaml", STEPS);
    let collector = Collector::start();
    let command = watched(&project, &["exec", "watched.yaml", "--otlp", &collector.url]);
    Running::of(command).wait().code(3).keeps_quiet_of("RB0524");
    let spans = collector.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let [run] = named("run watched")[..] else {
        panic!("{spans:?}")
    };
    assert!(run.parent_span_id.is_empty());
    assert_eq!(attribute(run, "runbook.status"), "waiting");
    let id = project.only_run()["run"].as_str().unwrap().replace('-', "");
    for (step, status, attempts) in [
        ("first", "succeeded", 2),
        ("second", "succeeded", 1),
        ("by-hand", "waiting", 0),
    ] {
        let [span] = named(&format!("step {step}"))[..] else {
            panic!("{step}: {spans:?}")
        };
        assert_eq!(span.parent_span_id, run.span_id);
        assert_eq!(attribute(span, "runbook.status"), status);
        assert_eq!(attribute(span, "runbook.operator"), "alice");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        let below = spans.iter().filter(|one| one.parent_span_id == span.span_id);
        assert_eq!(below.count(), attempts, "{step}");
    }
    let failed: Vec<&str> = named("attempt 1")
        .into_iter()
        .filter_map(|span| span.status.as_ref())
        .map(|status| status.message.as_str())
        .filter(|message| !message.is_empty())
        .collect();
    assert_eq!(
        failed.len(),
        1,
        "only the first attempt of the first step failed: {failed:?}"
    );
    for span in &spans {
        let trace: String = span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(trace, id, "the run's id is the trace's, whoever carries it on");
    }
    nowhere(&collector.bytes());
}

#[track_caller]
fn nowhere(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn a_collector_that_hangs_or_is_away_neither_slows_nor_fails_a_run() {
    let project = Project::new();
    project.steps(
        "
  one: { uses: command, with: { run: [HELPER, append, DIR/log, one] } }
  two: { needs: one, uses: command, with: { run: [HELPER, append, DIR/log, two] } }
",
    );
    // It takes connections, and never says a word.
    let hangs = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hangs.local_addr().unwrap());
    let command = watched(&project, &["exec", "steps.yaml", "--otlp", &url]);
    let outcome = Running::of(command).wait();
    assert_eq!(project.lines("log"), ["one", "two"]);
    outcome.code(0).tells("warning[RB0524]").tells("is completed");
    let away = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let command = watched(&project, &["exec", "steps.yaml", "--otlp", &away]);
    let outcome = Running::of(command).wait();
    let told = outcome.code(0).tells("is completed");
    assert_eq!(
        told.stderr.matches("RB0524").count(),
        1,
        "said once: {}",
        told.stderr
    );
}

/// The numbers in a file of metrics, by name and labels.
fn numbers(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn metrics_tell_where_a_run_stands_and_for_how_long_it_has_waited() {
    let project = Project::new();
    project.runbook("watched.yaml", STEPS);
    std::fs::create_dir(project.path().join("metrics")).unwrap();
    let command = watched(&project, &["exec", "watched.yaml", "--metrics", "metrics"]);
    Running::of(command).wait().code(3);
    let run = project.run_name();
    let file = format!("metrics/runbook-{run}.prom");
    let text = project.read(&file).unwrap();
    nowhere(text.as_bytes());
    let found = numbers(&text);
    let labels = format!("run=\"{run}\",runbook=\"watched\",rehearsal=\"false\"");
    let of = |name: &str| found.get(&format!("{name}{{{labels}}}")).copied();
    assert_eq!(of("runbook_run_held"), Some(0.0), "{text}");
    assert_eq!(of("runbook_run_steps_settled"), Some(2.0), "{text}");
    assert_eq!(of("runbook_run_steps_known"), Some(3.0), "{text}");
    assert_eq!(of("runbook_run_attempts"), Some(3.0), "{text}");
    assert_eq!(of("runbook_run_waiting"), Some(1.0), "{text}");
    assert!(
        of("runbook_run_waiting_since_seconds") >= of("runbook_run_started_seconds"),
        "{text}"
    );
    let status = |name: &str, status: &str| {
        found
            .get(&format!("{name}{{{labels},status=\"{status}\"}}"))
            .copied()
    };
    assert_eq!(status("runbook_run_status", "waiting"), Some(1.0), "{text}");
    assert_eq!(status("runbook_run_status", "failed"), Some(0.0), "{text}");
    assert_eq!(status("runbook_run_steps", "succeeded"), Some(2.0), "{text}");
    let left: Vec<_> = std::fs::read_dir(project.path().join("metrics"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "no half of a file is left: {left:?}");
    assert!(platform::is_for_owner_and_group(&project.path().join(&file)));
}

#[test]
fn metrics_say_that_a_run_is_under_way_while_it_is() {
    let project = Project::new();
    project.steps(
        "
  slow: { uses: command, with: { run: [HELPER, append, DIR/log, x, then, until, DIR/go] } }
  beside: { uses: manual, with: { instructions: Look. } }
",
    );
    std::fs::create_dir(project.path().join("metrics")).unwrap();
    let mut command = watched(&project, &["exec", "steps.yaml"]);
    command.env("RUNBOOK_METRICS", "metrics");
    let running = Running::of(command);
    until("the step is under way", || !project.lines("log").is_empty());
    let file = format!("metrics/runbook-{}.prom", project.run_name());
    let says = |name: &str| {
        let text = project.read(&file).unwrap_or_default();
        text.lines()
            .any(|line| line.starts_with(name) && line.ends_with(" 1.0"))
    };
    until("it is told that the run is held", || says("runbook_run_held{"));
    // It began to wait just after the first writing, and nothing has happened since.
    until("it is told that a person is waited for", || {
        says("runbook_run_waiting{")
    });
    project.write("go", "");
    running.wait().code(3);
    let text = project.read(&file).unwrap();
    assert!(text.contains("status=\"waiting\"} 1.0"), "{text}");
    assert!(!says("runbook_run_held{"), "{text}");
}

#[test]
fn what_cannot_be_watched_is_said_before_anything_begins() {
    let project = Project::new();
    project.steps("\n  one: { uses: command, with: { run: [HELPER, append, DIR/log, one] } }\n");
    for wrong in [
        &["--otlp", "localhost"][..],
        &["--otlp", "ftp://localhost"],
        &["--otlp", "http://kim:hunter2-hunter2@localhost"],
        &["--metrics", "nowhere"],
    ] {
        project
            .run([&["exec", "steps.yaml"], wrong].concat())
            .code(2)
            .tells("RB0523")
            .keeps_quiet_of(SECRET);
    }
    assert!(project.lines("log").is_empty());
    let mut command = project.command(["exec", "steps.yaml"]);
    command.env("RUNBOOK_OTLP", "").env("RUNBOOK_METRICS", "");
    Running::of(command).wait().code(0).keeps_quiet_of("RB052");
}

#[test]
fn a_log_beside_the_journal_tells_what_happened_and_nothing_secret() {
    let project = Project::new();
    project.runbook("watched.yaml", STEPS);
    let command = watched(&project, &["exec", "watched.yaml", "-vv"]);
    let outcome = Running::of(command).wait().code(3);
    let id = project.only_run()["run"].as_str().unwrap().to_owned();
    let log = format!("state/runs/{id}/trace.log");
    let text = project.read(&log).unwrap();
    for told in [
        "carried on",
        "attempt_failed",
        "step=\"second\"",
        "given back",
        "operator=alice",
    ] {
        assert!(text.contains(told), "`{told}` is not in the log:\n{text}");
        assert!(
            outcome.stderr.contains(told),
            "`{told}` is not told with -vv:\n{}",
            outcome.stderr
        );
    }
    nowhere(text.as_bytes());
    nowhere(outcome.stderr.as_bytes());
    let before = text.len();
    watched(&project, &["resume", "watched"]).output().unwrap();
    let text = project.read(&log).unwrap();
    assert!(text.len() > before, "whoever goes on writes on");
    assert!(platform::is_private(&project.path().join(&log)));
    project.run(["journal", "verify", "watched"]).code(0);
}
