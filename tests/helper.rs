//! The child program of the tests: it does what a test asks for, the same on every system.
//!
//! `helper WORD ARGUMENT… [then WORD ARGUMENT…]…`; what fails ends it with exit code 70.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program is at the edge: it is what tests carry out"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

#[path = "platform/console.rs"]
mod console;

/// A test that forgets its helper must not leave it behind for long.
const PATIENCE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // What it starts may have any words.
    if arguments.first().is_some_and(|word| word == "at-console") {
        return at_console(&arguments);
    }
    for words in arguments.split(|word| word == "then") {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match carry_out(&words) {
            Ok(None) => {}
            Ok(Some(code)) => return ExitCode::from(code),
            Err(error) => {
                eprintln!("helper {words:?}: {error}");
                return ExitCode::from(70);
            }
        }
    }
    ExitCode::SUCCESS
}

/// `at-console COLUMNS ROWS FILE PROGRAM ARGUMENT…`: starts a program at a console of this size, leaves its number in
/// a file, and ends as it does.
fn at_console(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let sizes = (words[1].parse(), words[2].parse());
    let (Ok(columns), Ok(rows)) = sizes else {
        eprintln!("helper {words:?}: no sizes");
        return ExitCode::from(70);
    };
    match console::starts(columns, rows, words[3], &words[4..]) {
        // One that was ended from outside has more than a byte holds.
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        Err(error) => {
            eprintln!("helper {words:?}: {error}");
            ExitCode::from(70)
        }
    }
}

/// Carries one word out; an exit code ends the program.
fn carry_out(words: &[&str]) -> io::Result<Option<u8>> {
    match words {
        ["append", file, line] => append(file, line)?,
        ["write", file, text] => fs::write(file, text)?,
        ["remove", file] => fs::remove_file(file)?,
        ["copy", from, to] => drop(fs::copy(from, to)?),
        ["say", text] => println!("{text}"),
        ["complain", text] => eprintln!("{text}"),
        ["print-file", file] => print!("{}", fs::read_to_string(file)?),
        ["complain-file", file] => eprint!("{}", fs::read_to_string(file)?),
        ["flood", bytes] => flood(bytes)?,
        ["variable", name] => println!("{}", std::env::var(name).unwrap_or_default()),
        ["end", code] => return code.parse().map(Some).map_err(io::Error::other),
        ["until", file] => until(|| Path::new(file).exists())?,
        ["hang"] => until(|| false)?,
        ["hang-once", file] => {
            if !Path::new(file).exists() {
                fs::write(file, "")?;
                until(|| false)?;
            }
        }
        ["hold", file] => hold(file)?,
        ["grandchild", file] => grandchild(file)?,
        ["crowd", folder, least] => crowd(folder, least)?,
        ["save-input", file] => fs::write(file, input()?)?,
        ["leak", name] => leak(&document()?["params"][*name])?,
        ["observe", file] => println!(
            "{}",
            serde_json::json!({ "content": fs::read_to_string(file).ok() })
        ),
        ["restore", file] => restore(file, &document()?["before"]["content"])?,
        ["has", file, text] => return Ok(unless(fs::read_to_string(file).is_ok_and(|found| found == *text))),
        ["exists", file] => return Ok(unless(Path::new(file).exists())),
        ["fail-first", file, times] => return fail_first(file, times),
        _ => return Err(io::Error::other("the helper knows no such word")),
    }
    Ok(None)
}

/// Exit code 1, as `validate` answers, unless it holds.
fn unless(holds: bool) -> Option<u8> {
    (!holds).then_some(1)
}

fn append(file: &str, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(format!("{line}\n").as_bytes())
}

fn until(holds: impl Fn() -> bool) -> io::Result<()> {
    let start = std::time::Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other("the helper has waited long enough"));
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Locks a file for as long as this process lives: whoever can lock it knows that it is gone.
fn hold(file: &str) -> io::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file)?;
    file.lock()?;
    std::mem::forget(file);
    Ok(())
}

/// Starts a process that holds a file and never ends by itself; returns when it does.
fn grandchild(file: &str) -> io::Result<()> {
    let ready = format!("{file}.ready");
    let _left_behind = Command::new(std::env::current_exe()?)
        .args(["hold", file, "then", "write", &ready, "", "then", "hang"])
        .stdin(Stdio::null())
        .spawn()?;
    until(|| Path::new(&ready).exists())
}

/// Enters a room, notes how many are in it, waits until `least` have come at all, and leaves.
fn crowd(folder: &str, least: &str) -> io::Result<()> {
    let least: usize = least.parse().map_err(io::Error::other)?;
    let (folder, me) = (Path::new(folder), std::process::id().to_string());
    let room = folder.join("room");
    fs::create_dir_all(&room)?;
    let count = |path: &Path| fs::read_dir(path).map(Iterator::count);
    fs::write(room.join(&me), "")?;
    append(
        &folder.join("counts").to_string_lossy(),
        &count(&room)?.to_string(),
    )?;
    let come = || fs::read_to_string(folder.join("counts")).map_or(0, |text| text.lines().count());
    until(|| come() >= least)?;
    fs::remove_file(room.join(&me))
}

fn flood(bytes: &str) -> io::Result<()> {
    let bytes: usize = bytes.parse().map_err(io::Error::other)?;
    let line = [b"x".repeat(63), b"\n".to_vec()].concat();
    let mut out = io::stdout().lock();
    for at in (0..bytes).step_by(line.len()) {
        out.write_all(&line[..line.len().min(bytes - at)])?;
    }
    Ok(())
}

fn input() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    Ok(text)
}

fn document() -> io::Result<Value> {
    Ok(serde_json::from_str(&input()?)?)
}

/// Prints a secret in every way that comes to mind, and in two pieces.
fn leak(secret: &Value) -> io::Result<()> {
    let secret = secret
        .as_str()
        .ok_or_else(|| io::Error::other("there is no such parameter"))?;
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    println!(
        "plain {secret}, base64 {}, both {}",
        STANDARD.encode(secret),
        STANDARD.encode(&utf16)
    );
    println!("within {}", STANDARD.encode(format!("user:{secret}:end")));
    eprintln!("on stderr {secret}");
    let mut out = io::stdout();
    out.write_all(&utf16)?;
    let (first, second) = secret.split_at(secret.len() / 2);
    for piece in [first, second] {
        out.write_all(piece.as_bytes())?;
        out.flush()?;
    }
    println!();
    Ok(())
}

fn restore(file: &str, content: &Value) -> io::Result<()> {
    match content.as_str() {
        Some(content) => fs::write(file, content),
        None => match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Fails so many times, counting in a file.
fn fail_first(file: &str, times: &str) -> io::Result<Option<u8>> {
    let times: usize = times.parse().map_err(io::Error::other)?;
    append(file, "tried")?;
    let mut text = String::new();
    File::open(file)?.read_to_string(&mut text)?;
    Ok(unless(text.lines().count() > times))
}
