//! What a script itself names of that which it must be granted.

use rhai::{AST, Expr};
use runbook_engine::runbook::is_absolute;
use url::Url;

use super::host::{self, Grant};
use super::mistakes::calls;

/// The programs, hosts or folders that a script names in the text of its calls.
pub(super) fn named(ast: &AST, grant: Grant) -> Vec<String> {
    let mut named = Vec::new();
    calls(ast, &mut |call, _, _| {
        let needs_it = host::functions().any(|f| f.name() == call.name.as_str() && f.grant == Some(grant));
        let first = call.args.first().filter(|_| needs_it);
        named.extend(first.and_then(|argument| of_argument(argument, grant)));
    });
    named
}

fn of_argument(argument: &Expr, grant: Grant) -> Option<String> {
    match (grant, argument) {
        (Grant::Commands, Expr::Array(argv, _)) => text(argv.first()?).map(str::to_owned),
        (Grant::Folders, path) => folder_of(text(path)?),
        (Grant::Hosts, Expr::Map(request, _)) => {
            let (_, url) = request.0.iter().find(|(key, _)| key.name == "url")?;
            host_of(&Url::parse(text(url)?).ok()?)
        }
        (Grant::Commands | Grant::Hosts, _) => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringConstant(text, _) => Some(text),
        _ => None,
    }
}

/// The folder in which a file stands.
pub(crate) fn folder_of(path: &str) -> Option<String> {
    let end = path.rfind(['/', '\\']).filter(|_| is_absolute(path))?;
    let folder = &path[..end];
    // The root keeps its separator.
    let is_root = folder.is_empty() || folder.ends_with(':');
    Some(path[..if is_root { end + 1 } else { end }].to_owned())
}

/// The host of a URL as it is granted: with its port, where that is not the usual one.
pub(crate) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}
