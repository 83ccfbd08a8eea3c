//! Requests to stop: Ctrl-C, and what the system sends when it ends a program or closes its window.

use std::io;

pub use self::os::StopRequests;

#[cfg(unix)]
mod os {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    /// The requests to stop that this process gets from now on. None is lost between two waits; several that
    /// come at once may count as one.
    #[derive(Debug)]
    pub struct StopRequests {
        interrupt: Signal,
        terminate: Signal,
        hang_up: Signal,
    }

    impl StopRequests {
        pub(super) fn register() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        /// Waits for the next request.
        pub async fn next(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = self.hang_up.recv() => {}
            }
        }
    }
}

#[cfg(windows)]
mod os {
    use tokio::signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
        ctrl_shutdown,
    };

    /// The requests to stop that this process gets from now on. None is lost between two waits; several that
    /// come at once may count as one.
    #[derive(Debug)]
    pub struct StopRequests {
        interrupt: CtrlC,
        break_off: CtrlBreak,
        close: CtrlClose,
        log_off: CtrlLogoff,
        shut_down: CtrlShutdown,
    }

    impl StopRequests {
        pub(super) fn register() -> std::io::Result<Self> {
            Ok(Self {
                interrupt: ctrl_c()?,
                break_off: ctrl_break()?,
                close: ctrl_close()?,
                log_off: ctrl_logoff()?,
                shut_down: ctrl_shutdown()?,
            })
        }

        /// Waits for the next request.
        pub async fn next(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.break_off.recv() => {}
                _ = self.close.recv() => {}
                _ = self.log_off.recv() => {}
                _ = self.shut_down.recv() => {}
            }
        }
    }
}

impl StopRequests {
    /// Listens from now on; such a request no longer ends the process by itself.
    ///
    /// # Errors
    /// When the system does not let the process listen.
    pub fn listen() -> io::Result<Self> {
        Self::register()
    }
}
