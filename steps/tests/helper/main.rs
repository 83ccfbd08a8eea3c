//! A child program that does what a test asks for: `steps-helper DOES ARGUMENT…`.

#![expect(
    clippy::disallowed_methods,
    reason = "this program is at the edge: it is what tests carry out"
)]

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io::{self, Read as _, Write as _};
use std::process::{Command, ExitCode, Stdio};

#[cfg(unix)]
use self::unix::stubborn;
#[cfg(windows)]
use self::windows::stubborn;

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let name = std::env::current_exe()?
        .file_stem()
        .map(std::ffi::OsStr::to_owned);
    // Under these names it does the same whatever it is told.
    match name.as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("ends") => return say("here"),
        Some("fails") => return end("1", "", "it does not know these options"),
        _ => {}
    }
    match words.as_slice() {
        ["arguments", rest @ ..] => say(&serde_json::to_string(rest)?),
        ["variable", name] => say(&std::env::var(name).unwrap_or_default()),
        ["copy"] => io::copy(&mut io::stdin(), &mut io::stdout()).map(|_| ExitCode::SUCCESS),
        ["print", text] => say(text),
        ["bytes", numbers @ ..] => bytes(numbers),
        ["end", code, out, err] => end(code, out, err),
        ["abort"] => std::process::abort(),
        ["flood", bytes] => flood(bytes.parse().map_err(io::Error::other)?),
        ["has", file, text] => has(file, text),
        ["write-json", file, text] => std::fs::write(file, text).and_then(|()| say("{\"written\": true}")),
        ["write-and-hang", file, text] => std::fs::write(file, text).and_then(|()| hang()),
        ["restore", file] => restore(file),
        ["hang"] => say("here").and_then(|_| hang()),
        ["keeps-printing"] => keeps_printing(),
        ["stubborn"] => stubborn(),
        ["tree", last] => tree(last).and_then(|_| hang()),
        ["leave", last] => tree(last),
        _ => Err(io::Error::other(format!("the helper cannot do {words:?}"))),
    }
}

fn say(text: &str) -> io::Result<ExitCode> {
    let mut out = io::stdout();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Prints these bytes, whatever they are.
fn bytes(numbers: &[&str]) -> io::Result<ExitCode> {
    let bytes: Result<Vec<u8>, _> = numbers.iter().map(|number| number.parse()).collect();
    io::stdout().write_all(&bytes.map_err(io::Error::other)?)?;
    Ok(ExitCode::SUCCESS)
}

fn end(code: &str, out: &str, err: &str) -> io::Result<ExitCode> {
    io::stdout().write_all(out.as_bytes())?;
    io::stderr().write_all(err.as_bytes())?;
    Ok(ExitCode::from(code.parse::<u8>().map_err(io::Error::other)?))
}

fn flood(bytes: usize) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let line = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
    let mut left = bytes;
    while left > 0 {
        let part = &line[..left.min(line.len())];
        out.write_all(part)?;
        left -= part.len();
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 0 when the file holds the text, else 1; prints what it holds as JSON.
fn has(file: &str, text: &str) -> io::Result<ExitCode> {
    let content = std::fs::read_to_string(file).ok();
    say(&serde_json::json!({ "content": content }).to_string())?;
    Ok(ExitCode::from(u8::from(content.as_deref() != Some(text))))
}

/// Writes what `before.content` of the document says; without one, removes the file.
fn restore(file: &str) -> io::Result<ExitCode> {
    let mut document = String::new();
    io::stdin().read_to_string(&mut document)?;
    let document: serde_json::Value = serde_json::from_str(&document)?;
    match document["before"]["content"].as_str() {
        Some(content) => std::fs::write(file, content)?,
        None => match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn keeps_printing() -> io::Result<ExitCode> {
    loop {
        say("hi")?;
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

fn hang() -> io::Result<ExitCode> {
    loop {
        std::thread::park();
    }
}

/// Starts itself, to do `last`, as a child; prints the child's number once the child has said something.
fn tree(last: &str) -> io::Result<ExitCode> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(last)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut first = [0; 1];
    if let Some(out) = &mut child.stdout {
        out.read_exact(&mut first)?;
    }
    say(&child.id().to_string())
}
