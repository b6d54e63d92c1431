//! The addresses that a scan goes out from: whether each has a name that leads back, as receivers want of any
//! client. Asked beside the scan, which waits for nothing.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{Session, told};
use crate::cli::solve::solve_quietly;
use crate::judge::Fcrdns;
use crate::judge::fcrdns::fcrdns;
use crate::probe::source_towards;
use crate::resolve::{Settings, Solution, Want};
use crate::scan::progress::Progress;
use crate::scan::sanity::vantage::VantageWarning;
use crate::targets::{Kind, reserved};

/// Addresses that are looked at: who scans from more knows them.
const MAX_ADDRESSES: usize = 16;
/// A scan that is over waits so long for what has not been answered yet.
const COURTESY: Duration = Duration::from_secs(1);

/// A look at our own addresses; when it is dropped, the look has had its time.
pub(super) struct OwnLook(Receiver<()>);

impl Drop for OwnLook {
    fn drop(&mut self) {
        // It ends when the other side is done and gone, or when the time is over.
        let _ = self.0.recv_timeout(COURTESY);
    }
}

impl Session {
    /// Begins to look.
    pub(super) fn look_at_own(&self, progress: &Arc<Progress>) -> OwnLook {
        let (done, over) = channel();
        let say = told::doubt(self.quiet);
        let (progress, settings, own) = (Arc::clone(progress), self.resolver.clone(), self.own_addresses());
        if !own.is_empty() {
            let look = move || {
                progress.doubt(doubts(&own, &settings).into_iter().inspect(say));
                drop(done);
            };
            // Without a thread there is no look, and nothing else is missing.
            let _ = std::thread::Builder::new().name("own".to_owned()).spawn(look);
        }
        OwnLook(over)
    }

    /// Those that `--source-ip` names, else those that the kernel takes towards the targets; and those of
    /// `--own-address`. What is reserved is no
    /// address that receivers see, but one behind a translation of addresses.
    fn own_addresses(&self) -> Vec<IpAddr> {
        let targets = || {
            let firsts = self.loaded.set.lines().filter_map(|line| match line {
                Kind::Address(ip) | Kind::Range(ip, _) => Some(ip),
                Kind::Prefix(prefix) => Some(prefix.first()),
                Kind::Host(_) | Kind::Mx(_) | Kind::Asn(_) => None,
            });
            let mut firsts = firsts.peekable();
            let first = firsts.peek().copied();
            [first, firsts.find(|ip| !ip.is_ipv4())].into_iter().flatten().filter_map(source_towards)
        };
        let mut own: Vec<IpAddr> = Vec::new();
        let sources = self.probe.sources.iter().copied();
        let all: Vec<IpAddr> = if sources.len() > 0 { sources.collect() } else { targets().collect() };
        for ip in all.into_iter().chain(self.scanner.own_addresses.iter().copied()) {
            if reserved(ip).is_none() && !own.contains(&ip) && own.len() < MAX_ADDRESSES {
                own.push(ip);
            }
        }
        own
    }
}

/// The addresses that are known not to be confirmed; one of which nothing is known is no doubt.
fn doubts(own: &[IpAddr], settings: &Settings) -> Vec<VantageWarning> {
    let wants = own.iter().map(|&ip| Want::Identity { ip, banner: None }).collect();
    let solutions = solve_quietly(wants, settings).unwrap_or_default();
    let judged = own.iter().zip(solutions).filter_map(|(&ip, solution)| match solution {
        Solution::Identity(resolution) => Some((ip, fcrdns(&resolution, Some(ip)))),
        _ => None,
    });
    let unconfirmed = judged.filter(|(_, fcrdns)| matches!(fcrdns, Fcrdns::Fail | Fcrdns::PermError));
    unconfirmed.map(|(ip, fcrdns)| VantageWarning::OwnAddress { ip, fcrdns }).collect()
}
