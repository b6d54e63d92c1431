//! What the machine allows: open files, and with them how many conversations fit.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept for all else: outputs, sockets of the resolver, the runtime's own.
const RESERVE: u64 = 300;
/// The default number of conversations at once where files are plenty: at the default rate, some three
/// seconds' worth.
const DEFAULT_CONCURRENCY: u64 = 4_000;
/// The most conversations at once, at about 8 KB each.
pub const MAX_CONCURRENCY: usize = 500_000;

/// Descriptors without which no conversation can be held, and for each thread more. With two threads, two
/// outputs, a status file and metrics, a scan started with 44 and not with 40.
const LEAST: u64 = 40;
const LEAST_A_THREAD: u64 = 6;

/// How many open files a scan with so many threads needs to get anywhere.
pub fn least_open_files(threads: usize) -> u64 {
    LEAST + LEAST_A_THREAD * threads as u64
}

/// Raises the soft limit of open files to the hard one, and returns what is then allowed.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let soft = limit.current.unwrap_or(u64::MAX);
    if soft < hard {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            return hard;
        }
    }
    soft
}

/// Conversations at once for a limit of open files, as wished or by default.
pub fn concurrency(open_files: u64, wished: Option<usize>) -> usize {
    let room = open_files.saturating_sub(RESERVE.min(open_files / 2)).max(1);
    let most = usize::try_from(room).unwrap_or(usize::MAX).min(MAX_CONCURRENCY);
    let wished = wished.unwrap_or(usize::try_from(DEFAULT_CONCURRENCY).unwrap_or(usize::MAX));
    wished.clamp(1, most)
}

/// Grows the kernel's table of open files once, before there are threads: growing it later stalls each of
/// them for milliseconds.
pub fn size_file_table(descriptors: usize) -> io::Result<()> {
    let Some(highest) = i32::try_from(descriptors).ok().and_then(|count| count.checked_sub(1)) else {
        return Ok(());
    };
    let stderr = io::stderr();
    // The copy takes the lowest free number from `highest` on, and is closed at once.
    rustix::io::fcntl_dupfd_cloexec(stderr.as_fd(), highest)?;
    Ok(())
}

/// Since Linux 6.5 the first SYNs follow one another by a second.
const LINEAR_SYNS: &str = "/proc/sys/net/ipv4/tcp_syn_linear_timeouts";

/// How many SYNs the kernel sends to a host that does not answer, within so long.
pub fn syns_within(timeout: Duration) -> u32 {
    let linear = std::fs::read_to_string(LINEAR_SYNS).ok().and_then(|text| text.trim().parse().ok());
    syns(timeout, linear.unwrap_or(0))
}

/// The same, where so many waits last a second each; every later one is twice as long as the one before (RFC
/// 6298 §5.5).
fn syns(timeout: Duration, linear: u32) -> u32 {
    let (mut count, mut sent, mut wait) = (0, Duration::ZERO, Duration::from_secs(1));
    while sent < timeout && count < 16 {
        count += 1;
        sent += wait;
        wait *= if count < linear { 1 } else { 2 };
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrency_fits_the_open_file_limit() {
        for (files, wished, fits) in [
            (20_000, None, 4_000),
            (20_000, Some(50_000), 19_700),
            (1_024, None, 724),
            (64, None, 32),
            (64, Some(10), 10),
            (1, None, 1),
            (u64::MAX, Some(usize::MAX), MAX_CONCURRENCY),
        ] {
            assert_eq!(concurrency(files, wished), fits, "{files} files, {wished:?} wished");
        }
    }

    #[test]
    fn a_timeout_holds_as_many_syns_as_the_kernel_sends_in_it() {
        for (seconds, linear, count) in [(1, 4, 1), (2, 4, 2), (5, 4, 5), (30, 4, 8), (5, 0, 3), (1, 0, 1)] {
            assert_eq!(syns(Duration::from_secs(seconds), linear), count, "{seconds} s, {linear} in line");
        }
        assert_eq!(syns(Duration::from_millis(500), 4), 1);
    }
}
