//! How a PowerShell process begins: started here or over SSH, greeted, connected with another machine, prepared.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use runbook_engine::platform::process::{Group, Launch};
use runbook_engine::step::{Context, Failure};
use serde_json::{Value, json};

use super::failure::{self, Failed};
use super::inputs::Needs;
use super::message::{Task, parsed};
use super::place::{Place, Way};
use super::program::{self, Programs};
use super::reach;
use super::shell::{SSH_FAILED, Shell, stopped};
use super::stream::Heard;
use super::wire;
use crate::child::{cannot_start, marks};

/// What every PowerShell is started with: it takes the host script from the first line of its standard input. No
/// execution policy applies to that, no file is written, and nothing in it is ever replaced.
const BOOTSTRAP: &str = ". ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString(\
                         [Convert]::FromBase64String([Console]::In.ReadLine()))))";

/// The most that is kept of what a program says before it is known to be a PowerShell, in bytes: its end, for messages.
const MOST_SAID: usize = 64 * 1024;

const HOST: &str = include_str!("host.ps1");

/// How it is started on this machine, before the constant line.
const OPTIONS: [&str; 6] = [
    "-NoLogo",
    "-NoProfile",
    "-NonInteractive",
    "-ExecutionPolicy",
    "Bypass",
    "-Command",
];

/// How long another machine may take to answer what is asked at the beginning.
const LONGEST_SILENCE: Duration = Duration::from_secs(180);

/// The system's own SSH client.
const SSH: &str = "ssh";

impl Shell {
    /// Starts a PowerShell that is as it must be, where it must be, and prepares it.
    pub(super) async fn open(
        programs: &Programs,
        needs: &Needs<'_>,
        place: Place<'_>,
        run: &Value,
        cx: &Context,
    ) -> Result<Self, Failure> {
        place.refuse()?;
        if cx.cancel.is_cancelled() {
            return Err(stopped());
        }
        let mut shell = Self::start(programs, needs, place, cx).await?;
        let begun = shell.begin(programs, needs, place, run, cx).await;
        if let Err(failure) = begun {
            shell.group.end().await;
            return Err(failure);
        }
        Ok(shell)
    }

    async fn start(
        programs: &Programs,
        needs: &Needs<'_>,
        place: Place<'_>,
        cx: &Context,
    ) -> Result<Self, Failure> {
        let edition = place.edition_here(needs.edition);
        let (program, args) = match place.way() {
            Some(Way::Ssh) => {
                // A shell over there reads the command, so that it holds letters and digits only.
                let utf16: Vec<u8> = BOOTSTRAP.encode_utf16().flat_map(u16::to_le_bytes).collect();
                (SSH, place.ssh(needs.edition, &STANDARD.encode(utf16)))
            }
            None | Some(Way::Winrm | Way::SshRemoting) => {
                let args = OPTIONS.iter().chain([&BOOTSTRAP]).map(|&arg| arg.to_owned());
                (programs.of(edition)?, args.collect())
            }
        };
        let mut shell = Self::launch(program, args, cx)
            .await
            .map_err(|why| match place.way() {
                Some(Way::Ssh) => reach::not_reached(place.host().unwrap_or_default(), &why),
                None | Some(Way::Winrm | Way::SshRemoting) => program::missing(edition, &why),
            })?;
        shell.host = place.host().map(str::to_owned);
        shell.watched = place.way() == Some(Way::Ssh);
        Ok(shell)
    }

    /// Starts a program, or says why it cannot be.
    async fn launch(program: &str, args: Vec<String>, cx: &Context) -> Result<Self, String> {
        let launch = Launch {
            program: program.to_owned(),
            args,
            env: marks(cx).into(),
            cwd: None,
        };
        let (group, pipes) = Group::spawn(launch)
            .await
            .map_err(|error| cannot_start(program, None, &error).message)?;
        cx.transcript.process_started(group.mark());
        Ok(Self::of(program.to_owned(), group, pipes))
    }

    async fn begin(
        &mut self,
        programs: &Programs,
        needs: &Needs<'_>,
        place: Place<'_>,
        run: &Value,
        cx: &Context,
    ) -> Result<(), Failure> {
        let mut host = STANDARD.encode(HOST).into_bytes();
        host.push(b'\n');
        self.say(&host, cx).await;
        self.greet(cx).await?;
        if let Some(server) = place.session() {
            let question = json!({ "do": "connect", "server": server });
            if let Err(failure) = self.ask(question, "connected", cx).await {
                return Err(why_not_connected(failure, place, cx).await);
            }
            self.greet(cx).await?;
        }
        programs.suits(&self.hello, needs.edition, needs.elevated, place.host())?;
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

    /// Asks what it is.
    async fn greet(&mut self, cx: &Context) -> Result<(), Failure> {
        let message = json!({ "do": "hello", "watch": self.watched });
        let hello = self.ask(message, "hello", cx).await?;
        self.hello = parsed(&hello)?;
        self.idle = true;
        Ok(())
    }

    /// Has it answer a question of ours, in time where that is on another machine.
    async fn ask(&mut self, mut question: Value, answer: &str, cx: &Context) -> Result<String, Failure> {
        let mark = wire::draw_mark();
        question["mark"] = json!(mark);
        self.say(&wire::line(&question), cx).await;
        let Some(host) = self.host.clone() else {
            return self.heard(&mark, answer, cx).await;
        };
        tokio::time::timeout(LONGEST_SILENCE, self.heard(&mark, answer, cx))
            .await
            .unwrap_or_else(|_| Err(reach::silent(&host, LONGEST_SILENCE.as_secs())))
    }

    async fn heard(&mut self, mark: &str, answer: &str, cx: &Context) -> Result<String, Failure> {
        let mut said = Vec::new();
        loop {
            match self.hear(cx).await? {
                Some(Heard::Told(told)) if told.mark == mark && told.kind == answer => {
                    return Ok(told.content);
                }
                Some(Heard::Told(told)) if told.mark == mark && told.kind == "failed" => {
                    let failed: Failed = parsed(&told.content)?;
                    return Err(failed.explain(answer, &self.hello, self.host.as_deref()));
                }
                Some(Heard::Told(_)) => {}
                Some(Heard::Printed(stream, bytes)) => {
                    said.extend_from_slice(&bytes);
                    said.drain(..said.len().saturating_sub(MOST_SAID));
                    self.print(stream, &bytes, cx);
                }
                None => {
                    let exit = self.end_of_process(cx).await;
                    let said = String::from_utf8_lossy(&said);
                    return Err(match &self.host {
                        Some(host) if self.watched && exit == SSH_FAILED => reach::not_reached(host, &said),
                        Some(host) if self.watched => reach::not_started(host, &exit, &said),
                        Some(_) | None => failure::not_started(&self.program, &exit, &said),
                    });
                }
            }
        }
    }
}

/// Why remoting could not connect. Over SSH, PowerShell loses the words of the client at times and has several of its
/// own for that, so that the client is asked itself.
async fn why_not_connected(failure: Failure, place: Place<'_>, cx: &Context) -> Failure {
    if place.way() != Some(Way::SshRemoting) || cx.cancel.is_cancelled() {
        return failure;
    }
    let Ok(mut client) = Shell::launch(SSH, place.subsystem(), cx).await else {
        return failure;
    };
    client.streams.stdin = None;
    let mut said = Vec::new();
    let listening = async {
        while let Ok(Some(heard)) = client.hear(cx).await {
            if let Heard::Printed("stderr", bytes) = heard {
                said.extend_from_slice(&bytes);
                said.drain(..said.len().saturating_sub(MOST_SAID));
            }
        }
    };
    let _late = tokio::time::timeout(LONGEST_SILENCE, listening).await;
    if client.end_of_process(cx).await != SSH_FAILED || said.is_empty() {
        return failure;
    }
    reach::not_reached(place.host().unwrap_or_default(), &String::from_utf8_lossy(&said))
}
