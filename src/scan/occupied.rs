//! One conversation for each address at a time, whatever its ports: what comes while one is under way waits for its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

/// The addresses that are spoken to, each with what waits for it. There are no more of them than conversations at once,
/// and no more wait for each than a target has ports.
#[derive(Debug)]
pub struct Occupied<T> {
    spoken_to: HashMap<u128, Vec<T>, Spread>,
    waiting: usize,
}

impl<T> Default for Occupied<T> {
    fn default() -> Self {
        Self { spoken_to: HashMap::default(), waiting: 0 }
    }
}

impl<T> Occupied<T> {
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

/// Spreads addresses by two multiplications: each target passes here twice. The factor is drawn, for names lead to
/// addresses of a stranger's choice.
#[derive(Debug, Clone)]
struct Spread {
    factor: u64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { factor: RandomState::new().build_hasher().finish() | 1 }
    }
}

impl BuildHasher for Spread {
    type Hasher = Spreading;

    fn build_hasher(&self) -> Spreading {
        Spreading { factor: self.factor, sum: self.factor }
    }
}

struct Spreading {
    factor: u64,
    sum: u64,
}

impl Hasher for Spreading {
    fn finish(&self) -> u64 {
        self.sum
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves of the product")]
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.sum ^ number) * u128::from(self.factor);
        self.sum = product as u64 ^ (product >> 64) as u64;
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves of the number")]
    fn write_u128(&mut self, number: u128) {
        self.write_u64((number >> 64) as u64);
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_items_until_it_leaves() {
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut occupied = Occupied::default();
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
    fn addresses_of_one_network_and_of_many_are_spread() {
        let spread = Spread::default();
        for step in [1, 256, 1 << 16, 1 << 64, (1 << 80) + 1] {
            let buckets: std::collections::HashSet<u64> =
                (0..4096_u128).map(|n| spread.hash_one(n * step) % 4096).collect();
            // Chance fills 63 % of as many places as there are numbers.
            assert!(buckets.len() > 2300, "{} of 4096 places at a step of {step}", buckets.len());
        }
        let mapped = IpAddr::from(std::net::Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
        assert_eq!(key(mapped), key(IpAddr::from([192, 0, 2, 1])));
    }
}
