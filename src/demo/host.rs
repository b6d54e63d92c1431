//! One address of the block and the names that belong to it: pure arithmetic on seed and address.

use std::net::Ipv4Addr;

/// The registrable domain of the imaginary provider, which names the reverse zone's unclaimed addresses.
pub const PROVIDER: &str = "kestrelhosting.sj";

/// The block whose names are the shortest.
const COMMON: Ipv4Addr = Ipv4Addr::new(127, 25, 0, 0);

/// One address, the seed, and the names that follow from both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// The address.
    pub ip: Ipv4Addr,
    /// The block's seed.
    pub seed: u64,
}

impl Host {
    /// `label.domain` in the domain of this host's customer; no other address of a /12 has the same one.
    pub fn own(self, label: &str) -> String {
        format!("{label}.{}.bv", self.word())
    }

    /// `label.domain` in a second domain, which shares nothing with the first, and is this address's alone as
    /// well.
    pub fn other(self, label: &str) -> String {
        format!("{label}.{}.sj", self.word())
    }

    /// The name that the provider gives to an address that nobody claimed.
    pub fn generic(self) -> String {
        let [a, b, c, d] = self.ip.octets();
        format!("static-{a}-{b}-{c}-{d}.{PROVIDER}")
    }

    /// An address outside of any block, in the documentation range 198.51.100.0/24.
    pub fn elsewhere(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 51, 100, self.ip.octets()[3])
    }

    /// A number below `bound` for one `purpose`; equal questions have equal answers. Zero if `bound` is.
    pub fn pick(self, purpose: &str, bound: u64) -> u64 {
        let purpose = purpose.bytes().fold(0, |sum, byte| mix(sum ^ u64::from(byte)));
        mix(self.seed ^ mix(purpose ^ u64::from(self.ip.to_bits()))).checked_rem(bound).unwrap_or(0)
    }

    /// A word or two, unique within a /12: the low ten bits of the address, permuted by the seed, as a pair
    /// of words, the next ten as a third behind a hyphen.
    fn word(self) -> String {
        const FIRST: [&str; 32] = [
            "amber", "ash", "birch", "blue", "bright", "cedar", "clear", "copper", "dawn", "deep", "east",
            "elm", "fair", "fern", "frost", "gold", "green", "grey", "hazel", "high", "iron", "long",
            "maple", "moss", "north", "oak", "pine", "red", "silver", "south", "stone", "west",
        ];
        const SECOND: [&str; 32] = [
            "bank", "beck", "bridge", "brook", "cliff", "croft", "dale", "fell", "field", "finch", "ford",
            "limiter", "glen", "grove", "harbour", "hill", "holm", "lake", "lark", "marsh", "mead", "mill",
            "moor", "ridge", "rock", "shore", "spring", "thorn", "vale", "water", "wick", "wood",
        ];
        const THIRD: [&str; 32] = [
            "arbour", "bakery", "boats", "books", "bureau", "cellar", "choir", "crafts", "dairy", "estate",
            "farm", "forge", "garden", "guild", "joinery", "labour", "legal", "library", "looms", "market",
            "mining", "opera", "orchard", "pottery", "press", "school", "society", "stables", "studio",
            "textiles", "trade", "works",
        ];
        let bits = self.ip.to_bits() ^ COMMON.to_bits();
        let pair = scatter(bits & 0x3ff, self.seed);
        let rest = bits >> 10 & 0x3ff;
        let at = |list: &[&'static str; 32], bits: u32| list[(bits & 31) as usize];
        let word = format!("{}{}", at(&FIRST, pair), at(&SECOND, pair >> 5));
        match rest {
            0 => word,
            _ => format!("{word}-{}{}", at(&THIRD, rest), tail(rest >> 5)),
        }
    }
}

/// A permutation of the numbers below 1024, another for each key: ten numbers in, the same ten out,
/// elsewhere.
pub fn scatter(index: u32, key: u64) -> u32 {
    let key = mix(key);
    let part = |shift: u32| (key >> shift & 0x3ff) as u32;
    let mut index = index & 0x3ff;
    for round in [0, 20, 40] {
        // XOR, an odd factor and a shift to the right can each be undone within ten bits.
        index = (index ^ part(round)).wrapping_mul(part(round + 10) | 1) & 0x3ff;
        index ^= index >> 5;
    }
    index
}

/// Letters for what three lists leave over: none in a small block's first shares, never digits, which look
/// assigned.
fn tail(rest: u32) -> String {
    const SOUNDS: [&str; 32] = [
        "", "a", "an", "ar", "as", "e", "el", "en", "er", "es", "i", "ia", "il", "in", "is", "o", "ol", "on",
        "or", "os", "u", "ul", "um", "un", "ur", "us", "ya", "ye", "yn", "yo", "ys", "yu",
    ];
    SOUNDS[(rest & 31) as usize].to_owned()
}

/// Spreads 64 bits over 64 bits, each input to another output: the finisher of `SplitMix64` (Steele and
/// others, 2014).
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::name::HostName;

    fn hosts(seed: u64, count: u32) -> impl Iterator<Item = Host> {
        let first = Ipv4Addr::new(127, 25, 0, 0).to_bits();
        (first..first + count).map(move |bits| Host { ip: Ipv4Addr::from_bits(bits), seed })
    }

    #[test]
    fn no_two_addresses_of_a_block_share_a_domain() {
        for seed in [0, 1, u64::MAX] {
            let names: HashSet<String> = hosts(seed, 1 << 17).map(|host| host.own("mail")).collect();
            assert_eq!(names.len(), 1 << 17, "seed {seed}");
        }
    }

    #[test]
    fn scatter_loses_no_number() {
        for key in [0, 1, 99, u64::MAX] {
            let out: HashSet<u32> = (0..1024).map(|index| scatter(index, key)).collect();
            assert_eq!(out.len(), 1024, "key {key}");
            assert!(out.iter().all(|&index| index < 1024));
        }
    }

    #[test]
    fn every_name_is_a_host_name_in_a_domain_of_its_own() {
        for host in hosts(7, 4096) {
            for name in [host.own("mail"), host.other("mx"), host.generic()] {
                let parsed = HostName::parse(&name).unwrap();
                assert_eq!(parsed.as_str(), name);
                assert_eq!(parsed.registrable(), name.split_once('.').map(|(_, domain)| domain), "{name}");
            }
        }
    }

    #[test]
    fn no_customer_name_holds_a_word_of_assigned_names() {
        for host in hosts(3, 1 << 16) {
            let name = host.own("mail");
            for word in [
                "dyn", "pool", "dsl", "cpe", "static", "dhcp", "cable", "ppp", "client", "cust", "rev", "vps",
            ] {
                assert!(!name.contains(word), "{name} holds {word}");
            }
            assert!(!name.bytes().any(|b| b.is_ascii_digit()), "{name}");
        }
    }

    #[test]
    fn the_suffixes_are_known_to_the_public_suffix_list() {
        for suffix in ["bv", "sj"] {
            let found = psl::suffix(suffix.as_bytes()).unwrap();
            assert!(found.is_known(), "{suffix}");
        }
    }
}
