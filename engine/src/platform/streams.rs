//! The standard streams as consoles of Windows: modes, code pages. Terminals of Unix have none.

pub use self::os::{code_pages, consoles};

/// The code pages of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePages {
    /// Of the process' own texts: 65001 is UTF-8.
    pub own: u32,
    /// Of texts of old programs.
    pub old: u32,
    /// Of what the console reads and shows; none where there is no console.
    pub console: Option<(u32, u32)>,
}

/// A standard stream that is a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Console {
    /// What the stream is called.
    pub stream: &'static str,
    /// Its mode, as the system counts it.
    pub mode: u32,
    /// Whether it heeds sequences for terminals; nothing is shown on that which is read.
    pub heeds_sequences: Option<bool>,
}

#[cfg(unix)]
mod os {
    use super::{CodePages, Console};

    /// The code pages, on systems that have them.
    #[must_use]
    pub fn code_pages() -> Option<CodePages> {
        None
    }

    /// Those of the standard streams that are a console of Windows.
    #[must_use]
    pub fn consoles() -> Vec<Console> {
        Vec::new()
    }
}

#[cfg(windows)]
mod os {
    use std::io::{stderr, stdin, stdout};
    use std::os::windows::io::AsRawHandle;

    use runbook_win32::streams;

    use super::{CodePages, Console};

    /// The code pages, on systems that have them.
    #[must_use]
    pub fn code_pages() -> Option<CodePages> {
        let [own, old, reads, shows] = streams::code_pages();
        let console = (reads != 0).then_some((reads, shows));
        Some(CodePages { own, old, console })
    }

    /// Those of the standard streams that are a console of Windows.
    #[must_use]
    pub fn consoles() -> Vec<Console> {
        let input = streams::mode(&stdin()).ok().map(|mode| Console {
            stream: "input",
            mode,
            heeds_sequences: None,
        });
        let all = [input, shown("output", &stdout()), shown("errors", &stderr())];
        all.into_iter().flatten().collect()
    }

    fn shown(name: &'static str, stream: &impl AsRawHandle) -> Option<Console> {
        let mode = streams::mode(stream).ok()?;
        Some(Console {
            stream: name,
            mode,
            heeds_sequences: streams::heeds_sequences(stream).ok(),
        })
    }
}
