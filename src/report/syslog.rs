//! Lines of syslog, each from this machine. The line is [`crate::record::syslog`]'s.

use super::rows::Encode;
use crate::record::{Record, syslog};

/// Writes lines.
#[derive(Debug, Clone)]
pub struct Syslog {
    host: String,
}

impl Syslog {
    /// Lines that name this machine.
    pub fn new() -> Self {
        Self { host: rustix::system::uname().nodename().to_string_lossy().into_owned() }
    }
}

impl Default for Syslog {
    fn default() -> Self {
        Self::new()
    }
}

impl Encode for Syslog {
    fn head(&mut self, _block: &mut Vec<u8>) {}

    fn row(&mut self, record: &Record, block: &mut Vec<u8>) {
        syslog::encode(record, &self.host, block);
    }
}
