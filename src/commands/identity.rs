//! `runbook identity`

use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::id::RoleName;
use serde_json::json;

use crate::error::Failed;
use crate::exit::Exit;
use crate::identity::{self, KeyFile};
use crate::render;
use crate::render::plain;
use crate::render::style::{BOLD, paint};
use crate::setting::Setting;

/// Make and show the key that proves what you do
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With a key, every entry that you write into a journal is signed. What that proves is in
operators.yaml beside the runbooks: who has which key, and which roles.

Examples:
  runbook identity new
  runbook identity export --role farm-admin >> operators.yaml
  runbook journal verify hybrid-s2s-7f3a --operators operators.yaml"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key for yourself; one that is there already is left as it is
    New,
    /// Show which key is used, and where it is
    Show,
    /// Print your lines for operators.yaml
    Export {
        /// A role that you are to have; may be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<RoleName>,
    },
}

pub(crate) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    match &args.command {
        Command::New => {
            let file = identity::make(setting).await?;
            show(&file, setting);
            setting
                .look
                .tell("what you do is signed from now on; `runbook identity export` prints your lines for operators.yaml");
        }
        Command::Show => match KeyFile::find(setting)? {
            Some(file) => show(&file, setting),
            None => show_none(setting),
        },
        Command::Export { roles } => {
            let file = KeyFile::find(setting)?.ok_or_else(|| {
                let name = setting.author().operator;
                let message = format!("`{}` has no key here", plain(name.as_str()));
                Diagnostic::error(Code::KeyUnusable, message).help("`runbook identity new` makes one")
            })?;
            export(&file, roles, setting);
        }
    }
    Ok(Exit::Done)
}

fn show(file: &KeyFile, setting: &Setting) {
    if setting.global.json {
        render::json(&json!({
            "operator": file.operator,
            "key": file.public,
            "file": file.path,
            "locked": file.is_locked(),
        }));
        return;
    }
    let locked = if file.is_locked() {
        "a passphrase opens it"
    } else {
        "no passphrase"
    };
    render::result(&paint(BOLD, plain(&file.operator)));
    render::result(&format!("  key   {}", file.public));
    render::result(&format!(
        "  file  {} ({locked})",
        plain(&file.path.to_string_lossy())
    ));
}

fn show_none(setting: &Setting) {
    let (name, place) = (setting.author().operator, identity::place(setting));
    if setting.global.json {
        render::json(&json!({ "operator": name, "key": null, "file": place, "locked": false }));
        return;
    }
    let place = place.map_or_else(|| "nowhere".to_owned(), |place| place.display().to_string());
    render::result(&format!(
        "{} has no key: what they do is not signed. `runbook identity new` would make one: {}",
        plain(name.as_str()),
        plain(&place)
    ));
}

/// The lines below `operators:`.
fn export(file: &KeyFile, roles: &[RoleName], setting: &Setting) {
    if setting.global.json {
        render::json(&json!({ "name": file.operator, "roles": roles, "key": file.public }));
        return;
    }
    let roles: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
    // A text in JSON is one in YAML too, whatever it holds.
    let name = json!(file.operator);
    render::result(&format!("  - name: {name}"));
    render::result(&format!("    roles: [{}]", roles.join(", ")));
    render::result(&format!("    key: {}", file.public));
}
