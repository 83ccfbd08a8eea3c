//! Ctrl-C and its kin, on their way to a run that is being carried out; Ctrl-Z, on its way to the terminal.

use std::io::IsTerminal as _;

use runbook_engine::platform::stop::{LAST_SECONDS, StopRequest, StopRequests};
use runbook_engine::platform::terminal::{self, PauseRequests};
use runbook_engine::runtime::Control;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::Failed;
use crate::prompt;
use crate::render::style::Look;
use crate::setting::Setting;

/// What is said when the program is asked to stop, and may take its time.
const ASKED: &str = "stopping: what is under way may end; press Ctrl-C again to stop it at once";

/// What is said when nothing is waited for any more.
const AT_ONCE: &str = "stopping at once: what is under way will be in doubt";

/// Gives the terminal back as it was when the program is stopped for a while (Ctrl-Z), and goes on from there
/// when it is continued.
pub(crate) fn heed_pauses(look: &Look) -> Result<(), Failed> {
    if !std::io::stderr().is_terminal() {
        return Ok(());
    }
    let mut requests = PauseRequests::listen()
        .map_err(|error| Failed::fault("the program could not listen for Ctrl-Z", &error))?;
    let screen = look.screen().cloned();
    tokio::spawn(async move {
        loop {
            requests.next().await;
            // A terminal that has gone away needs nothing back.
            let pause = || drop(prompt::leave_while(terminal::pause));
            match &screen {
                Some(screen) => screen.leave_while(pause),
                None => pause(),
            }
        }
    });
    Ok(())
}

/// The orders that signals give: the first starts nothing more, the second stops everything, and with it the waiting
/// for a database that is away. Where the system is about to end the program, the second is not waited for.
pub(crate) fn listen(setting: &Setting) -> Result<UnboundedReceiver<Control>, Failed> {
    let mut requests = StopRequests::listen()
        .map_err(|error| Failed::fault("the program could not listen for Ctrl-C", &error))?;
    let (orders, inbox) = unbounded_channel();
    let (look, hurry) = (setting.look.clone(), setting.hurry.clone());
    tokio::spawn(async move {
        order(&mut requests, &orders, |text| look.tell(text)).await;
        hurry.cancel();
    });
    Ok(inbox)
}

/// Requests to stop, one after the other.
trait Requests: Send {
    fn next(&mut self) -> impl Future<Output = StopRequest> + Send;
}

impl Requests for StopRequests {
    fn next(&mut self) -> impl Future<Output = StopRequest> + Send {
        Self::next(self)
    }
}

/// Turns requests into orders, until nothing more can be ordered, or nobody listens.
async fn order(
    requests: &mut impl Requests,
    orders: &UnboundedSender<Control>,
    tell: impl Fn(&str) + Send + Sync,
) {
    let first = requests.next().await;
    if orders.send(Control::Drain).is_err() {
        return;
    }
    match first {
        StopRequest::Asked => {
            tell(&format!("\n{ASKED}"));
            requests.next().await;
        }
        StopRequest::Ending => {
            tell(&format!(
                "\nstopping: the window is closed, or the session ends; what is under way has {} seconds to end",
                LAST_SECONDS.as_secs()
            ));
            tokio::time::timeout(LAST_SECONDS, requests.next()).await.ok();
        }
    }
    if orders.send(Control::Stop).is_ok() {
        tell(&format!("\n{AT_ONCE}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The requests that come, and then none.
    struct Come(Vec<StopRequest>);

    impl Requests for Come {
        async fn next(&mut self) -> StopRequest {
            match self.0.pop() {
                Some(request) => request,
                None => std::future::pending().await,
            }
        }
    }

    #[tokio::test]
    async fn where_the_system_ends_the_program_nobody_has_to_ask_twice() {
        let (orders, mut inbox) = unbounded_channel();
        let told = Mutex::new(String::new());
        let tell = |text: &str| told.lock().unwrap().push_str(text);
        order(&mut Come(vec![StopRequest::Ending]), &orders, tell).await;
        let ordered = [inbox.recv().await, inbox.recv().await];
        assert_eq!(ordered, [Some(Control::Drain), Some(Control::Stop)]);
        let told = told.into_inner().unwrap();
        assert!(told.contains("has 3 seconds to end"), "{told}");
        assert!(told.ends_with("in doubt"), "{told}");
    }

    #[tokio::test]
    async fn whoever_asks_once_is_waited_for() {
        let (orders, mut inbox) = unbounded_channel();
        let mut once = Come(vec![StopRequest::Asked]);
        let ordering = order(&mut once, &orders, |_| ());
        let longer = LAST_SECONDS + std::time::Duration::from_millis(500);
        assert!(tokio::time::timeout(longer, ordering).await.is_err());
        assert_eq!(inbox.recv().await, Some(Control::Drain));
        assert!(inbox.try_recv().is_err(), "nothing more is ordered");
    }
}
