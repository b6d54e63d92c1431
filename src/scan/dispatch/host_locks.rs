//! One conversation for each address at a time, whatever its ports: what comes while one is under way waits
//! for its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use foldhash::fast::RandomState;

/// The addresses that are spoken to, each with what waits for it. There are no more of them than
/// conversations at once, and no more wait for each than a target has ports.
#[derive(Debug)]
pub struct HostLocks<T> {
    spoken_to: HashMap<u128, Vec<T>, RandomState>,
    waiting: usize,
}

impl<T> Default for HostLocks<T> {
    fn default() -> Self {
        Self { spoken_to: HashMap::default(), waiting: 0 }
    }
}

impl<T> HostLocks<T> {
    /// Takes the address and hands `item` back, or keeps it until the address is free.
    pub fn enter(&mut self, ip: IpAddr, item: T) -> Option<T> {
        match self.spoken_to.entry(key(ip)) {
            Entry::Occupied(mut spoken_to) => {
                spoken_to.get_mut().push(item);
                self.waiting += 1;
                None
            }
            Entry::Vacant(free) => {
                free.insert(Vec::new());
                Some(item)
            }
        }
    }

    /// The address is free; gives what waited for it.
    pub fn leave(&mut self, ip: IpAddr) -> Vec<T> {
        let waited = self.spoken_to.remove(&key(ip)).unwrap_or_default();
        self.waiting -= waited.len();
        waited
    }

    /// Whether the address is spoken to.
    pub fn holds(&self, ip: IpAddr) -> bool {
        self.spoken_to.contains_key(&key(ip))
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }
}

/// An address as a number, an IPv4 one as IPv6 maps it.
fn key(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_items_until_it_leaves() {
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut occupied = HostLocks::default();
        assert_eq!(occupied.enter(one, 25), Some(25));
        assert_eq!(occupied.enter(one, 465), None);
        assert_eq!(occupied.enter(one, 587), None);
        assert_eq!(occupied.enter(other, 25), Some(25), "nobody else waits");
        assert_eq!((occupied.waiting(), occupied.holds(one)), (2, true));
        assert_eq!(occupied.leave(one), [465, 587]);
        assert_eq!((occupied.waiting(), occupied.holds(one)), (0, false));
        assert_eq!(occupied.enter(one, 465), Some(465));
        assert!(occupied.leave(other).is_empty());
        assert!(occupied.leave(other).is_empty(), "an address that is free can be left");
    }

    #[test]
    fn an_ipv4_address_is_the_same_however_it_is_written() {
        let plain = IpAddr::from([192, 0, 2, 1]);
        let mapped = IpAddr::from(std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
        let mut occupied = HostLocks::default();
        assert_eq!(occupied.enter(plain, 25), Some(25));
        assert_eq!(occupied.enter(mapped, 25), None);
    }
}
