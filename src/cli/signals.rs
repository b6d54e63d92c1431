//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT end a scan in order; a second one at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::scan::stop::{Level, Stop};

/// Listens on a thread of its own for as long as the program runs.
pub fn listen(stop: Stop) -> io::Result<()> {
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
                stop.further();
                let word = match stop.level() {
                    Level::Now => "stopping now",
                    _ => "stopping: conversations under way may end, then progress is saved; once more stops at once",
                };
                super::say(format_args!("banneret: {word}"));
            }
        });
    })?;
    Ok(())
}
