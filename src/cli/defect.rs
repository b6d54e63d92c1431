//! What is said of a defect of this program, in one line: its message may hold a stranger's text.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::panic::{self, PanicHookInfo};

use crate::record::neutral::Safe;

/// Says defects so from now on.
pub(super) fn tell() {
    panic::set_hook(Box::new(|defect| super::say(told(defect))));
}

fn told(defect: &PanicHookInfo<'_>) -> String {
    let place = defect.location().map(ToString::to_string).unwrap_or_default();
    let payload = defect.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    let text = Safe(text);
    let mut told = format!("banneret: a defect of this program at {place}: {text}");
    // Where RUST_BACKTRACE asks for it.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        // Writing to a string does not fail.
        let _ = write!(told, "\n{trace}");
    }
    told
}
