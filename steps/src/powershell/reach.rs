//! Why another machine could not be used, read from the words of the SSH client and of PowerShell's remoting.

use runbook_engine::platform::process::Exit;
use runbook_engine::step::{Failure, FailureKind};

use crate::text::last_line;

/// What keeps a machine from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It shows another host key than the one that is known.
    OtherKey,
    /// Its host key is not known.
    UnknownKey,
    /// It does not let the account in.
    Refused,
    /// It has no PowerShell where one is looked for.
    NoPowerShell,
    /// Its SSH server does not offer PowerShell's remoting.
    NoSubsystem,
    /// It does not answer, or something else.
    Away,
}

/// The words by which reasons are told apart. The first that fits is meant.
const SIGNS: &[(&str, Reason)] = &[
    ("IDENTIFICATION HAS CHANGED", Reason::OtherKey),
    ("Host key verification failed", Reason::UnknownKey),
    ("host key is known for", Reason::UnknownKey),
    ("Permission denied", Reason::Refused),
    ("Too many authentication failures", Reason::Refused),
    ("Access is denied", Reason::Refused),
    ("user name or password is incorrect", Reason::Refused),
    ("subsystem request failed", Reason::NoSubsystem),
];

impl Reason {
    fn of(said: &str) -> Self {
        let found = SIGNS.iter().find(|(sign, _)| said.contains(sign));
        found.map_or(Self::Away, |(_, reason)| *reason)
    }

    /// What is wrong, and what to do.
    fn advice(self) -> &'static str {
        match self {
            Self::OtherKey => {
                "it shows another host key than the one that is known here: somebody may stand in between. Ask whoever \
                 looks after it before you put the new key into `known_hosts` (RB0311)"
            }
            Self::UnknownKey => {
                "its host key is not known here: compare its fingerprint with whoever looks after it, and put it into \
                 `known_hosts` (RB0311)"
            }
            Self::Refused => {
                "it does not let the account in: a key or a ticket must do without a question (RB0310)"
            }
            Self::NoPowerShell => {
                "the connection stands, but PowerShell cannot be started there: install it, or name its program in \
                 `through`, `program` (RB0312)"
            }
            Self::NoSubsystem => {
                "its SSH server does not offer PowerShell: add the subsystem to its `sshd_config`, or use `by: ssh` \
                 (RB0312)"
            }
            Self::Away => "does it run, and may it be reached from here? Try it by hand (RB0309)",
        }
    }
}

/// That no connection came about. `said` is what the client said of it.
pub(super) fn not_reached(host: &str, said: &str) -> Failure {
    told(host, said, Reason::of(said))
}

/// That the connection stands, and what was started there ended before it could be used.
pub(super) fn not_started(host: &str, exit: &Exit, said: &str) -> Failure {
    let none = matches!(exit, Exit::Code(126 | 127)) || said.contains("is not recognized");
    if none {
        return told(host, said, Reason::NoPowerShell);
    }
    let words = last_line(said).map_or_else(String::new, |line| format!(": {line}"));
    failed(format!(
        "PowerShell on `{host}` {exit} before it could be used{words}; does it start by itself there? (RB0312)",
        exit = ended(exit)
    ))
}

/// That nothing came back in time.
pub(super) fn silent(host: &str, seconds: u64) -> Failure {
    failed(format!(
        "`{host}` has not answered for {seconds} seconds: does PowerShell start by itself there? (RB0309)"
    ))
}

/// That the connection was lost while a script was carried out.
pub(super) fn lost(host: &str, script: &str, said: &str) -> Failure {
    let words = last_line(said).map_or_else(String::new, |line| format!(" ({line})"));
    failed(format!(
        "the connection with `{host}` was lost while it carried `{script}` out{words}: it may have taken effect there, \
         in part or whole. Look at the machine, then go on with the run: `validate` looks before anything is repeated \
         (RB0313)"
    ))
}

/// That a script called `exit` where its code cannot be known.
pub(super) fn exited(host: &str, script: &str) -> Failure {
    failed(format!(
        "`{script}` called `exit`, whose code does not come back from `{host}`: `return` ends a script, `throw` fails it"
    ))
}

/// How a process ended.
pub(super) fn ended(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => format!("was ended by the signal {signal}"),
    }
}

fn told(host: &str, said: &str, reason: Reason) -> Failure {
    let words = last_line(said).unwrap_or_else(|| "no answer".to_owned());
    failed(format!(
        "`{host}` cannot be used: {words}; {advice}",
        advice = reason.advice()
    ))
}

fn failed(message: String) -> Failure {
    Failure::new(FailureKind::Failed, message)
}
