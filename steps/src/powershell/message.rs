//! What is said between us and the host script: what a PowerShell is, tasks, answers, records of its streams.

use runbook_engine::step::{Context, Failure, FailureKind, Outputs};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire;

/// What a PowerShell says of itself.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Hello {
    pub(super) edition: String,
    pub(super) version: String,
    /// It has 64 bits.
    pub(super) wide: bool,
    pub(super) elevated: bool,
    pub(super) code_page: u16,
    pub(super) machine: String,
    pub(super) user: String,
}

/// A script to carry out.
pub(super) struct Task<'a> {
    /// What messages call it.
    pub(super) name: &'static str,
    pub(super) script: &'a str,
    /// Other scripts of the step: one that cannot be read keeps this one from being carried out.
    pub(super) others: Vec<(&'static str, &'a str)>,
    /// Modules to load before it.
    pub(super) modules: &'a [String],
    /// Whether what it defines stays for the scripts that follow.
    pub(super) defines: bool,
    /// `$Run`.
    pub(super) run: &'a Value,
    /// `$Before`.
    pub(super) before: &'a Value,
}

/// What a script answered.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) verdict: Said,
    pub(super) reason: String,
    pub(super) outputs: Outputs,
    pub(super) observed: Value,
}

/// What it said of the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Said {
    None,
    Satisfied,
    Unsatisfied,
    Unknown,
}

impl Task<'_> {
    /// As one line for the host script.
    pub(super) fn line(&self, mark: &str) -> Vec<u8> {
        let text = |text: &str| wire::wire(&Value::String(text.to_owned()));
        let others = self.others.iter();
        let others: Value = others
            .map(|(name, script)| json!({ "name": text(name), "script": text(script) }))
            .collect();
        wire::line(&json!({
            "do": "call",
            "mark": mark,
            "script": text(self.script),
            "others": others,
            "modules": self.modules.iter().map(|name| text(name)).collect::<Value>(),
            "define": self.defines,
            "run": wire::wire(self.run),
            "before": wire::wire(self.before),
        }))
    }
}

/// Notes a record of one of PowerShell's streams.
pub(super) fn record(kind: &str, text: &str, cx: &Context) {
    let stream = match kind {
        "output" => "stdout",
        "error" => "error",
        "warning" => "warning",
        "verbose" => "verbose",
        "debug" => "debug",
        "information" => "information",
        _ => "stderr",
    };
    cx.transcript.write(stream, format!("{text}\n").as_bytes());
}

pub(super) fn parsed<T: serde::de::DeserializeOwned>(content: &str) -> Result<T, Failure> {
    serde_json::from_str(content).map_err(|_| garbled())
}

fn garbled() -> Failure {
    Failure::new(
        FailureKind::Fault,
        "the host script in PowerShell answered what cannot be understood",
    )
}
