//! What may stand between a program and the server of a test: all passes, until it is told otherwise.

#![expect(clippy::panic, reason = "tests end with what went wrong")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What is done with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// All passes.
    Pass,
    /// Connections are cut, new ones too.
    Refuse,
    /// The next answer does not pass: its connection is cut instead. After that, all passes.
    CutAnswer,
    /// What is asked passes, and no answer does, though the connections stand.
    Mute,
}

/// A proxy on loopback; it ends with the test.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    mode: Mode,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Stands before the server at this address.
    #[must_use]
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0));
        let listener = listener.unwrap_or_else(|error| panic!("no proxy: {error}"));
        let address = listener.local_addr();
        let address = address.unwrap_or_else(|error| panic!("no proxy: {error}"));
        let (mode, open) = (Mode::Pass, Vec::new());
        let state = Arc::new(Mutex::new(State { mode, open }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Err(error) = join(&client, server, &shared) {
                    tracing::debug!(%error, "a connection was not passed on");
                    let _gone = client.shutdown(Shutdown::Both);
                }
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, this is done with connections.
    pub fn set(&self, mode: Mode) {
        let mut state = locked(&self.state);
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
    if locked(state).mode == Mode::Refuse {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    locked(state).open.extend([client.try_clone()?, server.try_clone()?]);
    let (mut asks, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ended = io::copy(&mut asks, &mut to_server);
        let _gone = to_server.shutdown(Shutdown::Both);
    });
    let (mut answers, mut to_client, state) = (server, client.try_clone()?, Arc::clone(state));
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            let mode = locked(&state).mode;
            let passed = match mode {
                Mode::Pass => to_client.write_all(&buffer[..count]).is_ok(),
                Mode::Mute => true,
                Mode::Refuse => false,
                Mode::CutAnswer => {
                    let mut state = locked(&state);
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
    });
    Ok(())
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
