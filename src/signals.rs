//! Ctrl-C and its kin, on their way to a run that is being carried out.

use runbook_engine::runtime::Control;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::setting::Setting;

/// The orders that signals give: the first starts nothing more, the second stops everything.
pub(crate) fn listen(setting: &Setting) -> UnboundedReceiver<Control> {
    let (orders, inbox) = unbounded_channel();
    let look = setting.look;
    tokio::spawn(async move {
        for (order, notice) in [
            (
                Control::Drain,
                "stopping: what is under way may end; press Ctrl-C again to stop it at once",
            ),
            (
                Control::Stop,
                "stopping at once: what is under way will be in doubt",
            ),
        ] {
            if next_signal().await.is_err() {
                return;
            }
            look.tell(&format!("\n{notice}"));
            if orders.send(order).is_err() {
                return;
            }
        }
    });
    inbox
}

#[cfg(unix)]
async fn next_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn next_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
