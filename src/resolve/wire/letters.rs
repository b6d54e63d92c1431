//! A question's letters in the case that a die chose: `mail.example.org` goes out as `mAIl.eXamPlE.ORg`, an
//! answer repeats the question, and a forger who sees neither has to hit that too, beside number and port
//! (draft-vixie-dnsext-dns0x20). What becomes of an answer that does not repeat it is not told here.

use super::HEADER;
use crate::name::DnsName;

/// Which letters of a name are capitals: a bit for each, and once more from the first for the 33rd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letters(u32);

impl Letters {
    /// All small.
    pub const SMALL: Self = Self(0);

    /// By 32 bits of chance.
    pub fn drawn(bits: u32) -> Self {
        Self(bits)
    }

    /// Writes them into a query's name, which begins behind the header and is in small letters.
    pub fn write(self, query: &mut [u8], name: &DnsName) {
        let room = query.iter_mut().skip(HEADER).zip(self.spell(name));
        for (place, letter) in room {
            *place = letter;
        }
    }

    /// Whether an answer repeats the name in these letters; one that repeats no question, as a failure may,
    /// has none.
    pub fn are_in(self, answer: &[u8], name: &DnsName) -> bool {
        let repeats = answer.get(4..6).is_some_and(|count| count != [0, 0]);
        !repeats || self.spell(name).eq(answer.iter().skip(HEADER).take(name.as_wire().len()).copied())
    }

    fn spell(self, name: &DnsName) -> impl Iterator<Item = u8> {
        let mut bits = self.0;
        // A length octet is below every letter (RFC 1035 §3.1).
        name.as_wire().iter().map(move |&byte| {
            if !byte.is_ascii_lowercase() {
                return byte;
            }
            let capital = bits & 1 == 1;
            bits = bits.rotate_right(1);
            if capital { byte.to_ascii_uppercase() } else { byte }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Edns, read, write_query};
    use super::*;
    use crate::resolve::question::Kind;

    fn query(name: &DnsName, letters: Letters) -> Vec<u8> {
        let mut query = Vec::new();
        write_query(&mut query, 7, name, Kind::A, Edns::Offered);
        letters.write(&mut query, name);
        query
    }

    #[test]
    fn a_die_chooses_the_letters_and_nothing_else() {
        let name = DnsName::parse("mail.0-9z.example.org").unwrap();
        for (bits, text) in [
            (0, "mail.0-9z.example.org"),
            (u32::MAX, "MAIL.0-9Z.EXAMPLE.ORG"),
            (0b101, "MaIl.0-9z.example.org"),
            (0b1_0000, "mail.0-9Z.example.org"),
        ] {
            let wire = query(&name, Letters::drawn(bits));
            let spelt: Vec<u8> = wire[HEADER + 1..HEADER + 22].to_vec();
            let dots = [4, 9, 17];
            let told: Vec<u8> =
                spelt.iter().enumerate().map(|(at, &b)| if dots.contains(&at) { b'.' } else { b }).collect();
            assert_eq!(String::from_utf8_lossy(&told), text);
            assert_eq!(wire.len(), query(&name, Letters::SMALL).len());
            assert_eq!(wire[..HEADER], query(&name, Letters::SMALL)[..HEADER]);
        }
    }

    #[test]
    fn letters_go_around_in_long_names() {
        let name = DnsName::parse(&["abcdefgh"; 5].join(".")).unwrap();
        let wire = query(&name, Letters::drawn(1));
        let capitals: Vec<usize> =
            (0..wire.len()).filter(|&at| wire[at].is_ascii_uppercase()).map(|at| at - HEADER).collect();
        assert_eq!(capitals, [1, 37], "the first letter and the 33rd");
    }

    #[test]
    fn an_answer_is_told_by_its_letters() {
        let name = DnsName::parse("mail.example.org").unwrap();
        let letters = Letters::drawn(0b1001_0110);
        let mut answer = query(&name, letters);
        answer[2] |= 0x80;
        assert!(letters.are_in(&answer, &name));
        assert!(read(&answer, &name, Kind::A).is_some(), "reading does not mind them");
        for other in [Letters::SMALL, Letters::drawn(0b1001_0111), Letters::drawn(!0b1001_0110)] {
            assert!(!other.are_in(&answer, &name), "{other:?}");
        }
        assert!(!letters.are_in(&answer[..HEADER + 3], &name), "cut short");
        answer[4..6].copy_from_slice(&[0, 0]);
        assert!(letters.are_in(&answer[..HEADER], &name), "a failure without a question");
    }
}
