//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT end a scan in order; a second one at once. Before a scan is under way
//! there is nothing to save, and the first one ends the program.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::scan::stop::{Level, Stop};

/// Turned by signals.
static STOP: OnceLock<Stop> = OnceLock::new();
/// Whether there is something to save.
static IS_UNDER_WAY: AtomicBool = AtomicBool::new(false);

/// From now on a signal ends what is under way in order.
pub fn under_way() -> io::Result<Stop> {
    let stop = listen()?;
    IS_UNDER_WAY.store(true, Relaxed);
    Ok(stop)
}

/// Listens on a thread of its own for as long as the program runs; called again it changes nothing.
pub fn listen() -> io::Result<Stop> {
    if let Some(stop) = STOP.get() {
        return Ok(stop.clone());
    }
    let stop = STOP.get_or_init(Stop::default).clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    // Registered before the first connection, so that no signal falls between.
    let (interrupt, terminate, hang_up, quit) = {
        let _guard = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::quit())?,
        )
    };
    let turned = stop.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            let (mut interrupt, mut terminate, mut hang_up, mut quit) = (interrupt, terminate, hang_up, quit);
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hang_up.recv() => {}
                    _ = quit.recv() => {}
                }
                if !IS_UNDER_WAY.load(Relaxed) {
                    super::say("banneret: stopped before anything was sent");
                    std::process::exit(Exit::Stopped.code().into());
                }
                turned.further();
                let word = match turned.level() {
                    Level::Now => "stopping now",
                    _ => "stopping: conversations under way may end, then progress is saved; once more stops at once",
                };
                super::say(format_args!("banneret: {word}"));
            }
        });
    })?;
    Ok(stop)
}
