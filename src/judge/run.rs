//! A whole run in bounded memory: which banner names many addresses share, and which addresses greeted.
//! Counted on a first pass, it tells [`Around`] of each host on a second one.
//!
//! Both counts err on one side only: what no room was left for is not seen, and no host is held for more than
//! it is. By example, room for 4 names: `a b a c a d e` keeps `a` at three addresses and forgets `b c d`, met
//! at one each.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};

use super::around::{Around, MANY};
use super::banner;
use crate::evidence::Evidence;

/// How many names are counted at once: each takes its own length and a hundred bytes or so.
const MAX_NAMES: usize = 1 << 18;
/// How many IPv4 networks (/24) are remembered, some forty bytes each, and how many IPv6 addresses.
const MAX_PLACES: usize = 1 << 20;

/// The first few different addresses of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Addresses([Option<IpAddr>; MANY]);

impl Addresses {
    /// Adds one, unless it is there or [`MANY`] are.
    pub fn add(&mut self, ip: IpAddr) {
        for place in &mut self.0 {
            match place {
                Some(there) if *there == ip => return,
                Some(_) => {}
                None => {
                    *place = Some(ip);
                    return;
                }
            }
        }
    }

    /// How many; [`MANY`] stands for any more.
    pub fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

/// What a first pass has seen.
#[derive(Debug)]
pub struct Run {
    names: HashMap<Box<str>, Addresses>,
    max_names: usize,
    /// The addresses of a /24 that greeted, a bit each.
    greeted: HashMap<[u8; 3], [u64; 4]>,
    greeted_v6: HashSet<Ipv6Addr>,
}

impl Default for Run {
    fn default() -> Self {
        Self::with_names(MAX_NAMES)
    }
}

impl Run {
    fn with_names(max_names: usize) -> Self {
        Self { names: HashMap::new(), max_names, greeted: HashMap::new(), greeted_v6: HashSet::new() }
    }

    /// Counts one target.
    pub fn add(&mut self, evidence: &Evidence) {
        let Some(ip) = evidence.ip.filter(|_| evidence.observation.outcome.is_judged()) else { return };
        self.add_greeted(ip);
        if let Some(name) = banner::banner(evidence).name {
            self.add_name(name, ip);
        }
    }

    /// What it has seen of one target.
    pub fn around(&self, evidence: &Evidence) -> Around {
        let Some(ip) = evidence.ip.filter(|_| evidence.observation.outcome.is_judged()) else {
            return Around::default();
        };
        let name = banner::banner(evidence).name;
        let same_name = name.and_then(|name| self.names.get(name.as_str())).map_or(0, Addresses::count);
        let leads = evidence.resolution.iter().flat_map(|resolution| &resolution.banner_forward.addresses);
        let greeted_elsewhere = leads.filter(|&&lead| lead != ip && self.has_greeted(lead)).count();
        Around { same_name, greeted_elsewhere }
    }

    fn add_name(&mut self, name: String, ip: IpAddr) {
        if let Some(addresses) = self.names.get_mut(name.as_str()) {
            return addresses.add(ip);
        }
        if self.names.len() >= self.max_names {
            self.forget();
        }
        if self.names.len() < self.max_names {
            let mut addresses = Addresses::default();
            addresses.add(ip);
            self.names.insert(name.into(), addresses);
        }
    }

    /// Makes room: names that were met at the fewest addresses go, those that count as many stay.
    fn forget(&mut self) {
        let is_room = |names: &HashMap<_, _>, max: usize| names.len() <= max / 2;
        for fewest in 1..MANY {
            self.names.retain(|_, addresses| addresses.count() > fewest);
            if is_room(&self.names, self.max_names) {
                return;
            }
        }
    }

    fn add_greeted(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                let known = self.greeted.len();
                match self.greeted.get_mut(&[a, b, c]) {
                    Some(bits) => set(bits, d),
                    None if known < MAX_PLACES => set(self.greeted.entry([a, b, c]).or_default(), d),
                    None => {}
                }
            }
            IpAddr::V6(v6) if self.greeted_v6.len() < MAX_PLACES => {
                self.greeted_v6.insert(v6);
            }
            IpAddr::V6(_) => {}
        }
    }

    fn has_greeted(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                let bits = self.greeted.get(&[a, b, c]);
                bits.is_some_and(|bits| bits[usize::from(d >> 6)] & 1 << (d & 63) != 0)
            }
            IpAddr::V6(v6) => self.greeted_v6.contains(&v6),
        }
    }
}

fn set(bits: &mut [u64; 4], last: u8) {
    bits[usize::from(last >> 6)] |= 1 << (last & 63);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Observation, Outcome};
    use crate::judge::fixture::{ELSEWHERE, HERE, host};

    fn at(ip: &str, greeting: &str, banner: &str) -> Evidence {
        Evidence { ip: Some(ip.parse().unwrap()), ..host(greeting, "x.example.net=here", banner) }
    }

    const LOCAL: &str = "220 localhost ESMTP";

    #[test]
    fn a_name_counts_once_for_each_address() {
        let mut run = Run::default();
        let first = at("192.0.2.1", LOCAL, "not_asked");
        for (ip, count) in
            [("192.0.2.1", 1), ("192.0.2.1", 1), ("192.0.2.2", 2), ("2001:db8::1", 3), ("192.0.2.9", 3)]
        {
            run.add(&at(ip, LOCAL, "not_asked"));
            assert_eq!(run.around(&first).same_name, count, "{ip}");
        }
        assert_eq!(run.around(&at("192.0.2.1", "220 mail.kestrel.example ESMTP", "here")).same_name, 0);
        assert_eq!(run.around(&at("192.0.2.1", "220 ESMTP", "here")).same_name, 0);
    }

    #[test]
    fn only_those_that_greeted_count() {
        let mut run = Run::default();
        let silent = Evidence {
            observation: Observation::bare(Outcome::Silent, 1),
            ..host(LOCAL, "nxdomain", "here")
        };
        run.add(&silent);
        assert_eq!(run.around(&host(LOCAL, "nxdomain", "here")), Around::default());
        run.add(&host(LOCAL, "nxdomain", "here"));
        assert_eq!(run.around(&silent), Around::default());
    }

    #[test]
    fn addresses_of_the_banners_name_that_greeted_are_counted_but_for_its_own() {
        let mut run = Run::default();
        let here = host("220 mail.kestrel.example ESMTP", "nxdomain", "elsewhere");
        run.add(&here);
        assert_eq!(run.around(&here).greeted_elsewhere, 0);
        run.add(&Evidence { ip: Some(ELSEWHERE.into()), ..here.clone() });
        assert_eq!(run.around(&here).greeted_elsewhere, 1);
        let mut both = here.clone();
        both.resolution.as_mut().unwrap().banner_forward.addresses = vec![
            HERE.into(),
            ELSEWHERE.into(),
            "198.51.100.8".parse().unwrap(),
            "2001:db8::1".parse().unwrap(),
        ];
        assert_eq!(run.around(&both).greeted_elsewhere, 1);
        run.add(&at("2001:db8::1", LOCAL, "here"));
        assert_eq!(run.around(&both).greeted_elsewhere, 2);
    }

    #[test]
    fn names_are_bounded_and_those_that_many_share_stay() {
        let mut run = Run::with_names(16);
        for last in 0..200u8 {
            run.add(&at(&format!("192.0.2.{last}"), LOCAL, "not_asked"));
            for other in 0..4 {
                let greeting = format!("220 mail.a{last}b{other}.example ESMTP");
                run.add(&at(&format!("198.51.100.{last}"), &greeting, "here"));
            }
            assert!(run.names.len() <= 16);
        }
        assert_eq!(run.around(&at("192.0.2.1", LOCAL, "not_asked")).same_name, MANY);
    }

    #[test]
    fn where_all_room_is_taken_by_names_that_many_share_new_ones_are_not_counted() {
        let mut run = Run::with_names(4);
        for name in ["a", "b", "c", "d", "e"] {
            for last in 1..=3 {
                run.add(&at(
                    &format!("192.0.2.{last}"),
                    &format!("220 {name}.kestrel.example ESMTP"),
                    "here",
                ));
            }
        }
        let count = |name| {
            run.around(&at("192.0.2.1", &format!("220 {name}.kestrel.example ESMTP"), "here")).same_name
        };
        assert_eq!(["a", "b", "c", "d", "e"].map(count), [3, 3, 3, 3, 0]);
    }
}
