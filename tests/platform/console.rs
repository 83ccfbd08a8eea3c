//! What the helper does so that a program finds a console of a given size: see `windows.rs`.

use std::io;
#[cfg(windows)]
use std::path::Path;
#[cfg(windows)]
use std::time::Duration;

/// How the file's name ends that has it press Ctrl-Break at its console.
#[cfg(windows)]
pub(crate) const BREAK: &str = "break";

#[cfg(windows)]
const POLL: Duration = Duration::from_millis(20);

/// Starts a program at the console, whatever the streams of this one are, and gives its exit code.
#[cfg(windows)]
pub(crate) fn starts(columns: u16, rows: u16, pid: &str, program: &[&str]) -> io::Result<i32> {
    set_size(columns, rows)?;
    // Windows hands on the streams of whoever starts a program, which need not be those of its console.
    let open = |name| std::fs::OpenOptions::new().read(true).write(true).open(name);
    let (input, output) = (open("CONIN$")?, open("CONOUT$")?);
    // What is typed to stop the program, and the end of the window, are not for this one.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let _within = runtime.enter();
    let _unheeded = (
        tokio::signal::windows::ctrl_c()?,
        tokio::signal::windows::ctrl_break()?,
        tokio::signal::windows::ctrl_close()?,
    );
    let mut child = std::process::Command::new(program[0])
        .args(&program[1..])
        .stdin(input)
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()?;
    std::fs::write(pid, child.id().to_string())?;
    let pressed = Path::new(pid).with_extension(BREAK);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code().unwrap_or(-1));
        }
        if std::fs::remove_file(&pressed).is_ok() {
            runbook_win32::streams::press_break()?;
        }
        std::thread::sleep(POLL);
    }
}

/// Gives the console its size. That of one that is made for tests cannot be given from outside everywhere: wine lacks
/// the call.
#[cfg(windows)]
fn set_size(columns: u16, rows: u16) -> io::Result<()> {
    use crossterm_winapi::{Console, ScreenBuffer, WindowPositions};
    let buffer = ScreenBuffer::current()?;
    let console = Console::from(buffer.handle().clone());
    let window = |right: i16, bottom: i16| {
        let place = WindowPositions {
            left: 0,
            top: 0,
            right,
            bottom,
        };
        console.set_console_info(true, place)
    };
    let [columns, rows] = [columns, rows].map(|number| i16::try_from(number).unwrap_or(i16::MAX));
    // A window is never larger than what it shows, not even for a moment.
    let now = buffer.info()?.buffer_size();
    window(now.width.min(columns) - 1, now.height.min(rows) - 1)?;
    buffer.set_size(columns, rows)?;
    window(columns - 1, rows - 1)
}

/// Elsewhere a shell does it.
#[cfg(not(windows))]
pub(crate) fn starts(_columns: u16, _rows: u16, _pid: &str, _program: &[&str]) -> io::Result<i32> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
