//! One PowerShell process: started, asked what it is, given scripts to carry out, ended.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runbook_engine::platform::process::{Exit, Group, Launch};
use runbook_engine::step::{Context, Failure, FailureKind, Open};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::decode::Decoder;
use super::failure::{self, Failed};
use super::inputs::Needs;
use super::message::{Answer, Hello, Task, parsed, record};
use super::program::{self, Programs};
use super::stream::{Heard, Streams};
use super::wire;
use crate::child::{cannot_start, marks, note};

/// What every PowerShell is started with: it takes the host script from the first line of its standard input. No
/// execution policy applies to that, no file is written, and nothing in it is ever replaced.
const BOOTSTRAP: &str = ". ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString(\
                         [Convert]::FromBase64String([Console]::In.ReadLine()))))";

const HOST: &str = include_str!("host.ps1");

/// How long a process may take to end by itself once it has nothing more to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most that is kept of what a program says before it is known to be a PowerShell, in bytes: its end, for messages.
const MOST_SAID: usize = 64 * 1024;

/// How long its streams may stay open after its end: a service that it started may have inherited them.
const DRAIN: Duration = Duration::from_secs(2);

/// How a task ended.
enum End {
    Answered(Answer),
    Failed(Box<Failed>),
    /// `exit` was called, or the process ended otherwise; what it had answered until then.
    Left(Option<Answer>, Exit),
}

/// A PowerShell process.
pub(super) struct Shell {
    group: Group,
    streams: Streams,
    /// How each stream is read that programs print past us.
    decoders: BTreeMap<&'static str, Decoder>,
    hello: Hello,
    /// It is known to wait for the next task.
    idle: bool,
    /// It gets no task after this one.
    last: bool,
}

impl Shell {
    /// Starts a PowerShell that is as it must be, and prepares it.
    pub(super) async fn open(
        programs: &Programs,
        needs: &Needs<'_>,
        run: &Value,
        cx: &Context,
    ) -> Result<Self, Failure> {
        let program = programs.of(needs.edition)?;
        if cx.cancel.is_cancelled() {
            return Err(stopped());
        }
        let marks = marks(cx);
        let launch = Launch {
            program,
            args: vec![
                "-NoLogo",
                "-NoProfile",
                "-NonInteractive",
                "-ExecutionPolicy",
                "Bypass",
                "-Command",
                BOOTSTRAP,
            ],
            env: marks
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect(),
            cwd: None,
        };
        let (group, pipes) = Group::spawn(&launch)
            .map_err(|error| program::missing(needs.edition, &cannot_start(program, None, &error).message))?;
        cx.transcript.process_started(group.mark().clone());
        let mut shell = Self {
            group,
            streams: Streams::of(pipes),
            decoders: BTreeMap::new(),
            hello: Hello::default(),
            idle: false,
            last: false,
        };
        match shell.ready(programs, program, needs, run, cx).await {
            Ok(()) => Ok(shell),
            Err(failure) => {
                shell.group.end().await;
                Err(failure)
            }
        }
    }

    /// Learns what it is, refuses what does not suit, and prepares it.
    async fn ready(
        &mut self,
        programs: &Programs,
        program: &str,
        needs: &Needs<'_>,
        run: &Value,
        cx: &Context,
    ) -> Result<(), Failure> {
        self.greet(program, cx).await?;
        programs.suits(&self.hello, needs.edition, needs.elevated)?;
        self.prepare(needs, run, cx).await
    }

    /// What it is, for the transcript.
    pub(super) fn about(&self) -> String {
        let Hello {
            edition,
            version,
            machine,
            user,
            elevated,
            ..
        } = &self.hello;
        let rights = if *elevated { ", elevated" } else { "" };
        format!("PowerShell {version} ({edition}) on {machine} as {user}{rights}")
    }

    /// Whether it still lives and waits for a task.
    pub(super) async fn is_idle(&mut self) -> bool {
        self.idle
            && tokio::time::timeout(Duration::ZERO, self.group.wait())
                .await
                .is_err()
    }

    /// Notes that the process works for this call too, so that it is found should we die.
    pub(super) fn works_for(&self, cx: &Context) {
        cx.transcript.process_started(self.group.mark().clone());
    }

    async fn greet(&mut self, program: &str, cx: &Context) -> Result<(), Failure> {
        let mark = wire::draw_mark();
        let mut first = STANDARD.encode(HOST).into_bytes();
        first.push(b'\n');
        first.extend(wire::line(&json!({ "do": "hello", "mark": mark })));
        self.say(&first, cx).await;
        let mut said = Vec::new();
        loop {
            match self.hear(cx).await? {
                Some(Heard::Told(told)) if told.mark == mark => {
                    self.hello = parsed(&told.content)?;
                    self.idle = true;
                    return Ok(());
                }
                Some(Heard::Told(_)) => {}
                Some(Heard::Printed(stream, bytes)) => {
                    said.extend_from_slice(&bytes);
                    said.drain(..said.len().saturating_sub(MOST_SAID));
                    self.print(stream, &bytes, cx);
                }
                None => {
                    let exit = self.end_of_process(cx).await;
                    return Err(failure::not_started(
                        program,
                        &exit,
                        &String::from_utf8_lossy(&said),
                    ));
                }
            }
        }
    }

    async fn prepare(&mut self, needs: &Needs<'_>, run: &Value, cx: &Context) -> Result<(), Failure> {
        if needs.setup.is_none() && needs.modules.is_empty() {
            return Ok(());
        }
        let task = Task {
            name: "setup",
            script: needs.setup.unwrap_or_default(),
            others: Vec::new(),
            modules: needs.modules,
            defines: true,
            run,
            before: &Value::Null,
        };
        self.carry_out(&task, cx).await.map(drop)
    }

    /// Carries a script out. When the step is cancelled, the process and all that it started are ended first.
    pub(super) async fn carry_out(&mut self, task: &Task<'_>, cx: &Context) -> Result<Answer, Failure> {
        let mark = wire::draw_mark();
        self.idle = false;
        self.say(&task.line(&mark), cx).await;
        if self.last {
            self.streams.stdin = None;
        }
        match self.end_of_task(&mark, cx).await? {
            End::Answered(answer) => {
                self.idle = true;
                Ok(answer)
            }
            End::Failed(failed) => {
                self.idle = true;
                Err(failed.explain(task.name, &self.hello))
            }
            End::Left(Some(answer), Exit::Code(0)) if !task.defines => Ok(answer),
            End::Left(_, exit) => Err(failure::left(task.name, &exit)),
        }
    }

    /// Carries its last script out: what that starts finds nothing to read.
    pub(super) async fn carry_out_last(&mut self, task: &Task<'_>, cx: &Context) -> Result<Answer, Failure> {
        self.last = true;
        self.carry_out(task, cx).await
    }

    async fn end_of_task(&mut self, mark: &str, cx: &Context) -> Result<End, Failure> {
        let mut answer = None;
        loop {
            match self.hear(cx).await? {
                Some(Heard::Told(told)) if told.mark == mark => match told.kind.as_str() {
                    "answer" => return Ok(End::Answered(parsed(&told.content)?)),
                    "failed" => return Ok(End::Failed(Box::new(parsed(&told.content)?))),
                    "left" => answer = Some(parsed(&told.content)?),
                    kind => record(kind, &told.content, cx),
                },
                // A line with another mark is nothing that was asked for.
                Some(Heard::Told(told)) => self.print("stdout", told.content.as_bytes(), cx),
                Some(Heard::Printed(stream, bytes)) => self.print(stream, &bytes, cx),
                None => {
                    let exit = self.end_of_process(cx).await;
                    return Ok(End::Left(answer, exit));
                }
            }
        }
    }

    /// The next that is heard; none once the process has ended and what it had printed was heard.
    async fn hear(&mut self, cx: &Context) -> Result<Option<Heard>, Failure> {
        tokio::select! {
            biased;
            () = cx.cancel.cancelled() => {
                self.idle = false;
                self.group.end().await;
                Err(stopped())
            }
            heard = self.streams.next() => Ok(heard),
            _exit = self.group.wait() => {
                // Whoever is left may print for ever.
                self.end_rest(cx).await;
                // Past this time somebody else holds the pipes.
                let rest = tokio::time::timeout(DRAIN, self.streams.next()).await;
                Ok(rest.unwrap_or_default())
            }
        }
    }

    async fn end_of_process(&mut self, cx: &Context) -> Exit {
        self.idle = false;
        // One that can say nothing any more need not end by itself.
        if tokio::time::timeout(PATIENCE, self.group.wait()).await.is_err() {
            self.group.end().await;
        }
        let exit = self.group.wait().await;
        self.end_rest(cx).await;
        exit.unwrap_or_else(|error| Exit::Signal(error.to_string()))
    }

    /// Ends what the scripts left behind.
    async fn end_rest(&mut self, cx: &Context) {
        let left = self.group.end_rest().await;
        if left > 0 {
            note(
                cx,
                &format!("the scripts left {left} process(es) behind; they were ended"),
            );
        }
    }

    /// Tells the process something. One that has ended cannot be told; that it has ended is heard next.
    async fn say(&mut self, line: &[u8], cx: &Context) {
        if let Some(stdin) = &mut self.streams.stdin {
            let said = async {
                stdin.write_all(line).await?;
                stdin.flush().await
            };
            tokio::select! {
                _gone = said => {}
                () = cx.cancel.cancelled() => {}
            }
        }
    }

    fn print(&mut self, stream: &'static str, bytes: &[u8], cx: &Context) {
        let code_page = self.hello.code_page;
        let text = self.decoders.entry(stream).or_default().decode(bytes, code_page);
        cx.transcript.write(stream, text.as_bytes());
    }

    /// Ends the process in an orderly way, and what its scripts left behind.
    pub(super) async fn end(mut self, cx: &Context) {
        self.streams.stdin = None;
        let rest = async {
            while let Some(heard) = self.streams.next().await {
                if let Heard::Printed(stream, bytes) = heard {
                    self.print(stream, &bytes, cx);
                }
            }
        };
        let _late = tokio::time::timeout(PATIENCE, rest).await;
        if tokio::time::timeout(PATIENCE, self.group.wait()).await.is_err() {
            note(cx, "PowerShell did not end by itself; it was ended");
            self.group.end().await;
            return;
        }
        self.end_of_process(cx).await;
    }
}

#[async_trait]
impl Open for Shell {
    async fn close(mut self: Box<Self>) {
        self.streams.stdin = None;
        if tokio::time::timeout(PATIENCE, self.group.wait()).await.is_ok() {
            self.group.end_rest().await;
        } else {
            self.group.end().await;
        }
    }
}

fn stopped() -> Failure {
    Failure::new(FailureKind::Failed, "it was stopped")
}
