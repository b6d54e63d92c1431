//! The addresses that names led to: each is spoken to once, for the name that came first.
//!
//! A claim holds through a stop only once its name is done: the turn of any other is taken again by the resumed scan, which
//! would find its addresses taken, and by nobody.

use std::collections::HashSet;
use std::net::IpAddr;

/// Who is spoken to already.
#[derive(Debug, Default)]
pub struct Claims {
    all: HashSet<IpAddr>,
    /// Those of names that are not done.
    open: HashSet<IpAddr>,
}

impl Claims {
    /// Those that an earlier run left.
    pub fn settled_before(addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        Self { all: addresses.into_iter().collect(), open: HashSet::new() }
    }

    /// Takes an address for a name that is under way; `false` if a name has it.
    pub fn take(&mut self, ip: IpAddr) -> bool {
        let is_new = self.all.insert(ip);
        if is_new {
            self.open.insert(ip);
        }
        is_new
    }

    /// The name of these addresses is done.
    pub fn settle(&mut self, addresses: &[IpAddr]) {
        for ip in addresses {
            self.open.remove(ip);
        }
    }

    /// How many addresses have a name that is done. There are never fewer.
    pub fn settled_count(&self) -> usize {
        self.all.len() - self.open.len()
    }

    /// The addresses whose names are done.
    pub fn settled(&self) -> impl Iterator<Item = IpAddr> {
        self.all.difference(&self.open).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_is_kept() {
        let [first, second, third] = [1, 2, 3].map(|last| IpAddr::from([192, 0, 2, last]));
        let mut claims = Claims::settled_before([first]);
        assert!(!claims.take(first), "an earlier run had it");
        assert!(claims.take(second) && claims.take(third));
        assert!(!claims.take(second), "each once");
        assert_eq!(claims.settled().collect::<Vec<_>>(), [first]);
        claims.settle(&[third]);
        let mut settled: Vec<_> = claims.settled().collect();
        settled.sort_unstable();
        assert_eq!((settled, claims.settled_count()), (vec![first, third], 2));
        assert!(!claims.take(third), "it stays taken");
    }
}
