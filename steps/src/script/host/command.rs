//! Programs that a script carries out, by their argument vectors.

use std::collections::BTreeMap;
use std::time::Duration;

use rhai::{Array, Dynamic, Engine, INT, Map};
use runbook_engine::platform::process::Exit;
use runbook_engine::step::Context;
use serde::Deserialize;
use tokio::runtime::Handle;

use super::{Answer, Function, Grant, map, pretended, refused, stopped};
use crate::child::{self, Input, Program};
use crate::script::Allow;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::granted(
        "command([program, argument, …])",
        Grant::Commands,
        "carries a program out, named exactly as it is granted, without a shell: a map of `code`, `stdout` (its first MiB), \
         `stderr` (its last 4 KiB) and `truncated`",
    ),
    Function::granted(
        "command([program, argument, …], options)",
        Grant::Commands,
        "the same; `options` is a map of `input` (a text for its standard input, the place for secrets) and `timeout` \
         (in seconds)",
    ),
];

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default)]
    input: String,
    timeout: Option<f64>,
}

pub(super) fn register(engine: &mut Engine, allow: &Allow, cx: &Context) {
    let commands = allow.commands.clone().unwrap_or_default();
    let caller = Caller {
        handle: Handle::current(),
        commands,
        cx: cx.clone(),
    };
    let plain = caller.clone();
    engine.register_fn("command", move |argv: Array| {
        plain.carry_out(&argv, Options::default())
    });
    engine.register_fn("command", move |argv: Array, options: Map| {
        match rhai::serde::from_dynamic::<Options>(&options.into()) {
            Ok(options) => caller.carry_out(&argv, options),
            // What is wrong may be a secret's value: it is not told.
            Err(_) => {
                refused("the options of `command` are `input`, a text, and `timeout`, a number of seconds")
            }
        }
    });
}

#[derive(Clone)]
struct Caller {
    handle: Handle,
    commands: Vec<String>,
    cx: Context,
}

impl Caller {
    fn carry_out(&self, argv: &Array, options: Options) -> Answer<Map> {
        let texts: Option<Vec<String>> = argv.iter().map(argument).collect();
        let Some(texts) = texts else {
            return refused("`command` takes a list of texts and numbers");
        };
        let Some(name) = texts.first() else {
            return refused("`command` needs a program");
        };
        if !self.commands.contains(name) {
            return refused(format!("`{name}` is not allowed: add it to `allow.commands`"));
        }
        if texts.iter().any(|text| text.contains('\0')) {
            return refused("a NUL character cannot be part of an argument");
        }
        let timeout = match options.timeout.map(Duration::try_from_secs_f64) {
            None => None,
            Some(Ok(timeout)) => Some(timeout),
            Some(Err(_)) => return refused("the `timeout` of `command` is a number of seconds"),
        };
        if let Some(world) = &self.cx.world {
            let answer = world.carry_out(&texts, &options.input);
            return answer.map(pretended::of_program).or_else(refused);
        }
        let program = Program {
            argv: texts.iter().map(String::as_str).collect(),
            env: BTreeMap::new(),
            cwd: None,
            input: Input::Text(options.input.into_bytes()),
        };
        let cancel = self.cx.cancel.child_token();
        let cx = Context {
            cancel: cancel.clone(),
            ..self.cx.clone()
        };
        // The script has a thread to itself, which may wait.
        let (finished, late) = self.handle.block_on(async {
            let work = child::carry_out(&program, &cx);
            let Some(timeout) = timeout else {
                return (work.await, false);
            };
            let mut work = std::pin::pin!(work);
            match tokio::time::timeout(timeout, &mut work).await {
                Ok(finished) => (finished, false),
                Err(_) => {
                    cancel.cancel();
                    (work.await, true)
                }
            }
        });
        let finished = match finished {
            Ok(finished) => finished,
            Err(_) if self.cx.cancel.is_cancelled() => return stopped(),
            Err(_) if late => {
                let seconds = timeout.unwrap_or_default().as_secs_f64();
                return refused(format!(
                    "`{name}` did not end within {seconds} seconds, and was ended"
                ));
            }
            Err(failure) => return refused(failure.message),
        };
        let code = match finished.exit {
            Exit::Code(code) => INT::from(code),
            Exit::Signal(signal) => return refused(format!("`{name}` was ended by the signal {signal}")),
        };
        Ok(map([
            ("code", code.into()),
            (
                "stdout",
                String::from_utf8_lossy(&finished.stdout).into_owned().into(),
            ),
            ("stderr", finished.stderr.into()),
            ("truncated", finished.truncated.into()),
        ]))
    }
}

fn argument(value: &Dynamic) -> Option<String> {
    (value.is_string() || value.is_int() || value.is_float()).then(|| value.to_string())
}
