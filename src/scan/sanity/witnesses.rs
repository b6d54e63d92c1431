//! Hosts that greeted, to be looked at again when many others fail at once. Few are remembered, of as many
//! networks as there are, and none is looked at often.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::prefix::Prefix;

/// Hosts that are remembered.
const MOST: usize = 16;

#[derive(Debug)]
struct Witness {
    socket: SocketAddr,
    /// Kept, for each host that greets is held against all.
    network: Prefix,
    looked: Option<Instant>,
}

/// Once there are that many, one in so many hosts that greet is taken note of: an older witness is as good.
const ONE_IN: u32 = 16;

/// The hosts, those that greeted last behind.
#[derive(Debug, Default)]
pub(super) struct Witnesses {
    hosts: VecDeque<Witness>,
    greeted: u32,
}

impl Witnesses {
    /// Nobody has greeted.
    pub(super) fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// A host greeted: it takes the place of one of its network, or of the oldest.
    pub(super) fn greeted(&mut self, socket: SocketAddr) {
        self.greeted = self.greeted.wrapping_add(1);
        if self.hosts.len() >= MOST && !self.greeted.is_multiple_of(ONE_IN) {
            return;
        }
        if self.hosts.iter().any(|known| known.socket == socket) {
            return;
        }
        let network = Prefix::group(socket.ip());
        if self.hosts.len() >= MOST {
            let same = self.hosts.iter().position(|known| known.network == network);
            self.hosts.remove(same.unwrap_or(0));
        }
        self.hosts.push_back(Witness { socket, network, looked: None });
    }

    /// Up to so many hosts to look at now, of different networks as far as there are some, and none that was
    /// looked at less than `rest` ago.
    pub(super) fn pick(&mut self, now: Instant, count: usize, rest: Duration) -> Vec<SocketAddr> {
        let mut picked: Vec<SocketAddr> = Vec::new();
        let mut networks: Vec<Prefix> = Vec::new();
        for other_networks in [true, false] {
            for known in self.hosts.iter_mut().rev() {
                let is_rested = known.looked.is_none_or(|looked| now - looked >= rest);
                let is_new = !networks.contains(&known.network);
                let is_picked = picked.contains(&known.socket);
                if picked.len() < count && is_rested && !is_picked && (is_new || !other_networks) {
                    known.looked = Some(now);
                    picked.push(known.socket);
                    networks.push(known.network);
                }
            }
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const REST: Duration = Duration::from_secs(10);

    fn host(network: u8, last: u8) -> SocketAddr {
        SocketAddr::new(IpAddr::from([192, 0, network, last]), 25)
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_of_different_networks_are_preferred_and_none_is_looked_at_often() {
        let now = Instant::now();
        let mut witnesses = Witnesses::default();
        for (network, last) in [(1, 1), (1, 2), (1, 3), (2, 1)] {
            witnesses.greeted(host(network, last));
        }
        assert_eq!(witnesses.pick(now, 3, REST), [host(2, 1), host(1, 3), host(1, 2)]);
        assert_eq!(witnesses.pick(now, 3, REST), [host(1, 1)], "the others were looked at just now");
        assert_eq!(witnesses.pick(now, 3, REST), []);
        assert_eq!(witnesses.pick(now + REST, 1, REST), [host(2, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_greets_often_drives_nobody_else_out() {
        let mut witnesses = Witnesses::default();
        witnesses.greeted(host(1, 1));
        for last in 0..=206 {
            witnesses.greeted(host(2, last));
        }
        assert_eq!(witnesses.hosts.len(), MOST);
        assert_eq!(witnesses.pick(Instant::now(), 2, REST), [host(2, 206), host(1, 1)]);
    }
}
