//! `runbook explain`

use runbook_engine::diagnostic::{Code, Diagnostic};

use super::pages;
use crate::error::Failed;
use crate::exit::Exit;
use crate::render::layout::Width;
use crate::render::{self, page};

/// Explain an error code, as `RB0007`, or a key of steps
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code, or a key that every step may have, as `approve`; without one, all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let width = Width::of_results();
    match &args.code {
        None => Code::ALL
            .iter()
            .for_each(|code| render::result(&width.wrap(&format!("{code}  "), 8, code.title()))),
        Some(text) => {
            if let Some(key) = pages::of_key(text) {
                page::print(&key);
                return Ok(Exit::Done);
            }
            let code: Code = in_full(text).parse().map_err(|error| {
                let near = Code::ALL.iter().map(|code| code.as_str());
                let diagnostic = Diagnostic::error(Code::Usage, format!("{error}"))
                    .did_you_mean(&text.to_ascii_uppercase(), near);
                let diagnostic = diagnostic.help("`runbook explain` lists the codes");
                Failed::from(diagnostic.help(
                    "`runbook steps` tells of the kinds of step, and of the keys that every step may have",
                ))
            })?;
            page::print(code.page());
        }
    }
    Ok(Exit::Done)
}

/// The code as it is printed: `rb7` and `7` are what people remember of it.
fn in_full(text: &str) -> String {
    let number = text.get(..2).filter(|letters| letters.eq_ignore_ascii_case("rb"));
    let number = number.map_or(text, |_| &text[2..]);
    match number.parse::<u16>() {
        Ok(number) => format!("RB{number:04}"),
        Err(_) => text.to_owned(),
    }
}
