//! Which file a program's name means on Windows, and how that file reads its arguments. It is text alone, and the same
//! everywhere.
//!
//! Windows itself looks in the folder of whoever starts a program, and in the current one, before it looks in `PATH`:
//! whoever may write there could have another program started. And it gives a program its arguments as one text, which
//! each program takes apart in its own way.

/// The endings of what Windows starts, where `PATHEXT` does not name them in another order.
const ENDINGS: [&str; 4] = [".com", ".exe", ".bat", ".cmd"];

/// How a program takes its arguments apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// As programs made with Microsoft's compiler do, and nearly all others.
    Usually,
    /// As `cmd.exe`, which takes all that follows `/c` for a command.
    Command,
    /// As `msiexec.exe`: quotes stand around the value of `NAME=VALUE`, and are doubled within it.
    Installer,
    /// A batch file, whose arguments `cmd.exe` reads, and whose commands read them again.
    Batch,
}

/// Where programs are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    /// The folder in which the program is to work: where relative paths begin.
    pub(super) folder: &'a str,
    /// `PATH`.
    pub(super) path: &'a str,
    /// `PATHEXT`.
    pub(super) endings: &'a str,
}

impl Search<'_> {
    /// The whole path of a program, if there is one. A name without a folder is looked up in the folders that `PATH`
    /// names by whole paths, and nowhere else.
    pub(super) fn find(&self, name: &str, exists: impl Fn(&str) -> bool) -> Option<String> {
        if name.trim_matches(['.', ' ']).is_empty() {
            return None;
        }
        if is_path(name) {
            let whole = if is_relative(name) {
                joined(self.folder, name)
            } else {
                name.to_owned()
            };
            let mut candidates = self.candidates(&whole);
            candidates.push(whole);
            return candidates.into_iter().find(|path| exists(path));
        }
        let folders = self.path.split(';').map(|folder| folder.trim().trim_matches('"'));
        folders
            .filter(|folder| is_whole(folder))
            .flat_map(|folder| self.candidates(&joined(folder, name)))
            .find(|path| exists(path))
    }

    /// The files that a path may mean: itself where it has an ending, then with each that can be started.
    fn candidates(&self, path: &str) -> Vec<String> {
        let last = path.rsplit(['\\', '/']).next().unwrap_or(path);
        let itself = last.contains('.').then(|| path.to_owned());
        let named: Vec<String> = self
            .endings
            .split(';')
            .map(|one| one.trim().to_lowercase())
            .collect();
        let wanted = named
            .iter()
            .map(String::as_str)
            .filter(|one| ENDINGS.contains(one));
        let mut endings: Vec<&str> = wanted.collect();
        if endings.is_empty() {
            endings = ENDINGS.to_vec();
        }
        let added = endings.into_iter().map(|ending| format!("{path}{ending}"));
        itself.into_iter().chain(added).collect()
    }
}

fn joined(folder: &str, name: &str) -> String {
    format!("{}\\{name}", folder.trim_end_matches(['\\', '/']))
}

fn is_path(name: &str) -> bool {
    name.contains(['\\', '/']) || name.chars().nth(1) == Some(':')
}

fn is_relative(path: &str) -> bool {
    !path.starts_with(['\\', '/']) && path.chars().nth(1) != Some(':')
}

/// Whether a path means the same in whichever folder one is.
fn is_whole(path: &str) -> bool {
    let mut chars = path.chars();
    let begin = (chars.next(), chars.next(), chars.next());
    match begin {
        (Some('\\' | '/'), Some('\\' | '/'), Some(_)) => true,
        (Some(drive), Some(':'), Some('\\' | '/')) => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

impl Reads {
    /// How the program of this path does it.
    pub(super) fn of(path: &str) -> Self {
        // Windows leaves out what stands at the end of a name.
        let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
        let name = name.trim_end_matches(['.', ' ']).to_lowercase();
        match name.as_str() {
            "cmd.exe" => Self::Command,
            "msiexec.exe" => Self::Installer,
            _ if name.ends_with(".bat") || name.ends_with(".cmd") => Self::Batch,
            _ => Self::Usually,
        }
    }

    /// The arguments as this program reads them, where the usual way would not do.
    pub(super) fn arguments(self, args: &[String]) -> Option<Vec<String>> {
        match self {
            Self::Usually | Self::Batch => None,
            Self::Command => Some(args.iter().map(|one| for_command(one)).collect()),
            Self::Installer => Some(args.iter().map(|one| for_installer(one)).collect()),
        }
    }
}

/// `cmd.exe` takes the outer quotes off and reads what is within them as it is.
fn for_command(argument: &str) -> String {
    if argument.is_empty() || argument.contains([' ', '\t', '"']) {
        format!("\"{argument}\"")
    } else {
        argument.to_owned()
    }
}

fn for_installer(argument: &str) -> String {
    let plain = !argument.is_empty() && !argument.contains([' ', '\t', '"']);
    match argument.split_once('=') {
        _ if plain => argument.to_owned(),
        Some((name, value))
            if !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c)) =>
        {
            format!("{name}=\"{}\"", value.replace('"', "\"\""))
        }
        _ => format!("\"{}\"", argument.replace('"', "\"\"")),
    }
}

/// Why a batch file cannot be started with these arguments, if so. Data would become commands: no way to quote holds
/// when the file's own commands put an argument in their text.
pub(super) fn batch_problem(path: &str, args: &[String]) -> Option<String> {
    let harmless = |c: char| c.is_alphanumeric() || " _-./\\:+@#~,;={}[]$*?".contains(c);
    let remedy = "call it from a `powershell` step, or name `cmd.exe` and write its command yourself";
    if path.contains(['%', '"']) {
        return Some(format!(
            "it is a batch file, and `cmd.exe` would read its path as something else: {remedy}"
        ));
    }
    let at = args.iter().position(|argument| !argument.chars().all(harmless))?;
    Some(format!(
        "it is a batch file, and `cmd.exe` would read its argument {} as a part of a command: {remedy}",
        at + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, there: &[&str]) -> Option<String> {
        let search = Search {
            folder: r"C:\work",
            path: r#".;tools;;C:\Windows\System32;"C:\Program Files\App";\\server\tools\"#,
            endings: ".COM;.EXE;.BAT;.CMD;.VBS",
        };
        search.find(name, |path| {
            there.iter().any(|one| one.eq_ignore_ascii_case(path))
        })
    }

    #[test]
    fn a_name_is_looked_up_in_whole_folders_of_path_and_nowhere_else() {
        let system = r"C:\Windows\System32\tool.exe";
        assert_eq!(find("tool", &[system]).as_deref(), Some(system));
        assert_eq!(find("tool.exe", &[system]).as_deref(), Some(system));
        // Neither the current folder nor what is relative to it, though `PATH` names both.
        let traps = [r"C:\work\tool.exe", r".\tool.exe", r"tools\tool.exe", "tool.exe"];
        assert_eq!(find("tool", &traps), None);
        assert_eq!(
            find("tool", &[&traps[..], &[system]].concat()).as_deref(),
            Some(system)
        );
        let app = r"C:\Program Files\App\tool.cmd";
        assert_eq!(
            find("tool", &[app, r"\\server\tools\tool.exe"]).as_deref(),
            Some(app)
        );
        assert_eq!(
            find("tool", &[r"\\server\tools\tool.exe"]).as_deref(),
            Some(r"\\server\tools\tool.exe")
        );
        // What Windows does not start is no program.
        assert_eq!(
            find(
                "tool",
                &[r"C:\Windows\System32\tool.vbs", r"C:\Windows\System32\tool"]
            ),
            None
        );
        assert_eq!(
            find("node.js", &[r"C:\Windows\System32\node.js.exe"]).as_deref(),
            Some(r"C:\Windows\System32\node.js.exe")
        );
        for none in ["", ".", "..", " "] {
            assert_eq!(find(none, &[r"C:\Windows\System32\.exe"]), None);
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_begins_where_the_program_works() {
        assert_eq!(
            find(r"D:\x\tool", &[r"D:\x\tool.exe"]).as_deref(),
            Some(r"D:\x\tool.exe")
        );
        assert_eq!(
            find("D:/x/tool.exe", &["D:/x/tool.exe"]).as_deref(),
            Some("D:/x/tool.exe")
        );
        assert_eq!(
            find(r".\tool", &[r"C:\work\.\tool.exe"]).as_deref(),
            Some(r"C:\work\.\tool.exe")
        );
        assert_eq!(
            find(r"bin\tool.bat", &[r"C:\work\bin\tool.bat"]).as_deref(),
            Some(r"C:\work\bin\tool.bat")
        );
        assert_eq!(find(r"D:\x\tool", &[r"D:\x\tool"]).as_deref(), Some(r"D:\x\tool"));
    }

    #[test]
    fn each_kind_of_program_gets_its_arguments_as_it_reads_them() {
        let args = |reads: Reads, args: &[&str]| {
            let args: Vec<String> = args.iter().map(|&one| one.to_owned()).collect();
            reads.arguments(&args).map(|args| args.join(" "))
        };
        assert_eq!(Reads::of(r"C:\Windows\System32\whoami.exe"), Reads::Usually);
        assert_eq!(args(Reads::Usually, &["a b"]), None);
        let cmd = Reads::of(r"C:\Windows\System32\CMD.EXE");
        assert_eq!(
            args(cmd, &["/d", "/c", r#"type "C:\a b\c.txt""#]).as_deref(),
            Some(r#"/d /c "type "C:\a b\c.txt"""#)
        );
        let installer = Reads::of(r"C:\Windows\System32\msiexec.exe");
        assert_eq!(
            args(
                installer,
                &[
                    "/i",
                    r"C:\a b\c.msi",
                    "DIR=C:\\Program Files\\x",
                    "SAY=a\"b c",
                    "/qn"
                ]
            )
            .as_deref(),
            Some(r#"/i "C:\a b\c.msi" DIR="C:\Program Files\x" SAY="a""b c" /qn"#)
        );
    }

    #[test]
    fn a_batch_file_gets_no_argument_that_could_be_a_command() {
        for file in [r"C:\x\a.cmd", r"C:\x\A.BAT", r"C:\x\a.bat ", r"C:\x\a.cmd.."] {
            assert_eq!(Reads::of(file), Reads::Batch, "{file}");
        }
        let problem =
            |argument: &str| batch_problem(r"C:\x\a.cmd", &["deploy".to_owned(), argument.to_owned()]);
        for fine in ["web1", r"C:\Program Files\x", "--name=web 1", "größe", ""] {
            assert_eq!(problem(fine), None, "{fine}");
        }
        for bad in [
            "a&calc",
            "\"&calc&\"",
            "%PATH%",
            "a|b",
            "a>b",
            "^",
            "!x!",
            "a\nb",
            "(",
            "'",
            "`",
            "＂",
        ] {
            let said = problem(bad).unwrap();
            assert!(said.contains("argument 2"), "{said}");
        }
        assert!(batch_problem(r"C:\%x%\a.cmd", &[]).is_some());
    }
}
