//! `runbook practice`

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Subcommand, ValueEnum as _};
use runbook_engine::diagnostic::{Code, Diagnostic};
use runbook_engine::platform::stop::StopRequests;
use serde_json::json;
use tokio::net::TcpListener;

use crate::error::Failed;
use crate::exit::Exit;
use crate::practice::faults::{Fault, Often};
use crate::practice::folder::{Folder, Settings};
use crate::practice::guide::{self, Shell};
use crate::practice::scene::{FarmVersion, Scene, Start};
use crate::practice::server::{Server, serve};
use crate::render;
use crate::setting::Setting;

mod approve;

/// Practise on a farm and a tenant that are not real
///
/// Serves a tenant (Graph, its sign-in, the metadata endpoint) on this machine until Ctrl-C, and writes PowerShell
/// modules that stand in for SharePoint's, with their farm in a file. Nothing outside the folder is touched.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Everything is in the folder `practice`, or the one that --folder names; it goes on where it was.

Examples:
  runbook practice                            serve; it says what to set, and what to carry out
  eval \"$(runbook practice env)\"              set it, in another terminal
  runbook exec hybrid-s2s --params practice/practice.yaml
  runbook practice approve ABCD12345          sign in with the code that a run shows
  runbook practice fault throttled --times 3  let something go wrong
  runbook practice reset --start half         begin again, with half of the work done"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    #[command(flatten)]
    place: Place,
    /// The port that the tenant answers on, where the folder is new; without it a free one
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// How far everything has come, where the folder is new
    #[arg(long, value_enum, default_value_t)]
    start: Start,
    /// The version of SharePoint Server, where the folder is new
    #[arg(long, value_enum, default_value_t)]
    farm_version: FarmVersion,
    /// Let this go wrong; `runbook practice fault` lists them
    #[arg(long, value_enum, value_name = "FAULT", hide_possible_values = true)]
    fault: Vec<Fault>,
    /// Approve every code at once, as an administrator
    #[arg(long)]
    approve_all: bool,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The folder that holds everything
    #[arg(long, value_name = "FOLDER", default_value = "practice")]
    folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Print what to set, for a shell
    Env {
        #[command(flatten)]
        place: Place,
        /// The shell that reads it
        #[arg(long, value_enum)]
        shell: Option<Shell>,
    },
    /// Sign in with a code that a run shows
    Approve(approve::Args),
    /// Let something go wrong, or list what can
    Fault {
        #[command(flatten)]
        place: Place,
        /// What goes wrong
        #[arg(value_enum, value_name = "FAULT", hide_possible_values = true)]
        fault: Option<Fault>,
        /// How often, at most
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        times: Option<u32>,
        /// Until it is taken away
        #[arg(long, conflicts_with = "times")]
        always: bool,
        /// Take it away; without a fault, all
        #[arg(long, conflicts_with_all = ["times", "always"])]
        off: bool,
    },
    /// Put farm and tenant back to how they began
    Reset {
        #[command(flatten)]
        place: Place,
        /// How far everything has come
        #[arg(long, value_enum)]
        start: Option<Start>,
    },
}

pub(crate) async fn run(args: Args, setting: &Setting) -> Result<Exit, Failed> {
    match args.act {
        None => stage(args, setting).await,
        Some(Act::Env { place, shell }) => {
            let folder = existing(&place.folder)?;
            let shell = shell.unwrap_or_else(Shell::usual);
            render::result(&guide::settings(&folder, &powershell(), shell));
            Ok(Exit::Done)
        }
        Some(Act::Approve(args)) => approve::run(&args, setting).await,
        Some(Act::Fault {
            place,
            fault,
            times,
            always,
            off,
        }) => {
            let folder = existing(&place.folder)?;
            match fault {
                None if off => switch_off(&folder, None, setting),
                Some(fault) if off => switch_off(&folder, Some(fault), setting),
                Some(fault) => {
                    let often = match times {
                        Some(times) => Often::Times(times),
                        None if always => Often::Always,
                        None => fault.usually(),
                    };
                    switch_on(&folder, fault, often, setting)
                }
                None => {
                    list(&folder, setting);
                    Ok(Exit::Done)
                }
            }
        }
        Some(Act::Reset { place, start }) => {
            let mut folder = existing(&place.folder)?;
            folder.reset(start.unwrap_or(folder.settings.start))?;
            setting
                .look
                .tell("farm and tenant are as they began; the runs that were made stay");
            Ok(Exit::Done)
        }
    }
}

/// The PowerShell that stands in for both editions.
fn powershell() -> String {
    let core = crate::programs::settings().powershell.core;
    core.unwrap_or_else(|| "pwsh".to_owned())
}

fn existing(path: &Path) -> Result<Folder, Failed> {
    Folder::open(path)?.ok_or_else(|| {
        let message = format!("there is no practice farm in `{}`", path.display());
        let help = "`runbook practice` makes one; name another folder with `--folder`";
        Diagnostic::error(Code::Usage, message).help(help).into()
    })
}

/// Serves the tenant until somebody stops it.
async fn stage(args: Args, setting: &Setting) -> Result<Exit, Failed> {
    let there = Folder::open(&args.place.folder)?;
    let port = there.as_ref().map_or(args.port, |folder| folder.settings.port);
    if let Some(folder) = &there {
        refuse_changes(&args, folder)?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| {
            let message = format!("the practice tenant cannot answer on port {port}");
            let help = "is it served already? Else begin in another folder, with `--folder`";
            Diagnostic::error(Code::Usage, message)
                .caused_by(&error)
                .help(help)
        })?;
    let folder = match there {
        Some(folder) => folder,
        None => create(&args, &listener)?,
    };
    if folder.keep_to_owner()? {
        let path = folder.path().display();
        setting.look.tell(&format!(
            "`{path}` could be entered by others; now only by its owner"
        ));
    }
    for fault in &args.fault {
        switch_on(&folder, *fault, fault.usually(), setting)?;
    }
    let mut stop = StopRequests::listen()
        .map_err(|error| Failed::fault("the program could not listen for Ctrl-C", &error))?;
    announce(&folder, setting);
    let server = Arc::new(Server::new(folder, args.approve_all));
    tokio::select! {
        never = serve(listener, server) => match never {},
        _ = stop.next() => {}
    }
    setting
        .look
        .tell("\nthe tenant is gone; `runbook practice` goes on with it where it was");
    Ok(Exit::Done)
}

/// What is settled when the folder is made cannot be said otherwise later.
fn refuse_changes(args: &Args, folder: &Folder) -> Result<(), Failed> {
    let settings = &folder.settings;
    let refused = if args.port != 0 && args.port != settings.port {
        Some((
            "--port",
            format!("its farm knows the tenant at port {}", settings.port),
        ))
    } else if args.farm_version != FarmVersion::default() && args.farm_version != settings.scene.farm_version
    {
        Some((
            "--farm-version",
            format!("its farm is a {}", settings.scene.farm_version.name()),
        ))
    } else if args.start != Start::default() && args.start != settings.start {
        Some((
            "--start",
            "`runbook practice reset --start` begins again".to_owned(),
        ))
    } else {
        None
    };
    match refused {
        None => Ok(()),
        Some((option, why)) => {
            let folder = folder.path().display();
            let message = format!("`{option}` does not fit the folder `{folder}`: {why}");
            Err(Diagnostic::error(Code::Usage, message)
                .help("leave it out, or begin in another folder with `--folder`")
                .into())
        }
    }
}

fn create(args: &Args, listener: &TcpListener) -> Result<Folder, Failed> {
    const UNMADE: &str = "the practice farm could not be made";
    let address = listener.local_addr();
    let port = address.map_err(|error| Failed::fault(UNMADE, &error))?.port();
    // Both are this machine, so that what is done on every server is done twice.
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let mut servers = vec!["localhost".to_owned()];
    if !host.eq_ignore_ascii_case("localhost") && !host.is_empty() {
        servers.push(host);
    }
    let scene = Scene::new(args.farm_version, servers).map_err(|error| Failed::fault(UNMADE, &error))?;
    let settings = Settings {
        port,
        start: args.start,
        scene,
    };
    Ok(Folder::create(&args.place.folder, settings)?)
}

/// Says where everything is, and what to do now.
fn announce(folder: &Folder, setting: &Setting) {
    let address = folder.address();
    if setting.global.json {
        render::json(&json!({
            "address": address, "folder": folder.path(), "modules": folder.modules(), "parameters": folder.parameters(),
        }));
        return;
    }
    let (shell, path) = (Shell::usual(), folder.path().display());
    render::result(&format!(
        "a farm and a tenant to practise on; nothing in them is real, and nothing outside {path} is touched

  tenant    {address}   (Graph, sign-in and metadata)
  farm      {farm}
  changes   farm-calls.jsonl and tenant-calls.jsonl beside it

In another terminal, set

{settings}

and carry the runbook out:

  runbook exec hybrid-s2s --params {parameters}

When it shows a code, sign in at {address}/devicelogin, or with
  runbook practice approve CODE --folder {path}
An application signs in by itself: {application}

Let something go wrong:  runbook practice fault --folder {path}
Begin again:             runbook practice reset --folder {path}

Nobody knows from public sources what Microsoft answers everywhere. Where this tenant or farm had to choose, the page
docs/reference/practice.md says so, and cmdlets warn with `practice:`. Practising proves nothing about a real farm.
Ctrl-C ends it.",
        farm = folder.farm().display(),
        settings = guide::settings(folder, &powershell(), shell),
        parameters = folder.parameters().display(),
        application = guide::application(folder),
    ));
}

fn switch_on(folder: &Folder, fault: Fault, often: Often, setting: &Setting) -> Result<Exit, Failed> {
    folder
        .with_faults(|faults| faults.set(fault, often))
        .map_err(|error| Failed::fault("the fault could not be noted", &error))?;
    setting
        .look
        .tell(&format!("on: {} ({})", fault.name(), told(often)));
    Ok(Exit::Done)
}

fn switch_off(folder: &Folder, fault: Option<Fault>, setting: &Setting) -> Result<Exit, Failed> {
    let all = match fault {
        Some(fault) => vec![fault],
        None => Fault::value_variants().to_vec(),
    };
    all.iter()
        .try_for_each(|fault| folder.with_faults(|faults| faults.clear(*fault)))
        .map_err(|error| Failed::fault("the fault could not be taken away", &error))?;
    setting.look.tell(&match fault {
        Some(fault) => format!("off: {}", fault.name()),
        None => "all faults are off".to_owned(),
    });
    Ok(Exit::Done)
}

fn list(folder: &Folder, setting: &Setting) {
    let on = folder.with_faults(|faults| faults.all());
    for fault in Fault::value_variants() {
        let often = on.iter().find(|(one, _)| one == fault).map(|(_, often)| *often);
        if setting.global.json {
            let on = often.map(told);
            render::json(&json!({ "fault": fault.name(), "about": fault.about(), "on": on }));
        } else {
            let on = often.map_or_else(String::new, |often| format!("  [on: {}]", told(often)));
            render::result(&format!("{:25}{}{on}", fault.name(), fault.about()));
        }
    }
}

fn told(often: Often) -> String {
    match often {
        Often::Times(1) => "once".to_owned(),
        Often::Times(times) => format!("{times} times"),
        Often::Always => "until it is taken away".to_owned(),
    }
}
