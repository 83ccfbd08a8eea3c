//! Requests to stop: Ctrl-C, and what the system sends when it ends a program or closes its window.

use std::io;
use std::time::Duration;

pub use self::os::StopRequests;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRequest {
    /// Somebody wants it to stop, and it may take its time.
    Asked,
    /// The system ends the program within seconds, whatever it does: on Windows, when its window is closed, the person
    /// logs off, or the machine is shut down.
    Ending,
}

/// How long what is under way may still go on after [`StopRequest::Ending`]. Windows gives five seconds, and what has
/// become of it must be kept within them.
pub const LAST_SECONDS: Duration = Duration::from_secs(3);

#[cfg(unix)]
mod os {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::StopRequest;

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
        pub async fn next(&mut self) -> StopRequest {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = self.hang_up.recv() => {}
            }
            StopRequest::Asked
        }
    }
}

#[cfg(windows)]
mod os {
    use tokio::signal::windows::{
        CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_logoff,
        ctrl_shutdown,
    };

    use super::StopRequest;

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
        pub async fn next(&mut self) -> StopRequest {
            tokio::select! {
                _ = self.interrupt.recv() => StopRequest::Asked,
                _ = self.break_off.recv() => StopRequest::Asked,
                _ = self.close.recv() => StopRequest::Ending,
                _ = self.log_off.recv() => StopRequest::Ending,
                _ = self.shut_down.recv() => StopRequest::Ending,
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
