use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pulldown_cmark::{Event as Mark, Options, Parser, Tag};
use regex::Regex;
use runbook_engine::core::RunState;
use runbook_engine::core::event::{Entry, Event, Need, RunStarted, Verdict};
use runbook_engine::diagnostic::SourceFile;
use runbook_engine::id::{Host, InstanceId, Operator, RunId, Seq};
use runbook_engine::journal::{Chunk, Finding, Verification};
use runbook_engine::runbook;
use runbook_engine::runtime::{PinnedFiles, Story};

use super::{Clean, Found, Made, Printed, Report, Room, gather, html, markdown};

/// What nobody would write, and somebody will.
const HOSTILE: &str = "<script>alert(1)</script> <img src=x onerror=alert(2)> &lt; \"' \u{1b}[31mred\u{1b}[0m\u{7} \u{202e}desrever \
                       \u{0}\u{9b}2J `x` ```y``` **b** [l](http://x.example) ![i](data:,x) | a | <!-- c --> ]]> </style>";

fn now() -> Timestamp {
    "2026-11-26T22:40:00Z".parse().unwrap()
}

/// A story of these events, all by somebody with a hostile name.
fn story(text: &str, events: Vec<Event>) -> Story {
    let file = SourceFile::new("hostile <b>.yaml", text);
    let loaded = runbook::load(
        &file,
        &runbook_steps::builtin(),
        &PinnedFiles(BTreeMap::new().into()),
    );
    let runbook = loaded
        .runbook
        .unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let started = RunStarted {
        run: RunId::new(uuid::Uuid::from_u128(1)),
        runbook: runbook.name().clone(),
        file: file.name.clone(),
        text: text.to_owned(),
        overlaid: None,
        params: BTreeMap::new(),
        rehearsal: None,
        jobs: 1,
        program: "0".to_owned(),
    };
    let events = [Event::RunStarted(Box::new(started))].into_iter().chain(events);
    let entries = (0..).zip(events).map(|(seq, event)| Entry {
        seq: Seq(seq),
        time: now(),
        operator: Operator::new(HOSTILE),
        host: Host::new(HOSTILE),
        event,
    });
    let entries: Vec<Entry> = entries.collect();
    let state = RunState::fold(runbook.workflow(), &entries).unwrap();
    Story {
        seals: Vec::new(),
        entries,
        state,
        runbook: runbook.into(),
        holder: None,
        at_work: Vec::new(),
    }
}

fn report(story: &Story, printed: BTreeMap<InstanceId, Vec<Printed>>, findings: Vec<Finding>) -> Report {
    let made = Made {
        time: now(),
        operator: Clean::of(HOSTILE),
        host: Clean::of("host"),
        program: "0",
    };
    let verification = Verification {
        authors: Vec::new(),
        operators: None,
        rehearsal: false,
        entries: story.entries.len() as u64,
        chunks: 0,
        attachments: 0,
        findings,
    };
    let last_hash = Some("0".repeat(64));
    gather(
        story,
        Found {
            made,
            verification,
            last_hash,
            printed,
            checklists: checklists(),
        },
    )
}

fn checklists() -> BTreeMap<InstanceId, Vec<String>> {
    [("one".parse().unwrap(), vec![HOSTILE.to_owned()])].into()
}

/// What a step printed on standard output.
fn printed(bytes: &[u8], room: &mut Room) -> Printed {
    let chunks = bytes.chunks(16 * 1024).map(|bytes| Chunk {
        time: now(),
        stream: "stdout".to_owned(),
        bytes: bytes.to_vec(),
    });
    let chunks: Vec<Chunk> = chunks.collect();
    Printed::new(Seq(1), Clean::of("attempt 1"), now(), &chunks, room)
}

/// A report in which every text that can be is hostile.
fn hostile() -> Report {
    let title = serde_json::to_string(HOSTILE).unwrap();
    let title = title.replace('\u{9b}', "\\u009b").replace('\u{202e}', "\\u202e");
    let text = format!(
        "runbook: hostile\ntitle: {title}\ndescription: {title}\nsource: {title}\nsteps:\n  one:\n    title: {title}\n    \
         source: {title}\n    uses: manual\n    with: {{ instructions: x }}\n"
    );
    let instance: InstanceId = "one".parse().unwrap();
    let values = [(HOSTILE.to_owned(), HOSTILE.into())].into_iter().collect();
    let opened = Event::StepOpened {
        step: "one".parse().unwrap(),
        items: None,
    };
    let confirmed = Event::Confirmed {
        instance: instance.clone(),
        values,
        attachments: Vec::new(),
        note: Some(HOSTILE.to_owned()),
    };
    let needed = Event::PersonNeeded {
        instance: instance.clone(),
        need: Need::ManualWork,
    };
    let story = story(&text, vec![opened, needed, confirmed]);
    let printed = printed(HOSTILE.as_bytes(), &mut Room::default());
    let finding = Finding {
        seq: None,
        message: HOSTILE.to_owned(),
    };
    report(&story, [(instance, vec![printed])].into(), vec![finding])
}

/// Nothing that drives a terminal, or turns the direction of reading.
#[track_caller]
fn tame(text: &str) {
    let wild = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.find(wild);
    assert_eq!(
        found,
        None,
        "{:?}",
        found.map(|at| &text[at..(at + 20).min(text.len())])
    );
}

#[test]
fn nothing_from_a_journal_becomes_part_of_the_page() {
    let page = html(&hostile());
    tame(&page);
    let tags = Regex::new(r"<([a-zA-Z!][a-zA-Z0-9]*)").unwrap();
    let tags: BTreeSet<&str> = tags
        .captures_iter(&page)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    let ours = "!DOCTYPE a bdi body code dd defs desc details div dl dt footer g h1 h2 h3 head header html li main marker \
                meta ol p path pre rect section span strong style summary svg text time title ul";
    let ours: BTreeSet<&str> = ours.split_whitespace().collect();
    assert_eq!(tags.difference(&ours).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(
        page.matches("</style>").count(),
        2,
        "the page's, and the picture's"
    );
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "it is still there to be read"
    );
    let loads = Regex::new(r#"\b(src|href)="?[^#]"#).unwrap();
    let without_text = Regex::new(r">[^<]*<").unwrap().replace_all(&page, "><");
    assert!(!loads.is_match(&without_text), "nothing is loaded from elsewhere");
}

#[test]
fn nothing_from_a_journal_becomes_markdown() {
    let page = markdown(&hostile());
    tame(&page);
    let ours = [
        "attention",
        "The run",
        "Proof",
        "Who acted",
        "What people did",
        "Every step",
        "The runbook",
    ];
    let mut headings = 0;
    for mark in Parser::new_ext(&page, Options::all()) {
        match mark {
            Mark::Start(Tag::Heading { .. }) => headings += 1,
            Mark::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Table(_) | Tag::HtmlBlock)
            | Mark::Html(_) => {
                panic!("{mark:?}\n{page}")
            }
            Mark::InlineHtml(_) | Mark::InlineMath(_) | Mark::DisplayMath(_) => panic!("{mark:?}\n{page}"),
            _ => {}
        }
    }
    // The run's and the step's own, and those of the sections; no attention is needed here.
    assert_eq!(headings, 2 + ours.len() - 1, "{page}");
    assert!(
        page.contains("\\<script\\>alert(1)"),
        "it is still there to be read:\n{page}"
    );
}

#[test]
fn a_flood_is_cut_in_the_middle_and_long_lines_at_their_end() {
    let mut room = Room::default();
    let mut flood = b"first\n".to_vec();
    flood.extend(vec![b'x'; 1_000_000]);
    flood.extend(b"\nlast");
    let shown = printed(&flood, &mut room);
    let text: Vec<&str> = shown.pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert!(text[0].starts_with("first\nx"), "{text:?}");
    assert!(text[0].contains("more characters]\n… [more was printed here]"));
    assert!(text[text.len() - 1].ends_with("\nlast"));
    assert!(
        text.concat().len() < 10_000,
        "a line of a million letters is no use to anybody"
    );
    assert_eq!(shown.bytes, 1_000_011);
    assert_eq!(shown.bytes - shown.left_out, 64 * 1024);
}

#[test]
fn all_floods_together_are_bounded() {
    let (mut room, line) = (Room::default(), "a line of text\n".repeat(10_000));
    let shown: u64 = (0..140)
        .map(|_| printed(line.as_bytes(), &mut room))
        .map(|one| one.bytes - one.left_out)
        .sum();
    assert_eq!(shown, 8 * 1024 * 1024);
    assert!(room.is_full());
}

#[test]
fn ten_thousand_steps_make_a_page_that_a_browser_can_show() {
    let ids: Vec<String> = (0..10_000).map(|n| format!("step-{n}")).collect();
    let steps = ids.iter().map(|id| {
        format!(
            "  {id}: {{ uses: command, with: {{ validate: [x], run: [x] }}, title: A step of very many }}\n"
        )
    });
    let text = format!("runbook: many\nsteps:\n{}", steps.collect::<String>());
    let events = ids.iter().flat_map(|id| {
        let instance: InstanceId = id.parse().unwrap();
        let step = instance.step().clone();
        [
            Event::StepOpened { step, items: None },
            Event::ObservationStarted {
                instance: instance.clone(),
            },
            Event::Observed {
                instance,
                verdict: Verdict::Satisfied,
                observed: "x".repeat(1000).into(),
                outputs: serde_json::Map::new(),
                transcript: None,
            },
        ]
    });
    let report = report(&story(&text, events.collect()), BTreeMap::new(), Vec::new());
    let page = html(&report);
    assert_eq!(
        page.matches("class=\"step satisfied\"").count(),
        10_000 + 1,
        "each, and the one box of the picture"
    );
    assert!(
        page.contains("10000 steps that went smoothly"),
        "what is left out is said"
    );
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert!(markdown(&report).len() < 3_000_000);
    assert!(
        page.contains("step-0 … step-9999"),
        "the picture is drawn of what is alike"
    );
}
