//! One server process: started with its log in a file, awaited until it greets, ended by its own id. Knows
//! neither what kind of server it is nor what it says.

use std::fs::{self, File};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::namespace::{await_some, is_root};

/// Where the servers are, if not at their usual place.
const SERVERS: &str = "TEST_SERVERS";

/// Where `scripts/setup` puts the servers; fails the test if they are not there.
pub fn servers() -> PathBuf {
    let cache = || std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache");
    let usual = || cache().unwrap_or_else(home).join("banneret/servers");
    let place = std::env::var_os(SERVERS).map_or_else(usual, PathBuf::from);
    // The last that the script fetches.
    let all_there = place.join("haraka.stamp").exists();
    assert!(all_there, "no servers in `{}`: run scripts/setup", place.display());
    assert!(is_root(), "the servers need accounts of their own: run as root");
    place
}

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command` with its output in a log below `work`.
    pub fn start(name: &str, work: &Path, command: &mut Command) -> Self {
        let log = work.join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let output = file.try_clone().unwrap();
        let child = command.stdin(Stdio::null()).stdout(output).stderr(file).spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{name} cannot be started, run scripts/setup: {error}"));
        Self { name: name.to_owned(), child, log }
    }

    /// Waits until somebody listens there. Nobody is called: the first call that a server sees is the test's
    /// own.
    pub fn await_listening(&mut self, address: SocketAddrV4) {
        let local = u32::from_ne_bytes(address.ip().octets());
        // As in proc_pid_net(5): the local end, any remote end, the state LISTEN.
        let listener = format!(" {local:08X}:{:04X} 00000000:0000 0A ", address.port());
        self.await_ready(&format!("a listener on {address}"), || {
            fs::read_to_string("/proc/net/tcp").is_ok_and(|sockets| sockets.contains(&listener))
        });
    }

    /// Waits until `is_ready`; a server that ends before that fails the test with its log.
    pub fn await_ready(&mut self, what: &str, mut is_ready: impl FnMut() -> bool) {
        let mut ended = None;
        await_some(&format!("{what} of {}", self.name), || {
            ended = self.child.try_wait().unwrap();
            (ended.is_some() || is_ready()).then_some(())
        });
        assert!(ended.is_none(), "{} ended with {ended:?}, its log: {}", self.name, self.log());
    }

    /// What it has logged by now.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of {}:\n{}", self.name, self.log());
        }
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        let child = &mut self.child;
        if std::thread::panicking() {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        await_some(&format!("the end of {}", self.name), || child.try_wait().unwrap());
    }
}
