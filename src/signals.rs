//! Ctrl-C and its kin, on their way to a run that is being carried out; Ctrl-Z, on its way to the terminal.

use std::io::IsTerminal as _;

use runbook_engine::platform::stop::StopRequests;
use runbook_engine::platform::terminal::{self, PauseRequests};
use runbook_engine::runtime::Control;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::error::Failed;
use crate::prompt;
use crate::render::style::Look;
use crate::setting::Setting;

/// What the first and the second request order, and what is said of it.
const ORDERS: [(Control, &str); 2] = [
    (
        Control::Drain,
        "stopping: what is under way may end; press Ctrl-C again to stop it at once",
    ),
    (
        Control::Stop,
        "stopping at once: what is under way will be in doubt",
    ),
];

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
/// for a database that is away.
pub(crate) fn listen(setting: &Setting) -> Result<UnboundedReceiver<Control>, Failed> {
    let mut requests = StopRequests::listen()
        .map_err(|error| Failed::fault("the program could not listen for Ctrl-C", &error))?;
    let (orders, inbox) = unbounded_channel();
    let (look, hurry) = (setting.look.clone(), setting.hurry.clone());
    tokio::spawn(async move {
        for (order, notice) in ORDERS {
            requests.next().await;
            let heard = orders.send(order).is_ok();
            if order == Control::Stop || !heard {
                hurry.cancel();
            }
            if !heard {
                return;
            }
            look.tell(&format!("\n{notice}"));
        }
    });
    Ok(inbox)
}
