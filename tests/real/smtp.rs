//! The plainest SMTP client: says a line, reads a reply. Written without the crate, so that one does not
//! vouch for itself.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The slowest here is postscreen, which waits 2 s.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that answers a handshake does so in milliseconds on loopback.
const SILENCE: Duration = Duration::from_secs(1);
/// A whole TLS record with an empty client's hello: whoever speaks TLS answers it with an alert.
pub(crate) const CLIENT_HELLO: [u8; 9] = [0x16, 3, 1, 0, 4, 1, 0, 0, 0];

/// One reply, its lines without their codes.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

/// One conversation.
#[derive(Debug)]
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: Ipv4Addr) -> Self {
        let stream = TcpStream::connect((address, 25)).unwrap_or_else(|error| panic!("{address}: {error}"));
        stream.set_read_timeout(Some(REPLY_TIMEOUT)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Reads one reply, up to the line with a blank behind its code.
    pub(crate) fn reply(&mut self) -> Reply {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let line = line.trim_end();
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Reply {
                    code: line.get(..3).and_then(|code| code.parse().ok()).unwrap_or_default(),
                    lines,
                };
            }
        }
    }

    /// Says one command, reads its reply.
    pub(crate) fn ask(&mut self, command: &str) -> Reply {
        self.stream.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.reply()
    }

    /// Sends bytes; true if neither a byte nor an end comes back.
    pub(crate) fn is_silent_to(&mut self, bytes: &[u8]) -> bool {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        let answer = self.stream.read(&mut [0; 1]);
        matches!(answer, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }
}
