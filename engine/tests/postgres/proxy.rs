//! What may stand between a program and the server of a test: all passes, until it is told otherwise.

#![allow(
    clippy::panic,
    dead_code,
    reason = "tests end with what went wrong, and each uses some of it"
)]

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is done with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All passes.
    Pass,
    /// Connections are cut, new ones too.
    Refuse,
    /// The next answer does not pass: its connection is cut instead. After that, all passes.
    CutAnswer,
    /// What is asked passes, and no answer does, though the connections stand.
    Mute,
    /// All passes, but late.
    Delay,
    /// The next answer does not pass, and its connection is closed on that side alone: what is asked still passes. After
    /// that, all passes.
    HalfClose,
}

/// By how much answers are late.
const LATE: Duration = Duration::from_millis(40);

/// A proxy on loopback; it ends with the test.
pub(crate) struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    mode: Mode,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Stands before the server at this address.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, open) = (Mode::Pass, Vec::new());
        let state = Arc::new(Mutex::new(State { mode, open }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if join(&client, server, &shared).is_err() {
                    let _gone = client.shutdown(Shutdown::Both);
                }
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, this is done with connections.
    pub(crate) fn set(&self, mode: Mode) {
        let mut state = self.state.lock().unwrap();
        state.mode = mode;
        if mode == Mode::Refuse {
            state.cut();
        }
    }
}

impl State {
    fn cut(&mut self) {
        for stream in self.open.drain(..) {
            let _gone = stream.shutdown(Shutdown::Both);
        }
    }
}

fn join(client: &TcpStream, server: SocketAddr, state: &Arc<Mutex<State>>) -> io::Result<()> {
    if state.lock().unwrap().mode == Mode::Refuse {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let open = [client.try_clone()?, server.try_clone()?];
    state.lock().unwrap().open.extend(open);
    let (mut asks, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ended = io::copy(&mut asks, &mut to_server);
        let _gone = to_server.shutdown(Shutdown::Both);
    });
    let (to_client, state) = (client.try_clone()?, Arc::clone(state));
    thread::spawn(move || answer(server, to_client, &state));
    Ok(())
}

/// Passes answers on, for as long as they may pass.
#[expect(clippy::disallowed_methods, reason = "it plays a slow network")]
fn answer(mut answers: TcpStream, mut to_client: TcpStream, state: &Mutex<State>) {
    let (mut buffer, mut is_muted) = (vec![0; 64 * 1024], false);
    while let Ok(count @ 1..) = answers.read(&mut buffer) {
        let mut state = state.lock().unwrap();
        let passed = match state.mode {
            // Of what a connection says nothing is left out in the middle.
            Mode::Pass if is_muted => false,
            Mode::Pass => {
                drop(state);
                to_client.write_all(&buffer[..count]).is_ok()
            }
            Mode::Mute => {
                is_muted = true;
                true
            }
            Mode::Delay => {
                drop(state);
                thread::sleep(LATE);
                to_client.write_all(&buffer[..count]).is_ok()
            }
            Mode::HalfClose => {
                state.mode = Mode::Pass;
                let _gone = to_client.shutdown(Shutdown::Write);
                return;
            }
            Mode::Refuse => false,
            Mode::CutAnswer => {
                state.mode = Mode::Pass;
                state.cut();
                false
            }
        };
        if !passed {
            break;
        }
    }
    let _gone = to_client.shutdown(Shutdown::Both);
}
