//! `runbook practice approve`: signs in with a code, as somebody would in a browser.

use std::time::Duration;

use clap::ValueEnum;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use runbook_engine::diagnostic::{Code, Diagnostic};
use tokio::net::TcpStream;
use url::form_urlencoded::Serializer;

use super::{Place, existing};
use crate::error::Failed;
use crate::exit::Exit;
use crate::setting::Setting;

/// How long the tenant may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code
    #[arg(value_name = "CODE")]
    code: String,
    #[command(flatten)]
    place: Place,
    /// Who signs in
    #[arg(long = "as", value_enum, default_value_t)]
    account: Account,
    /// Decline instead
    #[arg(long)]
    decline: bool,
}

/// A person of the practice tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Account {
    /// An Application Administrator
    #[default]
    Admin,
    /// Somebody who may only read
    Reader,
}

pub(super) async fn run(args: &Args, setting: &Setting) -> Result<Exit, Failed> {
    let folder = existing(&args.place.folder)?;
    let account = match args.account {
        Account::Admin => "admin",
        Account::Reader => "reader",
    };
    let decision = if args.decline { "decline" } else { "approve" };
    let form = Serializer::new(String::new())
        .extend_pairs([
            ("code", args.code.as_str()),
            ("account", account),
            ("decision", decision),
        ])
        .finish();
    let posted = tokio::time::timeout(PATIENCE, post(folder.settings.port, form)).await;
    let status = match posted {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(unanswered(&folder.address()).caused_by(&*error).into()),
        Err(_) => return Err(unanswered(&folder.address()).into()),
    };
    if status == StatusCode::OK {
        setting
            .look
            .tell(if args.decline { "declined" } else { "signed in" });
        return Ok(Exit::Done);
    }
    let message = format!("`{}` is no code that waits for somebody", args.code);
    let help = "it was never given, has been used, or has expired: take the one that the run shows now";
    Err(Diagnostic::error(Code::Usage, message).help(help).into())
}

fn unanswered(address: &str) -> Diagnostic {
    let message = format!("the practice tenant does not answer at {address}");
    Diagnostic::error(Code::Usage, message).help("`runbook practice` serves it, in a terminal of its own")
}

async fn post(port: u16, form: String) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post("/devicelogin")
        .header("host", format!("127.0.0.1:{port}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))?;
    tokio::select! {
        answer = sender.send_request(request) => Ok(answer?.status()),
        ended = connection => match ended {
            Ok(()) => Err("the connection was closed".into()),
            Err(error) => Err(error.into()),
        },
    }
}
