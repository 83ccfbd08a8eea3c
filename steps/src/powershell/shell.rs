//! One PowerShell process: started, asked what it is, given scripts to carry out, ended.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use runbook_engine::platform::process::{Exit, Group, Pipes};
use runbook_engine::step::{Context, Failure, FailureKind, Open};
use tokio::io::AsyncWriteExt as _;

use super::failure::{self, Failed};
use super::message::{Answer, Hello, Task, parsed, record};
use super::reach;
use super::stream::{Heard, Streams};
use super::wire;
use crate::child::note;
use crate::decode::Decoder;

/// How long a process may take to end by itself once it has nothing more to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long its streams may stay open after its end: a service that it started may have inherited them.
const DRAIN: Duration = Duration::from_secs(2);

/// How the SSH client ends when what failed was its own part.
pub(super) const SSH_FAILED: Exit = Exit::Code(255);

/// How a task ended.
enum End {
    Answered(Answer),
    Failed(Box<Failed>),
    /// `exit` was called, or the process ended otherwise; what it had answered until then.
    Left(Option<Answer>, Exit),
    /// `exit` was called on another machine, from where its code does not come back.
    Exited,
}

/// A PowerShell process.
pub(super) struct Shell {
    pub(super) program: String,
    pub(super) group: Group,
    pub(super) streams: Streams,
    /// How each stream is read that programs print past us.
    decoders: BTreeMap<&'static str, Decoder>,
    pub(super) hello: Hello,
    /// The machine on which its scripts are carried out, if that is another.
    pub(super) host: Option<String>,
    /// What was printed last on standard error, where that is the SSH client's too.
    words: String,
    /// It is known to wait for the next task.
    pub(super) idle: bool,
    /// Its standard input stays open, since its end means that the connection is gone.
    pub(super) watched: bool,
    /// It gets no task after this one.
    last: bool,
}

impl Shell {
    /// A process that was just started.
    pub(super) fn of(program: String, group: Group, pipes: Pipes) -> Self {
        Self {
            program,
            group,
            streams: Streams::of(pipes),
            decoders: BTreeMap::new(),
            hello: Hello::default(),
            host: None,
            words: String::new(),
            idle: false,
            watched: false,
            last: false,
        }
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

    fn there(&self) -> &str {
        self.host.as_deref().unwrap_or("the other machine")
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
        cx.transcript.process_started(self.group.mark());
    }

    /// Carries a script out. When the step is cancelled, the process and all that it started are ended first.
    pub(super) async fn carry_out(&mut self, task: &Task<'_>, cx: &Context) -> Result<Answer, Failure> {
        let mark = wire::draw_mark();
        self.idle = false;
        self.say(&task.line(&mark), cx).await;
        if self.last && !self.watched {
            self.streams.stdin = None;
        }
        match self.end_of_task(&mark, cx).await? {
            End::Answered(answer) => {
                self.idle = true;
                Ok(answer)
            }
            End::Failed(failed) => {
                self.idle = !failed.is_last();
                Err(failed.explain(task.name, &self.hello, self.host.as_deref()))
            }
            End::Left(Some(answer), Exit::Code(0)) if !task.defines => Ok(answer),
            End::Left(None, SSH_FAILED) if self.watched => {
                Err(reach::lost(self.there(), task.name, &self.words))
            }
            End::Left(_, exit) => Err(failure::left(task.name, &exit)),
            End::Exited => Err(reach::exited(self.there(), task.name)),
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
                    "left" => {
                        answer = Some(parsed(&told.content)?);
                        // One that reads ahead does not end before that does.
                        self.streams.stdin = None;
                    }
                    "exited" => return Ok(End::Exited),
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
    pub(super) async fn hear(&mut self, cx: &Context) -> Result<Option<Heard>, Failure> {
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

    pub(super) async fn end_of_process(&mut self, cx: &Context) -> Exit {
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
    pub(super) async fn say(&mut self, line: &[u8], cx: &Context) {
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

    pub(super) fn print(&mut self, stream: &'static str, bytes: &[u8], cx: &Context) {
        let code_page = self.hello.code_page;
        let text = self
            .decoders
            .entry(stream)
            .or_default()
            .decode(bytes, code_page, &cx.mask);
        cx.transcript.write(stream, text.as_bytes());
        if self.watched && stream == "stderr" {
            self.words = text;
        }
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

pub(super) fn stopped() -> Failure {
    Failure::new(FailureKind::Failed, "it was stopped")
}
