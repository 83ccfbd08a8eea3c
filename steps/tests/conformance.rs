//! Every built-in plugin that can be carried out keeps the contract's promises.

use std::sync::Arc;

use runbook_engine::step::Context;
use runbook_engine::testing::conformance::{CANARY, Case, Folder, World, conformance};
use runbook_engine::testing::doubles::{MemoryFiles, Recorder};
use serde_json::json;

use crate::support::{helper, plugin};

#[tokio::test]
async fn command_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("setting").to_str().unwrap().to_owned();
    let with = |run| {
        json!({
            "run": run,
            "validate": helper(&["has", &path, "new"]),
            "rollback": helper(&["restore", &path]),
            "stdout": "json",
        })
    };
    for start in [&[("setting", "old")][..], &[]] {
        let world = Arc::new(Folder::new(folder.path(), start, ("setting", "half")));
        let fast = with(helper(&["write-json", &path, "new"]));
        let slow = with(helper(&["write-and-hang", &path, "half"]));
        conformance(
            plugin("command"),
            Case {
                with: fast,
                slow,
                world,
            },
        )
        .await;
    }
}

#[tokio::test]
async fn rhai_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("setting");
    let with = |body: &str| {
        let script = r#"
            fn validate(cx) {
                let old = if exists(PATH) { read_file(PATH) };
                #{ satisfied: old == "new", reason: `it is not new`, observed: #{ old: old }, outputs: #{ at: PATH } }
            }
            fn run(cx) { BODY; log("done"); #{ written: true, list: [1, (), 1.5, "x"] } }
            fn rollback(cx) {
                if cx.before.old == () { remove_file(PATH) } else { write_file(PATH, cx.before.old) }
            }
        "#;
        let path = json!(path).to_string();
        let script = script.replace("BODY", body).replace("PATH", &path);
        json!({ "script": script, "allow": { "folders": [folder.path()] } })
    };
    for start in [&[("setting", "old")][..], &[]] {
        let world = Arc::new(Folder::new(folder.path(), start, ("setting", "half")));
        let slow = with(r#"write_file(PATH, "half"); loop { }"#);
        let case = Case {
            with: with(r#"write_file(PATH, "new")"#),
            slow,
            world,
        };
        conformance(plugin("rhai"), case).await;
    }
}

#[tokio::test]
async fn a_site_step_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        const STEP = #{
            summary: "sets a setting",
            inputs: #{
                path: #{ type: "path", doc: "The file" },
                text: #{ type: "string", doc: "What it is to say" },
                hang: #{ type: "boolean", default: false, doc: "Whether it stops half-way" },
            },
            outputs: #{ file: #{ type: "path", doc: "The file" } },
        };
        fn validate(input, cx) {
            let found = if exists(input.path) { read_file(input.path) };
            #{ satisfied: found == input.text, observed: #{ text: found }, outputs: #{ file: input.path } }
        }
        fn run(input, cx) {
            if input.hang { write_file(input.path, "half"); loop { } }
            write_file(input.path, input.text);
            #{ file: input.path }
        }
        fn rollback(input, cx) {
            if cx.before.text == () { remove_file(input.path) } else { write_file(input.path, cx.before.text) }
        }
    "#;
    let files = MemoryFiles::of([("steps/setting.rhai", script)]);
    let site = runbook_steps::builtin().find("site.setting", &files).unwrap();
    for start in [&[("setting", "old")][..], &[]] {
        let world = Arc::new(Folder::new(folder.path(), start, ("setting", "half")));
        let with = |hang: bool| {
            json!({
                "path": folder.path().join("setting"), "text": "new", "hang": hang,
                "allow": { "folders": [folder.path()] },
            })
        };
        let case = Case {
            with: with(false),
            slow: with(true),
            world,
        };
        conformance(Arc::clone(&site), case).await;
    }
}

/// A world that nothing changes, in which all plugins are there; a wait is half-way when it has asked once.
struct Still;

impl World for Still {
    fn reset(&self) {}

    fn fingerprint(&self) -> Vec<u8> {
        Vec::new()
    }

    fn is_halfway(&self, recorder: &Recorder) -> bool {
        !recorder.processes().is_empty()
    }

    fn complete(&self, context: Context) -> Context {
        Context {
            registry: runbook_steps::builtin(),
            ..context
        }
    }
}

#[tokio::test]
async fn wait_keeps_its_promises() {
    let with = |words: &[&str]| {
        json!({
            "for": { "uses": "command", "with": { "validate": helper(words) } },
            "every": "20ms",
            "deadline": "1h",
        })
    };
    for slow in [with(&["end", "1", "", ""]), with(&["tree", "hang"])] {
        let case = Case {
            with: with(&["print", "there"]),
            slow,
            world: Arc::new(Still),
        };
        conformance(plugin("wait"), case).await;
    }
}

/// A folder in which keys are made; half-way is when one is being made.
struct Keys(Folder);

impl World for Keys {
    fn reset(&self) {
        self.0.reset();
    }

    fn fingerprint(&self) -> Vec<u8> {
        self.0.fingerprint()
    }

    fn is_halfway(&self, recorder: &Recorder) -> bool {
        recorder.text("log").contains("making a key")
    }
}

#[tokio::test]
async fn certificate_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let with = |bits: u32| {
        json!({
            "create": {
                "key": folder.path().join("key.pem"),
                "certificate": folder.path().join("certificate.pem"),
                "pfx": folder.path().join("both.pfx"),
                "subject": "web1",
                "key_bits": bits,
            },
            "password": CANARY,
        })
    };
    let world = Arc::new(Keys(Folder::new(folder.path(), &[("other", "stays")], ("", ""))));
    let case = Case {
        with: with(2048),
        slow: with(4096),
        world,
    };
    conformance(plugin("certificate"), case).await;
}
